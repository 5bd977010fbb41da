/** Whom the codec tells what. Owners implement these once; nothing here makes an object for an event. */
import type { Http2Fields } from './fields.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';
import type { Http2Stream } from './stream.ts';

/**
 * Why a stream is over before its end: the peer reset it, or would have; we reset it for something that the peer sent; or the connection is gone.
 * `peer` with REFUSED_STREAM: nothing was done with the request, so that it may be sent again whatever it is (RFC 9113 section 8.7).
 */
export type ResetCause = 'peer' | 'fault' | 'connection';

/** A stream's owner. Called in the order interim heads and response (client role), data, end; or at any point once with a reset. */
export interface StreamSink {
  onInterim(head: ResponseHead): void;
  onResponse(head: ResponseHead): void;
  /** bytes[start, end) are body; the bytes may be reused when the call returns. */
  onData(bytes: Buffer, start: number, end: number): void;
  onEnd(trailers: Http2Fields | null): void;
  /** @param code of error-code.ts */
  onReset(code: number, cause: ResetCause): void;
  /** After `sendData` has returned false: more may be sent. */
  onDrain(): void;
}

/** A connection's owner. */
export interface ConnectionSink {
  /** Server role: a request has begun. The owner puts its sink on the stream; `onEnd` comes even when there is no body. */
  onRequest(stream: Http2Stream, head: RequestHead): void;
  /** Server role: `head.fault` says why the request is to be answered at once. Body bytes that still come are dropped. */
  onRefused(stream: Http2Stream, head: RequestHead): void;
  /** Server role: a request was malformed, and its stream has been reset. */
  onMalformed(): void;
  /** The peer's settings have changed. */
  onSettings(): void;
  /** The peer accepts no further stream. Streams it will not answer are told next, by `onReset` with REFUSED_STREAM. */
  onGoaway(code: number): void;
  /** The answer to our `ping`. */
  onPong(): void;
  /** There is output after there was none: `flush` wants to be called at the end of the turn. */
  onPending(): void;
  /**
   * Bytes to be written, from within `flush` or, when much is sent, before. The owner calls the connection's `block` from here when it can take
   * no more for now. True: the bytes are free to be written over when the call returns; false: they are the owner's.
   */
  onOutput(bytes: Buffer): boolean;
  /** The connection is over: what is pending says so to the peer. Flush, then end the transport. NO_ERROR after `shutdown`. */
  onClosed(code: number, reason: string): void;
}

/** For streams that nobody listens to. */
export const NO_SINK: StreamSink = {
  onInterim() {},
  onResponse() {},
  onData() {},
  onEnd() {},
  onReset() {},
  onDrain() {},
};
