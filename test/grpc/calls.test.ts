/** gRPC from end to end: @grpc/grpc-js as client and server, the proxy between them. */
import {
  Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { AT_ATTEMPTS } from '../../src/domain/counts.ts';
import { LIMITS, type Plane, until } from '../proxy/harness.ts';
import { plane } from '../proxy/scene.ts';
import { Caller, serve } from './calls.ts';

type Unary = ServerUnaryCall<Buffer, Buffer>;

const ECHO: UntypedServiceImplementation = {
  unary: (call: Unary, answer: sendUnaryData<Buffer>) => answer(null, call.request),
  collect: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    const parts: Buffer[] = [];
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => answer(null, Buffer.concat(parts)));
  },
  spread: (call: ServerWritableStream<Buffer, Buffer>) => {
    for (const byte of call.request) call.write(Buffer.from([byte]));
    call.end();
  },
  chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on('data', (message: Buffer) => call.write(message));
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  },
};

const H2 = ['old', 'new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const }));

async function through(
  port: number,
  options: Parameters<typeof plane>[0] = {},
): Promise<{ proxy: Plane; caller: Caller }> {
  const proxy = await plane({ ...options, old: [port], table: { backends: H2, ...options.table } });
  return { proxy, caller: new Caller(proxy.port) };
}

test('all four types of calls', async () => {
  const { caller } = await through((await serve(ECHO)).port);
  const unary = caller.unary(Buffer.from('one'), new Metadata());
  expect(await until('unary', () => unary.told()?.answer?.toString())).toBe('one');

  let collected = '';
  const collect = caller.collect(new Metadata(), (answer) => {
    collected = String(answer);
  });
  for (const part of ['a', 'b', 'c']) collect.write(Buffer.from(part));
  collect.end();
  await until('collect', () => collected === 'abc');

  let spread = '';
  caller.spread(Buffer.from('xyz'), new Metadata()).on('data', (part: Buffer) => {
    spread += part.toString();
  });
  await until('spread', () => spread === 'xyz');

  const chat = caller.chat(new Metadata());
  const heard: string[] = [];
  let over = false;
  chat
    .on('data', (message: Buffer) => heard.push(message.toString()))
    .on('end', () => {
      over = true;
    });
  for (let i = 0; i < 20; i++) {
    chat.write(Buffer.from(String(i)));
    await until('its echo', () => heard.length === i + 1);
  }
  chat.end();
  await until('the end', () => over);
  expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
});

test('metadata, binary too, makes the round trip in heads and trailers', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const server = await serve({
    ...ECHO,
    unary: (call: Unary, answer: sendUnaryData<Buffer>) => {
      const head = new Metadata();
      head.set('seen', String(call.metadata.get('word')[0]));
      head.set('raw-bin', call.metadata.get('raw-bin')[0] as Buffer);
      call.sendMetadata(head);
      const trailers = new Metadata();
      trailers.set('last-bin', call.metadata.get('raw-bin')[0] as Buffer);
      answer(null, call.request, trailers);
    },
  });
  const { caller } = await through(server.port);
  const metadata = new Metadata();
  metadata.set('word', 'über=~'.replace('ü', 'u'));
  metadata.set('raw-bin', bytes);
  const call = caller.unary(Buffer.from('x'), metadata);
  await until('the status', () => call.trailers() !== undefined);
  expect(call.head()?.get('seen')).toEqual(['uber=~']);
  expect(call.head()?.get('raw-bin')).toEqual([bytes]);
  expect(call.trailers()?.get('last-bin')).toEqual([bytes]);
});

test('a message of 64 MB goes there and back', async () => {
  const { caller } = await through((await serve(ECHO)).port);
  const large = Buffer.alloc(64 << 20, 'abcdefg');
  const call = caller.unary(large, new Metadata());
  const answer = await until('the answer', () => call.told(), 30_000);
  expect(answer?.code).toBeUndefined();
  expect(answer?.answer?.equals(large)).toBe(true);
}, 60_000);

test('1,000 conversations at a time', async () => {
  const { caller } = await through((await serve(ECHO)).port);
  let echoes = 0;
  let ends = 0;
  const failures: unknown[] = [];
  const chats = Array.from({ length: 1000 }, () => {
    const chat = caller.chat(new Metadata());
    chat.on('data', () => echoes++).on('end', () => ends++);
    chat.on('error', (error) => failures.push(error));
    return chat;
  });
  for (let round = 1; round <= 3; round++) {
    for (const chat of chats) chat.write(Buffer.from('hello'));
    await until('the echoes', () => echoes === round * 1000 || failures.length > 0, 20_000);
  }
  for (const chat of chats) chat.end();
  await until('the ends', () => ends === 1000 || failures.length > 0, 20_000);
  expect(failures).toEqual([]);
}, 60_000);

test('the status of the server, its details and its trailers reach the client', async () => {
  const server = await serve({
    ...ECHO,
    unary: (_call: Unary, answer: sendUnaryData<Buffer>) =>
      answer({ code: status.FAILED_PRECONDITION, details: 'not so: 50 % of it' }),
  });
  const { caller, proxy } = await through(server.port);
  const call = caller.unary(Buffer.from('x'), new Metadata());
  expect(await until('the status', () => call.told())).toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: 'not so: 50 % of it',
  });
  expect(proxy.count(AT_ATTEMPTS + 2)).toBe(1);
});

test('a client that cancels has its call cancelled at the server', async () => {
  let cancelled = false;
  let asked = false;
  const server = await serve({
    ...ECHO,
    unary: (call: Unary) => {
      asked = true;
      call.on('cancelled', () => {
        cancelled = true;
      });
    },
  });
  const { caller } = await through(server.port);
  const call = caller.unary(Buffer.from('x'), new Metadata());
  await until('the call', () => asked);
  call.call.cancel();
  await until('the cancellation', () => cancelled);
});

test('a server that never answers has its call ended when the deadline passes', async () => {
  let cancelled = false;
  let left = 0;
  const server = await serve({
    ...ECHO,
    unary: (call: Unary) => {
      left = Number(call.getDeadline()) - Date.now();
      call.on('cancelled', () => {
        cancelled = true;
      });
    },
  });
  const { caller, proxy } = await through(server.port);
  const call = caller.unary(Buffer.from('x'), new Metadata(), { deadline: Date.now() + 400 });
  expect((await until('the status', () => call.told()))?.code).toBe(status.DEADLINE_EXCEEDED);
  await until('the cancellation', () => cancelled);
  expect(left).toBeLessThanOrEqual(400);
  await until('a fault', () => proxy.count(AT_ATTEMPTS + 1) === 1);
});

test('a server that dies in a conversation gives the client UNAVAILABLE', async () => {
  const { port, server } = await serve(ECHO);
  const { caller } = await through(port);
  const chat = caller.chat(new Metadata());
  let heard = 0;
  let code: number | undefined;
  chat.on('data', () => heard++).on('error', () => undefined);
  chat.on('status', (end) => {
    code = end.code;
  });
  chat.write(Buffer.from('hello'));
  await until('the echo', () => heard === 1);
  server.forceShutdown();
  await until('the status', () => code !== undefined);
  expect(code).toBe(status.UNAVAILABLE);
});

test('regression: a stream whose requests are larger than a body may be is told RESOURCE_EXHAUSTED, not CANCELLED', async () => {
  const table = { limits: { ...LIMITS, bodyBytes: 1_000 } };
  const { caller } = await through((await serve(ECHO)).port, { table });
  const chat = caller.chat(new Metadata());
  let code: number | undefined;
  chat.on('data', () => chat.write(Buffer.alloc(90)));
  chat.on('error', (error: { code?: number }) => {
    code = error.code;
  });
  chat.write(Buffer.alloc(90));
  expect(await until('the end', () => code)).toBe(status.RESOURCE_EXHAUSTED);
});
