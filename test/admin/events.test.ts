import { type ClientRequest, get } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeControl } from './fake-control.ts';
import { type Admin, startAdmin } from './harness.ts';

let control: FakeControl;
let admin: Admin;
const clients: ClientRequest[] = [];

beforeEach(async () => {
  control = new FakeControl('search');
  admin = await startAdmin(control);
});
afterEach(async () => {
  vi.useRealTimers();
  for (const client of clients.splice(0)) client.destroy();
  await admin.close();
});

interface Stream {
  readonly client: ClientRequest;
  headers: Record<string, unknown>;
  received: string;
  ended: boolean;
}

async function open(headers: Record<string, string> = {}): Promise<Stream> {
  const client = get({ host: '127.0.0.1', port: admin.port, path: '/v1/events', headers, agent: false });
  clients.push(client);
  const stream: Stream = { client, headers: {}, received: '', ended: false };
  client.on('error', () => undefined);
  client.on('response', (response) => {
    stream.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      stream.received += chunk;
    });
    response.on('error', () => undefined);
    response.on('close', () => {
      stream.ended = true;
    });
  });
  await until(() => stream.received.startsWith(': connected\n\n'));
  return stream;
}

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

/** Events of a stream as their fields. */
function events(stream: Stream): { id: string; event: string; data: Record<string, unknown> }[] {
  const blocks = stream.received.split('\n\n').filter((block) => block.startsWith('id: '));
  return blocks.map((block) => {
    const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))) as Record<
      string,
      string
    >;
    return {
      id: fields['id'] ?? '',
      event: fields['event'] ?? '',
      data: JSON.parse(fields['data'] ?? '') as Record<string, unknown>,
    };
  });
}

const worker = (pid: number) => control.emit({ type: 'worker', pid, what: 'started', detail: null });

describe('a stream of events', () => {
  test('begins now, and tells changes in percent', async () => {
    worker(1);
    const stream = await open();
    expect(stream.headers['content-type']).toBe('text/event-stream');
    await admin.send('PUT', '/v1/routes/search/weight', {
      body: { weight: 25, reason: 'two\nlines' },
      headers: { 'if-match': '"1"' },
    });
    control.emit({ type: 'store', up: false, disputed: false, settled: false, reason: 'disk full' });
    await until(() => events(stream).length === 2);
    expect(events(stream)).toMatchObject([
      {
        id: '2',
        event: 'change',
        data: {
          id: 2,
          type: 'change',
          entry: { revision: 2, reason: 'two\nlines', routes: [{ after: { weight: 25 } }] },
        },
      },
      { id: '3', event: 'store', data: { up: false, disputed: false, settled: false, reason: 'disk full' } },
    ]);
  });

  test('resumes after Last-Event-ID, missing and repeating nothing', async () => {
    for (let pid = 1; pid <= 5; pid++) worker(pid);
    const stream = await open({ 'last-event-id': '3' });
    worker(6);
    await until(() => events(stream).length === 3);
    expect(events(stream).map(({ id }) => id)).toEqual(['4', '5', '6']);
  });

  test('an id from before a restart is given everything', async () => {
    worker(1);
    worker(2);
    const stream = await open({ 'last-event-id': '977' });
    await until(() => events(stream).length === 2);
    expect(events(stream).map(({ id }) => id)).toEqual(['1', '2']);
  });

  test.each(['', 'x', '-1'])('an id that never was ("%s") begins now', async (id) => {
    worker(1);
    const stream = await open({ 'last-event-id': id });
    worker(2);
    await until(() => events(stream).length === 1);
    expect(events(stream)[0]?.id).toBe('2');
  });

  test('a heartbeat every 15 s keeps it open', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stream = await open();
    vi.advanceTimersByTime(30_000);
    vi.useRealTimers();
    await until(() => stream.received === ': connected\n\n: still here\n\n: still here\n\n');
  });

  test('a client that left is forgotten', async () => {
    const stream = await open();
    expect(control.listeners).toBe(1);
    stream.client.destroy();
    await until(() => control.listeners === 0);
  });

  test('closing the server ends it', async () => {
    const stream = await open();
    await admin.close();
    await until(() => stream.ended);
    expect(control.listeners).toBe(0);
  });

  test('a client that does not read is disconnected', async () => {
    const socket = connect(admin.port, '127.0.0.1');
    try {
      socket.on('error', () => undefined);
      socket.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await until(() => control.listeners === 1);
      const detail = 'x'.repeat(1_000_000);
      let sent = 0;
      await vi.waitUntil(
        () => {
          control.emit({ type: 'config', ok: true, detail });
          sent++;
          return control.listeners === 0;
        },
        { timeout: 20_000, interval: 1 },
      );
      // What the kernel took, and the few megabytes that are let wait.
      expect(sent).toBeLessThan(100);
    } finally {
      socket.destroy();
    }
  });
});
