/** One request of a backend that speaks HTTP/2: a stream of one of its sessions. */
import type { ErrorCode } from '../domain/errors.ts';
import type { Fields } from '../fields.ts';
import { NO_BODY } from '../http2/body-length.ts';
import { CANCEL, NO_ERROR, REFUSED_STREAM } from '../http2/error-code.ts';
import type { Http2Fields } from '../http2/fields.ts';
import type { ResponseHead } from '../http2/response.ts';
import { callBlock, requestBlock, trailersBlock } from '../http2/serialize.ts';
import type { ResetCause, StreamSink } from '../http2/sinks.ts';
import type { Http2Stream } from '../http2/stream.ts';
import type { AddedFields } from './added-fields.ts';
import type { Exchange } from './exchange.ts';
import { formatGrpcTimeout } from './grpc.ts';
import type { OutboundHalf, RequestView } from './halves.ts';
import type { SessionPool } from './session-pool.ts';
import type { UpstreamSession } from './upstream-session.ts';

export class OutboundHttp2 implements OutboundHalf, StreamSink {
  readonly mayDecline = true;
  readonly #pool: SessionPool;
  #session: UpstreamSession;
  #stream: Http2Stream;
  #exchange: Exchange | null;
  #request: RequestView | null = null;
  #forwarding: AddedFields | null = null;
  #droppedNames: readonly string[] | null = null;
  #deadlineMs = Number.POSITIVE_INFINITY;
  /** The head waits for the connection, and behind it whatever else is there already. */
  #isHeld = false;
  #heldBody: Buffer[] = [];
  #requestEnded = false;
  #requestTrailers: Fields | null = null;
  #hasResponse = false;
  #isReplayed = false;
  /** Among those whose exchange is told at the end of the read. */
  isTouched = false;

  constructor(pool: SessionPool, session: UpstreamSession, exchange: Exchange, stream: Http2Stream) {
    this.#pool = pool;
    this.#session = session;
    this.#exchange = exchange;
    this.#stream = stream;
    stream.sink = this;
  }

  /** A session has served others before: when it closes before a byte of this answer has come, that is mere bad luck. */
  get isStale(): boolean {
    return this.#session.isUsed && !this.#hasResponse;
  }

  get isUnanswered(): boolean {
    return !this.#hasResponse;
  }

  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  sendHead(
    request: RequestView,
    forwarding: AddedFields,
    droppedNames: readonly string[] | null,
    deadlineMs: number,
  ): void {
    this.#request = request;
    this.#forwarding = forwarding;
    this.#droppedNames = droppedNames;
    this.#deadlineMs = deadlineMs;
    // What it says of the time that is left must hold when it leaves; and heads leave in the order of their streams.
    if (this.#session.isConnected) this.#writeHead(request, forwarding);
    else this.#isHeld = true;
  }

  #writeHead(request: RequestView, forwarding: AddedFields): void {
    const { scheme, authority, runtime } = this.#pool;
    const deadlineMs = this.#deadlineMs;
    const { flat, lastCall } = forwarding;
    const dropped = this.#droppedNames;
    const block =
      deadlineMs === Number.POSITIVE_INFINITY
        ? requestBlock(request, scheme, authority, flat, dropped)
        : callBlock(
            request,
            scheme,
            authority,
            flat,
            dropped,
            formatGrpcTimeout(deadlineMs - runtime.clock()),
            lastCall,
          );
    this.#stream.sendHead(block, request.bodyLength === NO_BODY);
  }

  sendBody(bytes: Buffer, start: number, end: number): boolean {
    if (!this.#isHeld) return this.#stream.sendData(bytes, start, end);
    this.#heldBody.push(Buffer.from(bytes.subarray(start, end)));
    return false;
  }

  sendEnd(trailers: Fields | null): void {
    this.#requestEnded = true;
    this.#requestTrailers = trailers;
    if (!this.#isHeld) this.#stream.sendEnd(trailers === null ? null : trailersBlock(trailers));
  }

  #release(request: RequestView, forwarding: AddedFields): void {
    this.#isHeld = false;
    this.#writeHead(request, forwarding);
    const body = this.#heldBody;
    this.#heldBody = [];
    let isFlowing = true;
    for (const bytes of body) if (!this.#stream.sendData(bytes, 0, bytes.length)) isFlowing = false;
    if (this.#requestEnded) this.sendEnd(this.#requestTrailers);
    else if (body.length > 0 && isFlowing) this.#exchange?.onBackendDrained();
  }

  flushRequest(): void {
    // All sessions are flushed at the end of the turn.
  }

  pauseResponse(): void {
    this.#stream.pause();
  }

  resumeResponse(): void {
    this.#stream.resume();
    this.#exchange?.flushResponse();
  }

  abandon(): void {
    this.#exchange = null;
    this.#break(CANCEL);
  }

  /** The session's connection is made. */
  onConnected(): void {
    if (this.#exchange === null) return;
    if (this.#isHeld && this.#request !== null && this.#forwarding !== null)
      this.#release(this.#request, this.#forwarding);
    this.#exchange?.onConnected();
  }

  /** The bytes at hand are used up. */
  flushResponse(): void {
    this.isTouched = false;
    this.#exchange?.flushResponse();
  }

  onInterim(head: ResponseHead): void {
    this.#exchange?.onInterim(head);
  }

  onResponse(head: ResponseHead): void {
    this.#hasResponse = true;
    this.#session.touch(this);
    this.#exchange?.onResponseHead(head);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#session.touch(this);
    if (this.#exchange?.onResponseBody(bytes, start, end) === false) this.#stream.pause();
  }

  onEnd(trailers: Http2Fields | null): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    // The answer is whole, and nobody sends the rest of the request.
    if (!this.#stream.localEnded) this.#break(NO_ERROR);
    exchange?.onResponseEnd(trailers === null || trailers.flat.length === 0 ? null : trailers);
  }

  onDrain(): void {
    this.#exchange?.onBackendDrained();
  }

  onReset(code: number, cause: ResetCause): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (this.#session.isOther) {
      this.#exchange = null;
      exchange.onOtherProtocol(this);
      return;
    }
    if (cause === 'fault') this.#session.onResetSent();
    const isRefused = code === REFUSED_STREAM && cause === 'peer' && !this.#hasResponse;
    if (isRefused && this.#replay(exchange)) return;
    this.#exchange = null;
    exchange.onUpstreamFailed(this, isRefused ? 'upstreamRefused' : this.#failure(cause));
  }

  #failure(cause: ResetCause): ErrorCode {
    if (cause === 'connection') return this.#session.failure;
    return cause === 'fault' ? 'upstreamInvalid' : 'upstreamReset';
  }

  #break(code: number): void {
    if (this.#stream.isClosed) return;
    const { isUnknown } = this.#stream;
    this.#stream.reset(code);
    if (!isUnknown) this.#session.onResetSent();
  }

  /**
   * The backend has not looked at the request (RFC 9113 section 8.7), so that it may be sent again whatever it is: once, and on another session. False:
   * it cannot be.
   */
  #replay(exchange: Exchange): boolean {
    const { kept } = exchange;
    if (this.#isReplayed || kept.isLost || this.#request === null || this.#forwarding === null) return false;
    const session = this.#pool.sessionFor(this.#session);
    const stream = session?.open(this) ?? null;
    if (session === null || stream === null) return false;
    this.#isReplayed = true;
    this.#session = session;
    this.#stream = stream;
    if (!session.isConnected) session.tellWhenConnected(this);
    this.sendHead(this.#request, this.#forwarding, this.#droppedNames, this.#deadlineMs);
    const isFlowing = kept.sendTo(this);
    if (this.#requestEnded) this.sendEnd(this.#requestTrailers);
    else if (isFlowing) exchange.onBackendDrained();
    return true;
  }
}
