/** `grpc.health.v1.Health` is answered by the proxy, unless a route asks for it by name. */
import { expect, test } from 'vitest';
import { type Plane, until } from '../proxy/harness.ts';
import { type Call, Http2Client } from '../proxy/http2-client.ts';
import { answering, OK, plane } from '../proxy/scene.ts';

const SERVING = '\0\0\0\0\x02\x08\x01';
const NOT_SERVING = '\0\0\0\0\x02\x08\x02';
const SERVICE_UNKNOWN = '\0\0\0\0\x02\x08\x03';

/** A HealthCheckRequest for a service. */
function open(proxy: Plane, method: string, service: string): Call {
  const call = new Http2Client(`http://127.0.0.1:${proxy.port}`).open(
    {
      ':method': 'POST',
      ':path': `/grpc.health.v1.Health/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    },
    false,
  );
  const message = service === '' ? '' : `\x0a${String.fromCharCode(service.length)}${service}`;
  call.stream.end(Buffer.from(`\0\0\0\0${String.fromCharCode(message.length)}${message}`, 'latin1'));
  return call;
}

const ROUTE = { match: { grpc: { service: 'shop.v1.Shop' } } };

test('the proxy as a whole serves', async () => {
  const proxy = await plane();
  expect(await open(proxy, 'Check', '').answer()).toMatchObject({
    status: 200,
    body: SERVING,
    trailers: { 'grpc-status': '0' },
    reset: 0,
  });
});

test('a service with a route serves as long as a side that gets requests has an endpoint', async () => {
  const proxy = await plane({ old: [1], route: ROUTE });
  expect((await open(proxy, 'Check', 'shop.v1.Shop').answer()).body).toBe(SERVING);
  proxy.weight(1_000_000, 2);
  expect((await open(proxy, 'Check', 'shop.v1.Shop').answer()).body).toBe(NOT_SERVING);
});

test('a service without a route is NOT_FOUND, and unknown to a watcher', async () => {
  const proxy = await plane({ route: ROUTE });
  expect((await open(proxy, 'Check', 'else').answer()).head['grpc-status']).toBe('5');
  const watch = open(proxy, 'Watch', 'else');
  await until('the first word', () => watch.body === SERVICE_UNKNOWN);
});

test('another method is UNIMPLEMENTED', async () => {
  const proxy = await plane();
  expect((await open(proxy, 'List', '').answer()).head['grpc-status']).toBe('12');
});

test('a watcher hears of changes, and of the drain as the last', async () => {
  const proxy = await plane({ old: [1], route: ROUTE });
  const watch = open(proxy, 'Watch', 'shop.v1.Shop');
  await until('the first word', () => watch.body === SERVING);
  proxy.endpoints(0, []);
  await until('the second', () => watch.body === SERVING + NOT_SERVING);
  proxy.endpoints(0, [1]);
  await until('the third', () => watch.body === SERVING + NOT_SERVING + SERVING);
  proxy.service.drain(0);
  expect(await watch.answer()).toMatchObject({
    body: SERVING + NOT_SERVING + SERVING + NOT_SERVING,
    trailers: { 'grpc-status': '14' },
  });
});

test('a route for the health service itself has its backend answer', async () => {
  const proxy = await plane({
    old: [await answering(OK)],
    route: { match: { grpc: { service: 'grpc.health.v1.Health' } } },
  });
  expect((await open(proxy, 'Check', '').answer()).body).toBe('ok');
});
