/** Composition: the only file that knows every part. What runs here is the supervisor process. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Access } from './admin/access.ts';
import { createAdmin } from './admin/server.ts';
import { EXIT } from './cli/exit.ts';
import { packageVersion } from './cli/version.ts';
import type { Config } from './config/config.ts';
import { formatEndpoint } from './control/backends.ts';
import { ControlPlane, type ControlPlaneOptions } from './control/control-plane.ts';
import { logEvent } from './control/event-log.ts';
import { dismissOrphans, WorkersFile } from './control/orphans.ts';
import type { Plan } from './control/plan.ts';
import type { EmulatorsSpec } from './demo/emulators.ts';
import { type SampleBackends, startSampleBackends } from './demo/sample-backends.ts';
import { type Emulators, startEmulators } from './demo/start-emulators.ts';
import type { State } from './domain/state.ts';
import { printFirstSteps, samplesOf } from './first-steps.ts';
import { lastStateFile, pinsFile } from './kept-files.ts';
import { type Prepared, prepareReload, prepareStart, workersFileOf } from './prepare.ts';
import { stopSignal } from './signals.ts';
import { openFileStore } from './store/file-store.ts';
import { LastEndpoints } from './store/last-endpoints.ts';
import type { Store } from './store/store.ts';
import { createLogger } from './telemetry/log.ts';

const WORKER_SCRIPT = fileURLToPath(new URL('./proxy/worker.js', import.meta.url));
const PAGE = fileURLToPath(new URL('./console', import.meta.url));
const DEMO_CONFIG = fileURLToPath(new URL('../config/crossfade.yaml', import.meta.url));

export interface ServeOptions {
  /** File, relative to the working folder. */
  readonly config: string;
  /** With neither store nor last state: everything to old, instead of not ready. */
  readonly bootstrapOld: boolean;
}

/**
 * Bytecode that a function of the supervisor runs through before V8 optimizes it, 60 times the default: what is done a few times a second only is not
 * worth it, and for its first minute the supervisor spent half of its time on that, perhaps on the core of a worker. Of V8 11, which Node 20 has.
 */
const INTERRUPT_BUDGET = 4_000_000;

/**
 * Without it V8 collects the supervisor's garbage when there is enough of it, in one go: 20 to 60 ms, also with 10,000 routes. With it, it also does so
 * whenever it finds time, three times over, and its threads take that time from the workers: some 110 ms in the first twelve seconds under load.
 */
const NO_IDLE_COLLECTIONS = '--no-incremental-marking';

/** Orphaned workers let go by themselves after 10 s. */
const TAKE_OVER_PAUSE_MS = 2;
const TAKE_OVER_TRIES = 5_000;

/** How long an end waits for a start that is under way. */
const START_MS = 2_000;

type Logger = ReturnType<typeof createLogger>;

/** Runs the proxy until SIGTERM or SIGINT. Resolves with the exit code: 0, or 78 when the configuration cannot be run. */
export async function serve(options: ServeOptions): Promise<number> {
  setFlagsFromString(NO_IDLE_COLLECTIONS);
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
  const prepared = await prepareStart(options.config, WORKER_SCRIPT);
  if (prepared.kind === 'refused') return refuse(prepared.lines);
  const { emulators } = prepared.config;
  if (emulators === null) return run(prepared, options.bootstrapOld, () => {});
  return serveEmulated(prepared, emulators, options.bootstrapOld);
}

/** `serve` beside the emulated platforms that the configuration asks for. */
async function serveEmulated(prepared: Prepared, spec: EmulatorsSpec, bootstrapOld: boolean): Promise<number> {
  const { listeners, routes } = prepared.plan;
  let emulators: Emulators;
  try {
    emulators = await startEmulators(spec);
  } catch (error) {
    return refuse([`${prepared.file}: ${(error as Error).message}`]);
  }
  const proxy = `http://127.0.0.1:${listeners[0]?.port}/`;
  const route = routes[0]?.spec.name ?? '';
  try {
    return await run(prepared, bootstrapOld, (admin) => emulators.begin({ proxy, admin, route }));
  } finally {
    await emulators.stop();
  }
}

/** `serve` on the sample configuration, in front of its sample backends, with a word on what to try. */
export async function demo(): Promise<number> {
  const config = relative(process.cwd(), DEMO_CONFIG);
  const prepared = await prepareStart(config, WORKER_SCRIPT);
  if (prepared.kind === 'refused') return refuse(prepared.lines);
  const { plan } = prepared;
  let backends: SampleBackends;
  try {
    backends = await startSampleBackends(samplesOf(plan));
  } catch (error) {
    return refuse([`${config}: ${(error as Error).message}`]);
  }
  try {
    return await run(prepared, false, () => printFirstSteps(plan));
  } finally {
    await backends.stop();
  }
}

function refuse(lines: readonly string[]): number {
  for (const line of lines) process.stderr.write(`${line}\n`);
  return EXIT.config;
}

async function run(first: Prepared, bootstrapOld: boolean, onReady: (adminUrl: string) => void): Promise<number> {
  const logger = createLogger(process.env);
  const lastState = lastStateFile(first.config.stateFile, logger);
  const memory = await LastEndpoints.open(`${first.config.stateFile}.endpoints`, {
    clock: Date.now,
    onFailure: (message) => logger.error(message),
  });
  const plane = openPlane(first, { bootstrapOld, lastState, memory }, logger);
  const { address, host, prometheus } = first.config.admin;
  let serving = first;
  const access = (): Access => serving.config.admin;
  const admin = createAdmin(plane.service, {
    logger,
    version: packageVersion(),
    address,
    access,
    page: PAGE,
    ...(prometheus === undefined ? {} : { prometheus }),
  });
  for (const line of first.warnings) logger.warn(line);
  const stopped = stopSignal(plane, async () => {
    const next = await reload(plane, serving);
    if (next !== serving) for (const line of next.warnings) logger.warn(line);
    serving = next;
  });
  const workers = rememberWorkers(plane, first);
  const adminUrl = await admin.listen({ host, port: first.adminPort });
  const started = plane.start(selfOf(adminUrl));
  const settled = started.then(() => plane.settled());
  void takeOver(plane, first.orphans);
  const failure = await Promise.race([settled, stopped]);
  if (failure === null) {
    process.stdout.write(`${readyLine(first.plan, adminUrl)}\n`);
    onReady(adminUrl);
    await stopped;
  }
  if (failure) plane.kill();
  // What a start begins must not come after the end; but one that hangs is not waited for.
  await Promise.race([started, sleep(START_MS, undefined, { ref: false })]);
  await plane.drain(serving.config);
  await workers.close();
  await lastState.close();
  await memory.close();
  await admin.close();
  return failure ? refuse([`${first.file}: listeners: ${failure.address} ${failure.message}`]) : EXIT.done;
}

/** For the next supervisor, should this one be killed. */
function rememberWorkers({ events }: ControlPlane, { config }: Prepared): WorkersFile {
  const file = new WorkersFile(workersFileOf(config), WORKER_SCRIPT);
  events.subscribe((event) => {
    if (event.type !== 'worker') return;
    if (event.what === 'started') file.started(event.pid);
    if (event.what === 'exited') file.exited(event.pid);
  });
  return file;
}

/** Asks workers of a supervisor that was killed for their ports, once a worker of this one is about to listen. */
async function takeOver(plane: ControlPlane, orphans: readonly number[]): Promise<void> {
  if (orphans.length === 0) return;
  const isAboutToListen = (): boolean => plane.service.status().workers.some(({ revision }) => revision >= 0);
  for (let i = 0; i < TAKE_OVER_TRIES && !isAboutToListen(); i++) await sleep(TAKE_OVER_PAUSE_MS);
  dismissOrphans(orphans);
}

/** How other replicas name and reach this one: by its admin port, and the machine's name where that is bound to all addresses. */
function selfOf(adminUrl: string): { id: string; address: string } {
  const { host, hostname: bound, port } = new URL(adminUrl);
  const isAny = bound === '0.0.0.0' || bound === '[::]';
  return { id: `${hostname()}:${port}`, address: isAny ? `${hostname()}:${port}` : host };
}

function openPlane(
  { config, plan }: Prepared,
  kept: Pick<ControlPlaneOptions, 'bootstrapOld' | 'lastState' | 'memory'>,
  logger: Logger,
): ControlPlane {
  const plane = new ControlPlane(plan, {
    version: packageVersion(),
    fleet: config.fleet,
    storeKind: config.store.kind,
    workerScript: WORKER_SCRIPT,
    openStore: (known) => openStore(config, known, logger),
    ...kept,
    pins: pinsFile(`${config.stateFile}.rollbacks`, logger),
    clock: Date.now,
  });
  plane.events.subscribe((event) => logEvent(logger, event));
  return plane;
}

/** @param known what this replica served last */
async function openStore({ store, fleet }: Config, known: State | undefined, logger: Logger): Promise<Store> {
  const options = { clock: Date.now, randomId: randomUUID };
  if ('path' in store) return openFileStore(store.path, { ...options, onWarning: (message) => logger.warn(message) });
  // Loaded when needed: a store in a file needs no client of Redis.
  const { openRedisStore } = await import('./store/redis-store.ts');
  return openRedisStore(store, { ...options, fleet, known, acks: store.acks });
}

/** Serves by the file as it is now; or changes nothing, and says why in the log, the events and the status. */
async function reload(plane: ControlPlane, serving: Prepared): Promise<Prepared> {
  try {
    const next = await prepareReload(serving);
    if (next.kind === 'ready') {
      await plane.install(next.plan);
      const { routes, backends, workers } = next.plan;
      const detail = `${next.file}: ${routes.length} routes, ${backends.length} backends, ${workers} workers`;
      plane.events.emit({ type: 'config', ok: true, detail });
      return next;
    }
    plane.events.emit({ type: 'config', ok: false, detail: next.lines.join('\n') });
  } catch (error) {
    plane.events.emit({ type: 'config', ok: false, detail: `${serving.file}: ${String(error)}` });
  }
  return serving;
}

function readyLine({ listeners, workers, routes }: Plan, adminUrl: string): string {
  const urls = listeners.map(
    ({ tls, ...endpoint }) => `${tls === undefined ? 'http' : 'https'}://${formatEndpoint(endpoint)}`,
  );
  return `crossfade ${packageVersion()} is ready on ${urls.join(', ')}; admin ${adminUrl}; workers ${workers}, routes ${routes.length}`;
}
