/** What is written to a peer, over TCP as over TLS. */
export interface Output {
  /** Everything written has left. */
  readonly isEmpty: boolean;
  /** Whether the last write was taken whole, so that nobody need wait for `drained`. */
  readonly isFlowing: boolean;
  /** One character a byte. False: wait for `drained` before more. */
  text(text: string): boolean;
  /** The bytes are the socket's from now on. */
  bytes(bytes: Uint8Array): boolean;
  /** The bytes are only lent. True: they are free again; false: they are the socket's, since they were not taken whole. */
  lend(bytes: Uint8Array): boolean;
  /** Both in one system call. */
  textAndBytes(text: string, bytes: Uint8Array): boolean;
  /** Our side of the connection ends behind what was written. */
  end(): void;
  /**
   * Ends the connection at once, and so that the peer cannot take what it got for whole: by a reset. With TLS a missing close_notify says as
   * much.
   */
  reset(): void;
}
