/** What the console is told: everything once, then what changes, made once for all who listen. */
import { type ClientRequest, get } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type EventStream } from '../../src/admin/event-stream.ts';
import { Live, type LiveOptions, type LiveRoutes, type LiveStats } from '../../src/admin/live.ts';
import { FakeControl } from './fake-control.ts';
import { startAdmin } from './harness.ts';

const TIME: LiveOptions = { clock: Date.now, monotonic: () => performance.now(), hasPrometheus: false };

let control: FakeControl;

beforeEach(() => {
  control = new FakeControl('search', 'cart');
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface Message {
  readonly event: string;
  readonly data: unknown;
}

function client(unread = 0): EventStream & { take(): Message[] } {
  let received = '';
  return {
    unread,
    send: (text) => {
      received += text;
    },
    take() {
      const blocks = received.split('\n\n').filter((block) => block !== '');
      received = '';
      return blocks.map((block) => {
        const [, event = '', json = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
        return { event, data: JSON.parse(json) as unknown };
      });
    },
  };
}

const named = (messages: Message[], event: string) => messages.filter((message) => message.event === event);
const routesOf = (messages: Message[]) => named(messages, 'routes').map(({ data }) => data as LiveRoutes);
const statsOf = (messages: Message[]) => named(messages, 'stats').map(({ data }) => data as LiveStats);

test('first everything, in the order of the configuration', () => {
  const live = new Live(control, TIME);
  const one = client();
  live.join(one);
  const first = one.take();
  expect(first.map(({ event }) => event)).toEqual(['status', 'routes', 'stats']);
  const [routes] = routesOf(first);
  expect(routes?.count).toBe(2);
  expect(routes?.changed.map(([place, { name }]) => [place, name])).toEqual([
    [0, 'search'],
    [1, 'cart'],
  ]);
  const [stats] = statsOf(first);
  expect(stats?.rows).toEqual([
    [0, 800, 1, 12.5, 80, 4, 200, 0, 10, 60, 1],
    [1, 800, 1, 12.5, 80, 4, 200, 0, 10, 60, 1],
  ]);
  expect(stats?.evidence[0]).toEqual([0, control.route('search')?.evidence]);
  live.leave(one);
});

test('then, each second, what has changed and nothing else', () => {
  const live = new Live(control, TIME);
  const one = client();
  live.join(one);
  one.take();
  vi.advanceTimersByTime(1_000);
  const calm = one.take();
  expect(calm.map(({ event }) => event)).toEqual(['status', 'stats']);
  expect(statsOf(calm)).toEqual([expect.objectContaining({ rows: [], evidence: [] })]);
  const rows = control.stats();
  rows[1] = [1, 0, null, null, 0, 2, 0, null, null, 0];
  control.stats = () => rows;
  vi.advanceTimersByTime(1_000);
  expect(statsOf(one.take())[0]?.rows).toEqual([[1, 1, 0, null, null, 0, 2, 0, null, null, 0]]);
  live.leave(one);
});

test('a change is told at once, with the route as it is then', async () => {
  const live = new Live(control, TIME);
  const one = client();
  live.join(one);
  one.take();
  await control.setWeight('cart', 250_000, { actor: 'otto', reason: 'try', ifRevision: 2 });
  vi.advanceTimersByTime(50);
  const told = one.take();
  expect(told.map(({ event }) => event)).toEqual(['change', 'routes', 'status', 'stats']);
  expect(routesOf(told)).toEqual([{ count: 2, changed: [[1, expect.objectContaining({ name: 'cart', weight: 25 })]] }]);
  live.leave(one);
});

test('of changes that come one upon the other the first is told at once, and the others together soon after', async () => {
  const live = new Live(control, TIME);
  const one = client();
  live.join(one);
  const change = async (weightPpm: number, ifRevision: number): Promise<LiveRoutes['changed']> => {
    await control.setWeight('cart', weightPpm, { actor: 'otto', reason: 'try', ifRevision });
    vi.advanceTimersByTime(50);
    return routesOf(one.take()).flatMap(({ changed }) => changed);
  };
  vi.advanceTimersByTime(100);
  one.take();
  expect(await change(250_000, 2)).toEqual([[1, expect.objectContaining({ weight: 25 })]]);
  expect(await change(300_000, 3)).toEqual([]);
  expect(await change(350_000, 4)).toEqual([]);
  vi.advanceTimersByTime(150);
  expect(routesOf(one.take()).flatMap(({ changed }) => changed)).toEqual([
    [1, expect.objectContaining({ weight: 35 })],
  ]);
  live.leave(one);
});

test('how long ago the last change was told does not hang on the time of day', async () => {
  let monotonic = 0;
  const live = new Live(control, { ...TIME, monotonic: () => monotonic });
  const one = client();
  live.join(one);
  const weight = async (weightPpm: number, ifRevision: number): Promise<number | undefined> => {
    one.take();
    await control.setWeight('cart', weightPpm, { actor: 'otto', reason: 'try', ifRevision });
    vi.advanceTimersByTime(50);
    return routesOf(one.take())[0]?.changed[0]?.[1].weight;
  };
  expect(await weight(250_000, 2)).toBe(25);
  vi.setSystemTime(Date.now() + 3_600_000);
  expect(await weight(300_000, 3)).toBeUndefined();
  vi.advanceTimersByTime(200);
  monotonic += 201;
  vi.setSystemTime(Date.now() - 7_200_000);
  expect(await weight(350_000, 4)).toBe(35);
  live.leave(one);
});

test('who comes later is told what it is now, and all are told the same from then on', async () => {
  const live = new Live(control, TIME);
  const [one, two] = [client(), client()];
  live.join(one);
  await control.setWeight('cart', 250_000, { actor: 'otto', reason: 'try', ifRevision: 2 });
  live.join(two);
  expect(routesOf(two.take())[0]?.changed[1]?.[1]).toMatchObject({ name: 'cart', weight: 25 });
  one.take();
  vi.advanceTimersByTime(1_000);
  expect(one.take()).toEqual(two.take());
  live.leave(one);
  live.leave(two);
});

test('a client that does not keep up is spared the numbers', () => {
  const live = new Live(control, TIME);
  const slow = client(2 * 1024 * 1024);
  live.join(slow);
  slow.take();
  vi.advanceTimersByTime(1_000);
  expect(slow.take().map(({ event }) => event)).toEqual(['status']);
  live.leave(slow);
});

test('nothing is made while nobody listens', () => {
  const live = new Live(control, TIME);
  const one = client();
  live.join(one);
  live.leave(one);
  expect([vi.getTimerCount(), control.listeners]).toEqual([0, 0]);
});

test('over the network', async () => {
  vi.useRealTimers();
  const admin = await startAdmin(control);
  let received = '';
  const request: ClientRequest = get(`${admin.url}/v1/live`, (response) => {
    response.setEncoding('utf8').on('data', (text: string) => {
      received += text;
    });
  });
  request.on('error', () => undefined);
  await vi.waitUntil(() => received.includes('event: stats'), { timeout: 10_000, interval: 5 });
  expect(received).toMatch(/^: connected\n\nevent: status\n/);
  const over = admin.close();
  await over;
  await vi.waitUntil(() => control.listeners === 0, { timeout: 10_000, interval: 5 });
});
