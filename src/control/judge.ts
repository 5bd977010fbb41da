/**
 * The live judge of one replica: what workers tally goes to the counters that all replicas share, and whoever finds the line crossed takes the
 * route back. It only ever lowers a weight, and only within the test that the evidence is of.
 */

import type { Totals } from '../domain/e-process.ts';
import { eraOf } from '../domain/era.ts';
import type { EvidenceNote, RouteState, State } from '../domain/state.ts';
import { FAMILIES } from '../domain/sticky-evidence.ts';
import { LATENCY_ROW, SIGHTING_ROW, TALLY_ROW } from '../domain/tally.ts';
import type { Guard, Verdict } from '../domain/verdict.ts';
import type { EvidenceMessage, RouteBounds } from '../seam.ts';
import { BUCKET_MS, type Counters, MemoryCounters } from '../store/store.ts';
import type { RefusalCode } from './control.ts';
import type { NewEvent } from './events.ts';
import type { HeldRoutes } from './held-routes.ts';
import { noteOf } from './opinion-note.ts';
import type { Plan } from './plan.ts';
import { RouteJudge } from './route-judge.ts';
import type { Written } from './writer.ts';

/** Who took a route back, as the history names it. */
export const JUDGE_ACTORS = {
  comparison: 'crossfade/judge',
  ceiling: 'crossfade/ceiling',
  deadSide: 'crossfade/dead-side',
} as const;

/** What is thought of a route's new side. */
export interface Opinion {
  readonly verdict: Verdict['kind'];
  readonly value: number;
  readonly threshold: number;
  readonly log10: number;
  readonly reason: string;
  /** The fleet's responses of the new side, drawn at the present weight in the present test. */
  readonly newRequests: number;
  /** That the reason tells; absent: nothing is judged. */
  readonly counts?: Totals;
}

/** Who takes a route back, why, and what it went by. */
export interface TakeBack {
  readonly actor: string;
  readonly reason: string;
  readonly evidence: EvidenceNote;
}

export interface JudgeOptions {
  readonly counters: Counters;
  readonly held: HeldRoutes;
  /** What the store shows, without what this replica alone has lowered. */
  readonly state: () => State | undefined;
  readonly plan: () => Plan;
  /** Of this replica. */
  readonly id: () => string;
  /** Replicas that live, this one included. */
  readonly living: () => number;
  /** Writes the rollback, unless another test runs by then. */
  readonly takeBack: (route: string, testSince: number, act: TakeBack) => Promise<Written>;
  /** Lowers the route on this replica until the same is written, or another test runs. */
  readonly pin: (route: string, testSince: number, act: TakeBack) => void;
  /** Why no endpoint of the new side takes connections; null: one does, or the old side takes none either. */
  readonly probe: (route: string) => Promise<string | null>;
  /** What workers go by when they tally. */
  readonly bind: (route: string, bounds: Omit<RouteBounds, 'route'>) => void;
  readonly emit: (event: NewEvent) => void;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds, only ever compared with each other. */
  readonly monotonic: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

const BEAT_MS = 100;
/** Routes at 0 are only told of so that the old side's past is known: each so many beats. */
const IDLE_BEATS = 50;
/** Of its alpha, what the evidence of single replicas may use, all together. */
const LOCAL_SHARE = 0.1;
/** So many replicas that find a side dead speak for all. */
const ENOUGH_VOTES = 2;
/** Between two questions of a replica whether a side is still dead. */
const ASK_AGAIN_MS = 10_000;
/** Refusals by which nothing is said of the route itself. */
const UNWRITTEN: ReadonlySet<RefusalCode> = new Set(['storeUnavailable', 'storeDisputed']);

/** Names that were found under this plan and state. */
interface Watched {
  readonly plan: Plan | undefined;
  readonly state: State | undefined;
  readonly names: ReadonlySet<string>;
}

export class Judge {
  readonly #options: JudgeOptions;
  readonly #local: Counters;
  readonly #routes = new Map<string, RouteJudge>();
  /** Last verdict told of, by route and test. */
  readonly #told = new Map<string, string>();
  /** What workers were told last, by route. */
  readonly #bound = new Map<string, Omit<RouteBounds, 'route'>>();
  readonly #probing = new Set<string>();
  /** When a route's new side was probed last. */
  readonly #probedAt = new Map<string, number>();
  readonly #acting = new Set<string>();
  #planned: { readonly plan: Plan; readonly routes: ReadonlyMap<string, Plan['routes'][number]> } | undefined;
  #watched: Watched = { plan: undefined, state: undefined, names: new Set() };
  #beats = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#local = new MemoryCounters(BUCKET_MS, options.clock);
  }

  start(): void {
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  /** Another plan is in use: a route that is judged in another way than before begins anew from the shared counters. */
  follow(): void {
    for (const [name, route] of this.#routes) {
      const planned = this.#plannedRoute(name);
      if (planned !== undefined && route.isOf(planned.judge, planned.spec.sticky.length > 0)) continue;
      this.#routes.delete(name);
      void route.close();
    }
  }

  /** @param names of the routes of the message's table, by index */
  add({ tallies, latencies, sightings, suspects, isUrgent }: EvidenceMessage, names: readonly string[]): void {
    const urgent = new Set<RouteJudge>();
    for (let at = 0; at < tallies.length; at += TALLY_ROW) {
      const route = this.#of(names[tallies[at] as number]);
      if (route === undefined) continue;
      route.tallied.addCells(tallies[at + 1] as number, tallies, at + 2);
      // Where nothing is done about it by itself the beat is soon enough.
      if (isUrgent && !route.settings.adviseOnly) urgent.add(route);
    }
    for (let at = 0; at < latencies.length; at += LATENCY_ROW) {
      const route = this.#of(names[latencies[at] as number]);
      route?.tallied.addLatency(latencies[at + 1] as number, latencies[at + 2] as number);
    }
    for (let at = 0; at < sightings.length; at += SIGHTING_ROW) {
      const [index, era, hash, code] = sightings.subarray(at, at + SIGHTING_ROW) as unknown as number[];
      this.#of(names[index as number])?.tallied.addSighting(era as number, hash as number, code as number);
    }
    for (const route of urgent) route.hurry();
    for (const index of suspects) void this.#suspect(names[index]);
  }

  opinion(name: string): Opinion {
    const state = this.#state(name);
    const route = this.#routes.get(name);
    if (state?.testSince === undefined) return this.#none(name, 'nothing is judged before the weight leaves 0');
    if (route === undefined || route.open === 0) return this.#none(name, 'nothing has been counted yet');
    if (route.failure !== null) {
      return this.#none(name, `the store does not answer, so nothing is compared: ${route.failure}`);
    }
    if (route.testSince() !== state.testSince) return this.#none(name, 'the test has just begun');
    return opinionOf(route.verdict(), route.newRequests(state.weightPpm));
  }

  #none(name: string, reason: string): Opinion {
    const alpha = this.#plannedRoute(name)?.judge.alpha ?? 1;
    return { verdict: 'inconclusive', value: 0, threshold: 1 / alpha, log10: 0, newRequests: 0, reason };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#routes.values()].map((route) => route.close()));
  }

  #beat(): void {
    this.#beats += 1;
    const isIdleBeat = this.#beats % IDLE_BEATS === 0;
    const watched = this.#watchedNow();
    for (const name of watched) this.#of(name)?.beat(true);
    for (const [name, route] of this.#routes) {
      if (watched.has(name)) continue;
      if (isIdleBeat) {
        route.beat(false);
        continue;
      }
      const state = this.#state(name);
      // Whoever has just been taken back shows what by.
      if (state?.cutover === 'rolledBack') route.refresh(state.revision);
    }
  }

  /** Routes of the plan whose new side has a share. Found anew only when something has changed: there may be thousands of others. */
  #watchedNow(): ReadonlySet<string> {
    const plan = this.#options.plan();
    const state = this.#options.state();
    if (this.#watched.plan === plan && this.#watched.state === state) return this.#watched.names;
    const names = plan.routes.map(({ spec }) => spec.name);
    const isWatched = (name: string): boolean => (state?.routes.get(name)?.weightPpm ?? 0) > 0;
    this.#watched = { plan, state, names: new Set(names.filter(isWatched)) };
    return this.#watched.names;
  }

  #state(name: string): RouteState | undefined {
    return this.#options.state()?.routes.get(name);
  }

  #plannedRoute(name: string): Plan['routes'][number] | undefined {
    const plan = this.#options.plan();
    if (this.#planned?.plan !== plan) {
      this.#planned = { plan, routes: new Map(plan.routes.map((route) => [route.spec.name, route])) };
    }
    return this.#planned.routes.get(name);
  }

  #of(name: string | undefined): RouteJudge | undefined {
    if (name === undefined) return undefined;
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    const { counters, monotonic, random } = this.#options;
    const planned = this.#plannedRoute(name);
    if (planned === undefined) return undefined;
    const route = new RouteJudge({
      route: name,
      settings: planned.judge,
      isSticky: planned.spec.sticky.length > 0,
      shared: counters,
      local: this.#local,
      monotonic,
      random,
      onRead: () => this.#onRead(name, route),
    });
    this.#routes.set(name, route);
    return route;
  }

  #onRead(name: string, route: RouteJudge): void {
    this.#bind(name, route);
    const state = this.#state(name);
    if (state === undefined || state.weightPpm === 0) return;
    if (route.failure !== null) {
      this.#judgeAlone(name, route, state);
      return;
    }
    void this.#voteAgain(name, route);
    if (route.testSince() !== state.testSince) return;
    const verdict = route.verdict();
    this.#tell(name, state, verdict);
    if (!isMovable(route, state)) return;
    if (verdict.kind === 'breach') void this.#takeBack(name, state, verdict.guard, verdict.reason);
    else if (route.votes.length >= ENOUGH_VOTES) {
      const reason = `${route.votes.length} replicas find that the new side takes no connections: ${route.votes.join(', ')}`;
      void this.#takeBack(name, state, 'deadSide', reason);
    }
  }

  /** The store is away: what this replica has seen may lower the route here, at a threshold far higher. */
  #judgeAlone(name: string, route: RouteJudge, state: RouteState): void {
    if (state.testSince === undefined || route.testSince(true) !== state.testSince || !isMovable(route, state)) return;
    const verdict = route.localVerdict(LOCAL_SHARE / Math.max(1, this.#options.living()));
    if (verdict.kind !== 'breach') return;
    const evidence = noteOf(opinionOf(verdict, route.newRequests(state.weightPpm, true)));
    this.#options.pin(name, state.testSince, { actor: JUDGE_ACTORS[verdict.guard], reason: verdict.reason, evidence });
  }

  #bind(name: string, route: RouteJudge): void {
    const { bounds, open } = route;
    const known = this.#bound.get(name);
    const isSame = FAMILIES.every(({ buckets }, i) => known?.windows[i] === Math.floor(open / buckets));
    if (known !== undefined && known.bounds === bounds && isSame) return;
    const told = { bounds, windows: FAMILIES.map(({ buckets }) => Math.floor(open / buckets)) };
    this.#bound.set(name, told);
    this.#options.bind(name, told);
  }

  #tell(name: string, state: RouteState, { kind, value, threshold, reason }: Verdict): void {
    const text = `${state.testSince} ${kind}`;
    if (this.#told.get(name) === text) return;
    this.#told.set(name, text);
    this.#options.emit({ type: 'verdict', route: name, verdict: kind, value, threshold, reason });
  }

  async #takeBack(name: string, state: RouteState, guard: Guard | 'deadSide', reason: string): Promise<void> {
    if (this.#acting.has(name) || state.testSince === undefined) return;
    this.#acting.add(name);
    const actor = JUDGE_ACTORS[guard];
    try {
      const act = { actor, reason, evidence: noteOf(this.opinion(name)) };
      const written = await this.#options.takeBack(name, state.testSince, act);
      if (written.kind === 'refused' && UNWRITTEN.has(written.code)) this.#options.pin(name, state.testSince, act);
    } finally {
      this.#acting.delete(name);
    }
  }

  /** Three connections in a row were not taken: if a probe is not taken either, nothing more is sent there from here. */
  async #suspect(name: string | undefined): Promise<void> {
    const route = this.#of(name);
    if (name === undefined || route === undefined || this.#probing.has(name)) return;
    if (this.#isHeld(name) || (this.#state(name)?.weightPpm ?? 0) === 0) return;
    const failure = await this.#probe(name);
    const state = this.#state(name);
    if (failure === null || state === undefined || state.weightPpm === 0 || this.#isHeld(name)) return;
    if (isMovable(route, state)) this.#hold(name, route, state, deadReason(failure));
  }

  /** A vote is forgotten in time, and was lost when the store was away: who still serves the route from old finds out if it still holds. */
  async #voteAgain(name: string, route: RouteJudge): Promise<void> {
    const { id, monotonic } = this.#options;
    if (!this.#isHeld(name) || this.#probing.has(name) || route.votes.includes(id())) return;
    if (monotonic() - (this.#probedAt.get(name) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return;
    const failure = await this.#probe(name);
    const state = this.#state(name);
    if (failure !== null && state !== undefined && this.#isHeld(name) && isMovable(route, state)) {
      this.#vote(name, route, state, deadReason(failure));
    }
  }

  #isHeld(name: string): boolean {
    return this.#options.held.has(name, this.#options.state());
  }

  async #probe(name: string): Promise<string | null> {
    this.#probing.add(name);
    const failure = await this.#options.probe(name);
    this.#probing.delete(name);
    this.#probedAt.set(name, this.#options.monotonic());
    return failure;
  }

  #hold(name: string, route: RouteJudge, state: RouteState, reason: string): void {
    const { held, emit, clock } = this.#options;
    const actor = JUDGE_ACTORS.deadSide;
    held.hold(name, { actor, reason, at: clock(), revision: state.revision });
    emit({ type: 'pinned', routes: [name], pinned: true, actor, reason });
    this.#vote(name, route, state, reason);
  }

  #vote(name: string, route: RouteJudge, state: RouteState, reason: string): void {
    const { id, living } = this.#options;
    if (living() <= 1) {
      void this.#takeBack(name, state, 'deadSide', reason);
      return;
    }
    route.tallied.addVote(eraOf(state.testSince ?? 0, state.weightPpm), id());
    route.hurry();
  }
}

function deadReason(failure: string): string {
  return `the new side is dead: ${failure}`;
}

function opinionOf({ kind, value, threshold, log10, reason, counts }: Verdict, newRequests: number): Opinion {
  return { verdict: kind, value, threshold, log10, reason, newRequests, counts };
}

function isMovable({ settings }: RouteJudge, { frozen }: RouteState): boolean {
  return !frozen && !settings.adviseOnly;
}
