/** Bodies of POST /v1/routes/{route}/ramp: what each begins, and what is said of one that begins nothing. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeControl } from './fake-control.ts';
import { type Admin, startAdmin } from './harness.ts';

let control: FakeControl;
let admin: Admin;

beforeEach(async () => {
  control = new FakeControl('search', 'cart');
  admin = await startAdmin(control);
});
afterEach(() => admin.close());

const ramp = (body: unknown, ifMatch: string | null = '"1"') =>
  admin.send('POST', '/v1/routes/search/ramp', { body, headers: ifMatch === null ? {} : { 'if-match': ifMatch } });

describe('begins', () => {
  test('steps by hand, each kind of gate as it is kept', async () => {
    const steps = [
      { weight: 0.1, hold: '10m' },
      { weight: 10, hold: '90s', gate: { newRequests: 1000 } },
      { weight: 50, hold: '1h', gate: 'approval' },
      { weight: 100 },
    ];
    const answer = await ramp({ steps, reason: 'the move' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ name: 'search', weight: 0.1, state: 'ramping', revision: 3 });
    expect(control.planned?.steps).toEqual([
      { weightPpm: 1_000, holdMs: 600_000, gate: null },
      { weightPpm: 100_000, holdMs: 90_000, gate: { kind: 'newRequests', newRequests: 1000 } },
      { weightPpm: 500_000, holdMs: 3_600_000, gate: { kind: 'approval' } },
      { weightPpm: 1_000_000, holdMs: 0, gate: null },
    ]);
  });

  test('a template by its name, and that of the route without one', async () => {
    expect((await ramp({ template: 'careful', reason: 'go' })).status).toBe(200);
    expect(control.planned).toMatchObject({ template: 'careful', steps: undefined });
    expect((await ramp({ reason: 'again', force: true }, '"3"')).status).toBe(200);
    expect(control.planned).toMatchObject({ template: undefined, steps: undefined });
  });
});

test('dryRun answers the plan, without a revision, and nothing is changed', async () => {
  const answer = await ramp({ steps: [{ weight: 50, hold: '1m' }], dryRun: true }, null);
  expect([answer.status, answer.json()]).toEqual([
    200,
    { kind: 'plan', template: 'careful', steps: [{ weight: 50, hold: 60_000, gate: null }], begins: 1 },
  ]);
  expect(control.writes).toEqual([]);
  expect(control.route('search')).toMatchObject({ weight: 0, ramp: null });
});

describe('begins nothing, and says where the fault lies', () => {
  test.each([
    ['both', { template: 'careful', steps: [{ weight: 1 }], reason: 'r' }, /steps: give either template or steps/],
    ['no step', { steps: [], reason: 'r' }, /steps: /],
    ['a step without a weight', { steps: [{ hold: '5m' }], reason: 'r' }, /steps\.0\.weight: /],
    ['a weight above all', { steps: [{ weight: 101 }], reason: 'r' }, /steps\.0\.weight: /],
    ['steps that go down', { steps: [{ weight: 50, hold: '1m' }, { weight: 10 }], reason: 'r' }, /steps: /],
    ['a hold that is no time', { steps: [{ weight: 1, hold: 'soon' }], reason: 'r' }, /steps\.0\.hold: /],
    [
      'a gate unknown',
      { steps: [{ weight: 1, hold: '1m', gate: 'luck' }], reason: 'r' },
      /steps\.0\.gate: must be approval/,
    ],
    [
      'a gate of no requests',
      { steps: [{ weight: 1, hold: '1m', gate: { newRequests: 0 } }], reason: 'r' },
      /steps\.0\.gate/,
    ],
    ['a key that is none', { steps: [{ weight: 1, holds: '1m' }], reason: 'r' }, /holds/],
    ['a list', [{ weight: 1 }], /object/],
  ])('%s', async (_, body, said) => {
    const answer = await ramp(body);
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect((answer.json() as { detail: string }).detail).toMatch(said);
    expect(control.writes).toEqual([]);
  });

  test('no revision, an old one, no such ramp, no such route', async () => {
    const body = { steps: [{ weight: 50, hold: '1m' }], reason: 'go' };
    expect((await ramp(body, null)).status).toBe(428);
    expect((await ramp(body, '"9"')).status).toBe(412);
    expect((await ramp({ template: 'none', dryRun: true }, null)).json()).toMatchObject({
      status: 404,
      code: 'unknownRamp',
    });
    expect((await admin.send('POST', '/v1/routes/nope/ramp', { body })).status).toBe(404);
    expect(control.route('search')).toMatchObject({ weight: 0, ramp: null });
  });
});
