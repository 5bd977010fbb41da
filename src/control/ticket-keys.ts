import { randomBytes } from 'node:crypto';

/** Node takes a name, an HMAC key and an AES key of 16 bytes each, and no second set of them. */
const BYTES = 48;

/**
 * What seals TLS session tickets: random, kept in memory only, the same for all workers and every table. New ones after a while keep what one
 * set of keys could lay open small; tickets that older ones have sealed cost their clients a full handshake.
 */
export class TicketKeys {
  readonly #onRenewed: (keys: Uint8Array) => void;
  #keys: Uint8Array = randomBytes(BYTES);
  #everyMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(onRenewed: (keys: Uint8Array) => void) {
    this.#onRenewed = onRenewed;
  }

  get current(): Uint8Array {
    return this.#keys;
  }

  /** @param everyMs 0: never */
  renewEvery(everyMs: number): void {
    if (everyMs === this.#everyMs) return;
    this.close();
    this.#everyMs = everyMs;
    if (everyMs === 0) return;
    this.#timer = setInterval(() => {
      this.#keys = randomBytes(BYTES);
      this.#onRenewed(this.#keys);
    }, everyMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
