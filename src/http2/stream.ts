/** One stream of a connection (RFC 9113 section 5.1): a request and its response. */
import { NO_BODY } from './body-length.ts';
import type { FieldBlock } from './field-block.ts';
import type { Http2Fields } from './fields.ts';
import { NO_SINK, type StreamSink } from './sinks.ts';

/** What a stream asks of its connection. */
export interface StreamCommands {
  sendHead(stream: Http2Stream, block: FieldBlock, endsStream: boolean): void;
  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number): boolean;
  sendEnd(stream: Http2Stream, trailers: FieldBlock | null): void;
  resume(stream: Http2Stream): void;
  reset(stream: Http2Stream, code: number): void;
}

export class Http2Stream {
  readonly id: number;
  /** Told what happens; replaced by the owner. */
  sink: StreamSink = NO_SINK;
  readonly #commands: StreamCommands;

  // What follows is the connection's.

  /** Nothing goes either way any more. */
  isClosed = false;
  /** Client role: the peer has not heard of it, and never will when it is closed before its head. */
  isUnknown = false;
  /** The peer has ended its side, and we ours. */
  remoteEnded = false;
  localEnded = false;
  /** A head has been sent, or for a client received, that is not an interim one. */
  hasResponse = false;
  answersHead = false;
  /** Bytes of the body that the peer has announced and not sent yet, or UNKNOWN. */
  bodyLeft = NO_BODY;
  /** Bytes that we may send; below 0 when the peer has lowered its setting. */
  sendWindow = 0;
  /** Bytes that the peer may send; how many it may at most; how many it has sent since it was told so. */
  receiveLeft = 0;
  receiveWindow = 0;
  received = 0;
  /** Sweep's clock when the peer was told last. */
  toldMs = 0;
  isPaused = false;
  /** Server role: the sweep's clock when it saw first that a whole response has left before the whole request had come; 0: it has not. */
  lingersSinceMs = 0;
  /** What came in a pause, and whether the end did. */
  kept: Buffer[] | null = null;
  keptEnd = false;
  keptTrailers: Http2Fields | null = null;
  /** What could not be sent yet, and what is to be sent behind it. */
  queue: Buffer[] | null = null;
  queuedAt = 0;
  queuedEnd = false;
  queuedTrailers: FieldBlock | null = null;
  /** In the sender's round. */
  isReady = false;
  wantsDrain = false;
  /** Sweep's clock when what is queued moved last. */
  movedMs = 0;

  constructor(id: number, commands: StreamCommands) {
    this.id = id;
    this.#commands = commands;
  }

  /** Sends a head: interim heads, then one that is final. Of a request or a response, by the role. */
  sendHead(block: FieldBlock, endsStream: boolean): void {
    this.#commands.sendHead(this, block, endsStream);
  }

  /** Sends body bytes, or copies what cannot leave yet. False: no more until `onDrain`. The bytes may be reused when the call returns. */
  sendData(bytes: Buffer, start: number, end: number): boolean {
    return this.#commands.sendData(this, bytes, start, end);
  }

  /** Ends our side behind all data. */
  sendEnd(trailers: FieldBlock | null): void {
    this.#commands.sendEnd(this, trailers);
  }

  /** Breaks the stream off. The sink hears nothing more. */
  reset(code: number): void {
    this.#commands.reset(this, code);
  }

  /** Data and end are kept until `resume`, as much as the peer's window lets come. */
  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#commands.resume(this);
  }
}
