import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReplicaView } from '../../src/control/control.ts';
import { FakeControl } from '../admin/fake-control.ts';
import { type Admin, startAdmin } from '../admin/harness.ts';
import { type Ran, run } from './harness.ts';

let control: FakeControl;
let admin: Admin;

beforeEach(async () => {
  control = new FakeControl('search', 'cart');
  admin = await startAdmin(control);
});
afterEach(() => admin.close());

/** A command line, blanks between its words. */
const crossfade = (line: string, ...more: string[]): Promise<Ran> =>
  run([...line.split(' '), ...more], { CROSSFADE_ADMIN: admin.url, USER: 'ada' });

const replica = (id: string, revision: number): ReplicaView => {
  return { id, address: `10.0.0.${id.at(-1)}:9900`, revision, applied: false, seenMs: 40 };
};

describe('set', () => {
  test('raises from where the route is, and says how to take it back', async () => {
    expect(await crossfade('set search 10')).toEqual({
      code: 0,
      out: 'search  0% -> 10% new   rev 1 -> 3   1/1 applied in 9 ms   undo: crossfade undo 3',
      err: '',
    });
    expect(control.route('search')).toMatchObject({ weight: 10, reason: 'set by ada' });
    const next = await crossfade('set search 25% --wait --reason', 'two steps');
    expect(next.out).toBe('search  10% -> 25% new   rev 3 -> 4   1/1 applied in 9 ms   undo: crossfade undo 4');
    expect(control.writes.at(-1)).toEqual({ actor: 'local', reason: 'two steps', ifRevision: 3, waitMs: 2000 });
  });

  test('says so when nobody is known to have typed it', async () => {
    await run(['set', 'search', '1'], { CROSSFADE_ADMIN: admin.url });
    expect(control.route('search')?.reason).toBe('set by hand');
  });

  test('waits as long as it is told', async () => {
    expect((await crossfade('set search 10 --wait 750')).code).toBe(0);
    expect(control.writes.at(-1)?.waitMs).toBe(750);
    expect((await crossfade('set search 11 --wait 5s')).code).toBe(0);
    expect(control.writes.at(-1)?.waitMs).toBe(5_000);
  });

  test('names replicas that did not follow in time, on stderr', async () => {
    control.applied = { replicas: 1, of: 3, ms: null };
    control.others = [replica('px-2', 2), replica('px-3', -1)];
    const { code, out, err } = await crossfade('set search 10 --wait 0');
    expect(code).toBe(0);
    expect(out).toContain('1/3 applied so far');
    expect(err).toBe(
      'crossfade: after 0 ms only 1 of 3 replicas serve revision 3; behind: px-2 (revision 2), px-3 (serves nothing of it)',
    );
  });

  test('an older revision is refused with 3, and changes nothing', async () => {
    const { code, out, err } = await crossfade('set search 10 --if-rev 7');
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toBe(
      'crossfade: The route has changed since it was read: The route is at revision 1, not 7: read it again',
    );
    expect(control.route('search')?.weight).toBe(0);
  });

  test('a frozen route is refused with 2', async () => {
    expect((await crossfade('freeze search')).out).toBe(
      'search  0% new   frozen   rev 1 -> 3   1/1 applied in 9 ms   undo: crossfade undo 3',
    );
    const { code, err } = await crossfade('set search 10');
    expect(code).toBe(2);
    expect(err).toBe('crossfade: The route is frozen: unfreeze it before raising its weight');
    expect((await crossfade('unfreeze search')).out).toContain('0% new   no longer frozen');
    expect((await crossfade('set search 10')).code).toBe(0);
  });

  test('a weight by hand in a ramp says that this has ended', async () => {
    await crossfade('ramp search --steps 1:5m,100');
    expect((await crossfade('set search 2')).out).toContain('1% -> 2% new   its ramp has ended');
    expect((await crossfade('set search 3')).out).not.toContain('ended');
  });

  test('an unknown route is refused with 2', async () => {
    const { code, err } = await crossfade('set nope 10');
    expect(code).toBe(2);
    expect(err).toContain('Route "nope" is not configured here');
    expect((await crossfade('set serach 10')).err).toBe(
      'crossfade: There is no such route: Route "serach" is not configured here; did you mean "search"?',
    );
  });

  test.each(['-1', '101', '100.1', '0.00001', '1e1', 'ten', '10%%', ''])(
    '"%s" percent is a mistake of usage',
    async (percent) => {
      const { code, err } = await run(['set', 'search', '--', percent], { CROSSFADE_ADMIN: admin.url });
      expect(code).toBe(64);
      expect(err).toContain('between 0 and 100 percent');
    },
  );

  test('a reason that is too long is a mistake of usage', async () => {
    const { code, err } = await crossfade('set search 10 --reason', 'x'.repeat(501));
    expect(code).toBe(64);
    expect(err).toContain('reason: must have at most 500 characters');
  });

  test('answers the route as JSON when asked', async () => {
    const { code, out } = await crossfade('set search 10 -o json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(control.route('search'));
    const refused = await crossfade('set search 20 --if-rev 1 -o json');
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(JSON.parse(refused.err)).toMatchObject({ code: 'stale', status: 412 });
  });
});

describe('rollback', () => {
  test('one route', async () => {
    await crossfade('set search 50');
    const { code, out } = await crossfade('rollback search --reason slow');
    expect({ code, out }).toEqual({ code: 0, out: 'search  50% -> 0% new   rev 3 -> 4   1/1 applied in 9 ms' });
    expect(control.route('search')).toMatchObject({ state: 'rolledBack', reason: 'slow' });
    expect((await crossfade('rollback search')).out).toBe('search  0% new   rev 4   nothing to change');
  });

  test('all routes, whatever --if-rev says', async () => {
    await crossfade('set search 50');
    const { code, out } = await crossfade('rollback --all --if-rev 1');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'search  50% -> 0% new   rev 3 -> 4   1/1 applied in 9 ms',
      'cart    0% new          rev 2 -> 4   1/1 applied in 9 ms',
    ]);
  });

  test('needs to be told which', async () => {
    expect(await crossfade('rollback')).toMatchObject({ code: 64, err: 'crossfade: name a route, or give --all' });
    expect((await crossfade('rollback search --all')).code).toBe(64);
    expect((await crossfade('rollback nope')).code).toBe(2);
    expect(control.writes).toEqual([]);
  });
});

describe('undo', () => {
  test('the last change', async () => {
    await crossfade('set search 50');
    const { code, out } = await crossfade('undo');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'search  50% -> 0% new   rev 3 -> 4   1/1 applied in 9 ms   undo: crossfade undo 4',
    });
    expect(control.route('search')?.reason).toBe('undo of revision 3 by ada');
  });

  test('a change by its revision, unless others have built on it', async () => {
    await crossfade('set search 50');
    await crossfade('set cart 5');
    expect((await crossfade('undo 3')).out).toContain('search  50% -> 0%');
    expect(await crossfade('undo 3')).toMatchObject({
      code: 2,
      err: expect.stringContaining('changed again at revision 5'),
    });
    expect((await crossfade('undo 99')).code).toBe(2);
    expect((await crossfade('undo x')).code).toBe(64);
  });

  test('not a rollback', async () => {
    await crossfade('set search 50');
    await crossfade('rollback search');
    expect(await crossfade('undo')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Undoing a rollback is refused'),
    });
  });
});

describe('status', () => {
  test('is a line about the replica and a table of routes', async () => {
    await crossfade('set search 12.5');
    await crossfade('freeze search');
    const { code, out } = await crossfade('status');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'fleet default   revision 4   1/1 applied in 9 ms   store file up   1/1 worker   crossfade 0.1.0',
      'ROUTE     NEW  STATE           REV  OLD REQUESTS  FAULTS  NEW REQUESTS  FAULTS  ENDPOINTS OLD  NEW',
      'search  12.5%  steady, frozen    4         9,120       2         1,011       0              1    2',
      'cart       0%  steady            2         9,120       2         1,011       0              1    2',
    ]);
  });

  test('says what is wrong', async () => {
    control.storeUp = false;
    control.notReady = 'no worker listens yet';
    control.alarm = 'config/crossfade.yaml:3:1: unknown key';
    const { code, out } = await crossfade('status');
    expect(code).toBe(0);
    expect(out).toContain('store file DOWN: disk full');
    expect(out).toContain('\nNOT READY: no worker listens yet\nALARM: config/crossfade.yaml:3:1: unknown key\n');
  });

  test('as JSON', async () => {
    const { out } = await crossfade('status -o json');
    expect(JSON.parse(out)).toEqual({ ...control.status(), routes: control.routes() });
  });
});

describe('history', () => {
  test('newest first', async () => {
    await crossfade('set search 25 --reason', 'step 1');
    await crossfade('freeze search');
    const { code, out } = await crossfade('history');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'REV  TIME                  VERB    ACTOR   ROUTES             REASON',
      '  4  2026-01-02 03:04:05Z  freeze  local   search 25% frozen  freeze by ada',
      '  3  2026-01-02 03:04:05Z  set     local   search 0% -> 25%   step 1',
      '  2  2026-01-02 03:04:05Z  init    config  cart 0%            first start',
      '  1  2026-01-02 03:04:05Z  init    config  search 0%          first start',
    ]);
  });

  test('of one route, so many, as JSON', async () => {
    await crossfade('set search 25');
    expect((await crossfade('history --route cart')).out.split('\n')).toHaveLength(2);
    expect((await crossfade('history cart')).out).toBe((await crossfade('history --route cart')).out);
    const { out } = await crossfade('history --limit 1 -o json');
    expect(JSON.parse(out)).toMatchObject({ entries: [{ revision: 3 }] });
    expect((await crossfade('history --limit 0')).code).toBe(64);
  });

  test('a change of many routes is only counted', async () => {
    await admin.close();
    control = new FakeControl('a', 'b', 'c', 'd');
    admin = await startAdmin(control);
    await crossfade('rollback --all');
    expect((await crossfade('history --limit 1')).out).toContain('  4 routes  ');
  });

  test('a reason cannot act on the terminal', async () => {
    await crossfade('set search 1 --reason', 'red \u001b[31m\nforged line\u202e');
    const { out } = await crossfade('history --limit 1');
    expect(out).toContain('red \u{FFFD}[31m\u{FFFD}forged line\u{FFFD}');
    expect(out.split('\n')).toHaveLength(2);
  });
});

describe('explain', () => {
  test('a route', async () => {
    await crossfade('set search 25 --reason', 'step 1');
    expect((await crossfade('explain search')).out.split('\n')).toEqual([
      'search is at 25% because: step 1',
      'last change: rev 3, 2026-01-02 03:04:05Z, set by local: search 0% -> 25% (step 1)',
    ]);
    expect((await crossfade('explain nope')).code).toBe(2);
  });

  test('a request', async () => {
    const { code, out } = await crossfade(
      'explain --url http://a.example/search/ --method POST --address 10.0.0.9 -H',
      'X-User-Id: u1',
      '-H',
      'cookie: a=b',
    );
    expect(code).toBe(0);
    expect(control.explained).toEqual({
      url: 'http://a.example/search/',
      method: 'POST',
      headers: [
        ['x-user-id', 'u1'],
        ['cookie', 'a=b'],
      ],
      address: '10.0.0.9',
    });
    expect(out.split('\n')).toEqual([
      'Goes to old (search-old): bucket 123456 is not below 0',
      '  route    search',
      '  match    path /search/',
      '  key      header x-user-id "u1"',
      '  bucket   123456 of 1000000',
      '  weight   0% new',
      '  side     old',
      '  backend  search-old',
    ]);
  });

  test('needs one of the two', async () => {
    expect((await crossfade('explain')).code).toBe(64);
    expect((await crossfade('explain search --url /')).code).toBe(64);
    expect((await crossfade('explain --url nonsense')).code).toBe(64);
  });
});

describe('whom it talks to', () => {
  test('--admin goes before CROSSFADE_ADMIN; a slash at the end is fine', async () => {
    const env = { CROSSFADE_ADMIN: 'http://127.0.0.1:1' };
    expect((await run(['status', '--admin', `${admin.url}/`], env)).code).toBe(0);
    expect((await run(['--admin', admin.url, 'status'], env)).code).toBe(0);
  });

  test('nobody there: 4, and what to try', async () => {
    const { code, out, err } = await run(['status', '--admin', 'http://127.0.0.1:1']);
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toMatch(
      /^crossfade: http:\/\/127\.0\.0\.1:1 does not answer \(.+\): is Crossfade serving there\? --admin or/,
    );
  });

  test('the store away: 4', async () => {
    control.storeUp = false;
    const { code, err } = await crossfade('rollback --all');
    expect({ code, err }).toEqual({ code: 4, err: 'crossfade: The store does not answer: disk full' });
  });

  test('the history of a route that nobody has heard of: 2', async () => {
    const { code, out, err } = await crossfade('history --route nope');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Route "nope" is not configured here');
  });

  test('not an admin URL', async () => {
    expect((await run(['status', '--admin', 'localhost:9900'])).code).toBe(64);
    expect(await run(['status'], { CROSSFADE_ADMIN: 'localhost:9900' })).toMatchObject({
      code: 64,
      err: 'crossfade: CROSSFADE_ADMIN must be a URL such as http://127.0.0.1:9900 (got "localhost:9900")',
    });
  });
});

describe('usage', () => {
  test.each([
    ['launch'],
    ['set'],
    ['set search'],
    ['set search 1 2'],
    ['status --nonsense'],
    ['status -o xml'],
    ['set search 1 --if-rev x'],
    ['set search 1 --wait soon'],
    ['serve --bootstrap new'],
  ])('%s: 64, with a word on what is wrong', async (line) => {
    const { code, out, err } = await crossfade(line);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toMatch(/^error: /);
  });

  test('no command: 64 and the help', async () => {
    const { code, err } = await run([]);
    expect(code).toBe(64);
    expect(err).toContain('Usage: crossfade');
  });

  test('help and version are no mistakes', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    for (const command of [
      'serve',
      'demo',
      'check',
      'status',
      'set',
      'rollback',
      'undo',
      'freeze',
      'unfreeze',
      'history',
      'explain',
    ]) {
      expect(help.out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    }
    expect((await run(['set', '--help'])).out).toContain('--if-rev <n>');
    expect(await run(['--version'])).toEqual({ code: 0, out: '0.1.0', err: '' });
  });
});
