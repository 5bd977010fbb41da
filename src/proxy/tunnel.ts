/** Two connections joined after a 101: bytes pass both ways with backpressure, each side's end is passed on, either's death ends both. */
import type { Channel, ChannelSink } from './channel.ts';
import type { Output } from './output.ts';

/** One end of a tunnel: a connection that its half has let go of. */
export class Tunnel implements ChannelSink {
  readonly #channel: Channel;
  readonly #early: Buffer;
  readonly #onGone: () => void;
  #onClose: (() => void) | null = null;
  /** Of the other end: where its bytes come from, and where ours go. */
  #from: Channel | null = null;
  #to: Output | null = null;

  /**
   * @param early what was read before there was a tunnel
   * @param onGone for the half, called once when the connection is gone
   */
  constructor(channel: Channel, early: Buffer, onGone: () => void) {
    this.#channel = channel;
    this.#early = early;
    this.#onGone = onGone;
    channel.allowsHalfOpen = true;
    channel.sink = this;
  }

  /** @param onClose called once when this end is gone */
  carryTo(to: Tunnel, onClose: () => void): void {
    const { output } = to.#channel;
    this.#to = output;
    to.#from = this.#channel;
    this.#onClose = onClose;
    this.#channel.keepAlive(60_000);
    this.#channel.resume();
    // Before anything that is read from now on, and before the end.
    if (this.#early.length > 0) this.#pass(this.#early);
    if (this.#channel.hasPeerEnded) output.end();
  }

  received(bytes: Buffer, length: number): void {
    this.#pass(Buffer.from(bytes.subarray(0, length)));
  }

  /** Bytes read from the connection; they are the tunnel's from now on. */
  #pass(bytes: Buffer): void {
    if (this.#to?.bytes(bytes) === false) this.#channel.pause();
  }

  drained(): void {
    this.#from?.resume();
  }

  peerEnded(): void {
    if (this.#channel.wasReset()) this.#channel.output.reset();
    else this.#to?.end();
  }

  failed(): void {
    this.#to?.reset();
  }

  broken(): void {
    this.#channel.destroy();
  }

  closed(): void {
    const { hasPeerEnded, hasEnded } = this.#channel;
    // After a clean end both directions have been closed; otherwise the other side must learn that bytes are missing or lost.
    if (!hasPeerEnded || !hasEnded) this.#to?.reset();
    this.#onGone();
    this.#onClose?.();
  }
}
