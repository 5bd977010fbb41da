/** What one backend was given of a request's body, to be given to another: as long as it is short, and whole. One an exchange. */
import type { OutboundHalf } from './halves.ts';

export class KeptBody {
  /** Not all of what was sent of the body is here, or none of it is of use any more. */
  isLost = false;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  /** For the next request. */
  begin(): void {
    this.isLost = false;
    if (this.#pieces.length > 0) this.#pieces.length = 0;
    this.#bytes = 0;
  }

  /** bytes[start, end) are copied. @param most bytes of a body that is kept */
  keep(bytes: Buffer, start: number, end: number, most: number): void {
    if (this.isLost) return;
    this.#bytes += end - start;
    if (this.#bytes <= most) this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    else this.lose();
  }

  lose(): void {
    this.isLost = true;
    if (this.#pieces.length > 0) this.#pieces.length = 0;
  }

  /** False: the backend takes no more for now. */
  sendTo(outbound: OutboundHalf): boolean {
    if (this.#pieces.length === 0) return true;
    let isFlowing = true;
    for (const bytes of this.#pieces) {
      if (!outbound.sendBody(bytes, 0, bytes.length)) isFlowing = false;
    }
    outbound.flushRequest();
    return isFlowing;
  }
}
