/**
 * The first bytes of a connection from a trusted peer: a PROXY header, if it sends one, is taken off and names the client. A
 * peer that is not trusted gets no such hearing.
 */
import { plainAddress } from './forwarding.ts';
import { parseProxyHeader } from './proxy-protocol.ts';
import { SilentSink } from './silent-sink.ts';

const EMPTY = Buffer.alloc(0);

export class Arrival extends SilentSink {
  readonly #connection: { destroy(): void };
  readonly #timer: NodeJS.Timeout;
  readonly #onClient: (source: string | null, rest: Buffer) => void;
  #bytes: Buffer = EMPTY;
  #isOver = false;

  /**
   * @param onClient called once with the client's address, null being the peer's own, and the bytes behind the header
   * @param withinMs how long the peer may take before the connection is dropped
   */
  constructor(
    connection: { destroy(): void },
    withinMs: number,
    onClient: (source: string | null, rest: Buffer) => void,
  ) {
    super();
    this.#connection = connection;
    this.#onClient = onClient;
    this.#timer = setTimeout(() => connection.destroy(), withinMs);
  }

  override received(bytes: Buffer, length: number): void {
    if (this.#isOver) return;
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(0, length)]);
    const header = parseProxyHeader(this.#bytes);
    switch (header.kind) {
      case 'more':
        break;
      case 'malformed':
        this.#connection.destroy();
        break;
      case 'none':
        this.#pass(null, 0);
        break;
      case 'header':
        this.#pass(header.source === null ? null : plainAddress(header.source), header.length);
        break;
    }
  }

  #pass(source: string | null, length: number): void {
    const rest = this.#bytes.subarray(length);
    this.closed();
    this.#onClient(source, rest);
  }

  override closed(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#bytes = EMPTY;
  }

  /** Nothing that it could still say makes it a client. */
  override peerEnded(): void {
    this.#connection.destroy();
  }
}
