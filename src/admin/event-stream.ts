/** Server-sent events (WHATWG HTML section 9.2) to one client: told when it has gone, cut off when it does not read. */
import type { ServerResponse } from 'node:http';

const HEARTBEAT_MS = 15_000;
/** A client that leaves this much unread is disconnected; it comes back with Last-Event-ID. */
const UNREAD_BYTES = 4 * 1024 * 1024;

export interface EventStream {
  /** Sends a text of whole events. */
  send(text: string): void;
  /** Bytes that the client has yet to read. */
  readonly unread: number;
}

/**
 * @param isAdmitted whether a caller who was let in may still read: asked before each text, since tokens can be taken away
 * @param onClose the client has gone, whoever ended it
 */
export function openEventStream(response: ServerResponse, isAdmitted: () => boolean, onClose: () => void): EventStream {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // It ends with the stream: one that is kept for another request would keep a server that closes.
    connection: 'close',
  });
  response.write(': connected\n\n');
  const send = (text: string): void => {
    if (!isAdmitted()) response.end();
    else if (response.writableLength > UNREAD_BYTES) response.destroy();
    else response.write(text);
  };
  const heartbeat = setInterval(() => send(': still here\n\n'), HEARTBEAT_MS);
  response.on('close', () => {
    clearInterval(heartbeat);
    onClose();
  });
  return {
    send,
    get unread() {
      return response.writableLength;
    },
  };
}
