/** `grpc.health.v1.Health` as @grpc/grpc-js asks for it: the proxy answers from what it knows of its routes' endpoints. */
import { Client, type ClientReadableStream, credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort, type Plane, until } from '../proxy/harness.ts';
import { plane } from '../proxy/scene.ts';
import { Caller, METHODS, serve } from './calls.ts';

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const NOT_FOUND = 5;
const UNAVAILABLE = 14;
const SERVICE = 'test.v1.Echo';

/** HealthCheckRequest: `service` is its field 1. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  const length = name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  return service === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** HealthCheckResponse: `status` is its field 1. */
function status(response: Buffer): string {
  expect([response.length, response[0]]).toEqual([2, 0x08]);
  return STATUSES[response[1] as number] as string;
}

function client(proxy: Plane): Client {
  const made = new Client(`127.0.0.1:${proxy.port}`, credentials.createInsecure());
  onTestFinished(() => made.close());
  return made;
}

/** The status, or the code of the error. */
function check(from: Client, service: string): Promise<string | number> {
  return new Promise((resolve) => {
    const done = (error: { code: number } | null, answer?: string): void =>
      resolve(error === null ? (answer as string) : error.code);
    from.makeUnaryRequest('/grpc.health.v1.Health/Check', request, status, service, done);
  });
}

/** What a watcher has heard, and with which code its call has ended. */
function watch(
  from: Client,
  service: string,
): { heard: string[]; code: number | null; call: ClientReadableStream<string> } {
  const call = from.makeServerStreamRequest('/grpc.health.v1.Health/Watch', request, status, service);
  const watcher = { heard: [] as string[], code: null as number | null, call };
  call.on('data', (heard: string) => watcher.heard.push(heard));
  call.on('error', () => undefined);
  call.on('status', ({ code }) => {
    watcher.code = code;
  });
  return watcher;
}

const echo = {
  unary: (_call: unknown, answer: (error: null, value: Buffer) => void) => answer(null, Buffer.from('echo')),
};

/** Two backends over HTTP/2 and a route of the service. */
function routed(options: Parameters<typeof plane>[0] = {}): Promise<Plane> {
  const backends = ['backend-old', 'backend-new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const }));
  return plane({ route: { match: { grpc: { service: SERVICE } } }, table: { backends }, ...options });
}

describe('Check', () => {
  test('the proxy itself serves, whatever its routes, until it drains', async () => {
    const proxy = await routed({ table: { drainMs: 10_000 } });
    const asking = client(proxy);
    expect(await check(asking, '')).toBe('SERVING');
    const others = watch(asking, '');
    await until('a watcher, which keeps the connection', () => others.heard.length > 0);
    proxy.service.drain(5_000);
    expect(await check(asking, '')).toBe('NOT_SERVING');
  });

  test('by weight: the sides that get requests count, and one of them is enough', async () => {
    const { port } = await serve(echo);
    const proxy = await routed({ new: [port] });
    const asking = client(proxy);
    expect(await check(asking, SERVICE)).toBe('NOT_SERVING');
    proxy.weight(1, 2);
    expect(await check(asking, SERVICE)).toBe('SERVING');
    proxy.weight(1_000_000, 3);
    expect(await check(asking, SERVICE)).toBe('SERVING');
    proxy.endpoints(1, []);
    proxy.endpoints(0, [port]);
    expect(await check(asking, SERVICE)).toBe('NOT_SERVING');
    proxy.weight(999_999, 4);
    expect(await check(asking, SERVICE)).toBe('SERVING');
  });

  test('an endpoint that takes no connection does not count', async () => {
    const proxy = await routed({ old: [await freePort()] });
    const caller = new Caller(proxy.port);
    const call = caller.unary(Buffer.from('x'), new Metadata());
    await until('the failed call', () => call.told()?.code === UNAVAILABLE);
    expect(await check(client(proxy), SERVICE)).toBe('NOT_SERVING');
  });

  test('an unknown service is NOT_FOUND, also one with a very long name', async () => {
    const asking = client(await routed());
    expect(await check(asking, 'test.v1.Other')).toBe(NOT_FOUND);
    expect(await check(asking, `test.v1.${'Long'.repeat(50)}`)).toBe(NOT_FOUND);
  });

  test('a route by path serves the service that its path names', async () => {
    const { port } = await serve(echo);
    const asking = client(await routed({ old: [port], route: { match: { path: `/${SERVICE}/` } } }));
    expect(await check(asking, SERVICE)).toBe('SERVING');
    expect(await check(asking, 'test.v1.Ech')).toBe(NOT_FOUND);
  });
});

describe('Watch', () => {
  test('tells of each change: of endpoints, of the weight, of an endpoint that goes and comes, and of the drain as the last', async () => {
    const first = await serve(echo);
    const proxy = await routed({ table: { drainMs: 10_000 } });
    const { heard, ...watcher } = watch(client(proxy), SERVICE);
    const told: string[] = [];
    const next = async (word: string): Promise<void> => {
      told.push(word);
      await until(told.join(), () => heard.length === told.length);
      expect(heard).toEqual(told);
    };
    await next('NOT_SERVING');
    proxy.endpoints(0, [first.port]);
    await next('SERVING');
    proxy.weight(1_000_000, 2);
    await next('NOT_SERVING');
    proxy.weight(0, 3);
    await next('SERVING');
    const { call } = watcher;
    first.server.forceShutdown();
    const caller = new Caller(proxy.port);
    const failed = caller.unary(Buffer.from('x'), new Metadata());
    await until('the failed call', () => failed.told()?.code === UNAVAILABLE);
    await next('NOT_SERVING');
    await serveAgain(first.port);
    await next('SERVING');
    let code: number | null = null;
    call.on('status', (ended: { code: number }) => {
      code = ended.code;
    });
    proxy.service.drain(0);
    await next('NOT_SERVING');
    await until('the end', () => code === UNAVAILABLE);
  });

  test('an unknown service is SERVICE_UNKNOWN, and the watch goes on until there is a route', async () => {
    const { port } = await serve(echo);
    const proxy = await routed({ old: [port], route: { match: { grpc: { service: 'test.v1.Other' } } } });
    const watcher = watch(client(proxy), SERVICE);
    await until('the first word', () => watcher.heard.length === 1);
    expect([watcher.heard, watcher.code]).toEqual([['SERVICE_UNKNOWN'], null]);
    const [route] = proxy.table.routes;
    const routes = [{ ...(route as NonNullable<typeof route>), match: { grpc: { service: SERVICE } } }];
    proxy.service.onMessage({ ...proxy.table, generation: 2, routes });
    proxy.service.onMessage({
      kind: 'endpoints',
      generation: 2,
      backend: 0,
      removed: [],
      added: [{ host: '127.0.0.1', port }],
    });
    proxy.service.onMessage({ kind: 'weights', generation: 2, revision: 5, held: [], weights: [[0, 0, 0]] });
    await until('the second', () => watcher.heard.length === 2);
    expect(watcher.heard[1]).toBe('SERVING');
  });

  test('a watcher that cancels is forgotten', async () => {
    const proxy = await routed();
    const watcher = watch(client(proxy), '');
    await until('the first word', () => watcher.heard.length === 1);
    watcher.call.cancel();
    await until('its end', () => watcher.code === 1);
    proxy.service.drain(0);
    await until('the exit, for which no watcher is waited', () => proxy.exited);
    expect(watcher.heard).toEqual(['SERVING']);
  });
});

/** A server where there was one before. */
async function serveAgain(port: number): Promise<void> {
  const server = new Server();
  server.addService(METHODS, echo);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
}
