/** What is read over TLS by the handle: that it is read by it at all, and that nothing is lost, doubled or out of order around pauses and ends. */
import { describe, expect, test } from 'vitest';
import { readByHandle } from '../../src/proxy/socket-input.ts';
import { binding, handleOf } from '../../src/proxy/stream-binding.ts';
import { until } from './harness.ts';
import { pattern } from './pattern.ts';
import { SECURED, securedPair } from './secured-pair.ts';

/** More than one read brings. */
const BYTES = pattern(8 << 20);

describe.each(SECURED)('over %s', (version) => {
  async function reading() {
    const { near, far, carrier } = await securedPair(version);
    const pieces: Buffer[] = [];
    const seen = { bytes: 0, ended: false, closed: false, last: '' };
    near.on('end', () => (seen.ended = true));
    near.on('close', () => (seen.closed = true));
    return {
      near,
      far,
      carrier,
      seen,
      all: () => Buffer.concat(pieces),
      take: (bytes: Buffer, length: number) => {
        pieces.push(Buffer.from(bytes.subarray(0, length)));
        seen.bytes += length;
      },
    };
  }

  test('this Node has all that it takes, so that nothing goes by the stream', async () => {
    const { near, far, take, seen } = await reading();
    expect(binding).not.toBeNull();
    expect(handleOf(near)).not.toBeNull();
    const buffers = new Set<ArrayBufferLike>();
    readByHandle(near, (bytes, length) => {
      buffers.add(bytes.buffer);
      take(bytes, length);
    });
    expect(near.listenerCount('data')).toBe(0);
    far.socket.write(BYTES);
    await until('all', () => seen.bytes === BYTES.length);
    expect(buffers.size).toBe(1);
    expect(near.readableLength).toBe(0);
  });

  test('everything comes in order, pause or not, and the end behind it when it may', async () => {
    const { near, far, take, seen, all } = await reading();
    let endedWhilePaused = false;
    near.on('end', () => (endedWhilePaused = near.isPaused()));
    readByHandle(near, (bytes, length) => {
      take(bytes, length);
      if (near.isPaused()) return;
      near.pause();
      setImmediate(() => near.resume());
    });
    far.socket.end(BYTES);
    await until('the end', () => seen.ended);
    expect(all().equals(BYTES)).toBe(true);
    expect(endedWhilePaused).toBe(false);
  });

  test('who pauses gets no more than what had been read', async () => {
    const { near, far, take, seen, all } = await reading();
    readByHandle(near, (bytes, length) => {
      take(bytes, length);
      near.pause();
    });
    far.socket.end(BYTES);
    await until('some', () => seen.bytes > 0);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(seen.bytes).toBeLessThanOrEqual(2 * 65_536);
    expect(seen.ended).toBe(false);
    while (!seen.ended) {
      near.resume();
      await new Promise(setImmediate);
    }
    expect(all().equals(BYTES)).toBe(true);
  });

  test('what had been read before is handed over first, and who pauses then is heard', async () => {
    const { near, far, take, seen, all } = await reading();
    far.socket.write(BYTES);
    await until('something in the stream', () => near.readableLength > 0);
    readByHandle(near, (bytes, length) => {
      if (seen.bytes === 0) near.pause();
      take(bytes, length);
    });
    const before = seen.bytes;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([near.isPaused(), seen.bytes]).toEqual([true, before]);
    near.resume();
    await until('all', () => seen.bytes === BYTES.length);
    expect(all().equals(BYTES)).toBe(true);
  });

  test('a reset is an error of the socket', async () => {
    const { near, far, carrier, take, seen } = await reading();
    let code: string | undefined;
    near.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
    readByHandle(near, take);
    far.socket.write('x');
    await until('it', () => seen.bytes === 1);
    carrier.resetAndDestroy();
    await until('the end', () => seen.closed);
    expect([code, seen.ended]).toEqual(['ECONNRESET', false]);
  });

  test('a destroyed socket hands over nothing any more', async () => {
    const { near, far, take, seen } = await reading();
    readByHandle(near, (bytes, length) => {
      take(bytes, length);
      near.destroy();
    });
    far.socket.write(BYTES);
    await until('the end', () => seen.closed);
    expect(seen.bytes).toBeLessThanOrEqual(16_384);
  });
});
