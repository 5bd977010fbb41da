/**
 * What lies below node:net and node:tls: the handle of a socket, which reads and writes without the stream machinery in between. It is Node's
 * internals, reached by `process.binding`; where they are missing, `binding` is null and everything goes by the streams.
 */
import type { Socket } from 'node:net';

/** Node's request object of one write. */
export interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** Keeps the bytes alive until they are written. */
  bytes?: unknown;
}

export interface StreamHandle {
  /** Told the result of each read in `streamBaseState`; called with the handle as `this`. */
  onread: (bytes: ArrayBuffer | undefined) => unknown;
  useUserBuffer(buffer: Uint8Array): void;
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, chunks: unknown[], allBuffers: boolean): number;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  /** Of the call that was made last. */
  readonly streamBaseState: Int32Array;
  /** Index: bytes read, or libuv's error. */
  readonly kReadBytesOrError: number;
  /** Index: whether the last write has yet to end. */
  readonly kLastWriteWasAsync: number;
}

export const binding = loadBinding();

function loadBinding(): StreamBinding | null {
  try {
    const { binding: load } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = load?.('stream_wrap') ?? {};
    if (WriteWrap === undefined || streamBaseState === undefined) return null;
    if (kReadBytesOrError === undefined || kLastWriteWasAsync === undefined) return null;
    return { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync };
  } catch {
    return null;
  }
}

/** Null: it is closed, or not of the kind that can be written to and read from like this. */
export function handleOf(socket: Socket): StreamHandle | null {
  const { _handle: handle } = socket as unknown as { readonly _handle: StreamHandle | null };
  if (binding === null || handle === null) return null;
  const isKnown = typeof handle.writeLatin1String === 'function' && typeof handle.useUserBuffer === 'function';
  return isKnown ? handle : null;
}
