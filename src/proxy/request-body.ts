/**
 * A request's body on its way from the client to the backend that is asked: what is slower holds up what is quicker. One an exchange.
 */
import type { Fields } from '../fields.ts';
import { NO_BODY } from '../http1/framing.ts';
import type { InboundHalf, OutboundHalf } from './halves.ts';
import type { KeptBody } from './kept-body.ts';
import type { Progress } from './progress.ts';
import type { Runtime } from './runtime.ts';

export class RequestBody {
  readonly #runtime: Runtime;
  readonly #inbound: InboundHalf;
  readonly #progress: Progress;
  readonly #kept: KeptBody;
  /** Bytes, NO_BODY or CHUNKED. */
  #length = NO_BODY;
  #trailers: Fields | null = null;

  constructor(runtime: Runtime, inbound: InboundHalf, progress: Progress, kept: KeptBody) {
    this.#runtime = runtime;
    this.#inbound = inbound;
    this.#progress = progress;
    this.#kept = kept;
  }

  /** For the next request. */
  begin(length: number): void {
    this.#length = length;
    this.#trailers = null;
  }

  /** There is no connection yet. Nothing is asked of the client meanwhile. */
  awaitConnection(): void {
    if (this.#progress.requestEnded || this.#length === NO_BODY) return;
    this.#progress.awaitsConnect = true;
    this.#inbound.pauseRequest();
  }

  /** What there is of it follows the head. @param isPaused it may have been held up before */
  sendTo(outbound: OutboundHalf, isPaused: boolean): void {
    const progress = this.#progress;
    progress.requestBlocked = !this.#kept.sendTo(outbound);
    progress.awaitsConnect = false;
    if (progress.requestEnded) {
      progress.responseActiveMs = this.#runtime.tick();
      outbound.sendEnd(this.#trailers);
      outbound.flushRequest();
    } else if (!outbound.isConnected && this.#length !== NO_BODY) {
      this.awaitConnection();
    } else if (isPaused && !progress.requestBlocked) {
      this.#resume();
    }
  }

  #resume(): void {
    this.#progress.requestActiveMs = this.#runtime.tick();
    this.#inbound.resumeRequest();
  }

  /** @param outbound null: nobody is asked for now */
  pass(outbound: OutboundHalf | null, bytes: Buffer, start: number, end: number): void {
    this.#progress.requestActiveMs = this.#runtime.nowMs;
    if (outbound?.sendBody(bytes, start, end) !== false) return;
    this.#progress.requestBlocked = true;
    this.#inbound.pauseRequest();
  }

  end(outbound: OutboundHalf | null, trailers: Fields | null): void {
    this.#progress.requestEnded = true;
    this.#trailers = trailers;
    this.#progress.responseActiveMs = this.#runtime.nowMs;
    outbound?.sendEnd(trailers);
  }

  /** The connection is there. */
  onConnected(): void {
    if (!this.#progress.awaitsConnect) return;
    this.#progress.awaitsConnect = false;
    this.#resume();
  }

  /** The backend takes more. */
  onDrained(): void {
    const progress = this.#progress;
    progress.requestBlocked = false;
    progress.requestActiveMs = this.#runtime.tick();
    if (!progress.requestEnded && !progress.awaitsConnect) this.#inbound.resumeRequest();
  }
}
