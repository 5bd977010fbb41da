/**
 * The health of one backend's endpoints: what checks found, what requests met with, and what follows for the traffic. Pure: whoever
 * calls tells the time, milliseconds that only ever rise.
 */

import type { HealthPolicy } from '../domain/health-policy.ts';
import { afterProbe, type CheckState, type ProbeResult, UNCHECKED } from './check.ts';
import {
  type AttemptReport,
  afterAttempts,
  type EjectionState,
  ejected,
  isEjected,
  mayEject,
  NEVER_EJECTED,
} from './ejection.ts';
import { outliers, type Tally } from './outlier.ts';

/**
 * `starting`: no check has answered yet. `unhealthy`: checks fail. `ejected`: requests failed on it. `unreachable`: a worker
 * cannot connect to it at the moment.
 */
export const ENDPOINT_STATES = ['healthy', 'starting', 'unhealthy', 'ejected', 'unreachable'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

export interface EndpointHealth {
  readonly key: string;
  readonly state: EndpointState;
  /** Why it is not healthy; '' when it is. */
  readonly reason: string;
}

/** What workers are told: every endpoint that is not named takes its full share. */
export interface Exceptions {
  /** Not to be used. */
  readonly out: readonly string[];
  /** Grow into their share: `forMs` of `ofMs` are left. */
  readonly warming: readonly { readonly key: string; readonly forMs: number; readonly ofMs: number }[];
}

/** What a worker tells of an endpoint. */
export interface WorkerReport extends AttemptReport {
  readonly isUnreachable: boolean;
}

/** Length of a window of the success rate. */
const WINDOW_MS = 10_000;

interface Entry {
  check: CheckState;
  ejection: EjectionState;
  /** Why it was ejected last. */
  ejectionReason: string;
  /** Since when it has been usable without a break; -1: from the start, so that it grows into nothing. */
  wellSinceMs: number;
  wasWell: boolean;
  /** Workers that cannot connect. */
  readonly unreachableBy: Set<number>;
}

export class HealthLedger {
  readonly #policy: HealthPolicy;
  readonly #entries = new Map<string, Entry>();
  #window = new Map<string, Tally>();
  #windowEndMs: number;
  #isFirst = true;

  constructor(policy: HealthPolicy, nowMs: number) {
    this.#policy = policy;
    this.#windowEndMs = nowMs + WINDOW_MS;
  }

  /** These are the backend's endpoints from now on. The first that it has are taken for old acquaintances. */
  follow(keys: readonly string[], nowMs: number): void {
    const wanted = new Set(keys);
    for (const key of this.#entries.keys()) if (!wanted.has(key)) this.#entries.delete(key);
    for (const key of keys) {
      if (this.#entries.has(key)) continue;
      this.#entries.set(key, {
        check: UNCHECKED,
        ejection: NEVER_EJECTED,
        ejectionReason: '',
        wellSinceMs: this.#isFirst ? -1 : nowMs,
        wasWell: true,
        unreachableBy: new Set(),
      });
    }
    if (keys.length > 0) this.#isFirst = false;
  }

  probed(key: string, result: ProbeResult, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#policy.check === null) return;
    entry.check = afterProbe(entry.check, result, this.#policy.check);
    this.#settle(nowMs);
  }

  /** What a worker saw since it last told. */
  reported(worker: number, key: string, report: WorkerReport, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (report.isUnreachable) entry.unreachableBy.add(worker);
    else entry.unreachableBy.delete(worker);
    const { ejection } = this.#policy;
    if (ejection !== null && !isEjected(entry.ejection, nowMs)) {
      entry.ejection = afterAttempts(entry.ejection, report);
      const tally = this.#window.get(key) ?? { attempts: 0, faults: 0 };
      this.#window.set(key, { attempts: tally.attempts + report.attempts, faults: tally.faults + report.faults });
      if (entry.ejection.streak >= ejection.consecutive)
        this.#eject(key, entry, `${entry.ejection.streak} faults in a row`, nowMs);
    }
    this.#settle(nowMs);
  }

  /** The worker is gone, and with it what it knew. */
  forget(worker: number, nowMs: number): void {
    for (const { unreachableBy } of this.#entries.values()) unreachableBy.delete(worker);
    this.#settle(nowMs);
  }

  /** To be called about once a second: ejections end, windows close. */
  tick(nowMs: number): void {
    if (nowMs >= this.#windowEndMs) {
      if (this.#policy.ejection?.bySuccessRate) this.#judgeWindow(nowMs);
      this.#window = new Map();
      this.#windowEndMs = nowMs + WINDOW_MS;
    }
    this.#settle(nowMs);
  }

  #judgeWindow(nowMs: number): void {
    for (const key of outliers(this.#window)) {
      const entry = this.#entries.get(key);
      const { attempts, faults } = this.#window.get(key) as Tally;
      if (entry === undefined || isEjected(entry.ejection, nowMs)) continue;
      this.#eject(key, entry, `${faults} of ${attempts} requests failed, more than elsewhere`, nowMs);
    }
  }

  #eject(key: string, entry: Entry, reason: string, nowMs: number): void {
    const { ejection } = this.#policy;
    const others = [...this.#entries].filter(([other]) => other !== key);
    const out = others.filter(([, other]) => !isUsable(this.#stateOf(other, nowMs))).length;
    if (ejection === null || !mayEject(this.#entries.size, out)) return;
    entry.ejection = ejected(entry.ejection, ejection, nowMs);
    entry.ejectionReason = reason;
  }

  /** Notes since when each endpoint is well. */
  #settle(nowMs: number): void {
    for (const entry of this.#entries.values()) {
      const isWell = isUsable(this.#stateOf(entry, nowMs));
      if (isWell && !entry.wasWell) entry.wellSinceMs = nowMs;
      entry.wasWell = isWell;
    }
  }

  #stateOf({ check, ejection, unreachableBy }: Entry, nowMs: number): EndpointState {
    if (this.#policy.check !== null && check.verdict === 'failing') return 'unhealthy';
    if (unreachableBy.size > 0) return 'unreachable';
    if (isEjected(ejection, nowMs)) return 'ejected';
    return this.#policy.check !== null && check.verdict === 'unknown' ? 'starting' : 'healthy';
  }

  /** Whether all are healthy and take their full share: there is nothing to tell of any. */
  isCalm(nowMs: number): boolean {
    const ofMs = this.#policy.slowStartMs;
    for (const entry of this.#entries.values()) {
      const isWarming = entry.wellSinceMs >= 0 && nowMs < entry.wellSinceMs + ofMs;
      if (isWarming || this.#stateOf(entry, nowMs) !== 'healthy') return false;
    }
    return this.#entries.size > 0;
  }

  view(nowMs: number): EndpointHealth[] {
    return [...this.#entries].map(([key, entry]) => {
      const state = this.#stateOf(entry, nowMs);
      return { key, state, reason: reasonOf(state, entry) };
    });
  }

  /** What keeps workers from using all endpoints alike. Nothing is out while too few are well: those that seem ill are better than none. */
  exceptions(nowMs: number): Exceptions {
    const out: string[] = [];
    const warming: Exceptions['warming'][number][] = [];
    const ofMs = this.#policy.slowStartMs;
    for (const [key, entry] of this.#entries) {
      const state = this.#stateOf(entry, nowMs);
      // Whom they cannot reach workers find out, each for itself.
      if (state !== 'healthy' && state !== 'unreachable') out.push(key);
      else if (entry.wellSinceMs >= 0 && nowMs < entry.wellSinceMs + ofMs)
        warming.push({ key, forMs: entry.wellSinceMs + ofMs - nowMs, ofMs });
    }
    const isPanic = this.#entries.size - out.length < this.#policy.panicBelow * this.#entries.size;
    return { out: isPanic ? [] : out, warming };
  }
}

/** Whether requests may be expected to succeed; one that is starting has done nothing wrong. */
export function isUsable(state: EndpointState): boolean {
  return state === 'healthy' || state === 'starting';
}

function reasonOf(state: EndpointState, { check, ejectionReason }: Entry): string {
  switch (state) {
    case 'healthy':
      return '';
    case 'starting':
      return 'not checked yet';
    case 'unhealthy':
      return check.reason;
    case 'ejected':
      return ejectionReason;
    case 'unreachable':
      return 'connections to it fail';
  }
}
