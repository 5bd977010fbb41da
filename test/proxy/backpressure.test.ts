import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { type Plane, type ScriptedBackend, still, until, type Wire } from './harness.ts';
import { backend, head, OK, plane } from './scene.ts';

const MIB = 1 << 20;
const TOTAL = 200 * MIB;
/** What the proxy may hold of one body, with Node's own buffers of the two test ends in the same process. */
const HELD = 64 * MIB;

/** A client that reads only when told. */
class SlowClient {
  readonly socket: Socket;
  bytes = 0;
  ended = false;

  constructor(plane: Plane, text: string) {
    this.socket = connect({ port: plane.port, host: '127.0.0.1' });
    onTestFinished(() => void this.socket.destroy());
    this.socket.pause();
    this.socket.on('data', (bytes: Buffer) => {
      this.bytes += bytes.length;
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.write(text, 'latin1');
  }
}

/** Writes pieces as fast as the socket takes them. */
async function pour(socket: Socket, piece: Buffer, pieces: number): Promise<void> {
  for (let i = 0; i < pieces; i++) {
    if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
  }
}

function started(origin: ScriptedBackend): Promise<Wire> {
  return until('a connection to the backend', () => origin.wires[0]);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of buffers that somebody still holds. */
function buffers(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** Follows how much memory buffers take, at most, until the test is over. */
class Watermark {
  readonly #before = buffers();
  #most = 0;

  constructor() {
    const timer = setInterval(() => this.look(), 50);
    onTestFinished(() => clearInterval(timer));
  }

  look(): number {
    this.#most = Math.max(this.#most, buffers() - this.#before);
    return this.#most;
  }
}

test('200 MB down to a reader that pauses: the backend is held back, memory stays bounded, every byte arrives', async () => {
  const piece = Buffer.alloc(256 * 1024, 'a');
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say(`HTTP/1.1 200 OK\r\ncontent-length: ${TOTAL}\r\n\r\n`);
    await pour(wire.socket, piece, TOTAL / piece.length);
  });
  const proxy = await plane({ old: [origin] });
  const watermark = new Watermark();
  const client = new SlowClient(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nconnection: close\r\n\r\n');
  const sender = (await started(origin)).socket;
  await still('the backend to be held back', () => sender.bytesWritten);
  expect(sender.bytesWritten).toBeLessThan(TOTAL / 2);
  client.socket.resume();
  await until('all of it', () => client.ended);
  expect(client.bytes).toBeGreaterThan(TOTAL);
  expect(client.bytes).toBeLessThan(TOTAL + 1000);
  expect(watermark.look()).toBeLessThan(HELD);
});

test('200 MB up to a backend that pauses: the client is held back, memory stays bounded, every byte arrives', async () => {
  const piece = Buffer.alloc(256 * 1024, 'a');
  let wire: Wire | undefined;
  let bytes = 0;
  const origin = await backend(async (accepted) => {
    wire = accepted;
    accepted.socket.pause();
    accepted.socket.removeAllListeners('data');
    accepted.socket.on('data', (data: Buffer) => {
      bytes += data.length;
      if (bytes > TOTAL) accepted.say(OK);
    });
  });
  const proxy = await plane({ old: [origin] });
  const watermark = new Watermark();
  const client = new SlowClient(proxy, `POST / HTTP/1.1\r\nHost: a\r\ncontent-length: ${TOTAL}\r\n\r\n`);
  const poured = pour(client.socket, piece, TOTAL / piece.length);
  await until('the request at the backend', () => wire !== undefined);
  await still('the client to be held back', () => client.socket.bytesWritten);
  expect(client.socket.bytesWritten).toBeLessThan(TOTAL / 2);
  wire?.socket.resume();
  await poured;
  client.socket.resume();
  await until('the answer', () => client.bytes > 0);
  expect(bytes).toBeGreaterThan(TOTAL);
  expect(watermark.look()).toBeLessThan(HELD);
});

test('a slow reader of small chunks does not make the proxy read on while it is paused', async () => {
  const piece = Buffer.from('a\r\n0123456789\r\n'.repeat(4000));
  const pieces = 1000;
  const origin = await backend(async (wire) => {
    await head(wire);
    wire.say('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    await pour(wire.socket, piece, pieces);
    wire.say('0\r\n\r\n');
  });
  const proxy = await plane({ old: [origin] });
  const client = new SlowClient(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nconnection: close\r\n\r\n');
  const sender = (await started(origin)).socket;
  await still('the backend to be held back', () => sender.bytesWritten);
  const heldByKernel = sender.bytesWritten;
  let onTheWay = 0;
  // Bite by bite: each makes room, and the proxy goes on and stops again.
  client.socket.on('data', () => {
    client.socket.pause();
    onTheWay = Math.max(onTheWay, sender.bytesWritten - client.bytes);
    setImmediate(() => client.socket.resume());
  });
  client.socket.resume();
  await until('all of it', () => client.ended, 25_000);
  expect(client.bytes).toBeGreaterThan(piece.length * pieces);
  expect(onTheWay).toBeLessThan(heldByKernel + 16 * MIB);
});
