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

const raise = (weight: number, ifMatch: string, more = {}) =>
  admin.send('PUT', '/v1/routes/search/weight', {
    body: { weight, reason: 'next step', ...more },
    headers: { 'if-match': ifMatch },
  });

const put = (body: string, type?: string) =>
  admin.send('PUT', '/v1/routes/search/weight', {
    body,
    headers: type === undefined ? {} : { 'content-type': type },
  });

const revisions = async (query: string) => {
  const answer = await admin.send('GET', `/v1/history?${query}`);
  return (answer.json() as { entries: { revision: number }[] }).entries.map(({ revision }) => revision);
};

describe('reading', () => {
  test('status of the replica', async () => {
    const answer = await admin.send('GET', '/v1/status');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json()).toEqual(control.status());
  });

  test('all routes', async () => {
    const answer = await admin.send('GET', '/v1/routes');
    expect(answer.json()).toEqual({ routes: control.routes(), unconfigured: [] });
  });

  test('one route, its revision as ETag', async () => {
    const answer = await admin.send('GET', '/v1/routes/cart');
    expect(answer.status).toBe(200);
    expect(answer.headers['etag']).toBe('"2"');
    expect(answer.json()).toEqual(control.route('cart'));
  });

  test('HEAD answers like GET, without the body', async () => {
    const answer = await admin.send('HEAD', '/v1/routes/cart');
    expect(answer.status).toBe(200);
    expect(answer.headers['etag']).toBe('"2"');
    expect(answer.text).toBe('');
  });

  test.each(['/v1/routes/nope', '/v1/explain?route=nope', `/v1/routes/${'x'.repeat(5000)}`])(
    '%s is not there',
    async (path) => {
      const answer = await admin.send('GET', path);
      expect(answer.status).toBe(404);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toMatchObject({
        type: 'urn:crossfade:problem:unknownRoute',
        title: 'There is no such route',
        status: 404,
        detail: expect.stringContaining('is not configured here'),
        instance: path,
        code: 'unknownRoute',
      });
    },
  );
});

test.each([
  '/v1/routes/serach',
  '/v1/explain?route=serach',
  '/v1/series?route=serach',
  '/v1/routes/serach/preview?weight=1',
])('%s: a name that was mistyped is told from the one that was meant', async (path) => {
  expect((await admin.send('GET', path)).json()).toMatchObject({
    detail: 'Route "serach" is not configured here; did you mean "search"?',
  });
});

describe('setting a weight', () => {
  test('raises, and answers the route with its new ETag', async () => {
    const answer = await raise(12.3456, '"1"', { wait: 1500 });
    expect(answer.status).toBe(200);
    expect(answer.headers['etag']).toBe('"3"');
    expect(answer.json()).toEqual(control.route('search'));
    expect(control.route('search')).toMatchObject({ weight: 12.3456, revision: 3, reason: 'next step' });
    expect(control.writes).toEqual([{ actor: 'local', reason: 'next step', ifRevision: 1, waitMs: 1500 }]);
  });

  test('raising without If-Match is refused with 428', async () => {
    const answer = await admin.send('PUT', '/v1/routes/search/weight', { body: { weight: 1, reason: 'next step' } });
    expect(answer.status).toBe(428);
    expect(answer.json()).toMatchObject({ code: 'preconditionRequired', detail: expect.stringContaining('(1)') });
    expect(control.route('search')?.weight).toBe(0);
  });

  test.each(['"2"', '"9", "8"', 'W/"1"', '"one"'])('raising with If-Match %s is refused with 412', async (ifMatch) => {
    const answer = await raise(1, ifMatch);
    expect(answer.status).toBe(412);
    expect(answer.json()).toMatchObject({ code: 'stale' });
    expect(control.route('search')?.weight).toBe(0);
  });

  test.each(['"1"', '*', '"7", "1"', ' "1" '])('raising with If-Match %s is done', async (ifMatch) => {
    expect((await raise(1, ifMatch)).status).toBe(200);
  });

  test.each(['1', '"1', 'x"1"', '"1" "2"', ''])('If-Match %s is no ETag', async (ifMatch) => {
    const answer = await raise(1, ifMatch);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid', errors: [{ field: 'If-Match' }] });
  });

  test('raising needs a reason, lowering neither reason nor If-Match', async () => {
    const headers = { 'if-match': '"1"' };
    const without = await admin.send('PUT', '/v1/routes/search/weight', { body: { weight: 50 }, headers });
    expect(without.status).toBe(400);
    expect(without.json()).toMatchObject({ code: 'invalid', errors: [{ field: 'reason' }] });
    expect((await raise(50, '"1"')).status).toBe(200);
    const lowered = await admin.send('PUT', '/v1/routes/search/weight', { body: { weight: 20 } });
    expect(lowered.status).toBe(200);
    expect(lowered.json()).toMatchObject({ weight: 20, reason: 'set by local' });
  });

  test('a lowering that names an older revision is refused as well', async () => {
    await raise(50, '"1"');
    expect((await raise(20, '"1"')).status).toBe(412);
  });

  test.each([
    [{ weight: 101 }, 'weight', 'must be between 0 and 100 percent'],
    [{ weight: -0.1 }, 'weight', 'must be between 0 and 100 percent'],
    [{ weight: 0.00001 }, 'weight', 'must have at most four decimals'],
    [{ weight: '5' }, 'weight', 'must be a number'],
    [{}, 'weight', 'is required'],
    [{ weight: 1, reason: 7 }, 'reason', 'must be a string'],
    [{ weight: 1, force: 'yes' }, 'force', 'must be true or false'],
    [{ weight: 1, reason: '' }, 'reason', 'must not be empty'],
    [{ weight: 1, reason: '  ' }, 'reason', 'must not be empty'],
    [{ weight: 1, reason: 'x'.repeat(501) }, 'reason', 'at most 500'],
    [{ weight: 1, wait: 0.5 }, 'wait', 'must be a whole number'],
    [{ weight: 1, wait: -1 }, 'wait', 'must be at least 0'],
    [{ weight: 1, wait: 60_001 }, 'wait', 'must be at most 60000'],
    [{ weight: 1, weigth: 2 }, 'weigth', 'is not known here'],
    [[1], 'body', 'must be a JSON object'],
    ['null', 'body', 'must be a JSON object'],
    [undefined, 'body', 'must be a JSON object'],
  ])('refuses %j by naming %s', async (body, field, message) => {
    const answer = await admin.send('PUT', '/v1/routes/search/weight', { body, headers: { 'if-match': '"1"' } });
    expect(answer.status).toBe(400);
    const { code, errors } = answer.json() as { code: string; errors: { field: string; message: string }[] };
    expect(code).toBe('invalid');
    expect(errors).toEqual([{ field, message: expect.stringContaining(message) }]);
    expect(control.writes).toEqual([]);
  });

  test('names a key that JavaScript has a meaning for as any other that it does not know', async () => {
    for (const key of ['__proto__', 'constructor']) {
      const answer = await put(`{"weight": 1, "reason": "why", "${key}": {"prototype": {"weight": 1}}}`);
      expect(answer.json()).toMatchObject({
        status: 400,
        code: 'invalid',
        errors: [{ field: key, message: 'is not known here' }],
      });
    }
    expect(control.writes).toEqual([]);
  });

  test('refuses bodies that it cannot read', async () => {
    expect((await put('{"weight": 1')).json()).toMatchObject({ status: 400, code: 'malformed' });
    expect((await put('')).json()).toMatchObject({ status: 400, code: 'invalid' });
    expect((await put('weight=1', 'application/x-www-form-urlencoded')).json()).toMatchObject({
      status: 415,
      detail: 'Send JSON, with the header "content-type: application/json"',
    });
    expect((await put('{"weight": 1}', 'text/plain')).json()).toMatchObject({
      status: 415,
      code: 'unsupportedMediaType',
    });
    expect((await put(`{"weight": 1, "reason": "${'x'.repeat(70_000)}"}`)).json()).toMatchObject({
      status: 413,
      code: 'bodyTooLarge',
      detail: 'A body has at most 65536 bytes',
    });
    expect(control.writes).toEqual([]);
  });
});

describe('verbs', () => {
  test('rollback of one route needs nothing', async () => {
    await raise(50, '"1"');
    const answer = await admin.send('POST', '/v1/routes/search/rollback');
    expect(answer.status).toBe(200);
    expect(answer.headers['etag']).toBe('"4"');
    expect(answer.json()).toMatchObject({ weight: 0, state: 'rolledBack', reason: 'rollback by local' });
  });

  test('rollback is not refused to a client that names JSON and sends no body', async () => {
    await raise(50, '"1"');
    const headers = { 'content-type': 'application/json', 'content-length': '0' };
    const answer = await admin.send('POST', '/v1/routes/search/rollback', { headers });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ weight: 0, state: 'rolledBack' });
  });

  test('rollback takes a reason, and If-Match when it is sent', async () => {
    await raise(50, '"1"');
    const stale = { body: { reason: 'slow' }, headers: { 'if-match': '"1"' } };
    expect((await admin.send('POST', '/v1/routes/search/rollback', stale)).status).toBe(412);
    const answer = await admin.send('POST', '/v1/routes/search/rollback', { body: { reason: 'slow', wait: 0 } });
    expect(answer.json()).toMatchObject({ weight: 0, reason: 'slow' });
    expect(control.writes.at(-1)).toMatchObject({ actor: 'local', reason: 'slow', waitMs: 0 });
  });

  test('rollback of all routes', async () => {
    await raise(50, '"1"');
    const answer = await admin.send('POST', '/v1/rollback', { body: { reason: 'all back' } });
    expect(answer.status).toBe(200);
    const { routes } = answer.json() as { routes: object[] };
    expect(routes).toEqual(control.routes());
    expect(routes).toMatchObject([{ state: 'rolledBack' }, { state: 'rolledBack', reason: 'all back' }]);
  });

  test('a frozen route refuses to be raised until it is unfrozen', async () => {
    const frozen = await admin.send('POST', '/v1/routes/search/freeze', { body: { reason: 'holidays' } });
    expect(frozen.json()).toMatchObject({ frozen: true, reason: 'holidays', revision: 3 });
    const answer = await raise(1, '"3"');
    expect(answer.status).toBe(409);
    expect(answer.json()).toMatchObject({ code: 'frozen', title: 'The route is frozen' });
    expect((await admin.send('POST', '/v1/routes/search/unfreeze')).json()).toMatchObject({ frozen: false });
    expect((await raise(1, '"4"')).status).toBe(200);
  });

  test('undo restores what a change replaced', async () => {
    await raise(50, '"1"');
    const answer = await admin.send('POST', '/v1/undo', { body: { revision: 3 } });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      routes: [{ name: 'search', weight: 0, reason: 'undo of revision 3 by local' }],
    });
  });

  test('undo is refused for what is unknown, built upon, or a rollback', async () => {
    await raise(50, '"1"');
    await raise(60, '"3"');
    const undo = (revision: unknown) => admin.send('POST', '/v1/undo', { body: { revision } });
    expect((await undo(99)).json()).toMatchObject({ status: 404, code: 'unknownRevision' });
    expect((await undo(3)).json()).toMatchObject({ status: 409, code: 'conflict' });
    await admin.send('POST', '/v1/routes/search/rollback');
    expect((await undo(5)).json()).toMatchObject({ status: 409, code: 'conflict' });
    expect((await undo('5')).json()).toMatchObject({ status: 400, errors: [{ field: 'revision' }] });
    expect((await admin.send('POST', '/v1/undo')).json()).toMatchObject({
      status: 400,
      errors: [{ field: 'revision' }],
    });
  });

  test.each(['rollback', 'freeze', 'unfreeze'])('%s of an unknown route', async (verb) => {
    const answer = await admin.send('POST', `/v1/routes/nope/${verb}`);
    expect(answer.json()).toMatchObject({ status: 404, code: 'unknownRoute' });
  });

  test('nothing is written while the store is away, and the answer says so', async () => {
    control.storeUp = false;
    const answer = await admin.send('POST', '/v1/rollback');
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'storeUnavailable', detail: 'disk full' });
  });
});

describe('preview', () => {
  test('of a weight', async () => {
    const answer = await admin.send('GET', '/v1/routes/search/preview?weight=12.5');
    expect(answer.json()).toMatchObject({ weight: { after: 12.5 } });
  });

  test.each([
    ['', 'weight: must be given, in percent'],
    ['?weight=', 'weight: must be a number, in percent'],
    ['?weight=%20', 'weight: must be a number, in percent'],
    ['?weight=half', 'weight: must be a number, in percent'],
    ['?weight=0x10', 'weight: must be a number, in percent'],
    ['?weight=101', 'weight: must be between 0 and 100 percent'],
    ['?weight=-1', 'weight: must be between 0 and 100 percent'],
    ['?weight=0.00001', 'weight: must have at most four decimals'],
  ])('refuses "%s" by saying what it must be', async (query, detail) => {
    const answer = await admin.send('GET', `/v1/routes/search/preview${query}`);
    expect(answer.json()).toMatchObject({ status: 400, code: 'invalid', detail });
  });
});

describe('history', () => {
  test('newest first, in percent', async () => {
    await raise(25, '"1"');
    const answer = await admin.send('GET', '/v1/history');
    const { entries } = answer.json() as { entries: object[] };
    expect(entries).toHaveLength(3);
    expect(entries[0]).toEqual({
      revision: 3,
      at: Date.UTC(2026, 0, 2, 3, 4, 5),
      verb: 'set',
      actor: 'local',
      reason: 'next step',
      routes: [
        {
          route: 'search',
          before: { weight: 0, state: 'steady', frozen: false },
          after: { weight: 25, state: 'steady', frozen: false },
        },
      ],
    });
    expect(entries[2]).toMatchObject({ verb: 'init', routes: [{ route: 'search', before: null }] });
  });

  test('by limit, route and revision', async () => {
    await raise(25, '"1"');
    expect(await revisions('limit=1')).toEqual([3]);
    expect(await revisions('before=3')).toEqual([2, 1]);
    expect(await revisions('route=search')).toEqual([3, 1]);
  });

  test('of a route that nobody has heard of is refused, not empty', async () => {
    for (const query of ['route=nope', 'route=nope&refused=true']) {
      const answer = await admin.send('GET', `/v1/history?${query}`);
      expect(answer.json()).toMatchObject({
        status: 404,
        code: 'unknownRoute',
        detail: expect.stringContaining('nope'),
      });
    }
    // Nothing was refused of a route that there is.
    expect((await admin.send('GET', '/v1/history?route=cart&refused=true')).json()).toEqual({ refusals: [] });
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=x', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['before=0', 'before'],
    ['since=3', 'since'],
  ])('refuses ?%s', async (query, field) => {
    const answer = await admin.send('GET', `/v1/history?${query}`);
    expect(answer.json()).toMatchObject({ status: 400, code: 'invalid', errors: [{ field }] });
  });
});

describe('explain', () => {
  test('a route: its state and last change', async () => {
    await raise(25, '"1"');
    const answer = await admin.send('GET', '/v1/explain?route=search');
    expect(answer.json()).toMatchObject({
      route: { name: 'search', weight: 25 },
      last: { revision: 3, routes: [{ after: { weight: 25 } }] },
      sentence: 'search is at 25% because: next step',
    });
  });

  test('a request: method, headers and address as sent', async () => {
    const query = new URLSearchParams({
      url: 'http://api.example.com/search/?q=1',
      method: 'POST',
      address: '10.0.0.9',
    });
    query.append('header', 'X-User-Id: u1');
    query.append('header', 'cookie:a=b:c');
    const answer = await admin.send('GET', `/v1/explain?${query.toString()}`);
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ route: 'search', bucket: 123_456, side: 'old' });
    expect(control.explained).toEqual({
      url: 'http://api.example.com/search/?q=1',
      method: 'POST',
      headers: [
        ['x-user-id', 'u1'],
        ['cookie', 'a=b:c'],
      ],
      address: '10.0.0.9',
    });
  });

  test('GET and no headers unless given; a path will do', async () => {
    expect((await admin.send('GET', '/v1/explain?url=/search/')).status).toBe(200);
    expect(control.explained).toEqual({ url: '/search/', method: 'GET', headers: [], address: undefined });
  });

  test.each([
    ['', 'url'],
    ['url=http://a/&route=search', 'url'],
    ['url=search', 'url'],
    ['url=ftp://a/', 'url'],
    ['url=http://[/', 'url'],
    ['url=/&method=a%20b', 'method'],
    ['url=/&header=novalue', 'header'],
    ['url=/&header=a:b&header=c%0d%0a:d', 'header'],
    ['url=/&address=localhost', 'address'],
    ['url=/&adress=127.0.0.1', 'adress'],
  ])('refuses ?%s', async (query, field) => {
    const answer = await admin.send('GET', `/v1/explain?${query}`);
    expect(answer.status).toBe(400);
    const { errors } = answer.json() as { errors: { field: string }[] };
    expect(errors.map((error) => error.field.replace(/\.\d+$/, ''))).toContain(field);
  });
});

describe('health', () => {
  test('alive and ready', async () => {
    expect((await admin.send('GET', '/healthz')).json()).toEqual({ status: 'ok' });
    expect((await admin.send('GET', '/readyz')).json()).toEqual({ status: 'ready' });
  });

  test('not ready says why, and is alive all the same', async () => {
    control.notReady = 'no worker listens on 0.0.0.0:8080 yet';
    const answer = await admin.send('GET', '/readyz');
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'notReady', detail: 'no worker listens on 0.0.0.0:8080 yet' });
    expect((await admin.send('GET', '/healthz')).status).toBe(200);
  });

  test('metrics are text for Prometheus', async () => {
    const answer = await admin.send('GET', '/metrics');
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.text).toContain(
      'crossfade_requests_total{protocol="http1",code="2xx",route="search",side="old"} 0\n',
    );
  });
});

describe('what is not there', () => {
  test('another path', async () => {
    const answer = await admin.send('GET', '/v2/status?x=1');
    expect(answer.json()).toMatchObject({ status: 404, code: 'notFound', instance: '/v2/status?x=1' });
  });

  test.each([
    ['POST', '/v1/status', 'GET, HEAD'],
    ['GET', '/v1/routes/search/weight', 'PUT'],
    ['DELETE', '/v1/routes/search', 'GET, HEAD'],
    ['GET', '/v1/rollback', 'POST'],
    ['HEAD', '/v1/events', 'GET'],
  ])('%s %s is not allowed, and Allow says what is', async (method, path, allow) => {
    const answer = await admin.send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe(allow);
    if (method !== 'HEAD') expect(answer.json()).toMatchObject({ code: 'methodNotAllowed' });
  });

  test('a path that cannot be decoded', async () => {
    const answer = await admin.send('GET', '/v1/routes/%zz');
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ status: 400, code: 'malformed' });
  });
});
