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

// By themselves, so that compiled code holds the array's address instead of finding it again after each call into the kernel.

/** What Node says of the call that was made last; nothing without a binding. */
export const STREAM_STATE: Int32Array = binding?.streamBaseState ?? new Int32Array(1);
/** Index: bytes read, or libuv's error. */
export const READ_BYTES_OR_ERROR = binding?.kReadBytesOrError ?? 0;
/** Index: whether the last write has yet to end. */
const LAST_WRITE_WAS_ASYNC = binding?.kLastWriteWasAsync ?? 0;

/** Of the next write. The kernel takes nearly every write at once, and the request is as good as new. */
let next: WriteRequest | null = null;

/** Only where there is a `binding`. */
export function nextRequest(): WriteRequest {
  next ??= new (binding as StreamBinding).WriteWrap();
  return next;
}

/** Of the write just made with it, without error: the request, if that has yet to end and will be told to it; else null. */
export function pendingRequest(): WriteRequest | null {
  if (STREAM_STATE[LAST_WRITE_WAS_ASYNC] === 0) return null;
  const request = next;
  next = null;
  return request;
}

/** Null: it is closed, or not of the kind that can be written to and read from like this. */
export function handleOf(socket: Socket): StreamHandle | null {
  const { _handle: handle } = socket as unknown as { readonly _handle: StreamHandle | null };
  if (binding === null || handle === null) return null;
  const isKnown = typeof handle.writeLatin1String === 'function' && typeof handle.useUserBuffer === 'function';
  return isKnown ? handle : null;
}
