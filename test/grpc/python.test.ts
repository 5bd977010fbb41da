/**
 * gRPC's own C core as client and server, by Debian's python3-grpcio (`apt-get install python3-grpcio`): without it these are skipped, which
 * the report says.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Metadata, type ServerDuplexStream, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../proxy/harness.ts';
import { plane } from '../proxy/scene.ts';
import { Caller, serve } from './calls.ts';

const PYTHON = '/usr/bin/python3';
const hasPeer = spawnSync(PYTHON, ['-c', 'import grpc']).status === 0;
const TIMEOUT_MS = 60_000;
const H2 = { backends: ['old', 'new'].map((name) => ({ name, connections: 0, protocol: 'h2' as const })) };

function python(script: string, ...args: readonly string[]): { child: ChildProcess; lines: string[] } {
  const child = spawn(PYTHON, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const lines: string[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  return { child, lines };
}

async function pythonServer(): Promise<{ port: number; lines: string[] }> {
  const { lines } = python('python-server.py');
  await until('its port', () => lines.length > 0, 20_000);
  return { port: Number(lines[0]), lines };
}

/** All that the Python client makes of the calls through a proxy to this port. */
async function calls(port: number): Promise<unknown> {
  const proxy = await plane({ old: [port], route: { match: { grpc: { service: 'test.v1.Echo' } } }, table: H2 });
  const { child, lines } = python('python-client.py', String(proxy.port));
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  return JSON.parse(lines.at(-1) as string);
}

const EXPECTED = {
  unary: 'hello',
  empty: '',
  spread: ['a', 'b', 'c'],
  collect: 'xyz',
  chat: ['1', '2', '3'],
  large: true,
  metadata: {
    head: [
      ['x-bin-bin', '00ff01'],
      ['x-text', 'one'],
    ],
    trailers: [
      ['x-tail-bin-bin', '00ff01'],
      ['x-tail-text', 'one'],
    ],
  },
  fail: ['FAILED_PRECONDITION', 'as told: é'],
  before: ['first'],
  'fail-late': ['FAILED_PRECONDITION', 'as told: é'],
  nobody: ['UNIMPLEMENTED', expect.any(String)],
  deadline: 'DEADLINE_EXCEEDED',
  cancelled: 'CANCELLED',
  many: true,
};

const FAILED = { code: 9, details: 'as told: é' };

function metadataOf(call: { metadata: Metadata }, prefix: string): Metadata {
  const echoed = new Metadata();
  for (const key of ['x-text', 'x-bin-bin']) {
    for (const value of call.metadata.get(key)) echoed.add(prefix + key.slice(2), value);
  }
  return echoed;
}

/** The same service as python-server.py. */
const echo = {
  unary: (
    call: ServerUnaryCall<Buffer, Buffer>,
    answer: (error: object | null, value?: Buffer, tail?: Metadata) => void,
  ) => {
    call.sendMetadata(metadataOf(call, 'x-'));
    const word = call.request.toString('latin1');
    if (word === 'fail') answer(FAILED);
    else if (word !== 'wait') answer(null, call.request, metadataOf(call, 'x-tail-'));
  },
  spread: (call: ServerWritableStream<Buffer, Buffer>) => {
    for (const word of call.request.toString('latin1').split(' ')) {
      if (word === 'fail') {
        call.emit('error', FAILED);
        return;
      }
      call.write(Buffer.from(word, 'latin1'));
    }
    call.end();
  },
  collect: (call: NodeJS.ReadableStream, answer: (error: null, value: Buffer) => void) => {
    const pieces: Buffer[] = [];
    call.on('data', (piece: Buffer) => pieces.push(piece));
    call.on('end', () => answer(null, Buffer.concat(pieces)));
  },
  chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
    let waits = false;
    call.on('data', (message: Buffer) => {
      waits = message.toString() === 'wait';
      if (!waits) call.write(message);
    });
    call.on('end', () => waits || call.end());
  },
};

describe.runIf(hasPeer)(hasPeer ? 'python3-grpcio' : 'python3-grpcio, which is not installed', () => {
  test('as client, of a server by @grpc/grpc-js', { timeout: TIMEOUT_MS }, async () => {
    const { port } = await serve(echo);
    expect(await calls(port)).toEqual(EXPECTED);
  });

  test('as client and server', { timeout: TIMEOUT_MS }, async () => {
    const { port, lines } = await pythonServer();
    expect(await calls(port)).toEqual(EXPECTED);
    // The call whose deadline passed and the one that was cancelled have reached it as such.
    await until('both', () => lines.filter((line) => line === 'gone').length === 2);
  });

  test('as server, of a client by @grpc/grpc-js', { timeout: TIMEOUT_MS }, async () => {
    const { port, lines } = await pythonServer();
    const proxy = await plane({ old: [port], table: H2 });
    const caller = new Caller(proxy.port);
    const metadata = new Metadata();
    metadata.add('x-text', 'one');
    metadata.add('x-bin-bin', Buffer.from([0, 255, 1]));
    const unary = caller.unary(Buffer.from('hello'), metadata);
    await until('the answer', () => unary.told() !== undefined && unary.trailers() !== undefined);
    expect(unary.told()?.answer?.toString()).toBe('hello');
    expect(unary.head()?.get('x-bin-bin')).toEqual([Buffer.from([0, 255, 1])]);
    expect(unary.trailers()?.get('x-tail-text')).toEqual(['one']);

    const failed = caller.unary(Buffer.from('fail'), new Metadata());
    await until('the failure', () => failed.told() !== undefined);
    expect(failed.told()).toMatchObject(FAILED);

    const chat = caller.chat(new Metadata());
    const heard: string[] = [];
    chat.on('data', (message: Buffer) => heard.push(message.toString()));
    chat.on('error', () => undefined);
    for (let i = 0; i < 100; i++) {
      chat.write(Buffer.from(`${i}`));
      await until(`${i}`, () => heard.length === i + 1);
    }
    chat.write(Buffer.from('wait'));
    await until('the server to wait', () => lines.includes('waits'));
    chat.cancel();
    await until('the server to hear of it', () => lines.includes('gone'));
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));

    const late = caller.unary(Buffer.from('wait'), new Metadata(), { deadline: Date.now() + 300 });
    await until('the deadline', () => late.told() !== undefined);
    expect(late.told()?.code).toBe(4);
  });
});
