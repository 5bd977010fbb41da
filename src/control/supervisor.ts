/**
 * Keeps the workers at the newest table, endpoints and weights, and knows how far each has come. A worker that says hello is told
 * everything; afterwards it is told what changes. It never waits for a worker.
 */
import type { EndpointMemory } from '../discovery/remembered.ts';
import type { State } from '../domain/state.ts';
import type {
  BeatMessage,
  CountsMessage,
  DownMessage,
  EvidenceMessage,
  ListeningMessage,
  SheddingMessage,
  UpMessage,
} from '../seam.ts';
import { Applied } from './applied.ts';
import { type Bounds, Briefing } from './briefing.ts';
import type { Events } from './events.ts';
import { Flushes } from './flushes.ts';
import { KnownBackends } from './known-backends.ts';
import type { Plan } from './plan.ts';
import { Recorder } from './recorder.ts';
import { tableMessage } from './syncer.ts';
import { TicketKeys } from './ticket-keys.ts';
import { WorkerPool } from './worker-pool.ts';
import { isReady, type WorkerStatus } from './worker-status.ts';

/** A signal to a process group reaches its members within this. */
const GROUP_SIGNAL_MS = 100;

export interface SupervisorOptions {
  /** Script that workers run. */
  readonly workerScript: string;
  readonly events: Events;
  /** For sources that are away at the start; absent: they have no endpoints then. */
  readonly memory?: EndpointMemory;
  /** Milliseconds, only ever compared with each other. */
  readonly monotonic: () => number;
  /** All ready workers may serve another revision than before. */
  onServed(): void;
  /** A worker has tallied something for the judge. @param names of its table's routes, by index */
  onEvidence(message: EvidenceMessage, names: readonly string[]): void;
  /** What a worker had to say at its beat is with whom it is for, and something of it was for the judge. */
  onBeat(): void;
}

/** How long a start waits for sources of endpoints; it goes on without them, not ready but serving what it can. */
const FIRST_SYNC_MS = 5_000;

export class Supervisor {
  readonly applied = new Applied();
  readonly recorder = new Recorder();
  readonly backends: KnownBackends;
  readonly #options: SupervisorOptions;
  readonly #briefing: Briefing;
  readonly #pool: WorkerPool;
  readonly #flushes = new Flushes();
  readonly #workers = new Map<number, WorkerStatus>();
  readonly #ticketKeys = new TicketKeys((keys) => this.#broadcast(this.#briefing.renewTicketKeys(keys)));
  /** That is shown. */
  #revision: number | undefined;
  #onSettled: (() => void) | undefined;
  #failure: ListeningMessage['failure'] = null;
  /** Sources that still have not answered are waited for no longer. */
  #hasWaited = false;

  constructor(plan: Plan, options: SupervisorOptions) {
    this.#options = options;
    this.backends = new KnownBackends(plan, options, {
      onExceptions: (backend) => this.#broadcast(this.#briefing.health(backend)),
      onDiscovery: () => this.#progressed(),
    });
    this.#briefing = new Briefing(this.backends);
    this.#pool = new WorkerPool({
      exec: options.workerScript,
      onStarted: (id, pid) => this.#started(id, pid),
      onMessage: (id, message) => this.#received(id, message),
      onExited: (id, pid, detail) => this.#exited(id, pid, detail),
    });
  }

  /** What was installed last, or will be first. */
  get plan(): Plan {
    return this.backends.plan;
  }

  /** All workers serve by this plan from now on; the first call starts them. */
  install(plan: Plan): void {
    const generation = this.#briefing.generation + 1;
    const table = tableMessage(plan, generation, this.#ticketKeys.current);
    this.#ticketKeys.renewEvery(plan.ticketRotationMs);
    this.#briefing.install(table);
    this.recorder.table(generation, this.#briefing.namesOf(generation));
    this.backends.install(plan, (backend, change) => this.#broadcast(this.#briefing.endpoints(backend, change)));
    for (const message of this.#briefing.everything()) this.#broadcast(message);
    for (const id of this.#pool.resize(plan.workers, plan.drainMs))
      (this.#workers.get(id) as WorkerStatus).leaving = true;
    this.#progressed();
  }

  /** All workers serve this state from now on; it is newer than the one before, or of the same revision with lower weights. */
  show(state: State): void {
    if (state.revision !== this.#revision) this.applied.announce(state.revision, this.#options.monotonic());
    this.#revision = state.revision;
    for (const message of this.#briefing.show(state)) this.#broadcast(message);
  }

  /** What workers go by from now on when they tally for the judge. */
  bind(route: string, bounds: Bounds): void {
    this.#broadcast(this.#briefing.bind(route, bounds));
  }

  #broadcast(message: DownMessage): void {
    for (const [id, { greeted }] of this.#workers) if (greeted) this.#pool.send(id, message);
  }

  #started(id: number, pid: number): void {
    const fresh = {
      revision: -1,
      generation: 0,
      greeted: false,
      listening: false,
      leaving: false,
      connections: [] as const,
    };
    this.#workers.set(id, { pid, ...fresh });
    this.#options.events.emit({ type: 'worker', pid, what: 'started', detail: null });
  }

  #exited(id: number, pid: number, detail: string | null): void {
    this.#workers.delete(id);
    this.recorder.forget(id);
    this.#flushes.forget(id);
    this.backends.forget(id);
    this.#options.events.emit({ type: 'worker', pid, what: 'exited', detail });
    this.#progressed();
  }

  #shedding({ pid }: WorkerStatus, { isShedding, residentBytes }: SheddingMessage): void {
    const size = `${Math.round(residentBytes / 2 ** 20)} MiB`;
    const detail = isShedding
      ? `${size} are resident, and limits.workerMemoryBytes allows no more: new requests are answered with 503`
      : `${size} are resident: requests are served again`;
    this.#options.events.emit({ type: 'worker', pid, what: isShedding ? 'shedding' : 'relieved', detail });
  }

  #received(id: number, message: UpMessage): void {
    const worker = this.#workers.get(id);
    if (worker === undefined) return;
    switch (message.kind) {
      case 'hello':
        worker.greeted = true;
        for (const answer of this.#briefing.everything()) this.#pool.send(id, answer);
        return;
      case 'leaving':
        // When the whole process group was told to end, the supervisor is about to learn of it too.
        setTimeout(() => this.#replace([id]), GROUP_SIGNAL_MS);
        return;
      case 'pong':
        return;
      case 'shedding':
        return this.#shedding(worker, message);
      case 'listening':
        return this.#listening(worker, message);
      case 'applied':
        return this.#change(worker, { generation: message.generation, revision: message.revision });
      case 'evidence':
        return this.#options.onEvidence(message, this.#briefing.namesOf(message.generation));
      case 'beat':
        for (const report of message.reports) this.#reported(id, worker, report);
        if (message.reports.some(({ kind }) => kind === 'evidence')) this.#options.onBeat();
    }
  }

  #reported(id: number, worker: WorkerStatus, report: BeatMessage['reports'][number]): void {
    switch (report.kind) {
      case 'counts':
        return this.#count(id, worker, report);
      case 'evidence':
        return this.#options.onEvidence(report, this.#briefing.namesOf(report.generation));
      case 'attempts':
        // Indexes of another table are of no use; what it saw it will see again.
        if (report.generation === this.#briefing.generation) this.backends.reported(id, report.endpoints);
    }
  }

  /** Every worker gets a successor and finishes what it does: for a process that has grown old, or a new build. */
  restart(): void {
    this.#replace([...this.#workers].filter(([, { leaving }]) => !leaving).map(([id]) => id));
  }

  #replace(ids: readonly number[]): void {
    const living = ids.filter((id) => this.#pool.isOpen && this.#workers.has(id));
    for (const id of living) (this.#workers.get(id) as WorkerStatus).leaving = true;
    this.#pool.replace(living);
  }

  #listening(worker: WorkerStatus, { failure, generation }: ListeningMessage): void {
    if (failure !== null) {
      const detail = `worker ${worker.pid} cannot listen on ${failure.address}: ${failure.message}`;
      this.#options.events.emit({ type: 'config', ok: false, detail });
    }
    if (generation === this.#briefing.generation) this.#failure = failure;
    this.#change(worker, { listening: failure === null });
  }

  #change(worker: WorkerStatus, change: Partial<WorkerStatus>): void {
    const before = isReady(worker);
    Object.assign(worker, change);
    if (!before && isReady(worker)) {
      this.#options.events.emit({ type: 'worker', pid: worker.pid, what: 'ready', detail: null });
    }
    this.#progressed();
  }

  #count(id: number, worker: WorkerStatus, message: CountsMessage): void {
    this.recorder.add(id, message);
    if (message.generation === this.#briefing.generation) worker.connections = message.connections;
    this.#flushes.answered(id, message.flush);
  }

  /** Some worker may have come further, or one that lagged behind has gone. */
  #progressed(): void {
    const staying = this.workers().filter(({ leaving }) => !leaving);
    const ready = staying.filter(isReady);
    this.#pool.relieve(ready.length, this.plan.drainMs);
    const revisions = ready.map((worker) => (worker.generation === this.#briefing.generation ? worker.revision : -1));
    const served = revisions.length === 0 ? -1 : Math.min(...revisions);
    const before = this.applied.served;
    this.applied.serve(served, this.#options.monotonic());
    if (served !== before) this.#options.onServed();
    const knows = this.#hasWaited || this.backends.unsynced().length === 0;
    if (this.#failure !== null || (knows && ready.length > 0 && ready.length === staying.length)) this.#onSettled?.();
  }

  /**
   * Resolves when every worker serves: null; or when one could not listen: why. Sources of endpoints that have not answered are waited
   * for, but not for long.
   */
  settled(): Promise<ListeningMessage['failure']> {
    return new Promise((resolve) => {
      const enough = setTimeout(() => {
        this.#hasWaited = true;
        this.#progressed();
      }, FIRST_SYNC_MS);
      this.#onSettled = () => {
        clearTimeout(enough);
        resolve(this.#failure);
      };
      this.#progressed();
    });
  }

  workers(): WorkerStatus[] {
    return [...this.#workers.values()];
  }

  /** Has the workers send what they have counted. Resolves within a quarter of a second, whether or not all did. */
  async flush(): Promise<void> {
    const greeted = [...this.#workers].filter(([, worker]) => worker.greeted).map(([id]) => id);
    await this.#flushes.ask(greeted, (id, message) => this.#pool.send(id, message));
  }

  /** Workers accept for `graceMs` more, finish what they do and exit; those that have not after `drainMs` are killed. */
  async drain(drainMs: number, graceMs: number): Promise<void> {
    await this.#pool.close(drainMs, graceMs);
    this.backends.close();
    this.#ticketKeys.close();
  }

  kill(): void {
    this.#pool.kill();
  }
}
