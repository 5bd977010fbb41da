import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sized } from '../size.ts';
import { FakeControl } from './fake-control.ts';
import { type Admin, startAdmin } from './harness.ts';

/** Requests that are nearly right: every one of them is wrong in at least one way that its schema can see. */

let control: FakeControl;
let admin: Admin;

beforeAll(async () => {
  control = new FakeControl('search', 'cart');
  admin = await startAdmin(control);
});
afterAll(() => admin.close());

const goodReason = fc.string({ minLength: 1, maxLength: 500 }).filter((text) => text.trim() !== '');
const badReason = fc.oneof(
  fc.constantFrom('', '   ', '\t\n', 'x'.repeat(501)),
  fc.anything().filter((value) => typeof value !== 'string' && value !== undefined),
);
const badWait = fc.oneof(
  fc.integer({ max: -1 }),
  fc.integer({ min: 60_001 }),
  fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true }),
  fc.anything().filter((value) => typeof value !== 'number' && value !== undefined),
);
const goodWeight = fc.integer({ min: 0, max: 1_000_000 }).map((ppm) => ppm / 10_000);
const badWeight = fc.oneof(
  fc.double({ max: -0.0001, noNaN: true }),
  fc.double({ min: 100.0001, noNaN: true }),
  fc.constantFrom(0.00001, 99.99999, 1e-9),
  fc.anything().filter((value) => typeof value !== 'number'),
);
const badRevision = fc.oneof(
  fc.integer({ max: 0 }),
  fc.double({ noInteger: true, noNaN: true }),
  fc.anything().filter((value) => typeof value !== 'number'),
);
const known = ['weight', 'reason', 'wait', 'revision'];
const unknownKey = fc
  .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.jsonValue())
  .filter(([key]) => !known.includes(key) && key !== '__proto__' && key !== 'constructor')
  .map(([key, value]) => ({ [key]: value }));
const notAnObject = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.jsonValue()));

/** Values that JSON can carry; what it drops would leave a right request. */
const asJson = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
  } catch {
    return undefined;
  }
};

const writeBody = fc.oneof(
  fc.record({ reason: badReason }),
  fc.record({ reason: goodReason, wait: badWait }),
  fc.tuple(fc.record({ reason: goodReason }), unknownKey).map(([body, extra]) => ({ ...body, ...extra })),
  notAnObject.filter((body) => body !== null),
);
const weightBody = fc.oneof(
  fc.record({ weight: badWeight, reason: goodReason }),
  fc.record({ weight: goodWeight, reason: badReason }),
  fc.record({ weight: goodWeight, reason: goodReason, wait: badWait }),
  fc
    .tuple(fc.record({ weight: goodWeight, reason: goodReason }), unknownKey)
    .map(([body, extra]) => ({ ...body, ...extra })),
  fc.record({ reason: goodReason }),
  notAnObject,
);
const rollbackBody = fc.record({ reason: goodReason, direct: fc.anything().filter((value) => !isDirect(value)) });
const adoptBody = fc.oneof(
  fc.record({ reason: badReason }),
  fc.record({ reason: goodReason, keep: fc.oneof(fc.string(), fc.integer(), fc.constant(null)) }),
  fc.record({ keep: fc.constantFrom('served', 'stored') }),
);
const undoBody = fc.oneof(
  fc.record({ revision: badRevision, reason: goodReason }),
  fc.record({ revision: fc.constant(2), reason: badReason }),
  notAnObject,
);

function isDirect(value: unknown): boolean {
  return typeof value === 'boolean' || value === undefined;
}

function isKeep(value: unknown): boolean {
  return value === 'served' || value === 'stored';
}

const sent = <Body>(method: string, paths: readonly string[], body: fc.Arbitrary<Body>) =>
  fc.record({
    method: fc.constant(method),
    path: fc.constantFrom(...paths),
    body: body.map(asJson).filter((text) => text !== undefined && stillWrong(text)),
    ifMatch: fc.constantFrom('"1"', '"2"', '*', undefined),
  });

/** JSON turns NaN and infinities into null and drops functions; a body that lost its fault that way is no bad request. */
function stillWrong(text: string): boolean {
  const body: unknown = JSON.parse(text);
  if (typeof body !== 'object' || body === null) return true;
  const { weight, reason, wait, revision, direct, keep, ...unknown } = body as Record<string, unknown>;
  if (Object.keys(unknown).length > 0 || Array.isArray(body)) return true;
  const wrongReason =
    reason !== undefined && (typeof reason !== 'string' || reason.trim() === '' || reason.length > 500);
  const wrongWait =
    wait !== undefined && !(Number.isInteger(wait) && (wait as number) >= 0 && (wait as number) <= 60_000);
  const wrongChoice = !isDirect(direct) || (keep !== undefined && (!isKeep(keep) || reason === undefined));
  const numbers = [weight, revision].filter((value) => value !== undefined);
  return (
    wrongReason ||
    wrongWait ||
    wrongChoice ||
    (direct === undefined && keep === undefined && numbers.length === 0) ||
    numbers.some((value) => typeof value !== 'number' || !isFine(value))
  );
}

/** As a weight or as a revision. */
function isFine(value: number): boolean {
  return value >= 0 && value <= 100 && Math.abs(value * 10_000 - Math.round(value * 10_000)) < 1e-6;
}

const badRequest = fc.oneof(
  sent('PUT', ['/v1/routes/search/weight', '/v1/routes/cart/weight'], weightBody),
  sent(
    'POST',
    ['/v1/rollback', '/v1/routes/search/rollback', '/v1/routes/cart/freeze', '/v1/routes/cart/unfreeze'],
    writeBody,
  ),
  sent('POST', ['/v1/undo'], undoBody),
  sent('POST', ['/v1/rollback', '/v1/routes/search/rollback'], rollbackBody),
  sent('POST', ['/v1/adopt'], adoptBody),
  fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
    path: fc
      .tuple(
        fc.constantFrom('/v1/', '/v1/history?limit=', '/v1/explain?url=', '/v1/explain?header=', '/v1/routes/'),
        fc.string(),
      )
      .map(([start, end]) => start + encodeURIComponent(end).replace(/%/g, end.length % 2 ? '%' : '%2')),
    body: fc.constant(undefined),
    ifMatch: fc.constant(undefined),
  }),
);

const REQUESTS = sized(10_000, 600);

test(`${REQUESTS} bad requests: all are refused or harmless, none is our fault, nothing changes`, async () => {
  const before = JSON.stringify(control.routes());
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(badRequest, async ({ method, path, body, ifMatch }) => {
      const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
      const answer = await admin.send(method, path, { body, headers });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      expect(answer.status).toBeLessThan(500);
      if (body !== undefined) expect(answer.status).toBe(400);
      if (answer.status >= 400 && method !== 'HEAD') {
        expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
        expect(answer.json()).toMatchObject({
          status: answer.status,
          title: expect.any(String),
          code: expect.any(String),
        });
      }
    }),
    { numRuns: REQUESTS },
  );
  expect(control.writes).toEqual([]);
  expect(control.pinned.size).toBe(0);
  expect(JSON.stringify(control.routes())).toBe(before);
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([400, 404, 405]));
}, 300_000);
