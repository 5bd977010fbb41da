// @ts-check
// `npm run soak -- rollback [--minutes 60] [--kills 10]`: three replicas on one Redis under load at weight 10, while nothing fails, then both sides
// fail 30 percent together, by turns, and replicas and Redis are killed meanwhile. Nothing may be taken back. Exit code 1 when something was.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, install } from '../../.ci/prepare.mjs';
import { Fleet } from '../../bench/rollback/fleet.mjs';
import { Load } from '../../bench/rollback/load.mjs';
import { Side } from '../../bench/rollback/sides.mjs';

const ROUTE = 'soaked';
const RATE = 300;
const WEIGHT = 10;
const TOGETHER = 0.3;
/** Of well answers, and then of answers that fail together: so many turns. */
const TURNS = 6;
const CALM_MS = 3_000;
/** A killed one is gone for so long. */
const GONE_MS = 1_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '60' }, kills: { type: 'string', default: '10' } },
});
if (positionals.join() !== 'rollback') {
  console.error('usage: npm run soak -- rollback [--minutes 60] [--kills 10]');
  process.exit(64);
}
process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
install();
build();
process.exitCode = (await soak(Number(values.minutes) * 60_000, Number(values.kills))) ? 0 : 1;

/**
 * @param {number} ms
 * @param {number} kills
 */
async function soak(ms, kills) {
  const [old, fresh] = [new Side(), new Side()];
  await old.listen();
  await fresh.listen();
  const fleet = await Fleet.start({ replicas: 3, ports: { old: old.port, new: fresh.port }, routes: [ROUTE] });
  const [first] = fleet.replicas;
  if (first === undefined) throw new Error('no replica');
  const load = new Load(
    fleet.replicas.map(({ proxy }) => proxy),
    RATE,
  );
  load.path = `/${ROUTE}/`;
  try {
    await sleep(CALM_MS);
    await first.set(ROUTE, WEIGHT);
    await Promise.all([takeTurns([old, fresh], ms), killSome(fleet, ms, kills)]);
    await fleet.agreed();
    const { entries } = await first.ask(`/v1/history?route=${ROUTE}&limit=1000`);
    const back = entries.filter((/** @type {{ verb: string }} */ { verb }) => verb === 'rollback');
    const { weight, evidence } = await first.ask(`/v1/routes/${ROUTE}`);
    const said = `${back.length} rollbacks; weight ${weight}; ${evidence.verdict}: ${evidence.reason}`;
    console.log(`${Math.round(ms / 1000)} s, ${load.sent.toLocaleString('en-US')} requests, ${kills} kills: ${said}`);
    for (const { reason } of back) console.log(`  ${reason}`);
    return back.length === 0 && weight === WEIGHT;
  } finally {
    load.stop();
    await fleet.stop();
    old.close();
    fresh.close();
  }
}

/**
 * @param {readonly Side[]} sides
 * @param {number} ms
 */
async function takeTurns(sides, ms) {
  for (let turn = 0; turn < TURNS; turn++) {
    for (const side of sides) side.share = turn % 2 === 0 ? 0 : TOGETHER;
    await sleep(ms / TURNS);
  }
}

/**
 * Each third kill is of Redis, which keeps what it was told; the others of a replica. All come back.
 * @param {Fleet} fleet
 * @param {number} ms
 * @param {number} kills
 */
async function killSome(fleet, ms, kills) {
  for (let kill = 0; kill < kills; kill++) {
    await sleep(ms / (kills + 1));
    const replica = fleet.replicas[kill % fleet.replicas.length];
    if (kill % 3 === 2) await fleet.killRedis();
    else await replica?.kill();
    await sleep(GONE_MS);
    if (kill % 3 === 2) await fleet.startRedis();
    else if (replica !== undefined) await startAgain(replica);
  }
}

/**
 * The workers of a killed supervisor keep its ports until they have finished.
 * @param {{ start(): Promise<void> }} replica
 */
async function startAgain(replica) {
  for (let left = 30; ; left--) {
    try {
      return await replica.start();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(GONE_MS);
    }
  }
}
