// @ts-check
// The backends of a bench: `node bench/origin.mjs` listens on four free ports of 127.0.0.1, one a protocol and side, and says which:
// {"http1":{"old":40001,"new":40002},"h2c":{"old":40003,"new":40004}}. It is a bare socket server, because it shares a core with the load and must cost less than any proxy:
// 5.6 us a small response, where nginx as an origin takes 4.7 (measured on 2 cores by wrk at 64 connections).
// `/` answers 126 bytes in all; `/bytes/N` a body of N bytes.
import net from 'node:net';
import { announcedLength, MessageReader } from './message-reader.mjs';
import { h2cOrigin } from './origin-h2c.mjs';

const BLOCK = 65_536;

/**
 * @param {string} side
 * @param {number} length
 */
const headOf = (side, length) =>
  `HTTP/1.1 200 OK\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\nx-side: ${side}\r\n\r\n`;

/**
 * Writes head and body in blocks, as fast as the reader takes them.
 * @param {net.Socket} socket
 * @param {string} head
 * @param {number} length
 */
function stream(socket, head, length) {
  const block = Buffer.alloc(BLOCK, 'x');
  let left = length;
  socket.write(head, 'latin1');
  const more = () => {
    while (left > 0) {
      const part = left < BLOCK ? block.subarray(0, left) : block;
      left -= part.length;
      if (!socket.write(part) && left > 0) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

/** @param {string} side */
function http1Origin(side) {
  const body = `hello, ${side}\n`;
  const small = headOf(side, body.length) + body;
  return net.createServer({ noDelay: true }, (socket) => {
    let target = '/';
    const reader = new MessageReader(
      (head) => {
        target = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'));
        return announcedLength(head, 0);
      },
      () => {
        if (!target.startsWith('/bytes/')) socket.write(small, 'latin1');
        else stream(socket, headOf(side, Number(target.slice(7))), Number(target.slice(7)));
      },
    );
    socket.on('data', (bytes) => reader.read(bytes));
    socket.on('error', () => socket.destroy());
  });
}

/** @param {net.Server} server */
function portOf(server) {
  return new Promise((/** @type {(port: number) => void} */ resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

const ports = {
  http1: { old: await portOf(http1Origin('old')), new: await portOf(http1Origin('new')) },
  h2c: { old: await portOf(h2cOrigin('old')), new: await portOf(h2cOrigin('new')) },
};
process.stdout.write(`${JSON.stringify(ports)}\n`);
