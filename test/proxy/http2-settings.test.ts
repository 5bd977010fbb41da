/** What clients of HTTP/2 are told they may do, and what becomes of those that do more. */
import { connect as connectHttp2 } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { END_HEADERS, END_STREAM, type Frame, get, headers, PREFACE, parseFrames, settings } from '../http2/frames.ts';
import { type Plane, until } from './harness.ts';
import { answering, connect, OK, plane } from './scene.ts';

const ENABLE_CONNECT_PROTOCOL = 0x8;
const PROTOCOL_ERROR = 1;
const REFUSED_STREAM = 7;

function limits(proxy: Plane, concurrentStreams: number) {
  return { ...proxy.table.limits, concurrentStreams };
}

/** A client that has said this; what it has been answered so far. */
async function says(proxy: Plane, ...frames: readonly Buffer[]) {
  const wire = await connect(proxy);
  wire.socket.write(Buffer.concat([PREFACE, settings(), ...frames]));
  return { wire, frames: (): Frame[] => parseFrames(Buffer.from(wire.received, 'latin1')) };
}

const resetOf = (frames: readonly Frame[], stream: number): number | undefined =>
  frames.find((frame) => frame.type === 'RST_STREAM' && frame.stream === stream)?.payload.readUInt32BE(0);

describe('limits.concurrentStreams', () => {
  test('is what clients are told, and a stream beyond it is refused, to be sent again', async () => {
    const spec = await plane();
    const proxy = await plane({
      table: { limits: limits(spec, 3) },
      old: [await answering('HTTP/1.1 100 Continue\r\n\r\n')],
    });
    const session = connectHttp2(`http://127.0.0.1:${proxy.port}`);
    onTestFinished(() => session.destroy());
    await until('its settings', () => session.remoteSettings.maxConcurrentStreams === 3);
    const { frames } = await says(proxy, get(1), get(3), get(5), get(7));
    await until('the refusal', () => resetOf(frames(), 7) === REFUSED_STREAM);
    expect([1, 3, 5].map((stream) => resetOf(frames(), stream))).toEqual([undefined, undefined, undefined]);
  });
});

describe('extended CONNECT (RFC 8441)', () => {
  test('is not offered, and refused by a reset of its stream alone', async () => {
    const proxy = await plane({ old: [await answering(OK)] });
    const extended = headers(
      1,
      END_HEADERS,
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'https'],
      [':path', '/chat'],
      [':authority', 'a'],
    );
    const { frames, wire } = await says(proxy, extended, get(3));
    await until('the next answer', () =>
      frames().some(({ type, stream, flags }) => type === 'DATA' && stream === 3 && (flags & END_STREAM) !== 0),
    );
    expect(resetOf(frames(), 1)).toBe(PROTOCOL_ERROR);
    const [told] = frames().filter(({ type, payload }) => type === 'SETTINGS' && payload.length > 0);
    const offered = Array.from({ length: (told?.payload.length ?? 0) / 6 }, (_, i) =>
      told?.payload.readUInt16BE(i * 6),
    );
    expect(offered.length).toBeGreaterThan(0);
    expect(offered).not.toContain(ENABLE_CONNECT_PROTOCOL);
    expect(wire.closed).toBe(false);
  });
});

test('open connections are counted by what they speak', async () => {
  const proxy = await plane();
  const counted = () => {
    proxy.service.onMessage({ kind: 'flush', flush: 1 });
    return proxy.messages.findLast((told) => told.kind === 'counts')?.connections;
  };
  const [silent, http1] = [await connect(proxy), await connect(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')];
  const { wire } = await says(proxy);
  await until('three connections', () => JSON.stringify(counted()) === JSON.stringify([{ http1: 2, h2: 1 }]));
  for (const { socket } of [silent, http1, wire]) socket.destroy();
  await until('none', () => JSON.stringify(counted()) === JSON.stringify([{ http1: 0, h2: 0 }]));
});
