// @ts-check
import net from 'node:net';
import tls from 'node:tls';
import { announcedLength, INTERIM, MessageReader, UNTIL_CLOSE } from './message-reader.mjs';

/**
 * One request on its way: when it should have been sent, and where its end is counted.
 * @typedef {{ intended: number, tally: import('./tally.mjs').Tally }} Ticket
 *
 * What a connection sends, again and again, and to where.
 * @typedef {object} Sending
 * @property {URL} url
 * @property {string} method
 * @property {string} wire the whole request, latin1
 * @property {RegExp} sideHeader finds the side's name in a response head
 *
 */

/**
 * What becomes of a lane's requests; a lane is a connection, or a share of one, with at most one request under way.
 * @template Lane
 * @typedef {object} LaneEvents
 * @property {(lane: Lane, ticket: Ticket, status: number, side: string) => void} onAnswer
 * @property {(lane: Lane, ticket: Ticket, code: string) => void} onFailure
 */

/** Reads need no buffer of their own: the callback is done with the bytes when it returns. */
const SHARED = Buffer.allocUnsafe(65_536);

/** A keep-alive client connection with at most one request under way. It connects when there is something to send, and again after a close. */
export class Http1Connection {
  #sending;
  #events;
  /** @type {net.Socket | null} */
  #socket = null;
  /** @type {Ticket | null} */
  #ticket = null;
  #status = 0;
  #side = '';
  #closing = false;

  /**
   * @param {Sending} sending
   * @param {LaneEvents<Http1Connection>} events
   */
  constructor(sending, events) {
    this.#sending = sending;
    this.#events = events;
  }

  /** The request under way, or null. */
  get ticket() {
    return this.#ticket;
  }

  /** @param {Ticket} ticket */
  send(ticket) {
    this.#ticket = ticket;
    this.#socket ??= this.#open();
    this.#socket.write(this.#sending.wire, 'latin1');
  }

  /** Connects ahead of the first request. Resolves when that succeeded or failed; a failure shows again when sending. */
  async connect() {
    const socket = (this.#socket ??= this.#open());
    if (!socket.connecting) return;
    await new Promise((resolve) => {
      socket.once(this.#sending.url.protocol === 'https:' ? 'secureConnect' : 'connect', resolve);
      socket.once('close', resolve);
    });
  }

  /**
   * Gives up the request under way, if there is one, and closes the connection.
   * @param {string} code
   */
  fail(code) {
    const ticket = this.#ticket;
    this.#ticket = null;
    this.#socket?.destroy();
    this.#socket = null;
    if (ticket !== null) this.#events.onFailure(this, ticket, code);
  }

  /** Nothing more is sent. */
  close() {
    this.fail('STOPPED');
  }

  #open() {
    const reader = new MessageReader(
      (head) => this.#onHead(head),
      () => this.#onEnd(),
    );
    const socket = this.#dial((bytes) => {
      try {
        reader.read(bytes);
      } catch {
        this.fail('MALFORMED');
      }
    });
    // A socket that was given up must not end the request of its successor.
    const gone = (/** @type {string} */ code) => {
      if (this.#socket === socket) this.fail(code);
    };
    socket.setNoDelay(true);
    socket.on('end', () => {
      if (this.#socket !== socket) return;
      this.#closing = true;
      if (!reader.close()) gone('CLOSED');
    });
    socket.on('error', (error) => gone(/** @type {NodeJS.ErrnoException} */ (error).code ?? 'ERROR'));
    socket.on('close', () => gone('CLOSED'));
    return socket;
  }

  /** @param {(bytes: Buffer) => void} onBytes */
  #dial(onBytes) {
    const { hostname, port, protocol } = this.#sending.url;
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol === 'https:') {
      const servername = net.isIP(host) === 0 ? { servername: host } : {};
      return tls.connect({ host, port: Number(port || 443), ...servername }).on('data', onBytes);
    }
    const callback = (/** @type {number} */ length, /** @type {Uint8Array} */ _buffer) => {
      onBytes(SHARED.subarray(0, length));
      return true;
    };
    return net.connect({ host, port: Number(port || 80), onread: { buffer: SHARED, callback } });
  }

  /** @param {string} head */
  #onHead(head) {
    if (!/^HTTP\/1\.[01] \d{3}[ \r]/.test(head)) throw new Error('no status line');
    if (this.#ticket === null) throw new Error('a response that nobody asked for');
    this.#status = Number(head.slice(9, 12));
    if (this.#status < 200) return INTERIM;
    this.#side = this.#sending.sideHeader.exec(head)?.[1] ?? '';
    this.#closing = /\r\nconnection:[ \t]*close/i.test(head) || head.startsWith('HTTP/1.0');
    const bodiless = this.#sending.method === 'HEAD' || this.#status === 204 || this.#status === 304;
    return bodiless ? 0 : announcedLength(head, UNTIL_CLOSE);
  }

  #onEnd() {
    const ticket = this.#ticket;
    this.#ticket = null;
    if (this.#closing) {
      this.#socket?.destroy();
      this.#socket = null;
    }
    if (ticket !== null) this.#events.onAnswer(this, ticket, this.#status, this.#side);
  }
}
