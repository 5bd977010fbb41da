// @ts-check
// Streams of small gRPC messages: `node bench/stream-load.mjs PORT SECONDS CONNECTIONS STREAMS` keeps so many bidirectional calls
// open on each connection, and on each call sends the next message as soon as the last has come back. Prints exact counts as JSON.
// It frames HTTP/2 by itself, since a client library would cost more than the proxies that are measured.
import net from 'node:net';
import {
  ACK,
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameReader,
  fieldSection,
  frame,
  GOAWAY,
  HEADERS,
  opening,
  PING,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  SETTINGS_ACK,
  windowUpdate,
} from './h2-frames.mjs';
import { grpcMessage } from './h2load.mjs';

const [port, seconds, connections, streams] = process.argv.slice(2).map(Number);
const message = grpcMessage('x'.repeat(95));
/** The connection's window is given back each time that so many bytes have come. */
const GIVE_BACK = 1 << 20;
/** How long calls may take to end after the last message. */
const GRACE_MS = 5_000;

const fields = fieldSection([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/bench.Echo/Chat'],
  [':authority', `127.0.0.1:${port}`],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
]);

const counts = { messages: 0, failed: 0, ended: 0 };
let isOver = false;

/** One connection with its calls. */
class Conversation {
  #socket = net.connect({ host: '127.0.0.1', port: port ?? 0, noDelay: true });
  /** Of the message that is coming back, by call. */
  #missing = new Int32Array(2 * (streams ?? 0) + 1);
  /** @type {Buffer[]} */
  #out = [PREFACE, opening(0)];
  #unreturned = 0;
  #open = streams ?? 0;

  constructor() {
    const reader = new FrameReader(this.#onFrame.bind(this));
    for (let i = 0; i < (streams ?? 0); i += 1) {
      this.#out.push(frame(HEADERS, END_HEADERS, 2 * i + 1, fields));
      this.#say(2 * i + 1);
    }
    this.#flush();
    this.#socket.on('data', (bytes) => {
      reader.read(bytes);
      if (this.#unreturned >= GIVE_BACK) {
        this.#out.push(windowUpdate(0, this.#unreturned));
        this.#unreturned = 0;
      }
      this.#flush();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.#lose(this.#open));
  }

  /**
   * @param {number} type
   * @param {number} flags
   * @param {number} stream
   * @param {Buffer} bytes
   * @param {number} start
   * @param {number} end
   */
  #onFrame(type, flags, stream, bytes, start, end) {
    if (type === DATA) this.#heard(stream, end - start);
    else if (type === RST_STREAM) this.#lose(1);
    else if (type === GOAWAY) this.#lose(this.#open);
    else if (type === SETTINGS && (flags & ACK) === 0) this.#out.push(SETTINGS_ACK);
    else if (type === PING && (flags & ACK) === 0) this.#out.push(frame(PING, ACK, 0, bytes.subarray(start, end)));
    if ((type !== DATA && type !== HEADERS) || (flags & END_STREAM) === 0) return;
    this.#open -= 1;
    counts.ended += 1;
    if (!isOver) counts.failed += 1;
  }

  /**
   * @param {number} stream
   * @param {number} length
   */
  #heard(stream, length) {
    this.#unreturned += length;
    const missing = (this.#missing[stream] ?? 0) - length;
    this.#missing[stream] = missing;
    if (missing > 0) return;
    counts.messages += 1;
    if (isOver) this.#out.push(frame(DATA, END_STREAM, stream, Buffer.alloc(0)));
    else this.#say(stream);
  }

  /** @param {number} stream */
  #say(stream) {
    this.#missing[stream] = message.length;
    this.#out.push(frame(DATA, 0, stream, message));
  }

  #flush() {
    if (this.#out.length > 0) this.#socket.write(Buffer.concat(this.#out));
    this.#out = [];
  }

  /** @param {number} calls that broke off */
  #lose(calls) {
    this.#open -= calls;
    counts.failed += calls;
  }

  close() {
    this.#lose(this.#open);
    this.#socket.destroy();
  }
}

const all = Array.from({ length: connections ?? 0 }, () => new Conversation());
const startedAt = performance.now();
const calls = (connections ?? 0) * (streams ?? 0);
setTimeout(
  () => {
    isOver = true;
    const microseconds = (performance.now() - startedAt) * 1000;
    const { messages } = counts;
    const deadline = performance.now() + GRACE_MS;
    const timer = setInterval(() => {
      if (counts.ended + counts.failed < calls && performance.now() < deadline) return;
      clearInterval(timer);
      for (const conversation of all) conversation.close();
      process.stdout.write(`${JSON.stringify({ messages, microseconds, failed: counts.failed })}\n`);
    }, 10);
  },
  (seconds ?? 0) * 1000,
);
