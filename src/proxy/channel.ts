import type { Output } from './output.ts';

/** One end of a connection, over TCP as over TLS, without what is said on it. */
export interface Channel {
  /** Whom it tells. May be exchanged at any time, so that another goes on with the connection. */
  sink: ChannelSink;
  readonly output: Output;
  /** Whether our side stays open when the peer's has ended. Default: accepted ones yes, dialled ones no. */
  allowsHalfOpen: boolean;
  readonly isPaused: boolean;
  /** The peer's side has ended in order, and the sink was told. */
  readonly hasPeerEnded: boolean;
  /** Our side has ended in order: everything written has left, and our end behind it. */
  readonly hasEnded: boolean;
  /** Protocol agreed on by TLS (ALPN, RFC 7301); null: none, or no TLS. */
  readonly protocol: string | null;
  /** Begins to read. Once, when the connection is made and the sink is ready. */
  start(): void;
  /** What was read before may still be told; nothing is read anew. */
  pause(): void;
  resume(): void;
  /** Closes both sides at once. The sink is told later, by `closed`. */
  destroy(): void;
  /**
   * Whether the peer of an open connection has reset it. Nobody is told of that where nothing more is read, but the kernel no longer knows the peer. It is
   * asked anew each time.
   */
  isReset(): boolean;
  /**
   * At the end of what is read: whether it was a reset. Behind data libuv tells of a reset as of a plain end. Not to be known once our own end
   * has left.
   */
  wasReset(): boolean;
  /** The kernel asks a silent peer for a sign of life, after so many milliseconds. */
  keepAlive(afterMs: number): void;
}

export interface ChannelSink {
  /** bytes[0, length) came from the peer; they are overwritten after the call. */
  received(bytes: Buffer, length: number): void;
  /** The peer sends nothing more. */
  peerEnded(): void;
  /** It has failed, and closes. @param errno such as ECONNRESET, or Node's code of a failure of TLS */
  failed(errno: string): void;
  /** Last, and once. */
  closed(): void;
  /** Everything written has left, after a write had returned false. */
  drained(): void;
  /** Perhaps more than once: no more can be written. What the peer has sent before can still be read. */
  broken(): void;
}

/** Of a connection that we begin. */
export interface DialSink extends ChannelSink {
  /** It is made, and secured if it is to be. */
  connected(): void;
}
