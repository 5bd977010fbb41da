/** A request on a stream of a client's HTTP/2 connection. Serves one after the other, as streams come and go. */

import { PROTOCOLS } from '../domain/counts.ts';
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import type { Fields } from '../fields.ts';
import { CANCEL, INTERNAL_ERROR } from '../http2/error-code.ts';
import type { FieldBlock } from '../http2/field-block.ts';
import type { RequestHead } from '../http2/request.ts';
import { responseBlock, trailersBlock } from '../http2/serialize.ts';
import { NO_SINK, type StreamSink } from '../http2/sinks.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { type AddedFields, NOTHING_ADDED } from './added-fields.ts';
import { Exchange } from './exchange.ts';
import type { Forwarding } from './forwarding.ts';
import type { InboundHalf, Peer, ResponseView } from './halves.ts';
import { http2Error, http2Trailers } from './respond-error.ts';
import type { Runtime } from './runtime.ts';
import type { Tunnel } from './tunnel.ts';

/** What a stream's half asks of its connection. */
export interface StreamOwner {
  readonly peer: Peer;
  readonly forwarding: Forwarding;
  /** Bytes of a request are with the exchange, and `flushRequest` wants to be called when all that came is used up. */
  touched(half: InboundStream): void;
  /** The half is free for another stream. */
  done(half: InboundStream): void;
}

const HTTP2 = PROTOCOLS.indexOf('h2');

export class InboundStream implements InboundHalf, StreamSink {
  readonly protocol = HTTP2;
  readonly peer: Peer;
  readonly forwarding: Forwarding;
  readonly exchange: Exchange;
  /** On the connection's list of those that have got something. */
  isTouched = false;
  /** Its place among those of the connection that have a request under way. */
  slot = -1;
  readonly #owner: StreamOwner;
  readonly #runtime: Runtime;
  #stream: Http2Stream | null = null;
  /** A head that leaves with what follows: with nothing behind it, it is also the end. */
  #held: FieldBlock | null = null;
  #isHead = false;
  #bodyLimit = 0;
  #bodyBytes = 0;

  constructor(runtime: Runtime, owner: StreamOwner) {
    this.#runtime = runtime;
    this.#owner = owner;
    this.peer = owner.peer;
    this.forwarding = owner.forwarding;
    this.exchange = new Exchange(runtime, this);
  }

  begin(stream: Http2Stream, head: RequestHead): void {
    stream.sink = this;
    this.#stream = stream;
    this.#held = null;
    this.#isHead = head.method === 'HEAD';
    this.#bodyLimit = this.#runtime.serving.limits.bodyBytes;
    this.#bodyBytes = 0;
    this.#owner.touched(this);
    this.exchange.begin(head);
  }

  /** The request was refused before there was an exchange. */
  refuse(stream: Http2Stream, code: ErrorCode, isHead: boolean): void {
    this.#stream = stream;
    this.#isHead = isHead;
    this.respondError(code, null);
  }

  // From the stream.

  onData(bytes: Buffer, start: number, end: number): void {
    this.#bodyBytes += end - start;
    if (this.#bodyLimit > 0 && this.#bodyBytes > this.#bodyLimit) {
      this.#refuseBody();
      return;
    }
    this.#owner.touched(this);
    this.exchange.onRequestBody(bytes, start, end);
  }

  #refuseBody(): void {
    const { exchange } = this;
    const { hasResponded, grpcType } = exchange;
    exchange.failedByClient(ERRORS.bodyTooLarge.status);
    if (hasResponded) this.cutResponse('bodyTooLarge', grpcType);
    else this.respondError('bodyTooLarge', grpcType);
  }

  onEnd(trailers: Fields | null): void {
    this.#owner.touched(this);
    this.exchange.onRequestEnd(trailers);
  }

  onReset(): void {
    this.#stream = null;
    this.exchange.onClientGone();
    this.#release();
  }

  onDrain(): void {
    this.exchange.onClientDrained();
  }

  /** Responses come to clients only. */
  onInterim(): void {}
  onResponse(): void {}

  // From the exchange.

  respondInterim(response: ResponseView): void {
    const { status, fields, connection } = response;
    this.#stream?.sendHead(responseBlock(status, fields, NOTHING_ADDED.flat, connection.nominated), false);
  }

  respondHead(response: ResponseView, added: AddedFields): void {
    this.#held = responseBlock(response.status, response.fields, added.flat, response.connection.nominated);
  }

  respondBody(bytes: Buffer, start: number, end: number): boolean {
    this.flushResponse();
    return this.#stream === null || this.#stream.sendData(bytes, start, end);
  }

  respondEnd(trailers: Fields | null): void {
    if (this.#held !== null && trailers === null) {
      this.#stream?.sendHead(this.#held, true);
      this.#held = null;
    } else {
      this.flushResponse();
      this.#stream?.sendEnd(trailers === null ? null : trailersBlock(trailers));
    }
    this.#release();
  }

  flushResponse(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#stream?.sendHead(held, false);
  }

  respondError(code: ErrorCode, grpcType: string | null): void {
    const stream = this.#stream;
    if (stream !== null) {
      const answer = http2Error(code, grpcType);
      const body = this.#isHead ? null : answer.body;
      stream.sendHead(answer.head, body === null);
      if (body !== null) {
        stream.sendData(body, 0, body.length);
        stream.sendEnd(null);
      }
    }
    this.#release();
  }

  /** gRPC can say in trailers what became of the call (trailers come behind whatever body there was); anything else is reset. */
  cutResponse(code: ErrorCode, grpcType: string | null): void {
    this.flushResponse();
    const stream = this.#stream;
    // Whoever has stopped reading would not read trailers either.
    if (grpcType !== null && code !== 'clientStalled') stream?.sendEnd(http2Trailers(code));
    else stream?.reset(ERRORS[code].source === 'client' ? CANCEL : INTERNAL_ERROR);
    this.#release();
  }

  pauseRequest(): void {
    this.#stream?.pause();
  }

  resumeRequest(): void {
    this.#stream?.resume();
    this.exchange.flushRequest();
  }

  openTunnel(): Tunnel {
    throw new Error('a stream asks for no upgrade');
  }

  /** The drain's deadline has passed, or the connection ends. */
  destroy(): void {
    this.#stream?.reset(INTERNAL_ERROR);
    this.onReset();
  }

  #release(): void {
    if (this.#stream !== null) this.#stream.sink = NO_SINK;
    this.#stream = null;
    this.#held = null;
    this.#owner.done(this);
  }
}
