// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One weight of the ramp: how the change went, and what was counted from the moment it was confirmed.
 * @typedef {object} Step
 * @property {number} weight percent
 * @property {number} answeredMs until the admin API confirmed the change
 * @property {{ replicas: number, of: number, ms: number | null }} applied what it said of the workers
 * @property {number | null} firstMs until the first answer from a side that the change let in; null: none came
 * @property {import('../tally.mjs').Tally} changing requests that fell due while the change was under way
 * @property {import('../tally.mjs').Tally} held requests that fell due afterwards
 * @property {string | null} moved what somebody else did to the route meanwhile
 */

/**
 * @typedef {object} Walk
 * @property {import('./admin-client.mjs').AdminClient} admin
 * @property {readonly number[]} weights percent, in order
 * @property {number} holdMs
 * @property {string} newSide
 * @property {(phase: string) => import('../tally.mjs').Tally} startPhase
 * @property {(what: string) => void} progress
 * @property {AbortSignal} signal
 */

/**
 * Takes the route through the weights while traffic flows, then back to where it was, even when something fails on the way.
 * @param {Walk} walk
 * @param {Step[]} steps filled on the way: what was done stands, whatever comes after
 */
export async function walkRamp(walk, steps) {
  const { route: before } = await walk.admin.read();
  try {
    for (const weight of walk.weights) steps.push(await takeStep(walk, weight));
  } finally {
    walk.startPhase('afterwards');
    const { route, etag } = await walk.admin.read();
    walk.progress(`back to ${before.weight} %`);
    if (route.weight !== before.weight) await walk.admin.setWeight(before.weight, etag);
  }
}

/**
 * @param {Walk} walk
 * @param {number} weight
 * @returns {Promise<Step>}
 */
async function takeStep({ admin, holdMs, newSide, startPhase, progress, signal }, weight) {
  signal.throwIfAborted();
  const { route: was, etag } = await admin.read();
  progress(`${was.weight} % to ${weight} %`);
  const changing = startPhase(`${was.weight} to ${weight} %`);
  const startedAt = performance.now();
  const { route: set } = await admin.setWeight(weight, etag);
  const answeredMs = performance.now() - startedAt;
  const held = startPhase(`${weight} %`);
  await sleep(holdMs, undefined, { signal });
  const { route: now } = await admin.read();
  const unchanged = now.weight === weight && now.revision === set.revision;
  const moved = unchanged ? null : `weight ${now.weight} %, ${now.state}, at revision ${now.revision}`;
  const firstMs = firstAnswer([changing, held], (side) => weight > was.weight === (side === newSide));
  return {
    weight,
    answeredMs,
    applied: set.applied,
    firstMs: firstMs === null ? null : firstMs - startedAt,
    changing,
    held,
    moved,
  };
}

/**
 * When the first answer of such a side was complete; null when there was none.
 * @param {readonly import('../tally.mjs').Tally[]} tallies
 * @param {(side: string) => boolean} wanted
 */
function firstAnswer(tallies, wanted) {
  const firsts = tallies.flatMap(({ sides }) =>
    [...sides].flatMap(([side, { firstAt }]) => (wanted(side) ? [firstAt ?? Infinity] : [])),
  );
  return firsts.length === 0 ? null : Math.min(...firsts);
}
