/**
 * The health of the endpoints of a plan's backends, by index: asked by this process, once a replica, and seen by its workers. Stands
 * between discovery, which says which endpoints there are, and the workers, which are told which of them to leave alone.
 */
import { endpointKey } from '../domain/endpoints.ts';
import type { HealthPolicy } from '../domain/health-policy.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import { type EndpointHealth, type EndpointState, type Exceptions, HealthLedger, isUsable } from '../health/ledger.ts';
import { probe } from '../health/probe.ts';
import { Prober } from '../health/prober.ts';
import type { AttemptsOfEndpoint, BackendSpec } from '../seam.ts';
import { formatEndpoint } from './backends.ts';
import type { Plan } from './plan.ts';

export interface EndpointHealthWatcher {
  /** Workers have to be told other exceptions than before. */
  onExceptions(backend: number, exceptions: Exceptions): void;
  /** An endpoint is in another state than before. */
  onEndpoint(backend: number, endpoint: Endpoint, health: EndpointHealth): void;
  /** A backend has no healthy endpoint any more, in half a sentence; null: it has again. */
  onBackend(backend: number, problem: string | null): void;
}

export interface EndpointHealthOptions {
  /** Milliseconds that only ever rise. */
  readonly clock: () => number;
  /** Milliseconds since 1970, for people. */
  readonly wall: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly watcher: EndpointHealthWatcher;
}

const TICK_MS = 1_000;

/** So long one that has left is shown: what runs on it has mostly ended by then. */
const SHOWN_MS = 60_000;

/** What is known of an endpoint, and how it is called by people. */
export interface KnownEndpoint extends EndpointHealth {
  readonly endpoint: Endpoint;
  /** When it came to this state, in milliseconds since 1970. */
  readonly since: number;
}

export interface UnwellEndpoint extends KnownEndpoint {
  readonly state: Exclude<EndpointState, 'healthy'>;
}

/** Its source has it no more: nothing new is sent to it, and what runs on it finishes. */
export interface LeftEndpoint {
  readonly endpoint: Endpoint;
  /** Milliseconds since 1970. */
  readonly since: number;
}

class Watched {
  readonly identity: string;
  readonly ledger: HealthLedger;
  readonly #prober: Prober | null;
  #endpoints = new Map<string, Endpoint>();
  /** As last told, and since when. */
  states = new Map<string, { readonly state: EndpointState; readonly since: number }>();
  #left = new Map<string, LeftEndpoint>();
  exceptions = '';
  problem: string | null = null;
  /** Whether all were healthy when it was last told of them. */
  isCalm = false;
  /** It has had an endpoint. */
  wasFound = false;

  constructor(
    identity: string,
    spec: BackendSpec,
    policy: HealthPolicy,
    { clock, random }: EndpointHealthOptions,
    onChange: (watched: Watched) => void,
  ) {
    this.identity = identity;
    this.ledger = new HealthLedger(policy, clock());
    const { check } = policy;
    this.#prober =
      check === null
        ? null
        : new Prober({
            policy: check,
            random,
            probe: (key) => {
              const { host, port, name = host } = this.#endpoints.get(key) as Endpoint;
              const tls = spec.tls === undefined ? null : { serverName: name, ...spec.tls };
              return probe({ host, port, tls }, check);
            },
            onResult: (key, result) => {
              this.ledger.probed(key, result, clock());
              onChange(this);
            },
          });
  }

  /** @param at milliseconds since 1970 */
  follow(endpoints: readonly Endpoint[], nowMs: number, at: number): void {
    const before = this.#endpoints;
    this.#endpoints = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
    for (const [key, endpoint] of before) if (!this.#endpoints.has(key)) this.#left.set(key, { endpoint, since: at });
    for (const key of this.#endpoints.keys()) this.#left.delete(key);
    const keys = [...this.#endpoints.keys()];
    this.ledger.follow(keys, nowMs);
    this.#prober?.follow(keys);
  }

  view(nowMs: number, at: number): KnownEndpoint[] {
    return this.ledger.view(nowMs).map((health) => {
      const told = this.states.get(health.key);
      const since = told?.state === health.state ? told.since : at;
      return { ...health, endpoint: this.#endpoints.get(health.key) as Endpoint, since };
    });
  }

  /** Those that have left, for as long as they are shown. */
  left(at: number): LeftEndpoint[] {
    for (const [key, { since }] of this.#left) if (at - since > SHOWN_MS) this.#left.delete(key);
    return [...this.#left.values()];
  }

  close(): void {
    this.#prober?.close();
  }
}

export class EndpointsHealth {
  readonly #options: EndpointHealthOptions;
  readonly #timer: NodeJS.Timeout;
  #backends: Watched[] = [];

  constructor(options: EndpointHealthOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Watches the backends of this plan from now on; what is known of one that stays the same is kept. */
  install({ backends }: Plan): void {
    const before = new Map(this.#backends.map((watched) => [watched.identity, watched]));
    this.#backends = backends.map(({ spec, health, source }) => {
      const identity = JSON.stringify([spec, health, source]);
      const kept = before.get(identity);
      before.delete(identity);
      return (
        kept ?? new Watched(identity, spec, health, this.#options, (it) => this.#changed(this.#backends.indexOf(it)))
      );
    });
    for (const gone of before.values()) gone.close();
  }

  /** A backend has these endpoints from now on. */
  follow(backend: number, endpoints: readonly Endpoint[]): void {
    this.#backends[backend]?.follow(endpoints, this.#options.clock(), this.#options.wall());
    this.#changed(backend);
  }

  /** What a worker saw. */
  reported(worker: number, endpoints: readonly AttemptsOfEndpoint[]): void {
    const nowMs = this.#options.clock();
    const touched = new Set<number>();
    for (const { backend, key, ...report } of endpoints) {
      this.#backends[backend]?.ledger.reported(worker, key, report, nowMs);
      touched.add(backend);
    }
    for (const backend of touched) this.#changed(backend);
  }

  /** A worker is gone. */
  forget(worker: number): void {
    for (const [backend, { ledger }] of this.#backends.entries()) {
      ledger.forget(worker, this.#options.clock());
      this.#changed(backend);
    }
  }

  #tick(): void {
    const nowMs = this.#options.clock();
    for (const [backend, watched] of this.#backends.entries()) {
      watched.ledger.tick(nowMs);
      // Of thousands of endpoints, mostly all are as they were.
      if (!watched.isCalm || !watched.ledger.isCalm(nowMs)) this.#changed(backend);
    }
  }

  /** Tells what is different from what was told last. */
  #changed(backend: number): void {
    const { clock, wall, watcher } = this.#options;
    const watched = this.#backends[backend];
    if (watched === undefined) return;
    const nowMs = clock();
    watched.isCalm = watched.ledger.isCalm(nowMs);
    const exceptions = watched.ledger.exceptions(nowMs);
    const fingerprint = JSON.stringify([exceptions.out, exceptions.warming.map(({ key }) => key)]);
    if (fingerprint !== watched.exceptions) {
      watched.exceptions = fingerprint;
      watcher.onExceptions(backend, exceptions);
    }
    const view = watched.view(nowMs, wall());
    this.#tellEndpoints(backend, watched, view);
    watched.wasFound ||= view.length > 0;
    // Before discovery has answered there is nothing to complain of.
    const problem = watched.wasFound ? problemOf(view) : null;
    if ((problem === null) !== (watched.problem === null)) watcher.onBackend(backend, problem);
    watched.problem = problem;
  }

  #tellEndpoints(backend: number, watched: Watched, view: readonly KnownEndpoint[]): void {
    const before = watched.states;
    watched.states = new Map(view.map(({ key, state, since }) => [key, { state, since }]));
    for (const health of view) {
      const known = before.get(health.key);
      // That a new endpoint is healthy or about to be checked is nothing to tell.
      const isNews = health.state !== known?.state && (known !== undefined || !isUsable(health.state));
      if (isNews) this.#options.watcher.onEndpoint(backend, health.endpoint, health);
    }
  }

  exceptions(backend: number): Exceptions {
    return this.#backends[backend]?.ledger.exceptions(this.#options.clock()) ?? { out: [], warming: [] };
  }

  view(backend: number): KnownEndpoint[] {
    return this.#backends[backend]?.view(this.#options.clock(), this.#options.wall()) ?? [];
  }

  /** Those that are not healthy; looked at each second, when of thousands mostly all are. */
  unwell(backend: number): UnwellEndpoint[] {
    const watched = this.#backends[backend];
    if (watched === undefined || watched.ledger.isCalm(this.#options.clock())) return [];
    return this.view(backend).flatMap(({ state, ...known }) => (state === 'healthy' ? [] : [{ ...known, state }]));
  }

  left(backend: number): LeftEndpoint[] {
    return this.#backends[backend]?.left(this.#options.wall()) ?? [];
  }

  /** Why requests to the backend cannot be expected to succeed, in half a sentence; null: they can. */
  problem(backend: number): string | null {
    return problemOf(this.view(backend));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const watched of this.#backends) watched.close();
  }
}

/** Endpoints named in a sentence. */
const NAMED = 3;

function problemOf(endpoints: readonly KnownEndpoint[]): string | null {
  if (endpoints.length === 0) return 'no endpoint is known';
  if (endpoints.some(({ state }) => isUsable(state))) return null;
  const named = endpoints
    .slice(0, NAMED)
    .map(({ endpoint, state, reason }) => `${formatEndpoint(endpoint)} is ${state}: ${reason}`);
  const more = endpoints.length > NAMED ? `; and ${endpoints.length - NAMED} more` : '';
  return `no endpoint is healthy: ${named.join('; ')}${more}`;
}
