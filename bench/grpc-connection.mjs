// @ts-check
import http2 from 'node:http2';

/**
 * What calls are made, again and again, and to where.
 * @typedef {object} Calling
 * @property {URL} url its path is `/service/method`
 * @property {Record<string, string>} headers
 * @property {Buffer} message framed
 * @property {string} sideHeader response header that names the side
 */

/** gRPC statuses are told beside HTTP's: an answer that is not OK counts as this. */
const GRPC_FAILED = 500;

/** A session of one gRPC channel; it connects when there is something to send, and again after it is gone. */
export class GrpcSession {
  #calling;
  /** @type {http2.ClientHttp2Session | null} */
  #session = null;

  /** @param {Calling} calling */
  constructor(calling) {
    this.#calling = calling;
  }

  open() {
    if (this.#session === null || this.#session.closed || this.#session.destroyed) {
      this.#session = http2.connect(this.#calling.url.origin);
      // Calls hear of it by themselves.
      this.#session.on('error', () => undefined);
      this.#session.on('goaway', () => (this.#session = null));
    }
    return this.#session;
  }

  /** Resolves when it is connected, or cannot be. */
  async connect() {
    const session = this.open();
    if (!session.connecting) return;
    await new Promise((resolve) => {
      session.once('connect', resolve);
      session.once('close', resolve);
    });
  }

  close() {
    this.#session?.destroy();
    this.#session = null;
  }
}

/** One unary call at a time on a session that it shares with others. */
export class GrpcLane {
  #session;
  #calling;
  #events;
  /** @type {import('./connection.mjs').Ticket | null} */
  #ticket = null;
  /** @type {http2.ClientHttp2Stream | null} */
  #stream = null;

  /**
   * @param {GrpcSession} session
   * @param {Calling} calling
   * @param {import('./connection.mjs').LaneEvents<GrpcLane>} events
   */
  constructor(session, calling, events) {
    this.#session = session;
    this.#calling = calling;
    this.#events = events;
  }

  /** The call under way, or null. */
  get ticket() {
    return this.#ticket;
  }

  connect() {
    return this.#session.connect();
  }

  /** @param {import('./connection.mjs').Ticket} ticket */
  send(ticket) {
    this.#ticket = ticket;
    const { url, headers, message, sideHeader } = this.#calling;
    const stream = this.#session.open().request({
      ':method': 'POST',
      ':path': url.pathname,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    this.#stream = stream;
    let status = 0;
    let side = '';
    let grpcStatus = '';
    const onFields = (/** @type {http2.IncomingHttpHeaders} */ fields) => {
      grpcStatus = String(fields['grpc-status'] ?? grpcStatus);
    };
    stream.on('response', (fields) => {
      status = fields[':status'] ?? 0;
      side = String(fields[sideHeader] ?? '');
      onFields(fields);
    });
    stream.on('trailers', onFields);
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (this.#stream !== stream) return;
      if (stream.rstCode !== 0 || status === 0) this.fail(`RST_${stream.rstCode}`);
      else if (grpcStatus === '') this.fail('NO_GRPC_STATUS');
      else this.#answer(status === 200 && grpcStatus !== '0' ? GRPC_FAILED : status, side);
    });
    stream.resume();
    stream.end(message);
  }

  /**
   * @param {number} status
   * @param {string} side
   */
  #answer(status, side) {
    const ticket = this.#ticket;
    this.#ticket = null;
    this.#stream = null;
    if (ticket !== null) this.#events.onAnswer(this, ticket, status, side);
  }

  /**
   * Gives up the call under way, if there is one; the session's other calls go on.
   * @param {string} code
   */
  fail(code) {
    const ticket = this.#ticket;
    const stream = this.#stream;
    this.#ticket = null;
    this.#stream = null;
    stream?.close(http2.constants.NGHTTP2_CANCEL);
    if (ticket !== null) this.#events.onFailure(this, ticket, code);
  }

  /** Nothing more is sent. */
  close() {
    this.fail('STOPPED');
    this.#session.close();
  }
}
