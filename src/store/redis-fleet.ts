import { z } from 'zod';
import { checked } from './records.ts';
import type { RedisLink } from './redis-link.ts';
import { REPORT } from './scripts/report.ts';
import type { Fleet, ReplicaReport, ReplicaSeen } from './store.ts';

/** A replica that has not reported for so long is not counted any more. */
export const LIVING_MS = 5_000;

const reportRecord = z.object({
  id: z.string(),
  address: z.string().nullable(),
  epoch: z.string(),
  revision: z.int(),
});

/** Replicas in a hash of Redis, one field each, their age by the clock of Redis. */
export class RedisFleet implements Fleet {
  readonly #link: RedisLink;
  readonly #watchers = new Set<(id: string, report: ReplicaReport | null) => void>();

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async report(report: ReplicaReport): Promise<readonly ReplicaSeen[]> {
    const reply = checked(z.array(z.string()), await this.#send(report.id, JSON.stringify(report)));
    const living: ReplicaSeen[] = [];
    for (let i = 0; i < reply.length; i += 3) {
      living.push({ ...reportOf(reply[i + 2] as string), seenMs: Number(reply[i + 1]) });
    }
    return living;
  }

  async leave(id: string): Promise<void> {
    await this.#send(id, '');
  }

  #send(id: string, report: string): Promise<unknown> {
    return this.#link.run(REPORT, ['replicas'], [id, report, String(LIVING_MS), this.#link.channel]);
  }

  watch(onReport: (id: string, report: ReplicaReport | null) => void): () => void {
    const watcher: typeof onReport = (id, report) => onReport(id, report);
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** @param hint `replica ID REPORT`, without a report when it leaves */
  told(hint: string): void {
    const [, id = '', json = ''] = /^replica (\S+) (.*)$/.exec(hint) ?? [];
    const report = json === '' ? null : reportOf(json);
    for (const watcher of this.#watchers) watcher(id, report);
  }
}

function reportOf(json: string): ReplicaReport {
  return checked(reportRecord, JSON.parse(json));
}
