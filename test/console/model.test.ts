/** What the page knows and says, without a page. */
import { describe, expect, test } from 'vitest';
import { isNewWorse } from '../../src/console/compare.ts';
import { age, clock, milliseconds, percent, rate, ratio, span, weight } from '../../src/console/format.ts';
import { headline } from '../../src/console/headline.ts';
import {
  EMPTY,
  type Happening,
  happeningOf,
  type Model,
  withHappenings,
  withRoutes,
  withStats,
  withStatus,
  withWritten,
} from '../../src/console/model.ts';
import { nextInWords, type RampShown, rampOf } from '../../src/console/ramp.ts';
import { inOrderOf, placesOf } from '../../src/console/troubled-first.ts';
import type { EndpointView, RampView, RouteView, StatsRow } from '../../src/control/control.ts';
import { FakeControl } from '../admin/fake-control.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const control = new FakeControl('search', 'cart');
const status = { at: NOW, hasPrometheus: false, ...control.status() };
const route = (name: string, more: Partial<RouteView> = {}): RouteView => ({
  ...(control.route('search') as RouteView),
  name,
  ...more,
});
const CALM: StatsRow = [800, 1, 12, 80, 4, 200, 0, 10, 60, 1];

const HELD: RampView = {
  template: null,
  step: 1,
  of: 2,
  weight: 1,
  since: NOW,
  steps: [],
  gate: null,
  newRequests: 0,
  next: { weight: 100, at: null },
  waiting: { for: 'verdict', reason: 'the test has just begun' },
};

function modelOf(routes: RouteView[], row: StatsRow = CALM): Model {
  return { ...EMPTY, connection: 'live', heardAt: NOW, status, routes, rows: routes.map(() => row) };
}

describe('messages', () => {
  test('change only what they name, and leave the rest the same objects', () => {
    const first = withRoutes(EMPTY, {
      count: 2,
      changed: [
        [0, route('search')],
        [1, route('cart')],
      ],
    });
    const next = withRoutes(first, { count: 2, changed: [[1, route('cart', { weight: 5 })]] });
    expect(next.routes.map((each) => each.weight)).toEqual([0, 5]);
    expect(next.routes[0]).toBe(first.routes[0]);
    const stats = withStats(next, { at: NOW, rows: [[1, ...CALM]], evidence: [] });
    expect(stats.rows[1]).toEqual(CALM);
    expect(stats.rows[0]).toBe(first.rows[0]);
    expect(stats.routes).toBe(next.routes);
  });

  test('what a write has answered is shown until the stream tells of the route, and never over what is newer', () => {
    const model = modelOf([route('search', { revision: 3 }), route('cart', { revision: 5, weight: 7 })]);
    const answers = [route('search', { revision: 4, weight: 20 }), route('cart', { revision: 5, weight: 9 })];
    const shown = withWritten(model, [...answers, route('gone', { revision: 9 })]);
    expect(shown.routes.map(({ name, weight }) => [name, weight])).toEqual([
      ['search', 20],
      ['cart', 7],
    ]);
    expect(shown.routes[1]).toBe(model.routes[1]);
    const told = withRoutes(shown, {
      count: 2,
      changed: [[0, route('search', { revision: 4, weight: 20, frozen: true })]],
    });
    expect(told.routes[0]).toMatchObject({ weight: 20, frozen: true });
    expect(withWritten(told, answers).routes[0]).toBe(told.routes[0]);
  });

  test('take away routes that are no more', () => {
    const two = withRoutes(EMPTY, {
      count: 2,
      changed: [
        [0, route('a')],
        [1, route('b')],
      ],
    });
    expect(withRoutes(two, { count: 1, changed: [] }).routes.map(({ name }) => name)).toEqual(['a']);
  });

  test('bring evidence beside the route', () => {
    const one = withRoutes(EMPTY, { count: 1, changed: [[0, route('a')]] });
    const evidence = { value: 2.5, threshold: 3, verdict: 'healthy', reason: 'fine' } as const;
    const told = withStats(one, { at: NOW, rows: [], evidence: [[0, evidence]] });
    expect(told.routes[0]?.evidence).toEqual(evidence);
    const moved = withRoutes(told, { count: 1, changed: [[0, route('a', { weight: 9 })]] });
    expect(moved.routes[0]?.evidence.value).toBe(2.5);
  });

  test('tell a change once, though it comes by the stream and by the history', () => {
    const change: Happening = { at: NOW, who: 'otto', what: 'set', why: '', revision: 4, route: 'a', kind: 'change' };
    const model = withHappenings(withHappenings(EMPTY, [change]), [
      { ...change },
      { ...change, at: NOW + 1, revision: 5 },
    ]);
    expect(model.happenings.map(({ revision }) => revision)).toEqual([5, 4]);
  });
});

const side = (backend: string, ill: number, state: EndpointView['state'] = 'unhealthy') => ({
  ...(control.route('search') as RouteView).new,
  backend,
  endpoints: ['10.1.4.2:8080', '10.1.4.3:8080'],
  ailing: ['10.1.4.2:8080', '10.1.4.3:8080']
    .slice(0, ill)
    .map((endpoint) => ({ endpoint, state, reason: '', since: NOW })),
});
const lines = (...routes: RouteView[]) => headline(modelOf(routes), NOW).map(({ level, text }) => `${level}: ${text}`);

describe('the headline', () => {
  const first = (model: Model) => headline(model, NOW)[0];

  test('is calm only when there is nothing to tell', () => {
    expect(first(modelOf([route('search'), route('cart', { weight: 5, state: 'ramping' })]))).toEqual({
      level: 'good',
      text: 'All calm: 2 routes, 1 on both sides, 1 ramping, nothing worse on new than on old',
    });
  });

  test.each<[string, Model, string, RegExp]>([
    [
      'too many pages',
      { ...modelOf([]), connection: 'gaveWay', heardAt: NOW - 12_000 },
      'bad',
      /click into this one to go on\. What you see is 12 s old/,
    ],
    ['the connection', { ...modelOf([]), connection: 'lost', heardAt: NOW - 12_000 }, 'bad', /for 12 s: what you see/],
    [
      'the store',
      {
        ...modelOf([]),
        status: { ...status, store: { kind: 'redis', up: false, disputed: false, reason: 'ECONNREFUSED' } },
      },
      'bad',
      /ECONNREFUSED.*rolling back here still works/,
    ],
    [
      'a store in dispute',
      {
        ...modelOf([]),
        status: {
          ...status,
          store: { kind: 'redis', up: false, disputed: true, reason: 'it fell back' },
          alarm: 'it fell back; nothing is taken or written until somebody adopts',
        },
      },
      'bad',
      /^it fell back; nothing is taken/,
    ],
    ['an alarm', { ...modelOf([]), status: { ...status, alarm: 'the store went back' } }, 'bad', /went back/],
    [
      'a breach',
      modelOf([
        route('search', { weight: 5, evidence: { value: 4, threshold: 3, verdict: 'breach', reason: 'new fails' } }),
      ]),
      'bad',
      /new fails/,
    ],
    [
      'a rollback',
      modelOf([route('search', { state: 'rolledBack', reason: 'by the judge' })]),
      'warn',
      /was rolled back: by the judge/,
    ],
    ['a held route', modelOf([route('search', { state: 'held', reason: 'too few' })]), 'warn', /is held: too few/],
    [
      'what a held route waits for',
      modelOf([route('search', { state: 'held', reason: 'the test has just begun', ramp: HELD })]),
      'warn',
      /is held, waits for verdict: the test has just begun/,
    ],
    [
      'numbers that look worse',
      modelOf([route('search', { weight: 5 })], [900, 1, 9, 40, 1, 100, 9, 9, 40, 1]),
      'warn',
      /new fails more than old: 9.0% \(9 of 100\) against 0.11%/,
    ],
    [
      'a slower new',
      modelOf([route('search', { weight: 5 })], [900, 1, 9, 40, 1, 300, 0, 9, 90, 1]),
      'warn',
      /p99 90 ms against 40 ms/,
    ],
  ])('tells of %s', (_what, model, level, text) => {
    expect(first(model)).toMatchObject({ level, text: expect.stringMatching(text) as string });
  });

  test('tells of replicas that lag, once they have had time', () => {
    const lagging = { id: 'px-2', address: null, revision: 1, applied: false, seenMs: 9 };
    const told = { ...status, replicas: [...status.replicas, lagging] };
    const model = withStatus(modelOf([]), told, NOW);
    expect(headline(model, NOW + 2_000)[0]?.level).toBe('good');
    expect(headline(model, NOW + 4_000)[0]?.text).toBe('1 of 2 replicas lag behind: px-2');
  });

  test('tells when and by whom a route was rolled back, and why only where somebody said so', () => {
    const entry = { id: 7, at: NOW, verb: 'rollback', actor: 'otto', revision: 7 };
    const told = (reason: string): string | undefined => {
      const happening = happeningOf({ ...entry, reason, routes: [] });
      const model = modelOf([route('search', { state: 'rolledBack', reason })]);
      return first({ ...model, happenings: [{ ...happening, route: 'search' }] })?.text;
    };
    expect(told('users complain')).toMatch(/^was rolled back at \d\d:\d\d:\d\d by otto: users complain$/);
    expect(told('rollback by otto')).toMatch(/^was rolled back at \d\d:\d\d:\d\d by otto$/);
  });

  describe('of endpoints', () => {
    test('tells of a backend once, however many routes it has', () => {
      const ill = { old: side('b-old', 0), new: side('b-new', 1), weight: 5 };
      expect(lines(route('search', ill), route('cart', ill))).toEqual([
        'warn: 1 of 2 endpoints of b-new does not serve',
      ]);
    });

    test('all of them are worse than some', () => {
      const ill = { old: side('b-old', 2), new: side('b-new', 1), weight: 5 };
      expect(lines(route('search', ill))).toEqual([
        'bad: 2 of 2 endpoints of b-old do not serve',
        'warn: 1 of 2 endpoints of b-new does not serve',
      ]);
    });

    test('says nothing of a new side that gets nothing, nor of what comes and goes as planned', () => {
      expect(
        lines(route('search', { old: side('b-old', 1, 'draining'), new: side('b-new', 2), weight: 0 }))[0],
      ).toMatch(/^good/);
    });

    test('the old side counts at 100 percent too: it is the way back', () => {
      expect(lines(route('search', { old: side('b-old', 2), new: side('b-new', 0), weight: 100 }))[0]).toMatch(
        /^bad: 2 of 2/,
      );
    });
  });

  test('has the worst on top', () => {
    const model = modelOf([
      route('a', { state: 'held' }),
      route('b', { weight: 1, evidence: { value: 4, threshold: 3, verdict: 'breach', reason: 'bad' } }),
    ]);
    expect(headline(model, NOW).map((line) => line.route)).toEqual(['b', 'a']);
  });
});

test('new is worse only beyond the tolerance, and on enough requests', () => {
  expect(isNewWorse([900, 9, 10, 40, 0, 100, 2, 34, 64, 0])).toEqual({ errors: false, p50: false, p99: false });
  expect(isNewWorse([900, 9, 10, 40, 0, 299, 3, 36, 66, 0])).toMatchObject({ p99: false });
  expect(isNewWorse([900, 9, 10, 40, 0, 300, 3, 36, 66, 0])).toEqual({ errors: false, p50: true, p99: true });
  expect(isNewWorse([900, 9, 10, 40, 0, 100, 9, 30, 60, 0])).toEqual({ errors: true, p50: false, p99: false });
  expect(isNewWorse([900, 9, 10, 40, 0, 19, 0, 36, 66, 0])).toEqual({ errors: false, p50: false, p99: false });
});

test('routes in trouble come first, then those that move, then as configured; a filter keeps what has all its words', () => {
  const routes = [
    route('calm'),
    route('both', { weight: 5 }),
    route('ramp', { state: 'ramping', weight: 5 }),
    route('back', { state: 'rolledBack' }),
    route('all', { weight: 100 }),
  ];
  expect(placesOf(routes, '')).toEqual([3, 2, 1, 0, 4]);
  expect(placesOf(routes, 'search-new RAMP')).toEqual([2]);
});

test('rows stay where they are while they are the same, and are sorted anew when they are others', () => {
  expect(inOrderOf([0, 1, 2], [2, 0, 1])).toEqual([0, 1, 2]);
  expect(inOrderOf([0, 1, 2], [2, 0])).toEqual([2, 0]);
  expect(inOrderOf([0, 1], [2, 0])).toEqual([2, 0]);
  expect(inOrderOf([], [1, 0])).toEqual([1, 0]);
});

describe('numbers', () => {
  test.each<[string, string]>([
    [rate(0), '0'],
    [rate(9.44), '9.4'],
    [rate(820.4), '820'],
    [rate(1_900), '1.9k'],
    [rate(64_000), '64k'],
    [rate(2_500_000), '2.5M'],
    [rate(4.6e12), '5e12'],
    [percent(0), '0%'],
    [percent(0.004), '<0.01%'],
    [percent(0.123), '0.12%'],
    [percent(24.8), '24.8%'],
    [percent(25), '25%'],
    [percent(99.995), '>99.99%'],
    [percent(100), '100%'],
    [weight(0.0001), '0.0001%'],
    [weight(25), '25%'],
    [ratio(0, 0), '–'],
    [ratio(1, 1000), '0.10%'],
    [milliseconds(null), '–'],
    [milliseconds(7.46), '7.5 ms'],
    [milliseconds(412), '412 ms'],
    [milliseconds(12_000), '12.0 s'],
    [span(12_000), '12 s'],
    [span(245_000), '4:05'],
    [span(12_000_000), '3 h 20 min'],
    [span(187_200_000), '2 d 4 h'],
    [age(430), '0.4 s'],
    [age(61_000), '1:01'],
  ])('%s', (shown, expected) => {
    expect(shown).toBe(expected);
  });

  test('times of another day carry their date', () => {
    expect(clock(NOW, NOW + 1_000)).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(clock(NOW, NOW + 3 * 86_400_000)).toMatch(/^2026-01-0\d \d\d:\d\d:\d\d$/);
  });
});

describe('a ramp', () => {
  const whole = { template: null, weight: 1, since: NOW, steps: [], gate: null, newRequests: 0, waiting: null };
  const ramping = (ramp: Pick<RampView, 'step' | 'of' | 'next'> & Partial<RampView>) => {
    const shown = route('search', { ramp: { ...whole, ...ramp }, state: 'ramping' });
    return nextInWords(shown, rampOf(shown) as RampShown, NOW);
  };

  test.each([
    [{ step: 1, of: 3, next: { weight: 5, at: NOW + 90_000 } }, 'next in 1:30'],
    [{ step: 1, of: 3, next: { weight: 5, at: NOW - 1 } }, 'due'],
    [
      { step: 1, of: 3, next: { weight: 5, at: null }, waiting: { for: 'approval' as const, reason: '' } },
      'waits: approval',
    ],
    [
      { step: 1, of: 3, next: { weight: 5, at: NOW + 5_000 }, waiting: { for: 'hold' as const, reason: '' } },
      'next in 5 s',
    ],
    [{ step: 3, of: 3, next: null }, 'last step'],
  ])('%j: %s', (ramp, words) => {
    expect(ramping(ramp)).toBe(words);
  });

  test('that is not there is not shown', () => {
    expect(rampOf(route('search', { ramp: null }))).toBeNull();
  });
});
