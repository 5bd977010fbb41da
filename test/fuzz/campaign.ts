/** Many cases one after the other, each told by its own seed. */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Verdict } from './divergence.ts';

/** One kind of input: `begin` makes the case of a seed, and what it returns judges it, a turn of the event loop later. */
export interface Subject {
  readonly name: string;
  begin(seed: number): () => Judgement;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** What was sent, for the report of a failure. */
  readonly bytes: Uint8Array;
}

export interface Failure {
  readonly subject: string;
  readonly seed: number;
  readonly what: string;
  readonly bytes: string;
}

export interface Report {
  /** How often each divergence of the lists was met. */
  readonly met: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  /** By how many bytes the memory in use grew behind the first tenth, which warms up. */
  readonly grownBytes: number;
}

/** Cases between two turns of the event loop, in which node:http tidies up behind itself. */
const BATCH = 64;
const MOST_FAILURES = 20;

/** Case i has the seed `seed + i`, so that any case is run again by its own seed and a count of 1. */
export async function campaign(subject: Subject, cases: number, seed: number): Promise<Report> {
  const met = new Map<string, number>();
  const failures: Failure[] = [];
  const warm = Math.floor(cases / 10 / BATCH) * BATCH;
  let warmBytes = 0;
  for (let done = 0; done < cases && failures.length < MOST_FAILURES; done += BATCH) {
    if (done === warm) warmBytes = await bytesInUse();
    const seeds = Array.from({ length: Math.min(BATCH, cases - done) }, (_, i) => (seed + done + i) >>> 0);
    const batch = seeds.map((each) => ({ seed: each, judge: subject.begin(each) }));
    await turn();
    for (const each of batch) {
      const { verdict, bytes } = judgement(each.judge);
      if (verdict.kind === 'failed') {
        failures.push({ subject: subject.name, seed: each.seed, what: verdict.what, bytes: show(bytes) });
      } else if (verdict.kind !== 'same') {
        const entry = `${verdict.kind}: ${verdict.name}`;
        met.set(entry, (met.get(entry) ?? 0) + 1);
      }
    }
  }
  return { met, failures, grownBytes: (await bytesInUse()) - warmBytes };
}

async function bytesInUse(): Promise<number> {
  await turn();
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('this engine does not collect garbage on demand');
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** An exception is a failure of the case, not of the campaign. */
function judgement(judge: () => Judgement): Judgement {
  try {
    return judge();
  } catch (error) {
    return {
      verdict: { kind: 'failed', what: String(error instanceof Error ? error.stack : error) },
      bytes: Buffer.alloc(0),
    };
  }
}

function show(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes).toString('latin1'));
}
