import type { DnsSource } from '../../domain/source.ts';
import { Backoff } from '../backoff.ts';
import type { Discovery, DiscoveryTools } from '../discovery.ts';
import { LiveSet } from '../live-set.ts';
import { runRounds } from '../rounds.ts';
import { findEndpoints } from './endpoints.ts';
import { createResolver, type Resolver } from './resolver.ts';

/** Records are asked for no more often than this, whatever their TTL. */
const LEAST_MS = 1_000;
/** A name without records may be a mishap of whoever writes them: so long its last endpoints are kept. */
const NEGATIVE_KEPT_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** What setTimeout can wait. */
const MOST_MS = 2 ** 31 - 1;

/** Endpoints by SRV, A or AAAA records, asked for again when their TTL ends. While DNS does not answer, the last good ones stay. */
export function createDnsDiscovery(
  source: DnsSource,
  { clock, random }: DiscoveryTools,
  resolver: Resolver = createResolver(source.servers),
): Discovery {
  const over = new AbortController();
  const set = new LiveSet(clock, () => over.abort());
  const backoff = new Backoff(FIRST_PAUSE_MS, random);
  let negativeSinceMs: number | null = null;

  /** Resolves with how long to wait for the next. */
  const round = async (): Promise<number> => {
    try {
      const { endpoints, ttlMs, alarm } = await findEndpoints(resolver, source);
      backoff.reset();
      if (endpoints.length > 0) {
        negativeSinceMs = null;
        set.put(endpoints, alarm);
      } else {
        negativeSinceMs ??= clock();
        const words = alarm ?? `DNS ${source.type} ${source.name}: there are no such records`;
        const keeps = set.endpoints.length > 0 && clock() - negativeSinceMs < NEGATIVE_KEPT_MS;
        if (keeps) set.fail(`${words}; the last ones are kept for ${NEGATIVE_KEPT_MS / 1_000} s`);
        else set.put([], words);
      }
      return Math.min(Math.max(ttlMs, LEAST_MS), MOST_MS);
    } catch (error) {
      set.fail((error as Error).message);
      return backoff.nextMs(LONGEST_PAUSE_MS);
    }
  };
  void runRounds(round, over.signal);
  return set;
}
