// @ts-check
// A backend that speaks HTTP/2 without TLS, gRPC-shaped: every request is answered with 200 at once, its messages come back as they
// arrive, and `grpc-status: 0` follows in trailers when it ends. It reads no field, so it need not keep a table of them.
import net from 'node:net';
import {
  ACK,
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameReader,
  fieldSection,
  frame,
  HEADERS,
  opening,
  PING,
  PREFACE,
  SETTINGS,
  SETTINGS_ACK,
  windowUpdate,
} from './h2-frames.mjs';

const STREAMS = 1000;
/** The connection's window is given back each time that so many bytes have come. */
const GIVE_BACK = 1 << 20;

/** @param {string} side */
export function h2cOrigin(side) {
  const head = fieldSection([
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ['x-side', side],
  ]);
  const trailers = fieldSection([['grpc-status', '0']]);
  return net.createServer({ noDelay: true }, (socket) => serve(socket, head, trailers));
}

/**
 * @param {net.Socket} socket
 * @param {Buffer} head
 * @param {Buffer} trailers
 */
function serve(socket, head, trailers) {
  let out = [opening(STREAMS)];
  let unreturned = 0;
  const reader = new FrameReader((type, flags, stream, bytes, start, end) => {
    switch (type) {
      case HEADERS:
        out.push(frame(HEADERS, END_HEADERS, stream, head));
        break;
      case DATA:
        unreturned += end - start;
        if (end > start) out.push(frame(DATA, 0, stream, bytes.subarray(start, end)));
        break;
      case PING:
        if ((flags & ACK) === 0) out.push(frame(PING, ACK, 0, bytes.subarray(start, end)));
        return;
      case SETTINGS:
        if ((flags & ACK) === 0) out.push(SETTINGS_ACK);
        return;
      default:
        return;
    }
    if ((flags & END_STREAM) !== 0) out.push(frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers));
  }, PREFACE.length);
  socket.on('data', (bytes) => {
    reader.read(bytes);
    if (unreturned >= GIVE_BACK) {
      out.push(windowUpdate(0, unreturned));
      unreturned = 0;
    }
    if (out.length > 0) socket.write(Buffer.concat(out));
    out = [];
  });
  socket.on('error', () => socket.destroy());
}
