/** Clients of every habit at a steady rate, whatever becomes of their requests, and two servers that know what they were asked. */
import { randomUUID } from 'node:crypto';
import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** Between two requests of each habit, unless it is told otherwise. */
const PERIOD_MS = 5;
const SLEEPERS = 16;
/** How long a sleeper keeps its connection idle. */
const NAP_MS = 700;
const WEBSOCKETS = 20;

/** Two servers behind the proxy; they count by the request's id what they were asked. */
export class Backends {
  readonly #servers: Server[] = [];
  readonly #seen = new Map<string, number>();

  async start(): Promise<{ old: string; new: string }> {
    return { old: await this.#listen('old'), new: await this.#listen('new') };
  }

  async #listen(side: string): Promise<string> {
    const server = createServer((request, response) => {
      const id = String(request.headers['x-id']);
      this.#seen.set(id, (this.#seen.get(id) ?? 0) + 1);
      request.resume();
      response.end(side);
    });
    server.on('upgrade', (_request, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
      socket.pipe(socket);
      socket.on('error', () => socket.destroy());
    });
    // Longer than any of these tests, so that no kept connection is closed in the middle of one.
    server.keepAliveTimeout = 600_000;
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Requests that came more than once. */
  get seenTwice(): number {
    return [...this.#seen.values()].filter((times) => times > 1).length;
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

/** A request that got no answer of 200, by `performance.now()`. */
export interface Failure {
  readonly what: string;
  readonly at: number;
  /** When its connection was asked for, long before it for a kept one. */
  readonly connectedAt: number;
}

export interface Tally {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  /** What went wrong, each kind once. */
  readonly failures: readonly string[];
  /** The requests among it, every one. */
  readonly failedRequests: readonly Failure[];
  /** Messages that came back over WebSockets, in order. */
  readonly echoed: number;
  /** What went wrong with WebSockets. */
  readonly broken: number;
}

/** Kept connections, one connection a request, kept connections that sleep and wake up, and long WebSockets. */
export class Traffic {
  readonly #name = randomUUID();
  readonly #url: () => string;
  readonly #onSend: () => (body: string) => void;
  readonly #periodMs: number;
  readonly #kept = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #sleepers = Array.from({ length: SLEEPERS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  readonly #underWay = new Set<Promise<void>>();
  readonly #failures = new Set<string>();
  readonly #failedRequests: Failure[] = [];
  /** When each was first seen by a request. */
  readonly #connections = new WeakMap<object, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #sockets: Socket[] = [];
  #ids = 0;
  #answered = 0;
  #echoed = 0;
  #broken = 0;
  #stopped = false;

  /**
   * @param url of the proxy, asked for each request
   * @param onSend called with each request; what it returns, with the body of its answer
   * @param periodMs between two requests of each habit
   */
  constructor(url: () => string, onSend: () => (body: string) => void = () => () => {}, periodMs = PERIOD_MS) {
    this.#url = url;
    this.#onSend = onSend;
    this.#periodMs = periodMs;
    this.#every(periodMs, () => this.#ask('kept', this.#kept));
    this.#every(periodMs, () => this.#ask('fresh', false));
    this.#sleepers.forEach((agent, i) => this.#every(NAP_MS + i, () => this.#ask('sleeper', agent)));
    for (let i = 0; i < WEBSOCKETS; i++) this.#echo();
  }

  #every(ms: number, act: () => void): void {
    this.#timers.push(setInterval(act, ms));
  }

  #ask(habit: string, agent: Agent | false): void {
    const id = `${this.#name}-${++this.#ids}`;
    const asked = this.#answerOf(habit, agent, id).finally(() => this.#underWay.delete(asked));
    this.#underWay.add(asked);
  }

  async #answerOf(habit: string, agent: Agent | false, id: string): Promise<void> {
    const onAnswer = this.#onSend();
    let connectedAt = performance.now();
    const fail = (what: string): void => this.#fail({ what: `${habit}: ${what}`, at: performance.now(), connectedAt });
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const asked = get(this.#url(), { agent, headers: { 'x-id': id } }, resolve).once('error', reject);
        asked.once('socket', (socket) => {
          connectedAt = this.#connections.get(socket) ?? connectedAt;
          this.#connections.set(socket, connectedAt);
        });
      });
      const body = await text(response);
      if (response.statusCode !== 200) return fail(`status ${response.statusCode}`);
      this.#answered++;
      onAnswer(body);
    } catch (error) {
      fail((error as Error).message);
    }
  }

  #fail(failure: Failure): void {
    this.#failedRequests.push(failure);
    this.#failures.add(failure.what);
  }

  #break(what: string): void {
    this.#broken++;
    this.#failures.add(what);
  }

  /** Sends a number each time the last has come back. */
  #echo(): void {
    const { hostname, port } = new URL(this.#url());
    const socket = connect(Number(port), hostname);
    let next = -1;
    socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', (bytes: Buffer) => {
      const isWhole = next === -1 ? bytes.includes('\r\n\r\n') : bytes.toString() === `${next}\n`;
      if (!isWhole) this.#break(`WebSocket after ${next}: ${bytes.toString('latin1', 0, 40)}`);
      if (next >= 0) this.#echoed++;
      next++;
      if (!this.#stopped) setTimeout(() => socket.write(`${next}\n`), 2 * this.#periodMs);
    });
    socket.on('error', (error) => this.#stopped || this.#break(`WebSocket: ${error.message}`));
    socket.on('close', () => this.#stopped || this.#break(`WebSocket closed after ${next}`));
    this.#sockets.push(socket);
  }

  get sent(): number {
    return this.#ids;
  }

  async stop(): Promise<Tally> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#underWay);
    for (const agent of [this.#kept, ...this.#sleepers]) agent.destroy();
    const { sent } = this;
    return {
      sent,
      answered: this.#answered,
      failed: this.#failedRequests.length,
      failures: [...this.#failures],
      failedRequests: this.#failedRequests,
      echoed: this.#echoed,
      broken: this.#broken,
    };
  }
}
