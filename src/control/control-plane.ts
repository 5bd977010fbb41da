/** The control plane of one replica, put together: state from the store, workers that follow it, and the service for operators. */
import type { EndpointMemory } from '../discovery/remembered.ts';
import type { State } from '../domain/state.ts';
import type { ReplicaReport, Store } from '../store/store.ts';
import { Events } from './events.ts';
import { writeFirstWeights } from './first-weights.ts';
import { HeldRoutes } from './held-routes.ts';
import { Judge } from './judge.ts';
import { LocalRollbacks, type PinsFile } from './local-rollbacks.ts';
import type { Plan } from './plan.ts';
import { RampWalker } from './ramp-walker.ts';
import { Replicas } from './replicas.ts';
import { rollbackRefusal } from './rollback-guard.ts';
import { ControlService } from './service.ts';
import { type LastStateFile, StateKeeper } from './state-keeper.ts';
import { Supervisor } from './supervisor.ts';
import { Verbs } from './verbs.ts';
import { Webhooks } from './webhooks.ts';
import { Writer } from './writer.ts';

/** Between two attempts at writing a rollback that this replica has made alone. */
const RETRY_MS = 1_000;

export interface ControlPlaneOptions {
  readonly version: string;
  readonly fleet: string;
  readonly storeKind: string;
  /** Script that workers run. */
  readonly workerScript: string;
  /** `known` is what this replica served last, if that is known. */
  readonly openStore: (known: State | undefined) => Promise<Store>;
  readonly lastState: LastStateFile;
  readonly pins: PinsFile;
  readonly bootstrapOld: boolean;
  /** Of sources of endpoints. */
  readonly memory: EndpointMemory;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

const monotonic = (): number => performance.now();

export class ControlPlane {
  readonly events: Events;
  readonly service: ControlService;
  readonly #clock: () => number;
  readonly #keeper: StateKeeper;
  readonly #supervisor: Supervisor;
  readonly #local: LocalRollbacks;
  readonly #replicas: Replicas;
  readonly #judge: Judge;
  readonly #walker: RampWalker;
  readonly #webhooks: Webhooks;

  constructor(plan: Plan, options: ControlPlaneOptions) {
    const { clock, openStore, lastState, bootstrapOld } = options;
    const events = new Events(clock);
    this.#clock = clock;
    this.#keeper = new StateKeeper({
      openStore: async (known) => {
        const store = await openStore(known);
        this.#replicas.join(store.fleet);
        return store;
      },
      lastState,
      bootstrapOld,
      clock,
      random: Math.random,
      onState: () => this.#show(),
      onEntry: (entry) => events.emit({ type: 'change', entry }),
      onHealth: (health, disputed, wasDisputed) => {
        const { up } = health;
        events.emit({ type: 'store', up, disputed, settled: up && wasDisputed, reason: up ? null : health.reason });
        if (up) void this.#writeFirstWeights();
      },
    });
    const { workerScript, memory } = options;
    this.#supervisor = new Supervisor(plan, {
      workerScript,
      events,
      memory,
      monotonic,
      onServed: () => this.#replicas.report(),
      onEvidence: (message, names) => this.#judge.add(message, names),
      onBeat: () => this.#judge.onBeat(),
    });
    const { applied } = this.#supervisor;
    this.#replicas = new Replicas({ applied, epoch: () => this.#keeper.state?.epoch ?? '', monotonic });
    const capacity = (route: string, weightPpm: number): string | null => this.service.capacity(route, weightPpm);
    const writer = new Writer(this.#keeper, clock, capacity, (entry) => this.#webhooks.tell(entry));
    const verbs = new Verbs(this.#keeper, writer, {
      ahead: (of) => this.#replicas.ahead(of),
      raiseRefusal: (route) => this.#supervisor.backends.probe(route),
    });
    const held = new HeldRoutes(() => this.#show());
    this.#local = new LocalRollbacks({
      file: options.pins,
      state: () => this.#keeper.state && held.apply(this.#keeper.state),
      write: (routes, pin) => verbs.writePin(routes, pin),
      onChange: () => this.#show(),
      emit: (event) => events.emit(event),
      clock,
      retryMs: RETRY_MS,
    });
    this.#judge = this.#openJudge(held, verbs, options, events);
    this.#webhooks = new Webhooks({
      fleet: options.fleet,
      hooks: () => this.#supervisor.plan.webhooks,
      emit: (event) => events.emit(event),
    });
    this.#walker = new RampWalker({
      plan: () => this.#supervisor.plan,
      state: () => (this.#keeper.health.up && this.#keeper.alarm === null ? this.#local.served : undefined),
      opinion: (route) => this.#judge.opinion(route),
      obstacles: (route, state) => this.service.obstacles(route, state),
      verbs,
      now: () => this.#keeper.now(),
    });
    this.service = new ControlService({
      ...options,
      events,
      local: this.#local,
      verbs,
      keeper: this.#keeper,
      supervisor: this.#supervisor,
      replicas: this.#replicas,
      judge: this.#judge,
      held,
    });
    this.events = events;
  }

  #openJudge(held: HeldRoutes, verbs: Verbs, { clock }: ControlPlaneOptions, events: Events): Judge {
    const supervisor = this.#supervisor;
    return new Judge({
      counters: this.#keeper.counters,
      held,
      state: () => this.#keeper.state,
      plan: () => supervisor.plan,
      id: () => this.#replicas.id,
      living: () => this.#replicas.living,
      takeBack: async (route, testSince, act) =>
        rollbackRefusal(supervisor.backends, this.#local.served, [route]) ?? verbs.takeBack(route, testSince, act),
      pin: (route, testSince, act) => {
        if (rollbackRefusal(supervisor.backends, this.#local.served, [route]) === null)
          void this.#local.pin([route], { ...act, testSince });
      },
      probe: (route) => supervisor.backends.deadNew(route),
      bind: (route, bounds) => supervisor.bind(route, bounds),
      emit: (event) => events.emit(event),
      clock,
      monotonic,
      random: Math.random,
    });
  }

  /**
   * Loads the state and starts the workers. Resolves before they serve: see `settled`.
   * @param self how other replicas name and reach this one
   */
  async start(self: Pick<ReplicaReport, 'id' | 'address'>): Promise<void> {
    this.#replicas.introduce(self);
    await this.#keeper.start();
    await this.#local.restore();
    await this.#writeFirstWeights();
    this.#supervisor.install(this.#supervisor.plan);
    this.#judge.start();
  }

  /** Resolves when all workers serve: null; or when one could not listen: where and why. */
  settled(): Promise<{ readonly address: string; readonly message: string } | null> {
    return this.#supervisor.settled();
  }

  /** Serves by another plan from now on. */
  async install(plan: Plan): Promise<void> {
    await writeFirstWeights(this.#keeper, plan, this.#clock);
    this.#supervisor.install(plan);
    this.#judge.follow();
  }

  #show(): void {
    const { served } = this.#local;
    if (served === undefined) return;
    this.#supervisor.show(served);
    this.#walker.follow(served);
  }

  #writeFirstWeights(): Promise<void> {
    return writeFirstWeights(this.#keeper, this.#supervisor.plan, this.#clock);
  }

  /** Not ready from now on; the workers accept for `graceMs` more and finish, within `drainMs`; then lets go of the store. */
  async drain({ drainMs, drainGraceMs }: { readonly drainMs: number; readonly drainGraceMs: number }): Promise<void> {
    this.service.leave();
    await this.#walker.close();
    await this.#local.close();
    await this.#supervisor.drain(drainMs, drainGraceMs);
    await this.#judge.close();
    await this.#webhooks.close();
    await this.#replicas.close();
    await this.#keeper.close();
  }

  /** New worker processes take the place of all that run; those finish what they do. */
  restartWorkers(): void {
    this.#supervisor.restart();
  }

  /** Ends the workers with all that they do. */
  kill(): void {
    this.#supervisor.kill();
  }
}
