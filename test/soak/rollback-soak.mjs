// @ts-check
// Three replicas on one Redis under load at weight 10, while nothing fails, then both sides fail 30 percent together, by turns, and replicas and
// Redis are killed meanwhile, by turns. Nothing may be taken back, by the fleet or by one replica for itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from '../../bench/rollback/fleet.mjs';
import { Load } from '../../bench/rollback/load.mjs';
import { Side } from '../../bench/rollback/sides.mjs';

const ROUTE = 'soaked';
const WEIGHT = 10;
const TOGETHER = 0.3;
/** The machine's own stalls are not the subject: those of new's few and cold connections would be told from old's. */
const MORE = 'defaults: { judge: { latency: { slack: 3s } } }';
const CALM_MS = 3_000;
/** A killed one is gone for so long. */
const GONE_MS = 1_000;
const LOOK_MS = 1_000;
const MOST_STARTS = 60;

/**
 * @typedef {object} Soak
 * @property {number} ms
 * @property {number} kills
 * @property {number} turns of well answers, and then of answers that fail together
 * @property {number} rate requests a second
 * @property {(line: string) => void} log
 */

/**
 * @typedef {object} Soaked
 * @property {readonly string[]} rollbacks why, of each
 * @property {readonly string[]} elsewhere what else but the weight any replica was seen to serve
 * @property {number} requests
 * @property {number} failed of them, those included that a killed replica did not take
 * @property {string} said by the judge in the end
 */

/**
 * @param {Soak} soak
 * @returns {Promise<Soaked>}
 */
export async function soakRollback({ ms, kills, turns, rate, log }) {
  const [old, fresh] = [new Side(), new Side()];
  await old.listen();
  await fresh.listen();
  const ports = { old: old.port, new: fresh.port };
  const fleet = await Fleet.start({ replicas: 3, ports, routes: [ROUTE], more: MORE });
  const [first] = fleet.replicas;
  if (first === undefined) throw new Error('no replica');
  const load = new Load(
    fleet.replicas.map(({ proxy }) => proxy),
    rate,
  );
  load.path = `/${ROUTE}/`;
  const over = new AbortController();
  try {
    await sleep(CALM_MS);
    await first.set(ROUTE, WEIGHT);
    const looking = lookOn(fleet, over.signal);
    await Promise.all([takeTurns({ sides: [old, fresh], fleet, ms, turns, log }), killSome(fleet, ms, kills, log)]);
    await fleet.agreed();
    over.abort();
    const elsewhere = await looking;
    const { entries } = await first.ask(`/v1/history?route=${ROUTE}&limit=1000`);
    const back = entries.filter((/** @type {{ verb: string }} */ { verb }) => verb === 'rollback');
    const said = await sentence(fleet);
    const rollbacks = back.map((/** @type {{ reason: string }} */ { reason }) => reason);
    return { rollbacks, elsewhere, requests: load.sent, failed: load.failed, said };
  } finally {
    over.abort();
    load.stop();
    await fleet.stop();
    old.close();
    fresh.close();
  }
}

/** @param {{ sides: readonly Side[], fleet: Fleet, ms: number, turns: number, log: Soak['log'] }} turning */
async function takeTurns({ sides, fleet, ms, turns, log }) {
  for (let turn = 0; turn < turns; turn++) {
    const share = turn % 2 === 0 ? 0 : TOGETHER;
    for (const side of sides) side.share = share;
    await sleep(ms / turns);
    log(`turn ${turn + 1} of ${turns}, ${share * 100} percent failing on both sides: ${await sentence(fleet)}`);
  }
}

/**
 * Of any replica that answers.
 * @param {Fleet} fleet
 * @returns {Promise<string>}
 */
async function sentence(fleet) {
  try {
    const route = await Promise.any(fleet.replicas.map((replica) => replica.ask(`/v1/routes/${ROUTE}`)));
    return `weight ${route.weight}; ${route.evidence.verdict}: ${route.evidence.reason}`;
  } catch {
    return 'nobody answers';
  }
}

/**
 * What any replica serves but the weight, once each.
 * @param {Fleet} fleet
 * @param {AbortSignal} signal
 */
async function lookOn(fleet, signal) {
  /** @type {Set<string>} */
  const seen = new Set();
  while (!signal.aborted) {
    for (const [i, replica] of fleet.replicas.entries()) {
      // One that is killed has nothing to show.
      const route = await replica.ask(`/v1/routes/${ROUTE}`).catch(() => undefined);
      // One that has just been started knows of none yet, and serves nothing.
      if (route !== undefined && route.revision > 0 && route.weight !== WEIGHT) {
        seen.add(`replica ${i + 1} at ${route.weight}: ${route.reason}`);
      }
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
  return [...seen];
}

/**
 * Each other kill is of Redis, which keeps what it was told; the others of a replica. All come back.
 * @param {Fleet} fleet
 * @param {number} ms
 * @param {number} kills
 * @param {Soak['log']} log
 */
async function killSome(fleet, ms, kills, log) {
  /** @type {Promise<void>[]} */
  const starting = [];
  for (let kill = 0; kill < kills; kill++) {
    await sleep(ms / (kills + 1));
    const isRedis = kill % 2 === 1;
    const index = (kill >> 1) % fleet.replicas.length;
    const replica = fleet.replicas[index];
    log(`kill ${kill + 1} of ${kills}: ${isRedis ? 'Redis' : `replica ${index + 1}`}`);
    if (isRedis) await fleet.killRedis();
    else await replica?.kill();
    await sleep(GONE_MS);
    if (isRedis) await fleet.startRedis();
    else if (replica !== undefined) starting.push(startAgain(replica));
  }
  await Promise.all(starting);
}

/**
 * The workers of a killed supervisor keep its ports until they have finished.
 * @param {{ start(): Promise<void> }} replica
 */
async function startAgain(replica) {
  for (let left = MOST_STARTS; ; left--) {
    try {
      return await replica.start();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(GONE_MS);
    }
  }
}
