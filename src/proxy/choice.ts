/** Which endpoint of a side a request goes to. */
import type { Pool } from './pool.ts';

/** Reasons for not taking an endpoint as readily as another, one bit each; 0: none. */
export const WARMING = 1;
/** It may have gone: connections to it ended, or one could not be made in time. */
export const SUSPECT = 2;
/** A connection to it failed, and none has been made since. */
export const DOWN = 4;

/**
 * The less loaded of two random endpoints (Mitzenmacher 2001), another than the one just tried where there is one. Those that are warming
 * take less than their share; those in doubt are taken when there is no other, those that are down when all are.
 * @param last the one just tried, or null
 */
export function chooseEndpoint(pools: readonly Pool[], random: () => number, last: Pool | null): Pool | null {
  const count = pools.length;
  if (count === 0) return null;
  if (count === 1) return pools[0] as Pool;
  const first = (random() * count) | 0;
  const second = (first + 1 + ((random() * (count - 1)) | 0)) % count;
  const a = pools[first] as Pool;
  const b = pools[second] as Pool;
  if ((a.caution | b.caution) !== 0) return chooseWithCaution(pools, random, last);
  if (a === last) return b;
  return b === last || a.inflight <= b.inflight ? a : b;
}

/** The same among those that there is least reason to avoid. */
function chooseWithCaution(pools: readonly Pool[], random: () => number, last: Pool | null): Pool {
  const others = pools.length > 1 && last !== null ? pools.filter((pool) => pool !== last) : pools;
  const doubt = others.reduce((least, pool) => Math.min(least, pool.caution & ~WARMING), DOWN | SUSPECT);
  const best = others.filter((pool) => (pool.caution & ~WARMING) <= doubt);
  const first = (random() * best.length) | 0;
  const second = (first + 1 + ((random() * (best.length - 1)) | 0)) % best.length;
  const a = best[first] as Pool;
  const b = best[second] as Pool;
  const [fuller, lesser] = a.share() >= b.share() ? [a, b] : [b, a];
  if (lesser.share() < fuller.share()) return random() * fuller.share() < lesser.share() / 2 ? lesser : fuller;
  return a.inflight <= b.inflight ? a : b;
}
