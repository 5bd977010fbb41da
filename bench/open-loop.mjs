// @ts-check
import { Http1Connection } from './connection.mjs';
import { GrpcLane, GrpcSession } from './grpc-connection.mjs';
import { grpcMessage } from './h2load.mjs';
import { Queue } from './queue.mjs';
import { Tally } from './tally.mjs';

/** Below this many milliseconds timers are too coarse: the loop naps instead. */
const COARSE_MS = 2;
/** A nap holds responses up for as long; a spin would take the core from the origin beside it. */
const NAP_MS = 0.1;
const SWEEP_MS = 20;
const SESSIONS = 8;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * @typedef {object} OpenLoopOptions
 * @property {string | URL} url http or https
 * @property {number} rate requests a second, evenly spaced
 * @property {number} durationMs
 * @property {number} [connections] default 64; a request that finds none free waits, and its latency counts the wait
 * @property {number} [timeoutMs] from the intended send time; default 10,000
 * @property {boolean} [grpc] unary calls over HTTP/2 (without TLS by prior knowledge) instead of HTTP/1.1; `body` is the message
 * @property {number} [sessions] of gRPC, which `connections` calls share; default 8
 * @property {string} [method] default GET
 * @property {Record<string, string>} [headers]
 * @property {string} [body] latin1
 * @property {string} [sideHeader] response header that names the side; default x-side
 */

/** @typedef {Http1Connection | GrpcLane} Lane */

/**
 * Sends at a constant rate whatever the answers do, by a schedule fixed beforehand. Latency counts from the moment a request should
 * have been sent, so a stall is seen by every request that fell into it. Every request of the schedule is answered or failed.
 */
export class OpenLoop {
  #options;
  /** @type {Lane[]} */
  #connections;
  /** @type {Queue<Lane>} */
  #idle = new Queue();
  /** Due, but no connection was free. @type {Queue<import('./connection.mjs').Ticket>} */
  #waiting = new Queue();
  #tally = new Tally('warm-up');
  #next = 0;
  #total;
  #open = 0;
  #startedAt = 0;
  #sweptAt = 0;
  /** @type {() => void} */
  #finish = () => undefined;
  tallies = [this.#tally];

  /** @param {OpenLoopOptions} options */
  constructor(options) {
    this.#options = { connections: 64, timeoutMs: 10_000, ...options };
    this.#total = Math.max(1, Math.floor((options.rate * options.durationMs) / 1000));
    const events = {
      onAnswer: this.#onAnswer.bind(this),
      onFailure: this.#onFailure.bind(this),
    };
    this.#connections = lanesOf(options, this.#options.connections, events);
    for (const connection of this.#connections) this.#idle.push(connection);
  }

  /**
   * Requests that fall due from now on are counted here.
   * @param {string} name
   */
  startPhase(name) {
    this.#tally = new Tally(name);
    this.tallies.push(this.#tally);
    return this.#tally;
  }

  /** Nothing more falls due; what is under way is still counted. */
  stop() {
    this.#total = this.#next;
  }

  /** Resolves when the last request of the schedule has been answered or has failed. */
  async run() {
    await Promise.all(this.#connections.map((connection) => connection.connect()));
    await new Promise((/** @type {(value: void) => void} */ resolve) => {
      this.#finish = resolve;
      this.#startedAt = performance.now();
      this.#turn();
    });
    for (const connection of this.#connections) connection.close();
    return this.tallies;
  }

  /** One turn of the loop: send what is due, sweep, sleep until something is. */
  #turn() {
    const now = performance.now();
    while (this.#next < this.#total && this.#dueAt(this.#next) <= now) {
      this.#dispatch({ intended: this.#dueAt(this.#next), tally: this.#tally });
      this.#next += 1;
    }
    if (now - this.#sweptAt >= SWEEP_MS) this.#sweep(now);
    if (this.#next >= this.#total && this.#open === 0) this.#finish();
    else this.#sleep();
  }

  #sleep() {
    const wait = this.#next < this.#total ? this.#dueAt(this.#next) - performance.now() : SWEEP_MS;
    if (wait > COARSE_MS) {
      setTimeout(() => this.#turn(), Math.min(SWEEP_MS, Math.floor(wait - 1)));
      return;
    }
    // After the nap the poll phase reads what has arrived, then the next turn begins.
    setImmediate(() => this.#turn());
    if (wait > 0) Atomics.wait(sleeper, 0, 0, Math.min(wait, NAP_MS));
  }

  /** @param {number} index */
  #dueAt(index) {
    return this.#startedAt + (index * 1000) / this.#options.rate;
  }

  /** @param {import('./connection.mjs').Ticket} ticket */
  #dispatch(ticket) {
    ticket.tally.due += 1;
    ticket.tally.lag.record((performance.now() - ticket.intended) * 1000);
    this.#open += 1;
    const connection = this.#idle.take();
    if (connection === undefined) this.#waiting.push(ticket);
    else this.#send(connection, ticket);
  }

  /**
   * @param {Lane} connection
   * @param {import('./connection.mjs').Ticket} ticket
   */
  #send(connection, ticket) {
    ticket.tally.sent += 1;
    connection.send(ticket);
  }

  /** @param {Lane} connection */
  #release(connection) {
    this.#open -= 1;
    const ticket = this.#waiting.take();
    if (ticket === undefined) this.#idle.push(connection);
    else this.#send(connection, ticket);
  }

  /**
   * @param {Lane} connection
   * @param {import('./connection.mjs').Ticket} ticket
   * @param {number} status
   * @param {string} side
   */
  #onAnswer(connection, ticket, status, side) {
    ticket.tally.answer(status, side, (performance.now() - ticket.intended) * 1000);
    this.#release(connection);
  }

  /**
   * @param {Lane} connection
   * @param {import('./connection.mjs').Ticket} ticket
   * @param {string} code
   */
  #onFailure(connection, ticket, code) {
    ticket.tally.fail(code);
    this.#release(connection);
  }

  /** @param {number} now */
  #sweep(now) {
    this.#sweptAt = now;
    const oldest = now - this.#options.timeoutMs;
    while ((this.#waiting.peek()?.intended ?? now) < oldest) {
      this.#waiting.take()?.tally.fail('NO_FREE_CONNECTION');
      this.#open -= 1;
    }
    for (const connection of this.#connections) {
      if ((connection.ticket?.intended ?? now) < oldest) connection.fail('TIMEOUT');
    }
  }
}

/**
 * @param {OpenLoopOptions} options
 * @param {number} count
 * @param {import('./connection.mjs').LaneEvents<Lane>} events
 * @returns {Lane[]}
 */
function lanesOf(options, count, events) {
  if (options.grpc !== true) {
    const sending = sendingOf(options);
    return Array.from({ length: count }, () => new Http1Connection(sending, events));
  }
  const { url, headers = {}, body = '', sideHeader = 'x-side' } = options;
  const calling = { url: new URL(url), headers, message: grpcMessage(body), sideHeader };
  const sessions = Array.from({ length: options.sessions ?? SESSIONS }, () => new GrpcSession(calling));
  return Array.from(
    { length: count },
    (_, i) => new GrpcLane(sessions[i % sessions.length] ?? new GrpcSession(calling), calling, events),
  );
}

/**
 * @param {OpenLoopOptions} options
 * @returns {import('./connection.mjs').Sending}
 */
function sendingOf({ url: target, method = 'GET', headers = {}, body = '', sideHeader = 'x-side' }) {
  const url = new URL(target);
  const hasHost = Object.keys(headers).some((name) => name.toLowerCase() === 'host');
  const fields = Object.entries(hasHost ? headers : { host: url.host, ...headers });
  if (body !== '') fields.push(['content-length', String(body.length)]);
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return {
    url,
    method,
    wire: `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${head}\r\n${body}`,
    sideHeader: new RegExp(`\\r\\n${sideHeader}:[ \\t]*([^\\r]*)`, 'i'),
  };
}
