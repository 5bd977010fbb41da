// @ts-check
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateIn } from './certificate.mjs';
import { LOAD_CORES, ORIGIN_CORES, PROXY_CORES } from './machine.mjs';
import { startOrigins } from './origins.mjs';
import { cpuOf, peakRssOf } from './proc-stat.mjs';
import { freePort, versionOf } from './processes.mjs';
import { median } from './quantities.mjs';
import { targets } from './targets/all.mjs';

const SHARE_OF_KNEE = 0.6;
/** Of what generator and origin reach in a flood, so that they are far from full: paced, a request costs them half as much again. */
const SHARE_OF_GENERATOR = 0.4;
/** More than any generator here can send. */
const FLOOD_RATE = 100_000;

/**
 * A variant that runs and has shown that it answers as it should.
 * @typedef {{ result: import('./types.ts').VariantResult, running: import('./types.ts').Running }} Contestant
 */

/**
 * Answers one cell's question: starts and validates every variant, warms them up, then measures them turn and turn about.
 * @param {import('./types.ts').Cell} cell
 * @param {import('./types.ts').Plan} plan
 * @param {(what: string) => void} progress
 * @returns {Promise<import('./types.ts').CellResult>}
 */
export async function measure(cell, plan, progress) {
  const directory = await mkdtemp(join(tmpdir(), 'crossfade-bench-'));
  const origins = await startOrigins(ORIGIN_CORES);
  /** @type {import('./types.ts').VariantResult[]} */
  const variants = [];
  /** @type {Contestant[]} */
  const contestants = [];
  /** Of what goes on beside the load. @type {(() => Promise<void>)[]} */
  const ends = [];
  try {
    for (const variant of cell.variants(plan.targets)) {
      progress(`starts ${variant.label}`);
      const result = emptyResult(variant);
      variants.push(result);
      const running = await start(cell, variant, result, {
        origins: origins.ports,
        certificate: certificateIn(directory),
        directory,
      });
      if (running === null) continue;
      contestants.push({ result, running });
      if (cell.beside === undefined || variant.isBesides === false) continue;
      const { end, note } = await cell.beside(running);
      ends.push(end);
      result.notes.push(note);
    }
    await measureCost(cell, plan, contestants, progress);
    const highestRate = plan.latency ? await measureLatency(cell, plan, contestants, origins.ports, progress) : null;
    for (const { result, running } of contestants) if (!result.broken) result.peakRss = peakRssOf(running.pids());
    return { name: cell.name, question: cell.question, baselines: cell.baselines, variants, highestRate };
  } finally {
    await Promise.all(ends.map((end) => end()));
    await Promise.all(contestants.map(({ running }) => running.stop()));
    await origins.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * @param {import('./types.ts').Variant} variant
 * @returns {import('./types.ts').VariantResult}
 */
function emptyResult({ label, target }) {
  const version = targets.get(target)?.version() ?? null;
  return { label, target, version, skipped: null, notes: [], broken: false, rounds: [], latency: [], peakRss: 0 };
}

/**
 * @param {import('./types.ts').Cell} cell
 * @param {import('./types.ts').Variant} variant
 * @param {import('./types.ts').VariantResult} result
 * @param {{
 *   origins: Record<import('./types.ts').Back, import('./types.ts').Origins>,
 *   certificate: import('./types.ts').Certificate,
 *   directory: string,
 * }} place
 */
async function start(cell, variant, result, place) {
  const target = targets.get(variant.target);
  if (target === undefined || result.version === null) {
    result.skipped = target?.debianPackage ? `not installed (Debian package ${target.debianPackage})` : 'not built';
    return null;
  }
  const { options } = variant;
  result.skipped =
    target.lacks?.(options) ??
    (cell.tool !== undefined && versionOf(cell.tool, ['--version'], /(\S+)$/m) === null
      ? `${cell.tool} is missing (Debian package nghttp2-client, or run with --install)`
      : null);
  if (result.skipped !== null) return null;
  /** @type {import('./types.ts').Running | null} */
  let running = null;
  try {
    const directory = await mkdtemp(join(place.directory, `${target.name}-`));
    running = await target.start({
      port: await freePort(),
      origins: place.origins[options.back ?? 'http1'],
      certificate: place.certificate,
      directory,
      cores: PROXY_CORES,
      options,
    });
    await cell.validate(running.port, target.sides);
    return running;
  } catch (error) {
    giveUp(result, error);
    await running?.stop();
    return null;
  }
}

/**
 * @param {import('./types.ts').VariantResult} result
 * @param {unknown} error
 */
function giveUp(result, error) {
  result.broken = true;
  result.skipped = (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s+/g, ' ').slice(-500);
}

/**
 * Every contestant once a round; who goes first changes with the round.
 * @param {Contestant[]} contestants
 * @param {number} rounds
 * @param {(contestant: Contestant, round: number) => Promise<void>} turn
 */
async function interleave(contestants, rounds, turn) {
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < contestants.length; i += 1) {
      const contestant = contestants[(i + round) % contestants.length];
      if (contestant === undefined || contestant.result.broken) continue;
      await turn(contestant, round).catch((error) => giveUp(contestant.result, error));
    }
  }
}

/**
 * @param {import('./types.ts').Cell} cell
 * @param {import('./types.ts').Plan} plan
 * @param {Contestant[]} contestants
 * @param {(what: string) => void} progress
 */
async function measureCost(cell, plan, contestants, progress) {
  await interleave(contestants, 1, async ({ result, running }) => {
    progress(`warms up ${result.label}`);
    await cell.load(running.port, plan.warmUpSeconds, LOAD_CORES);
  });
  await interleave(contestants, plan.rounds, async ({ result, running }, round) => {
    progress(`round ${round + 1} of ${plan.rounds}: ${result.label}`);
    result.rounds.push(await measureRound(cell, plan.seconds, running));
  });
}

/**
 * @param {import('./types.ts').Cell} cell
 * @param {number} seconds
 * @param {import('./types.ts').Running} running
 * @returns {Promise<import('./types.ts').Round>}
 */
async function measureRound(cell, seconds, running) {
  const pids = running.pids();
  const before = cpuOf(pids);
  const startedAt = performance.now();
  const load = await cell.load(running.port, seconds, LOAD_CORES);
  const elapsedUs = (performance.now() - startedAt) * 1000;
  const after = cpuOf(pids);
  if (running.pids().join() !== pids.join()) throw new Error(`its processes changed during a round: ${running.log()}`);
  if (load.requests === 0) throw new Error(`answered no request in ${seconds} s: ${running.log()}`);
  const userUs = after.userUs - before.userUs;
  const systemUs = after.systemUs - before.systemUs;
  return {
    requests: load.requests,
    failed: load.failed,
    failures: load.failures,
    rate: load.requests / load.seconds,
    userUs: userUs / load.requests,
    systemUs: systemUs / load.requests,
    busy: (userUs + systemUs) / elapsedUs,
    bytesPerCpuSecond: (load.bytes / (userUs + systemUs)) * 1e6,
  };
}

/** @param {Contestant} contestant */
const kneeOf = ({ result }) => median(result.rounds.map(({ rate }) => rate));

/**
 * Each at 60 percent of what it reached in the closed loop, but at no rate that would fill the core of generator and origin;
 * `direct`, which has no proxy, at the highest rate of the others, so that it shows what those two add.
 * @param {import('./types.ts').Cell} cell
 * @param {import('./types.ts').Plan} plan
 * @param {Contestant[]} contestants
 * @param {Record<import('./types.ts').Back, import('./types.ts').Origins>} origins
 * @param {(what: string) => void} progress
 */
async function measureLatency(cell, plan, contestants, origins, progress) {
  const { latency, flood } = cell;
  const proxies = contestants.filter(({ running, result }) => !result.broken && running.pids().length > 0);
  if (latency === undefined || flood === undefined || proxies.length === 0) return null;
  progress('latency: what the generator holds');
  const { achieved } = await flood.load(origins[flood.origin].old, FLOOD_RATE, 1, LOAD_CORES);
  const ceiling = Math.round(SHARE_OF_GENERATOR * achieved);
  const highest = Math.min(ceiling, SHARE_OF_KNEE * Math.max(...proxies.map(kneeOf)));
  await interleave(contestants, plan.rounds, async (contestant, round) => {
    const { result, running } = contestant;
    progress(`latency, round ${round + 1} of ${plan.rounds}: ${result.label}`);
    const rate = Math.round(Math.min(SHARE_OF_KNEE * kneeOf(contestant), highest));
    result.latency.push(await latency(running.port, rate, plan.seconds, LOAD_CORES));
  });
  return ceiling;
}
