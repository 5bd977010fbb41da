import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { EndpointsHealth } from '../../src/control/endpoint-health.ts';
import { planOf } from './plans.ts';

let health: EndpointsHealth | undefined;
afterEach(() => health?.close());

const A = { host: '10.0.0.1', port: 80 };
const B = { host: '10.0.0.2', port: 80 };

test('an endpoint says since when it is as it is; one that its source has no more is shown as draining for a minute', () => {
  let now = 1_000_000;
  const told: string[] = [];
  const watched = new EndpointsHealth({
    clock: () => now,
    wall: () => now,
    random: () => 0.5,
    watcher: {
      onExceptions() {},
      onEndpoint: (_backend, { host }, { state }) => void told.push(`${host} ${state}`),
      onBackend() {},
    },
  });
  health = watched;
  watched.install(planOf(['demo']));
  watched.follow(0, [A, B]);
  expect(watched.left(0)).toEqual([]);
  now += 5_000;
  const key = watched.view(0)[1]?.key ?? '';
  watched.reported(1, [{ backend: 0, key, attempts: 1, faults: 1, streak: 1, isUnreachable: true }]);
  const since = now;
  expect(told).toEqual(['10.0.0.2 unreachable']);
  now += 30_000;
  expect(watched.view(0)).toMatchObject([
    { endpoint: A, state: 'healthy', since: 1_000_000 },
    { endpoint: B, state: 'unreachable', since },
  ]);
  watched.follow(0, [A]);
  const left = now;
  now += 59_000;
  expect(watched.left(0)).toEqual([{ endpoint: B, since: left }]);
  watched.follow(0, [A, B]);
  expect(watched.left(0)).toEqual([]);
  watched.follow(0, [A]);
  now += 61_000;
  expect(watched.left(0)).toEqual([]);
});

test('those that are not healthy are what of all is not healthy, whatever workers have seen', () => {
  const seen = fc.record({ at: fc.constantFrom(0, 1), isUnreachable: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.array(seen, { maxLength: 4 })), (reports) => {
      const watched = new EndpointsHealth({
        clock: () => 0,
        wall: () => 0,
        random: () => 0.5,
        watcher: { onExceptions() {}, onEndpoint() {}, onBackend() {} },
      });
      watched.install(planOf(['demo']));
      expect(watched.unwell(0)).toEqual([]);
      watched.follow(0, [A, B]);
      const keys = watched.view(0).map(({ key }) => key);
      for (const [worker, report] of reports.entries()) {
        watched.reported(
          worker % 2,
          report.map(({ at, isUnreachable }) => {
            return { backend: 0, key: keys[at] as string, attempts: 1, faults: 0, streak: 0, isUnreachable };
          }),
        );
        expect(watched.unwell(0)).toEqual(watched.view(0).filter(({ state }) => state !== 'healthy'));
      }
      watched.close();
    }),
  );
});
