import { z } from 'zod';
import type { BucketResult } from '../domain/bucket-result.ts';
import { FAMILIES } from '../domain/sticky-evidence.ts';
import {
  type Bucket,
  type Counters,
  type Deltas,
  EVIDENCE_MS,
  MOST_CELLS,
  MOST_MEMBERS,
  type RouteEvidence,
  type Sighting,
} from './counters.ts';
import { checked } from './records.ts';
import type { RedisLink } from './redis-link.ts';
import type { RedisScript } from './redis-script.ts';
import { ADD_COUNTS, CLOSE_BUCKET, READ_EVIDENCE } from './scripts/count.ts';

const evidenceReply = z.tuple([z.coerce.number(), z.array(z.string())]);

export class RedisCounters implements Counters {
  readonly #link: RedisLink;
  readonly #bucketMs: string;

  constructor(link: RedisLink, bucketMs: number) {
    this.#link = link;
    this.#bucketMs = String(bucketMs);
  }

  addCounts(route: string, era: number, deltas: Deltas, sightings: readonly Sighting[] = []): Promise<RouteEvidence> {
    const cells = Object.entries(deltas).flatMap(([name, delta]) => [name, String(delta)]);
    const args = [
      ...[EVIDENCE_MS, MOST_CELLS, era, MOST_MEMBERS].map(String),
      ...FAMILIES.flatMap(({ buckets, prefix }) => [String(buckets), prefix]),
      String(cells.length / 2),
      ...cells,
      ...sightings.flatMap(({ member, cells: names }) => [member, names.join(' ')]),
    ];
    return this.#run(
      ADD_COUNTS,
      route,
      args,
      FAMILIES.map((_, i) => `evidence:${route}:seen${i}`),
    );
  }

  readEvidence(route: string): Promise<RouteEvidence> {
    return this.#run(READ_EVIDENCE, route, []);
  }

  close(route: string, index: number, result: BucketResult): Promise<RouteEvidence> {
    return this.#run(CLOSE_BUCKET, route, [String(EVIDENCE_MS), String(index), result.toString()]);
  }

  async #run(
    script: RedisScript,
    route: string,
    args: readonly string[],
    keys: readonly string[] = [],
  ): Promise<RouteEvidence> {
    const reply = await this.#link.run(script, [`evidence:${route}`, ...keys], [this.#bucketMs, ...args]);
    const [open, fields] = checked(evidenceReply, reply);
    return { open, ...evidenceOf(fields) };
  }
}

/** @param fields of the hash, names and values in turn */
function evidenceOf(fields: readonly string[]): Omit<RouteEvidence, 'open'> {
  const plain = new Map<string, string>();
  const buckets = new Map<string, Bucket & { counts: Record<string, number> }>();
  for (let i = 0; i < fields.length; i += 2) {
    const [field, value] = [fields[i] as string, fields[i + 1] as string];
    const cell = /^(\d+):(\d+):(.*)$/.exec(field);
    if (cell === null) plain.set(field, value);
    else {
      const [, index, era, name] = cell as unknown as [string, string, string, string];
      const bucket = buckets.get(`${index}:${era}`) ?? { index: Number(index), era: Number(era), counts: {} };
      bucket.counts[name] = Number(value);
      buckets.set(`${index}:${era}`, bucket);
    }
  }
  const closed = plain.get('closed');
  return {
    closed: closed === undefined ? null : { index: Number(closed), result: plain.get('result') ?? '' },
    buckets: [...buckets.values()].sort((a, b) => a.index - b.index || a.era - b.era),
  };
}
