/** From a configuration file to a plan that can be run, its ports included; or to what stands in the way, one line a problem. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load.ts';
import { formatProblem, formatWarning } from './config/problem.ts';
import { placeOfStore } from './config/store.ts';
import { orphansOf } from './control/orphans.ts';
import type { Plan } from './control/plan.ts';
import { Claims, claimListeners } from './control/ports.ts';
import type { ListenerSpec } from './seam.ts';

export interface Prepared {
  readonly kind: 'ready';
  /** As named by the caller. */
  readonly file: string;
  readonly config: Config;
  readonly plan: Plan;
  /** What it can be served in spite of, one line each. */
  readonly warnings: readonly string[];
  /** Of the admin plane; never 0. */
  readonly adminPort: number;
  /** Workers of a supervisor that was killed, which still hold listeners' addresses. */
  readonly orphans: readonly number[];
}

export interface Refused {
  readonly kind: 'refused';
  readonly lines: readonly string[];
}

/** For a start: the admin port must be free as well. */
export async function prepareStart(file: string, workerScript: string): Promise<Prepared | Refused> {
  const claims = new Claims();
  try {
    const prepared = await prepare(file, [], claims, workerScript);
    if (prepared.kind === 'refused') return prepared;
    const { address, host, port } = prepared.config.admin;
    const claim = await claims.claim(host, port);
    if (claim.kind === 'free') return { ...prepared, adminPort: claim.port };
    return refused([`${file}: admin.address: ${address} ${claim.reason}`]);
  } finally {
    await claims.release();
  }
}

/** For a reload: what is served already keeps its ports, and what only a restart can change must be the same. */
export async function prepareReload({ file, config, plan, adminPort }: Prepared): Promise<Prepared | Refused> {
  const claims = new Claims();
  try {
    const prepared = await prepare(file, plan.listeners, claims);
    if (prepared.kind === 'refused') return prepared;
    const lines = fixedKeys(file, config, prepared.config);
    return lines.length > 0 ? refused(lines) : { ...prepared, adminPort };
  } finally {
    await claims.release();
  }
}

async function prepare(
  file: string,
  held: readonly ListenerSpec[],
  claims: Claims,
  workerScript?: string,
): Promise<Omit<Prepared, 'adminPort'> | Refused> {
  const loaded = await loadConfig(file, process.env);
  if (loaded.kind === 'invalid') return refused(loaded.problems.map(formatProblem));
  const { config } = loaded;
  const orphans = workerScript === undefined ? [] : await orphansOf(workersFileOf(config), workerScript);
  const served = orphans.length > 0 ? config.listeners : held;
  const { listeners, failures } = await claimListeners(config.listeners, served, claims);
  if (failures.length > 0) return refused(failures.map((failure) => `${file}: ${failure}`));
  const fault = await accessLogFault(config);
  if (fault !== null) return refused([`${file}: ${fault}`]);
  const warnings = loaded.warnings.map(formatWarning);
  return { kind: 'ready', file, config, plan: planOf(config, listeners), warnings, orphans };
}

/** Where the next supervisor finds the workers of this one. */
export function workersFileOf({ stateFile }: Config): string {
  return `${stateFile}.workers`;
}

/** Why the access log cannot be written; null: it can. Its file is there afterwards. */
async function accessLogFault({ accessLog }: Config): Promise<string | null> {
  const path = accessLog?.file ?? null;
  if (path === null) return null;
  try {
    // A pipe without a reader must not hold up the start.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
    await (await open(path, flags, 0o640)).close();
    return null;
  } catch (error) {
    return `accessLog.file: cannot be written: ${(error as Error).message}`;
  }
}

function refused(lines: readonly string[]): Refused {
  return { kind: 'refused', lines };
}

function planOf(config: Config, listeners: readonly ListenerSpec[]): Plan {
  const { limits, timeouts, trustedProxies, override, drainMs, workers, accessLog, ticketRotationMs } = config;
  return {
    listeners,
    backends: config.backends.map(({ source, health, maxRequestsPerEndpoint, ...spec }) => {
      return { spec, source, health, maxRequestsPerEndpoint };
    }),
    routes: config.routes.map(({ weightPpm, judge, ramp, ...spec }) => ({ spec, weightPpm, judge, ramp })),
    ramps: config.ramps,
    webhooks: config.webhooks,
    limits,
    requestHeadMs: timeouts.requestHeadMs,
    idleMs: timeouts.idleMs,
    trustedProxies,
    override,
    drainMs,
    accessLog,
    ticketRotationMs,
    workers: workers === 'auto' ? availableParallelism() : workers,
  };
}

/** What a reload cannot change: a line for each key that differs. */
function fixedKeys(file: string, before: Config, after: Config): string[] {
  const keys: [string, string, string][] = [
    ['admin.address', before.admin.address, after.admin.address],
    ['store', placeOfStore(before.store), placeOfStore(after.store)],
    ['fleet', before.fleet, after.fleet],
    ['stateFile', before.stateFile, after.stateFile],
    ['emulators', JSON.stringify(before.emulators), JSON.stringify(after.emulators)],
  ];
  return keys
    .filter(([, old, wanted]) => old !== wanted)
    .map(([key, old, wanted]) => `${file}: ${key}: changing it from ${old} to ${wanted} needs a restart`);
}
