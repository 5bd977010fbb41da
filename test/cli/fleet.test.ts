/** Commands that look at all replicas, or do without the store. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ReplicaView } from '../../src/control/control.ts';
import { FakeControl } from '../admin/fake-control.ts';
import { type Admin, startAdmin } from '../admin/harness.ts';
import { ConfigFolder } from '../config/files.ts';
import { type Ran, run } from './harness.ts';

let control: FakeControl;
let admin: Admin;

beforeEach(async () => {
  control = new FakeControl('search', 'cart');
  admin = await startAdmin(control);
});
afterEach(() => admin.close());

const crossfade = (line: string, ...more: string[]): Promise<Ran> =>
  run([...line.split(' '), ...more], { CROSSFADE_ADMIN: admin.url, USER: 'ada' });

const replica = (id: string, revision: number): ReplicaView => {
  return { id, address: `10.0.0.${id.at(-1)}:9900`, revision, applied: revision === 2, seenMs: 40 };
};

describe('wait', () => {
  test('is done when every replica serves the current revision', async () => {
    control.others = [replica('px-2', 2)];
    expect(await crossfade('wait')).toEqual({ code: 0, out: '2 replicas at revision 2', err: '' });
    expect(JSON.parse((await crossfade('wait -o json')).out)).toMatchObject({ revision: 2, replicas: [{}, {}] });
  });

  test('waits for the one that lags behind', async () => {
    control.others = [replica('px-2', 1)];
    const waiting = crossfade('wait --timeout 20s');
    await crossfade('status');
    control.others = [replica('px-2', 2)];
    expect(await waiting).toMatchObject({ code: 0, out: '2 replicas at revision 2' });
  });

  test('what is current at the beginning is what is waited for', async () => {
    control.others = [replica('px-2', 1)];
    const asked = vi.spyOn(control, 'status');
    const waiting = crossfade('wait --timeout 20s');
    await vi.waitUntil(() => asked.mock.calls.length > 0, { timeout: 10_000 });
    await crossfade('set search 5');
    control.others = [replica('px-2', 2)];
    expect(await waiting).toMatchObject({ code: 0, out: '2 replicas at revision 2 (by now 3 is current)' });
  });

  test('gives up with 2, and names who is behind', async () => {
    control.others = [replica('px-2', 2), replica('px-3', 1), replica('px-4', -1)];
    expect(await crossfade('wait --timeout 10ms')).toEqual({
      code: 2,
      out: '',
      err: 'crossfade: after 10 ms 2 of 4 replicas serve revision 2; behind: px-3 (revision 1), px-4 (serves nothing of it)',
    });
  });

  test('without the store nobody knows what is current: 4', async () => {
    control.storeUp = false;
    const { code, err } = await crossfade('wait --timeout 10');
    expect({ code, err }).toEqual({ code: 4, err: 'crossfade: after 10 ms the store does not answer: disk full' });
  });

  test('a store in dispute is said to be that: 4', async () => {
    control.disputed = true;
    const { code, err } = await crossfade('wait --timeout 10');
    const said = 'crossfade: after 10 ms the store contradicts what is served: it holds another epoch';
    expect({ code, err }).toEqual({ code: 4, err: said });
  });

  test.each(['soon', '-1', '5 s', '1.5s', '5d'])('"%s" is no time', async (time) => {
    expect((await crossfade('wait --timeout', time)).code).toBe(64);
  });
});

test('status lists the replicas of a fleet', async () => {
  control.others = [replica('px-2', 2), { ...replica('px-3', -1), address: null, seenMs: 4_321 }];
  const { out } = await crossfade('status');
  expect(out.split('\n').slice(1, 5)).toEqual([
    'REPLICA  ADMIN           REV  CURRENT  SEEN',
    'px-1     127.0.0.1:9900    2  yes      0 ms ago',
    'px-2     10.0.0.2:9900     2  yes      40 ms ago',
    'px-3     -                 -  NO       4,321 ms ago',
  ]);
});

test('status says that the fleet is as it was last seen while the store is away', async () => {
  control.others = [replica('px-2', 2)];
  control.applied = { replicas: 2, of: 2, ms: 9 };
  control.storeUp = false;
  const { out } = await crossfade('status');
  expect(out.split('\n').slice(0, 4)).toEqual([
    expect.stringMatching(/ {3}2 replicas when last seen {3}store file DOWN: disk full {3}/),
    'The fleet as it was last seen 12 ms ago: by the store, replicas hear of each other',
    'REPLICA  ADMIN           REV  CURRENT  SEEN',
    expect.stringMatching(/^px-1 .* unknown /),
  ]);
});

test('status tells a store that contradicts what is served from one that does not answer', async () => {
  control.disputed = true;
  const { out } = await crossfade('status');
  expect(out).toContain('store file DISPUTED: it holds another epoch');
});

test('status tells every alarm on a line of its own', async () => {
  control.alarm = 'one\ntwo';
  expect((await crossfade('status')).out).toContain('\nALARM: one\nALARM: two\n');
});

describe('adopt', () => {
  test('needs a reason, and says what it keeps', async () => {
    expect(await crossfade('adopt')).toMatchObject({ code: 64, err: 'crossfade: adopt needs --reason' });
    expect(control.writes).toEqual([]);
    expect((await crossfade('adopt --reason lost')).code).toBe(0);
    expect(control.adopted).toBe('served');
    expect((await crossfade('adopt --keep stored --reason lost')).code).toBe(0);
    expect(control.adopted).toBe('stored');
    expect(control.writes.at(-1)).toMatchObject({ actor: 'local', reason: 'lost' });
    expect((await crossfade('adopt --keep both --reason lost')).code).toBe(64);
  });
});

describe('history --refused', () => {
  test('lists what was refused, newest first', async () => {
    await crossfade('set search 10 --if-rev 7');
    await crossfade('freeze cart');
    await crossfade('set cart 10');
    const { code, out } = await crossfade('history --refused');
    expect(code).toBe(0);
    const lines = out.split('\n').map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/, 'T'));
    expect(lines).toEqual([
      expect.stringMatching(/^TIME +VERB +ACTOR +ROUTE +REFUSED +REASON$/),
      'T  set   local  cart    frozen   The route is frozen: unfreeze it before raising its weight',
      'T  set   local  search  stale    The route is at revision 1, not 7: read it again',
    ]);
    const ofCart = await crossfade('history --refused --route cart -o json');
    expect(JSON.parse(ofCart.out)).toMatchObject({ refusals: [{ route: 'cart', code: 'frozen', omitted: 0 }] });
  });
});

describe('rollback --direct', () => {
  let other: Admin;
  let otherControl: FakeControl;
  beforeEach(async () => {
    otherControl = new FakeControl('search', 'cart');
    other = await startAdmin(otherControl);
  });
  afterEach(() => other.close());

  test('asks each replica by itself, the store being away', async () => {
    control.storeUp = false;
    otherControl.storeUp = false;
    expect((await crossfade('rollback search')).code).toBe(4);
    const admins = `${admin.url},${other.url}/`;
    const { code, out, err } = await crossfade('rollback search --direct --reason slow --admins', admins);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').map((line) => line.split('  ')[0])).toEqual([admin.url, `${other.url}/`]);
    for (const { pinned, writes } of [control, otherControl]) {
      expect([...pinned]).toEqual(['search']);
      expect(writes.at(-1)).toMatchObject({ actor: 'local', reason: 'slow' });
    }
  });

  test('all routes', async () => {
    expect((await crossfade('rollback --all --direct --admins', `${admin.url},${other.url}`)).code).toBe(0);
    expect([...control.pinned, ...otherControl.pinned]).toEqual(['search', 'cart', 'search', 'cart']);
  });

  test('one that does not answer keeps none from it, and is named: 4', async () => {
    const admins = `http://127.0.0.1:1,${other.url}`;
    const { code, out, err } = await crossfade('rollback search --direct --admins', admins);
    expect(code).toBe(4);
    expect(out).toMatch(new RegExp(`^${other.url}  search`));
    expect(err).toContain('crossfade: http://127.0.0.1:1: http://127.0.0.1:1 does not answer');
    expect([...otherControl.pinned]).toEqual(['search']);
    const json = await crossfade('rollback search --direct -o json --admins', admins);
    expect(JSON.parse(json.out)).toMatchObject([
      { admin: 'http://127.0.0.1:1', ok: false, error: expect.stringContaining('does not answer') },
      { admin: other.url, ok: true, routes: [{ name: 'search' }] },
    ]);
  });

  test('one that refuses: 2', async () => {
    const { code, err } = await crossfade('rollback nope --direct --admins', other.url);
    expect(code).toBe(2);
    expect(err).toContain('Route "nope" is not configured here');
  });

  test('without --admins asks the one replica, and names the others', async () => {
    control.others = [replica('px-2', 2), { ...replica('px-3', 2), address: null }];
    const { code, err } = await crossfade('rollback search --direct');
    expect(code).toBe(0);
    expect(err).toBe(
      'crossfade: this replica alone was asked; name the others with --admins: http://10.0.0.2:9900,px-3',
    );
    expect([...control.pinned]).toEqual(['search']);
  });

  test.each([
    'rollback --direct',
    'rollback search --all --direct',
    'rollback search --admins http://a.example',
    'rollback search --direct --admins a.example:9900',
  ])('%s is a mistake of usage', async (line) => {
    expect((await crossfade(line)).code).toBe(64);
  });
});

describe('diff', () => {
  const folder = new ConfigFolder();
  afterEach(() => folder.remove());
  const backends = ['search-old', 'search-new', 'cart-old', 'cart-new'].map(
    (name) => `  ${name}: { discovery: { static: ["127.0.0.1:1"] } }\n`,
  );
  const file = (...routes: string[]): string => {
    const lines = routes.map((route) => `  - { ${route} }\n`);
    return `listeners: [{ address: "127.0.0.1:0" }]\nbackends:\n${backends.join('')}routes:\n${lines.join('')}`;
  };
  const search = 'name: search, match: { path: /search/ }, old: search-old, new: search-new';
  const cart = 'name: cart, match: { path: /cart/ }, old: cart-old, new: cart-new';

  test('of a file with the same routes, at their first weights: nothing; of another: what differs', async () => {
    await folder.config(file(search, cart));
    expect(await crossfade('diff', folder.file)).toEqual({
      code: 0,
      out: `${folder.file}: nothing differs (2 routes)`,
      err: '',
    });

    await crossfade('set search 25');
    await crossfade('freeze search');
    control.stored = [
      { name: 'gone', weight: 5, revision: 7, state: 'steady', frozen: false },
      { name: 'fresh', weight: 1, revision: 8, state: 'rolledBack', frozen: true },
    ];
    const more = ['fresh', 'newest'].map((name) => {
      return `name: ${name}, match: { path: /${name}/ }, old: cart-old, new: cart-new, weight: 2`;
    });
    await folder.config(file(search.replace('new: search-new', 'new: cart-new'), ...more));
    const { code, out } = await crossfade('diff', folder.file);
    expect(code, 'as its help says').toBe(2);
    expect(out.split('\n')).toEqual([
      'ROUTE   WHAT    FILE      LIVE',
      'search  weight  0%        25% steady, frozen, rev 4',
      'search  new     cart-new  search-new',
      'fresh   route   2%        1% rolledBack, frozen, rev 8, stored but not served: reload (SIGHUP)',
      'newest  route   2%        -',
      'cart    route   -         0% steady, rev 2',
      'gone    route   -         5% steady, rev 7, stored but not served',
    ]);
    const { differences } = JSON.parse((await crossfade('diff -o json', folder.file)).out) as { differences: object[] };
    expect(differences).toHaveLength(6);
    expect(differences).toContainEqual({ route: 'newest', what: 'route', file: '2%', live: null });

    await folder.load(file(search).replace('listeners', 'listener'));
    expect(await crossfade('diff', folder.file)).toMatchObject({ code: 78, err: expect.stringContaining(':1:1: ') });
  });
});

describe('the token', () => {
  test.each(['two words', 'line\nbreak', 'snow\u2603', 'caf\u00e9'])(
    '%j cannot be sent, and is not shown',
    async (token) => {
      const { code, out, err } = await run(['status'], { CROSSFADE_ADMIN: admin.url, CROSSFADE_TOKEN: token });
      expect({ code, out }).toEqual({ code: 64, out: '' });
      expect(err).not.toContain(token);
      expect(err).toContain('CROSSFADE_TOKEN');
    },
  );
});
