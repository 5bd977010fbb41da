/** The listeners of a worker, which follow the table: opens what is new, keeps what is there, closes what is gone. */
import type { ConnectionsOfListener, ListenerSpec, ListeningMessage, TableMessage } from '../seam.ts';
import { ConnectionCensus, Listener } from './listener.ts';
import type { Runtime } from './runtime.ts';

/** For workers whose supervisor was killed to let go of an address: they are told when this worker is about to listen. */
const RELEASED_MS = 3_000;
const RELEASED_PAUSE_MS = 5;

export class Listeners {
  /** Secret. The table's, or those that came after it. */
  ticketKeys: Uint8Array = new Uint8Array();
  readonly #runtime: Runtime;
  readonly #onListening: (message: ListeningMessage) => void;
  readonly #census = new ConnectionCensus();
  #open: Listener[] = [];
  /** No longer configured, but their connections go on. */
  #closing: Listener[] = [];
  #isAccepting = true;
  /** The last table's are being opened; those of the next have to wait. */
  #opening = Promise.resolve();

  /** @param onListening told what became of each table's */
  constructor(runtime: Runtime, onListening: (message: ListeningMessage) => void) {
    this.#runtime = runtime;
    this.#onListening = onListening;
  }

  get isAccepting(): boolean {
    return this.#isAccepting;
  }

  get connectionCount(): number {
    return this.#census.total;
  }

  countByProtocol(): ConnectionsOfListener[] {
    return this.#open.map((listener) => listener.countByProtocol());
  }

  renewTicketKeys(ticketKeys: Uint8Array): void {
    this.ticketKeys = ticketKeys;
    for (const listener of this.#open) listener.renewTicketKeys(ticketKeys);
  }

  follow(table: TableMessage): void {
    this.#opening = this.#opening.then(() => this.#listen(table));
  }

  /** A failure leaves the others as they are. */
  async #listen(table: TableMessage): Promise<void> {
    const kept: Listener[] = [];
    let failure: ListeningMessage['failure'] = null;
    for (const spec of table.listeners) {
      const present = this.#open.find((listener) => socketKey(listener.spec) === socketKey(spec));
      // Whatever becomes of its new certificate, it goes on.
      if (present !== undefined) kept.push(present);
      try {
        if (present === undefined) kept.push(await this.#opened(spec));
        else present.renew(spec, this.ticketKeys);
      } catch (error) {
        failure ??= { address: spec.address, message: error instanceof Error ? error.message : String(error) };
      }
    }
    this.#closing = this.#closing.filter((listener) => listener.connectionCount > 0);
    for (const listener of this.#open) {
      if (kept.includes(listener)) continue;
      listener.stopAccepting();
      this.#closing.push(listener);
    }
    this.#open = kept;
    if (!this.#isAccepting) this.stopAccepting();
    this.#onListening({ kind: 'listening', generation: table.generation, failure });
  }

  async #opened(spec: ListenerSpec): Promise<Listener> {
    const untilMs = this.#runtime.clock() + RELEASED_MS;
    for (;;) {
      const listener = new Listener(this.#runtime, this.#census, spec, this.ticketKeys);
      try {
        await listener.listen();
        // They may have come while the address was waited for.
        listener.renewTicketKeys(this.ticketKeys);
        return listener;
      } catch (error) {
        if (errnoOf(error) !== 'EADDRINUSE' || this.#runtime.clock() > untilMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RELEASED_PAUSE_MS));
    }
  }

  /** Once what waits to be accepted has been, which is done between here and there: closing would reset it. */
  stopAccepting(): void {
    this.#isAccepting = false;
    setImmediate(() => {
      for (const listener of this.#open) listener.stopAccepting();
    });
  }

  destroyConnections(): void {
    for (const listener of [...this.#open, ...this.#closing]) listener.destroyConnections();
  }
}

/** Listeners with the same key can share one socket. */
function socketKey(spec: ListenerSpec): string {
  return `${spec.host}:${spec.port}:${spec.tls === undefined ? 'tcp' : 'tls'}`;
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
