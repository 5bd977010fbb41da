/** From the file's checked content to the value that the rest of the program runs by. */
import { X509Certificate } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { hostNames } from '../domain/alt-names.ts';
import type { JudgeSettings } from '../domain/judgement.ts';
import type { RampPlan } from '../domain/ramp.ts';
import { PPM, type RescuePolicy, type Timeouts } from '../domain/route.ts';
import type { HostPort } from './address.ts';
import type { BackendConfig, Config, ListenerConfig, RouteConfig, StoreConfig } from './config.ts';
import { resolveHealth } from './health.ts';
import { rampSteps } from './ramp.ts';
import { resolveDiscovery } from './resolve-discovery.ts';
import type { ConfigFile } from './schema.ts';

/** Where the content comes from: the file and the PEM texts that it names, both by absolute path. */
export interface Origin {
  readonly file: string;
  readonly texts: ReadonlyMap<string, string>;
}

export function resolveConfig(content: ConfigFile, origin: Origin): Config {
  const folder = dirname(origin.file);
  const store = resolveStore(content.store, folder, origin.texts);
  const data = 'path' in store ? dirname(store.path) : '../data';
  const stateFile = content.stateFile ?? join(data, `last-${content.admin.address.port}.json`);
  const timeouts = resolveTimeouts(content.defaults.timeouts);
  const indexes = new Map(Object.keys(content.backends).map((name, i) => [name, i]));
  const ramps = Object.fromEntries(Object.entries(content.ramps).map(([name, steps]) => [name, rampSteps(steps)]));
  return freeze({
    file: origin.file,
    listeners: content.listeners.map((listener) => resolveListener(listener, folder, origin.texts)),
    admin: resolveAdmin(content.admin, folder, origin.texts),
    store,
    fleet: content.fleet,
    stateFile: resolve(folder, stateFile),
    workers: content.workers,
    trustedProxies: content.trustedProxies,
    drainMs: content.drainTimeout,
    drainGraceMs: content.drainGrace,
    override: content.overrideHeader ?? null,
    limits: content.limits,
    ticketRotationMs: content.ticketRotation,
    accessLog: resolveAccessLog(content.accessLog, folder),
    timeouts,
    backends: Object.entries(content.backends).map(([name, backend]) =>
      resolveBackend(name, backend, folder, origin.texts),
    ),
    routes: content.routes.map((route) => resolveRoute(route, indexes, timeouts, content.defaults.judge, ramps)),
    ramps,
    webhooks: content.webhooks,
    emulators: resolveEmulators(content.emulators),
  });
}

function resolveAccessLog(log: ConfigFile['accessLog'], folder: string): Config['accessLog'] {
  if (log === undefined) return null;
  return {
    samplePpm: log.sample,
    slowMs: log.slow ?? null,
    allFaults: log.faults === 'always',
    file: log.file === 'stdout' ? null : resolve(folder, log.file),
  };
}

function resolveEmulators(emulators: ConfigFile['emulators']): Config['emulators'] {
  if (emulators === undefined) return null;
  const { helios, kubernetes, rehearsal } = emulators;
  const { namespace, service, podPort, pods } = kubernetes;
  return {
    helios: { ...placeOf(helios.address), job: helios.job, portName: helios.port, hosts: helios.hosts },
    kubernetes: { ...placeOf(kubernetes.address), namespace, service, portName: kubernetes.port, podPort, pods },
    rehearsal,
  };
}

function placeOf({ host, port }: HostPort): HostPort {
  return { host, port };
}

function resolveAdmin(
  { address, tokens, openMetrics, prometheus }: ConfigFile['admin'],
  folder: string,
  texts: ReadonlyMap<string, string>,
): Config['admin'] {
  const admin = { ...address, tokens, openMetrics };
  if (prometheus === undefined) return admin;
  const { ca, ...rest } = prometheus;
  return { ...admin, prometheus: ca === undefined ? rest : { ...rest, ca: pem(ca, folder, texts) } };
}

function resolveStore(store: ConfigFile['store'], folder: string, texts: ReadonlyMap<string, string>): StoreConfig {
  if ('path' in store) return { ...store, path: resolve(folder, store.path) };
  const { ca, ...rest } = store;
  return ca === undefined ? rest : { ...rest, ca: pem(ca, folder, texts) };
}

function resolveTimeouts(times: ConfigFile['defaults']['timeouts']): Timeouts {
  return {
    connectMs: times.connect,
    requestHeadMs: times.requestHead,
    responseHeadMs: times.responseHead,
    idleMs: times.idle,
    totalMs: times.total,
  };
}

function resolveListener(
  { address, tls, clientCertificate: client }: ConfigFile['listeners'][number],
  folder: string,
  texts: ReadonlyMap<string, string>,
): ListenerConfig {
  if (tls === undefined) return address;
  const certificates = (Array.isArray(tls) ? tls : [tls]).map((files) => {
    const certificate = pem(files.certificate, folder, texts);
    const names = hostNames(new X509Certificate(certificate).subjectAltName ?? '');
    return { certificate, key: pem(files.key, folder, texts), names };
  });
  const asked = client && {
    ca: pem(client.ca, folder, texts),
    isRequired: client.verify === 'required',
    isForwarded: client.forward,
  };
  return { ...address, tls: { certificates, client: asked ?? null } };
}

function resolveBackend(
  name: string,
  content: ConfigFile['backends'][string],
  folder: string,
  texts: ReadonlyMap<string, string>,
): BackendConfig {
  const { discovery, limits, protocol, tls } = content;
  const backend = {
    name,
    source: resolveDiscovery(discovery, folder, (path) => pem(path, folder, texts)),
    health: resolveHealth(content),
    connections: limits.connections,
    ...(limits.pending === 0 ? {} : { pending: { requests: limits.pending, waitMs: limits.pendingTimeout } }),
    ...(protocol === 'http1' ? {} : { protocol }),
    maxRequestsPerEndpoint: content.maxRequestsPerEndpoint,
  };
  if (tls === undefined) return backend;
  return {
    ...backend,
    tls: {
      ...(tls.ca === undefined ? {} : { ca: pem(tls.ca, folder, texts) }),
      ...(tls.certificate === undefined ? {} : { certificate: pem(tls.certificate, folder, texts) }),
      ...(tls.key === undefined ? {} : { key: pem(tls.key, folder, texts) }),
      ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
      insecure: !tls.verify,
    },
  };
}

function resolveRescue(rescue: ConfigFile['routes'][number]['rescue']): RescuePolicy {
  const { budget, toNew, bodyBytes, safeMethods, responseField } = rescue;
  return {
    budget: budget / PPM,
    toNew,
    bodyBytes,
    ...(safeMethods.length === 0 ? {} : { safeMethods: safeMethods.map((method) => `/${method}`) }),
    ...(responseField === undefined ? {} : { responseField }),
  };
}

function resolveRoute(
  route: ConfigFile['routes'][number],
  backends: ReadonlyMap<string, number>,
  inherited: Timeouts,
  judge: ConfigFile['defaults']['judge'],
  ramps: Config['ramps'],
): RouteConfig {
  const own = route.timeouts;
  return {
    name: route.name,
    match: route.match,
    old: known(backends, route.old),
    new: known(backends, route.new),
    sticky: route.sticky,
    salt: route.group ?? route.name,
    timeouts: {
      connectMs: own.connect ?? inherited.connectMs,
      requestHeadMs: own.requestHead ?? inherited.requestHeadMs,
      responseHeadMs: own.responseHead ?? inherited.responseHeadMs,
      idleMs: own.idle ?? inherited.idleMs,
      totalMs: own.total ?? inherited.totalMs,
    },
    rescue: resolveRescue(route.rescue),
    weightPpm: route.weight,
    ramp: resolveRamp(route.ramp, ramps),
    judge: resolveJudge(judge, route.judge),
  };
}

function resolveJudge(
  inherited: ConfigFile['defaults']['judge'],
  own: ConfigFile['routes'][number]['judge'],
): JudgeSettings {
  const { latency, ceiling, ...rest } = { ...inherited, ...own };
  const { factor, slack } = { ...inherited.latency, ...latency };
  return { ...rest, latency: { factor, slackMs: slack }, ceiling: ceiling / PPM };
}

function resolveRamp(ramp: ConfigFile['routes'][number]['ramp'], ramps: Config['ramps']): RampPlan | null {
  if (ramp === undefined) return null;
  if (typeof ramp !== 'string') return { steps: rampSteps(ramp) };
  return { template: ramp, steps: known(new Map(Object.entries(ramps)), ramp) };
}

function pem(path: string, folder: string, texts: ReadonlyMap<string, string>): string {
  return known(texts, resolve(folder, path));
}

/** What the checks before have made sure of. */
function known<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Error(`${key} was not checked before`);
  return value;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
