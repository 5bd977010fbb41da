/** The data plane of one worker, without its process: messages in, messages out. */
import type { DownMessage, TableMessage, UpMessage, WeightsMessage } from '../seam.ts';
import { AccessLog } from './access-log.ts';
import { Drain } from './drain.ts';
import { Listeners } from './listeners.ts';
import { type MemoryHost, MemoryWatch } from './memory-watch.ts';
import { Reports } from './reports.ts';
import { Runtime } from './runtime.ts';
import { SWEEP_MS } from './sweeper.ts';
import { emptyServing, Tables } from './tables.ts';

export interface ServiceHost extends MemoryHost {
  readonly send: (message: UpMessage) => void;
  /** Called when a drain is over. */
  readonly exit: () => void;
  readonly sources: ConstructorParameters<typeof Runtime>[1];
}

export class Service {
  readonly #host: ServiceHost;
  readonly #runtime: Runtime;
  readonly #tables: Tables;
  readonly #listeners: Listeners;
  readonly #reports: Reports;
  readonly #memory: MemoryWatch;
  readonly #drain: Drain;
  readonly #sweep: NodeJS.Timeout;

  constructor(host: ServiceHost) {
    const runtime = new Runtime(emptyServing(), host.sources);
    this.#host = host;
    this.#runtime = runtime;
    this.#tables = new Tables(runtime);
    this.#listeners = new Listeners(runtime, host.send);
    this.#reports = new Reports(runtime, this.#listeners, host.send);
    this.#memory = new MemoryWatch(runtime, host);
    this.#drain = new Drain(runtime, this.#listeners);
    this.#sweep = setInterval(() => this.#onSweep(), SWEEP_MS);
  }

  onMessage(message: DownMessage): void {
    switch (message.kind) {
      case 'table':
        this.#onTable(message);
        break;
      case 'endpoints':
        this.#tables.onEndpoints(message);
        break;
      case 'health':
        this.#tables.onHealth(message);
        break;
      case 'weights':
        this.#onWeights(message);
        break;
      case 'bounds':
        this.#reports.onBounds(message);
        break;
      case 'drain':
        this.drain(message.graceMs);
        break;
      case 'ticketKeys':
        this.#listeners.renewTicketKeys(message.ticketKeys);
        break;
      case 'ping':
        this.#host.send({ kind: 'pong' });
        break;
      case 'flush':
        this.#reports.flush(message.flush);
        break;
    }
  }

  #onTable(table: TableMessage): void {
    // Its listeners are opened, or told of it, when it takes effect.
    this.#listeners.ticketKeys = table.ticketKeys;
    this.#renewAccessLog(table);
    this.#tables.onTable(table, this.#reports.open(table));
  }

  /** Its file is opened again with each table, for whoever rotates logs. */
  #renewAccessLog({ accessLog: spec }: TableMessage): void {
    const runtime = this.#runtime;
    if (spec === null) {
      runtime.accessLog?.close();
      runtime.accessLog = null;
    } else if (runtime.accessLog === null) {
      runtime.accessLog = new AccessLog(spec, runtime.random);
    } else {
      runtime.accessLog.renew(spec);
    }
  }

  #onWeights(message: WeightsMessage): void {
    const taken = this.#tables.onWeights(message);
    if (taken === 'stale') return;
    if (taken !== 'later') this.#listeners.follow(taken);
    this.#host.send({ kind: 'applied', generation: message.generation, revision: message.revision });
  }

  /** Exits when the last client has gone, or the table's time for it is over. @param graceMs for which connections are still accepted */
  drain(graceMs: number): void {
    this.#drain.begin(this.#tables.newest?.drainMs ?? 0, graceMs);
  }

  beat(): void {
    this.#reports.beat();
  }

  #onSweep(): void {
    this.#memory.sweep();
    this.#runtime.sweep();
    this.#runtime.accessLog?.flush();
    this.#reports.sweep(this.#runtime.nowMs);
    if (!this.#drain.sweep(this.#runtime.nowMs)) return;
    clearInterval(this.#sweep);
    this.#reports.end();
    const { accessLog } = this.#runtime;
    if (accessLog === null) this.#host.exit();
    else accessLog.finish(this.#host.exit);
  }
}
