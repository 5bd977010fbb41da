/**
 * The live judge of one replica: what workers tally goes to the counters that all replicas share, and whoever finds the line crossed takes the
 * route back. It only ever lowers a weight, and only within the test that the evidence is of.
 */
import type { RouteState, State } from '../domain/state.ts';
import { FAMILIES } from '../domain/sticky-evidence.ts';
import { LATENCY_ROW, SIGHTING_ROW, TALLY_ROW } from '../domain/tally.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { EvidenceMessage } from '../seam.ts';
import { BUCKET_MS, type Counters, MemoryCounters } from '../store/store.ts';
import type { Bounds } from './briefing.ts';
import { DeadSide, type DeadSideOptions } from './dead-side.ts';
import { type Opinion, opinionOf } from './opinion.ts';
import type { Plan } from './plan.ts';
import { RouteJudge } from './route-judge.ts';
import { causeOf, isMovable, TakingBack, type TakingBackOptions } from './taking-back.ts';

export interface JudgeOptions extends Omit<DeadSideOptions, 'act'>, Omit<TakingBackOptions, 'opinion'> {
  readonly counters: Counters;
  readonly plan: () => Plan;
  /** What workers go by when they tally. */
  readonly bind: (route: string, bounds: Bounds) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Between two beats, at least; they follow those of the workers, so as not to take the core from them once more. */
const BEAT_MS = 90;
/** Without a beat of a worker, of which there is one each 500 ms at least as long as there is traffic. */
const ALONE_MS = 550;
/** Routes at 0 are only told of so that the old side's past is known: so often. */
const IDLE_MS = 5_000;
/** Of its alpha, what the evidence of single replicas may use, all together. */
const LOCAL_SHARE = 0.1;

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
  readonly #bound = new Map<string, Bounds>();
  readonly #takingBack: TakingBack;
  readonly #deadSide: DeadSide;
  #planned: { readonly plan: Plan; readonly routes: ReadonlyMap<string, Plan['routes'][number]> } | undefined;
  #watched: Watched = { plan: undefined, state: undefined, names: new Set() };
  #idleAt = 0;
  #beatAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#local = new MemoryCounters(BUCKET_MS, options.clock);
    this.#takingBack = new TakingBack({ ...options, opinion: (name) => this.opinion(name) });
    this.#deadSide = new DeadSide({
      ...options,
      act: (name, state, cause) => this.#takingBack.act(name, state, cause),
    });
  }

  start(): void {
    this.#timer = setInterval(() => this.#beat(), ALONE_MS);
  }

  /** A worker's beat has brought what it tallied. */
  onBeat(): void {
    if (this.#timer === undefined || this.#options.monotonic() - this.#beatAt < BEAT_MS) return;
    this.#timer.refresh();
    this.#beat();
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
    for (const index of suspects) this.#suspect(names[index]);
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
    this.#timer = undefined;
    await Promise.all([...this.#routes.values()].map((route) => route.close()));
  }

  #suspect(name: string | undefined): void {
    const route = this.#of(name);
    if (name !== undefined && route !== undefined) void this.#deadSide.suspect(name, route);
  }

  #beat(): void {
    this.#beatAt = this.#options.monotonic();
    const isIdleBeat = this.#beatAt - this.#idleAt >= IDLE_MS;
    if (isIdleBeat) this.#idleAt = this.#beatAt;
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
    void this.#deadSide.voteAgain(name, route);
    if (route.testSince() !== state.testSince) return;
    const verdict = route.verdict();
    this.#tell(name, state, verdict);
    if (!isMovable(route, state)) return;
    const cause = causeOf(verdict, route.votes);
    if (cause !== null) void this.#takingBack.act(name, state, cause);
  }

  /** The store is away: what this replica has seen may lower the route here, at a threshold far higher. */
  #judgeAlone(name: string, route: RouteJudge, state: RouteState): void {
    if (state.testSince === undefined || route.testSince(true) !== state.testSince || !isMovable(route, state)) return;
    const verdict = route.localVerdict(LOCAL_SHARE / Math.max(1, this.#options.living()));
    if (verdict.kind !== 'breach') return;
    const opinion = opinionOf(verdict, route.newRequests(state.weightPpm, true));
    this.#takingBack.actAlone(name, state.testSince, verdict, opinion);
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
}
