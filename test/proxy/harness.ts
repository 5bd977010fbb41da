/** The data plane of one worker inside the test process, between raw sockets that say and see exact bytes. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { cellsOf } from '../../src/domain/counts.ts';
import { diffEndpoints, patched } from '../../src/domain/endpoints.ts';
import type { MemorySample } from '../../src/domain/memory-pressure.ts';
import type { RouteSpec, Timeouts } from '../../src/domain/route.ts';
import type { Endpoint } from '../../src/domain/snapshot.ts';
import { Service } from '../../src/proxy/service.ts';
import { SWEEP_MS } from '../../src/proxy/sweeper.ts';
import type { BeatMessage, CountsMessage, ListenerSpec, ListenerTls, TableMessage, UpMessage } from '../../src/seam.ts';
import { until } from '../supervisor/until.ts';

export { until };

/** One certificate, whoever asks, and none asked of clients. */
export function shows(certificate: string, key: string): ListenerTls {
  return { certificates: [{ certificate, key, names: [] }], client: null };
}

export const LIMITS = {
  headBytes: 16_384,
  fields: 100,
  targetBytes: 8192,
  bodyBytes: 0,
  connections: 1000,
  connectionsPerClient: 0,
  concurrentStreams: 1024,
  workerMemoryBytes: 0,
};

export const TIMEOUTS: Timeouts = {
  connectMs: 1000,
  requestHeadMs: 10_000,
  responseHeadMs: 10_000,
  idleMs: 10_000,
  totalMs: 0,
};

/** A connection that a backend has accepted, or that a client has made: what came, and what to say. */
export class Wire {
  readonly socket: Socket;
  received = '';
  /** The other side sent its FIN. */
  ended = false;
  closed = false;
  /** Error code of the socket, such as ECONNRESET. */
  error = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  say(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until what came contains the text; resolves with all of it. */
  async sees(text: string): Promise<string> {
    await until(`"${text}" in "${this.received.slice(0, 2000)}"`, () => this.received.includes(text), 5000);
    return this.received;
  }

  async isClosed(): Promise<string> {
    await until(`close, after "${this.received.slice(0, 2000)}"`, () => this.closed || this.ended, 5000);
    return this.received;
  }

  /** What came so far, taken out. */
  take(): string {
    const { received } = this;
    this.received = '';
    return received;
  }
}

/** A backend that does what the test says, connection by connection. */
export class ScriptedBackend {
  readonly wires: Wire[] = [];
  readonly #server: Server;

  /** @param onWire called with each accepted connection */
  constructor(onWire: (wire: Wire) => void = () => undefined) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const wire = new Wire(socket);
      this.wires.push(wire);
      onWire(wire);
    });
  }

  /** Answers each complete bodyless request with the response; Content-Length is added to the body. */
  static answering(body: string, head = ''): ScriptedBackend {
    return new ScriptedBackend((wire) => {
      let answered = 0;
      wire.socket.on('data', () => {
        const asked = wire.received.split('\r\n\r\n').length - 1;
        for (; answered < asked; answered++) {
          wire.say(`HTTP/1.1 200 OK\r\n${head}content-length: ${body.length}\r\n\r\n${body}`);
        }
      });
    });
  }

  /** @param port a free one; default: any */
  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The nth connection, once it is there and has sent a whole request head. */
  async asked(n = 0): Promise<Wire> {
    await until(`request on connection ${n}`, () => this.wires[n]?.received.includes('\r\n\r\n'), 5000);
    return this.wires[n] as Wire;
  }

  close(): void {
    this.#server.close();
    for (const wire of this.wires) wire.socket.destroy();
  }
}

export interface PlaneOptions {
  /** Ports of the endpoints of each side. */
  readonly old: readonly number[];
  readonly new?: readonly number[];
  readonly weightPpm?: number;
  readonly timeouts?: Partial<Timeouts>;
  readonly route?: Partial<RouteSpec>;
  readonly table?: Partial<TableMessage>;
  /** Secures the listener. */
  readonly tls?: NonNullable<ListenerSpec['tls']>;
  readonly random?: () => number;
}

/** A worker's service with one route `r` over two backends, on a free port. */
export class Plane {
  readonly #endpoints = new Map<number, Endpoint[]>();
  /** Those of a beat one by one. */
  readonly messages: (Exclude<UpMessage, BeatMessage> | BeatMessage['reports'][number])[] = [];
  readonly table: TableMessage;
  port = 0;
  exited = false;
  /** Added to the clock, so that time-outs come without waiting. */
  skewMs = 0;
  /** Of the process that it would be. */
  memory: MemorySample = { residentBytes: 0, usedBytes: 0 };
  #looks = 0;
  #sweeps = 0;
  readonly #sweep: NodeJS.Timeout;
  readonly service: Service;
  readonly #wires: Wire[] = [];

  private constructor(table: TableMessage, random: () => number) {
    this.table = table;
    this.service = new Service({
      send: (message) => {
        this.messages.push(...(message.kind === 'beat' ? message.reports : [message]));
      },
      memory: () => {
        this.#looks++;
        return this.memory;
      },
      collect: () => undefined,
      exit: () => {
        this.exited = true;
      },
      sources: {
        clock: () => performance.now() + this.skewMs,
        random,
        randomId: () => '0123456789abcdef0123456789abcdef',
      },
    });
    // Timers of one interval run in the order in which they were set: behind the sweep.
    this.#sweep = setInterval(() => this.#sweeps++, SWEEP_MS);
  }

  static async start(options: PlaneOptions): Promise<Plane> {
    const port = await freePort();
    const plane = new Plane(
      {
        kind: 'table',
        generation: 1,
        listeners: [
          { address: `127.0.0.1:${port}`, host: '127.0.0.1', port, ...(options.tls && { tls: options.tls }) },
        ],
        ticketKeys: new Uint8Array(48).fill(7),
        backends: [
          { name: 'backend-old', connections: 0 },
          { name: 'backend-new', connections: 0 },
        ],
        routes: [
          {
            name: 'r',
            match: { path: '/' },
            old: 0,
            new: 1,
            sticky: [],
            salt: 'r',
            timeouts: { ...TIMEOUTS, ...options.timeouts },
            rescue: { budget: 0.2, toNew: false, bodyBytes: 65_536 },
            ...options.route,
          },
        ],
        limits: LIMITS,
        requestHeadMs: 10_000,
        idleMs: 60_000,
        trustedProxies: [],
        override: null,
        drainMs: 2000,
        accessLog: null,
        ...options.table,
      },
      options.random ?? Math.random,
    );
    plane.port = port;
    plane.service.onMessage(plane.table);
    plane.endpoints(0, options.old);
    plane.endpoints(1, options.new ?? []);
    plane.weight(options.weightPpm ?? 0, 1);
    await until('listening', () => plane.messages.some((message) => message.kind === 'listening'));
    return plane;
  }

  /** The backend has these from now on, and no others. */
  endpoints(backend: number, ports: readonly number[]): void {
    const before = this.#endpoints.get(backend) ?? [];
    const patch = diffEndpoints(
      before,
      ports.map((port) => ({ host: '127.0.0.1', port })),
    ) ?? { removed: [], added: [] };
    this.#endpoints.set(backend, patched(before, patch.removed, patch.added));
    this.service.onMessage({ kind: 'endpoints', generation: this.table.generation, backend, ...patch });
  }

  weight(weightPpm: number, revision: number): void {
    const { generation } = this.table;
    this.service.onMessage({ kind: 'weights', generation, revision, held: [], weights: [[0, weightPpm, 0]] });
  }

  /** A client's connection. @param options.allowHalfOpen stay open when the proxy ends its side */
  async connect(options: { allowHalfOpen?: boolean } = {}): Promise<Wire> {
    const socket = connect({ port: this.port, host: '127.0.0.1', ...options });
    const wire = new Wire(socket);
    this.#wires.push(wire);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return wire;
  }

  /** One request on a connection of its own; resolves with all bytes of the answer when the proxy closes (asks for it by itself). */
  async ask(text: string): Promise<string> {
    const wire = await this.connect();
    wire.say(text);
    return wire.isClosed();
  }

  /** Lets time pass for deadlines. */
  skip(ms: number): void {
    this.skewMs += ms;
  }

  /** Lets time pass, and resolves when the deadlines have been looked at since. */
  async pass(ms: number): Promise<void> {
    this.skip(ms);
    const before = this.#sweeps;
    await until('a sweep', () => this.#sweeps > before);
  }

  /** The process has so much memory now, and it has been looked at. */
  async weigh(memory: MemorySample): Promise<void> {
    this.memory = memory;
    const before = this.#looks;
    await until('two sweeps', () => this.#looks >= before + 2);
  }

  /** Sum of one cell of a route's side so far (offsets in domain/counts.ts); side 0 is old. Row 1 are requests without a route. */
  count(offset: number, side = 0, row = 0): number {
    this.service.onMessage({ kind: 'flush', flush: 1 });
    const cell = cellsOf(row, side) + offset;
    const counts = this.messages.filter((message): message is CountsMessage => message.kind === 'counts');
    let sum = 0;
    for (const message of counts) {
      for (const [i, index] of message.cells.entries()) if (index === cell) sum += message.values[i] as number;
    }
    return sum;
  }

  async stop(): Promise<void> {
    for (const wire of this.#wires) wire.socket.destroy();
    this.service.drain(0);
    this.skip(this.table.drainMs + 1);
    await until('the end of the drain', () => this.exited);
    clearInterval(this.#sweep);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when a number has stopped to rise. */
export async function still(what: string, read: () => number): Promise<void> {
  let last = read();
  let since = performance.now();
  await until(what, () => {
    const now = read();
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > 200;
  });
}
