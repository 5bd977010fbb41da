import { once } from 'node:events';
import http2 from 'node:http2';
import { expect, test } from 'vitest';
import { OpenLoop } from '../../bench/open-loop.mjs';

/** What the call of this number comes to: a grpc-status, or a reset. */
type Answer = (index: number) => '0' | '14' | 'reset' | 'none';

async function callsAgainst(answer: Answer) {
  let count = 0;
  const bodies: Buffer[] = [];
  const server = http2.createServer();
  server.on('stream', (stream) => {
    const index = count++;
    const outcome = answer(index);
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => bodies.push(bytes));
    stream.on('end', () => {
      if (outcome === 'reset') {
        stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
        return;
      }
      const fields = { ':status': 200, 'content-type': 'application/grpc', 'x-side': index % 2 === 0 ? 'old' : 'new' };
      stream.respond(fields, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        outcome === 'none' ? stream.close() : stream.sendTrailers({ 'grpc-status': outcome }),
      );
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const url = `http://127.0.0.1:${port}/bench.Echo/Say`;
  const loop = new OpenLoop({
    url,
    rate: 400,
    durationMs: 200,
    grpc: true,
    sessions: 2,
    connections: 16,
    body: 'hello',
  });
  const [tally] = await loop.run();
  server.close();
  return { tally: tally?.toJSON(), body: bodies[0] };
}

test('calls of the schedule are made over HTTP/2 with the message framed, and tallied by side', async () => {
  const { tally, body } = await callsAgainst(() => '0');
  expect(tally).toMatchObject({ due: 80, sent: 80, failed: 0, sides: { old: { total: 40 }, new: { total: 40 } } });
  expect(body).toEqual(Buffer.from('\0\0\0\0\x05hello', 'latin1'));
});

test('a grpc-status other than 0 in the trailers is a failed call, and so is a reset or a missing status', async () => {
  const { tally } = await callsAgainst((index) => (['14', 'reset', 'none', '0'] as const)[index % 4] ?? '0');
  expect(tally).toMatchObject({ due: 80, sent: 80, failed: 60 });
  expect(tally?.answers.statuses).toEqual({ 200: 20, 500: 20 });
  const { failures } = tally ?? {};
  expect(Object.values(failures ?? {}).reduce((sum, n) => sum + n, 0)).toBe(40);
});
