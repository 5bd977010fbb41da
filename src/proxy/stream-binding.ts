/**
 * What lies below node:net and node:tls: the handle of a socket, which connects, reads and writes without the stream machinery in between. It is
 * Node's internals, reached by `process.binding`; where they are missing, `binding` is null and everything goes by the streams.
 */
import type { Socket } from 'node:net';

/** Node's request object of one write. */
export interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** Keeps the bytes alive until they are written. */
  bytes?: unknown;
}

/** Of one attempt to connect, or of the end of what is sent. `Owner` is what its end is told to. */
export interface Request<Owner> {
  oncomplete?(this: Request<Owner>, status: number): void;
  owner?: Owner;
}

/** Methods that return a number return 0 or libuv's error, which is below 0. */
export interface StreamHandle {
  /** Told the result of each read in `streamBaseState`; called with the handle as `this`. */
  onread: (bytes: ArrayBuffer | undefined) => unknown;
  useUserBuffer(buffer: Uint8Array): void;
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, chunks: unknown[], allBuffers: boolean): number;
}

export interface TcpHandle<Owner = unknown> extends StreamHandle {
  /** Ours: whom `onread` and the end of `close` are told to. */
  owner?: Owner;
  connect(request: Request<unknown>, address: string, port: number): number;
  connect6(request: Request<unknown>, address: string, port: number): number;
  readStart(): number;
  readStop(): number;
  /** 1: it is done already. */
  shutdown(request: Request<unknown>): number;
  /** @param onClosed called later, with the handle as `this` */
  close(onClosed: (this: TcpHandle<Owner>) => void): void;
  /** As `close`, but the peer is told by a reset. */
  reset(onClosed: (this: TcpHandle<Owner>) => void): number;
  getpeername(out: { address?: string }): number;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, afterSeconds: number): number;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => Request<never>;
  readonly TCPConnectWrap: new () => Request<never>;
  readonly TCP: new (kind: number) => TcpHandle<never>;
  /** Of `TCP`: one that connects. */
  readonly kSocket: number;
  /** Of the call that was made last. */
  readonly streamBaseState: Int32Array;
  /** Index: bytes read, or libuv's error. */
  readonly kReadBytesOrError: number;
  /** Index: whether the last write has yet to end. */
  readonly kLastWriteWasAsync: number;
}

/** What Node says of both. */
interface NodeBinding extends StreamBinding {
  readonly constants: { readonly SOCKET: number };
}

export const binding = loadBinding();

function loadBinding(): StreamBinding | null {
  try {
    const { binding: load } = process as unknown as { binding?: (name: string) => Partial<NodeBinding> };
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } =
      load?.('stream_wrap') ?? {};
    const { TCP, TCPConnectWrap, constants } = load?.('tcp_wrap') ?? {};
    if (WriteWrap === undefined || ShutdownWrap === undefined || streamBaseState === undefined) return null;
    if (kReadBytesOrError === undefined || kLastWriteWasAsync === undefined) return null;
    if (TCP === undefined || TCPConnectWrap === undefined || constants === undefined) return null;
    const kSocket = constants.SOCKET;
    return {
      WriteWrap,
      ShutdownWrap,
      TCPConnectWrap,
      TCP,
      kSocket,
      streamBaseState,
      kReadBytesOrError,
      kLastWriteWasAsync,
    };
  } catch {
    return null;
  }
}

/** Good for the next write as long as writes finish at once. */
let spare: WriteRequest | null = null;

export function takeRequest({ WriteWrap }: StreamBinding): WriteRequest {
  const request = spare ?? new WriteWrap();
  spare = null;
  return request;
}

/** What it was for is over. */
export function returnRequest(request: WriteRequest): void {
  spare = request;
}

/** Null: it is closed, or not of the kind that can be written to and read from like this. */
export function handleOf(socket: Socket): StreamHandle | null {
  const { _handle: handle } = socket as unknown as { readonly _handle: StreamHandle | null };
  if (binding === null || handle === null) return null;
  const isKnown = typeof handle.writeLatin1String === 'function' && typeof handle.useUserBuffer === 'function';
  return isKnown ? handle : null;
}
