import { afterEach, describe, expect, test } from 'vitest';
import { PPM } from '../../src/domain/route.ts';
import type { TableMessage } from '../../src/seam.ts';
import { Plane, type PlaneOptions, ScriptedBackend, type Wire } from './harness.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function backend(made: ScriptedBackend): Promise<ScriptedBackend> {
  stops.push(() => made.close());
  return made.listen();
}

async function plane(options: PlaneOptions): Promise<Plane> {
  const started = await Plane.start(options);
  stops.push(() => started.stop());
  return started;
}

/** The field lines of a head, as they are. */
function lines(head: string): string[] {
  return (head.split('\r\n\r\n')[0] as string).split('\r\n').slice(1);
}

/** Values of all fields of a name. */
function values(head: string, name: string): string[] {
  return lines(head)
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

interface Asked {
  readonly table?: Partial<TableMessage>;
  /** Field lines behind Host. */
  readonly fields?: readonly string[];
  readonly startLine?: string;
  readonly body?: string;
}

/** What a backend is sent for a request. */
async function forwarded({
  table = {},
  fields = [],
  startLine = 'GET /a?b HTTP/1.1',
  body = '',
}: Asked): Promise<string> {
  const origin = await backend(ScriptedBackend.answering('ok'));
  const proxy = await plane({ old: [origin.port], table });
  const client = await proxy.connect();
  client.say(`${[startLine, 'Host: shop.example:81', ...fields].join('\r\n')}\r\n\r\n${body}`);
  await client.sees('\r\n\r\nok');
  return (origin.wires[0] as Wire).received;
}

/** What a client is sent for a backend's answer. */
async function answered(response: string): Promise<string> {
  const origin = await backend(new ScriptedBackend((wire) => wire.socket.once('data', () => wire.say(response))));
  const proxy = await plane({ old: [origin.port] });
  const client = await proxy.connect();
  client.say('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
  return client.sees('END');
}

const LOOPBACK_TRUSTED = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8::/32'] };

describe('of a request', () => {
  test('what belongs to the end is passed on as it was written, in its order', async () => {
    const fields = [
      'x-B: 1',
      'Accept:   text/html ',
      'X-a: \xe4',
      'x-B: 2',
      'Cookie: a=b',
      'Authorization: Basic eDp5',
    ];
    expect(lines(await forwarded({ fields })).slice(0, 7)).toEqual([
      'Host: shop.example:81',
      'x-B: 1',
      'Accept:   text/html ',
      'X-a: \xe4',
      'x-B: 2',
      'Cookie: a=b',
      'Authorization: Basic eDp5',
    ]);
  });

  test.each([
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: gzip',
    'Upgrade: websocket',
    'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    'Proxy-Authorization: Basic eDp5',
    'Connection: keep-alive',
    'CONNECTION: close',
  ])('what belongs to the hop is not: %s', async (field) => {
    const name = (field.split(':')[0] as string).toLowerCase();
    const head = await forwarded({ fields: [field, 'X-Last: 1'] });
    expect(values(head, name)).toEqual([]);
    expect(values(head, 'x-last')).toEqual(['1']);
  });

  test('nor what Connection names, in any case, list and number of fields', async () => {
    const fields = [
      'Connection: X-One, x-TWO',
      'X-One: 1',
      'X-Two: 2',
      'x-one: 3',
      'X-Three: 3',
      'X-Four: 4',
      'Connection: ,, close ,\tx-three',
    ];
    const head = await forwarded({ fields });
    expect(head).not.toMatch(/connection|x-one|x-two|x-three/i);
    expect(values(head, 'x-four')).toEqual(['4']);
  });

  test('Connection can take away neither the host nor the framing', async () => {
    const fields = ['Connection: host, content-length, transfer-encoding', 'Content-Length: 3'];
    const head = await forwarded({ fields, startLine: 'GET / HTTP/1.1', body: 'abc' });
    expect([values(head, 'host'), values(head, 'content-length')]).toEqual([['shop.example:81'], ['3']]);
    expect(head.endsWith('\r\n\r\nabc')).toBe(true);
  });

  test('Connection cannot take away what the proxy says about the client', async () => {
    const fields = ['Connection: x-forwarded-for, x-forwarded-proto, x-forwarded-host, forwarded, via'];
    for (const table of [{}, LOOPBACK_TRUSTED]) {
      const head = await forwarded({ table, fields: [...fields, 'X-Forwarded-For: 192.0.2.7'] });
      expect(values(head, 'x-forwarded-for')[0]).toMatch(/127\.0\.0\.1$/);
      for (const name of ['x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via']) {
        expect(values(head, name)).toHaveLength(1);
      }
    }
  });

  test('TE asks for trailers, and for nothing else, hop by hop', async () => {
    const head = await forwarded({ fields: ['TE: gzip, trailers', 'Connection: te'] });
    expect([values(head, 'te'), values(head, 'connection')]).toEqual([['trailers'], ['te']]);
  });
});

describe('of a response', () => {
  test('what belongs to the end is passed on as it was written, in its order, repeated ones too', async () => {
    const fields = [
      'Set-Cookie: a=1; Path=/',
      'X-b:  \xff',
      'set-cookie: b=2',
      'Server: x',
      'Date: now',
      'Via: 1.1 inner',
    ];
    const answer = await answered(
      `HTTP/1.1 200 Fine, thanks\r\n${fields.join('\r\n')}\r\nContent-Length: 3\r\n\r\nEND`,
    );
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 200 Fine, thanks');
    expect(lines(answer)).toEqual([...fields, 'Content-Length: 3']);
  });

  test('what belongs to the hop is not, nor what Connection names', async () => {
    const answer = await answered(
      'HTTP/1.1 200 OK\r\nConnection: X-Inner, content-length, close\r\nX-Inner: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nContent-Length: 3\r\nX-Outer: 2\r\n\r\nEND',
    );
    expect(lines(answer)).toEqual(['Content-Length: 3', 'X-Outer: 2']);
  });
});

describe('about the client, to a backend', () => {
  const CLAIMED = [
    'X-Forwarded-For: 203.0.113.9',
    'x-forwarded-proto: https',
    'X-FORWARDED-HOST: evil.example',
    'X-Forwarded-Port: 444',
    'Forwarded: for=203.0.113.9;proto=https',
    'Via: 1.0 outer',
    'X-Forwarded-For: 10.0.0.3',
  ];

  test('what a peer that is not trusted claims is replaced', async () => {
    const head = await forwarded({ fields: CLAIMED });
    expect(head).not.toMatch(/203\.0\.113\.9|evil|444|https|outer|10\.0\.0\.3/);
    expect(values(head, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(values(head, 'x-forwarded-proto')).toEqual(['http']);
    expect(values(head, 'x-forwarded-host')).toEqual(['shop.example:81']);
    expect(values(head, 'forwarded')).toEqual(['for=127.0.0.1;proto=http;host="shop.example:81"']);
    expect(values(head, 'via')).toEqual(['1.1 crossfade']);
  });

  test('what a trusted one says is kept, and this hop added to it', async () => {
    const head = await forwarded({ table: LOOPBACK_TRUSTED, fields: CLAIMED });
    expect(values(head, 'x-forwarded-for')).toEqual(['203.0.113.9, 10.0.0.3, 127.0.0.1']);
    expect(values(head, 'x-forwarded-proto')).toEqual(['https']);
    expect(values(head, 'x-forwarded-host')).toEqual(['evil.example']);
    expect(values(head, 'x-forwarded-port')).toEqual(['444']);
    expect(values(head, 'forwarded')).toEqual([
      'for=203.0.113.9;proto=https, for=127.0.0.1;proto=http;host="shop.example:81"',
    ]);
    expect(values(head, 'via')).toEqual(['1.0 outer, 1.1 crossfade']);
  });

  test('a trusted one that says nothing is the client', async () => {
    const head = await forwarded({ table: LOOPBACK_TRUSTED });
    expect(values(head, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(values(head, 'x-forwarded-host')).toEqual(['shop.example:81']);
    expect(values(head, 'forwarded')).toEqual(['for=127.0.0.1;proto=http;host="shop.example:81"']);
  });

  test.each([
    ['a peer that is not trusted', {}],
    ['a trusted peer', LOOPBACK_TRUSTED],
  ])('no host is told for a request of %s that names none', async (_name, table) => {
    const origin = await backend(ScriptedBackend.answering('ok'));
    const proxy = await plane({ old: [origin.port], table });
    await proxy.ask('GET / HTTP/1.0\r\n\r\n');
    const head = (origin.wires[0] as Wire).received;
    expect(values(head, 'x-forwarded-host')).toEqual([]);
    expect(values(head, 'forwarded')).toEqual(['for=127.0.0.1;proto=http']);
  });
});

/** The side that answers a request on a route that is sticky by these sources, at 50 percent; and the whole answer. */
async function sidesBy(
  sticky: NonNullable<PlaneOptions['route']>['sticky'],
  table: Partial<TableMessage> = {},
): Promise<(fields: readonly string[]) => Promise<{ side: string; answer: string }>> {
  const [old, fresh] = [
    await backend(ScriptedBackend.answering('on-old')),
    await backend(ScriptedBackend.answering('on-new')),
  ];
  const draws = { random: () => 0.999_999 };
  const proxy = await plane({
    old: [old.port],
    new: [fresh.port],
    weightPpm: PPM / 2,
    route: { ...(sticky === undefined ? {} : { sticky }), salt: 'search' },
    table,
    ...draws,
  });
  return async (fields) => {
    const client = await proxy.connect();
    client.say(`${['GET / HTTP/1.1', 'Host: shop.example', ...fields].join('\r\n')}\r\n\r\n`);
    const answer = await client.sees('\r\n\r\non-');
    return { side: answer.slice(-3), answer };
  };
}

/** With salt `search`: bucket 347,724, new at 50 percent. */
const KEY_OF_NEW = 'user-1';
/** Bucket 796,924. */
const KEY_OF_OLD = 'user-2';

describe('stickiness', () => {
  test('by the first of the sources that the request has', async () => {
    const ask = await sidesBy([
      { kind: 'header', name: 'x-user' },
      { kind: 'cookie', name: 'uid' },
      { kind: 'generate' },
    ]);
    const sideOf = async (...fields: string[]) => (await ask(fields)).side;
    expect(await sideOf(`X-User: ${KEY_OF_NEW}`, `Cookie: uid=${KEY_OF_OLD}`)).toBe('new');
    expect(await sideOf(`X-User: ${KEY_OF_OLD}`, `Cookie: uid=${KEY_OF_NEW}`)).toBe('old');
    expect(await sideOf(`Cookie: a=b; uid=${KEY_OF_NEW}; uid=${KEY_OF_OLD}`)).toBe('new');
    expect(await sideOf('X-User: ', 'Cookie: xuid=z', `Cookie: uid=${KEY_OF_OLD}`)).toBe('old');
    expect(await sideOf(`Cookie: crossfade=${KEY_OF_OLD}`)).toBe('old');
    expect(await sideOf(`Cookie: crossfade=${KEY_OF_OLD}; uid=${KEY_OF_NEW}`)).toBe('new');
  });

  test('a source that is there makes no cookie, a request without any gets one that holds it to its side', async () => {
    const ask = await sidesBy([{ kind: 'header', name: 'x-user' }, { kind: 'generate' }]);
    expect((await ask([`X-User: ${KEY_OF_NEW}`])).answer).not.toMatch(/set-cookie/i);
    const first = await ask([]);
    expect(first.side).toBe('new');
    expect(values(first.answer, 'set-cookie')).toEqual([
      'crossfade=0123456789abcdef0123456789abcdef; Path=/; HttpOnly; SameSite=Lax',
    ]);
    const again = await ask(['Cookie: crossfade=0123456789abcdef0123456789abcdef']);
    expect([again.side, values(again.answer, 'set-cookie')]).toEqual(['new', []]);
  });

  test('a request without any source is drawn', async () => {
    const ask = await sidesBy([{ kind: 'header', name: 'x-user' }]);
    expect((await ask([])).side).toBe('old');
  });

  // With salt `search`: 10.0.0.7 has bucket 117,385 (new), 2001:db8::1 has 790,800 (old).
  test('by address believes X-Forwarded-For only of trusted proxies, and counts from its end', async () => {
    const trusting = await sidesBy([{ kind: 'address' }], { trustedProxies: ['127.0.0.1', '192.168.0.0/16'] });
    const sideOf = async (list: string) => (await trusting([`X-Forwarded-For: ${list}`])).side;
    expect(await sideOf('10.0.0.7')).toBe('new');
    expect(await sideOf('2001:db8::1')).toBe('old');
    expect(await sideOf('2001:db8::1, 10.0.0.7, 192.168.3.4')).toBe('new');
    expect(await sideOf('10.0.0.7, 2001:db8::1')).toBe('old');
    expect(await sideOf('::ffff:10.0.0.7')).toBe('new');
    expect(await sideOf('10.0.0.7, nonsense, 192.168.0.1')).toBe(await sideOf('192.168.0.1'));
  });

  test('by address takes no word of a peer that is not trusted', async () => {
    const doubting = await sidesBy([{ kind: 'address' }]);
    const sides = new Set<string>();
    for (const claimed of ['10.0.0.7', '2001:db8::1'])
      sides.add((await doubting([`X-Forwarded-For: ${claimed}`])).side);
    expect(sides.size).toBe(1);
  });
});

describe('the override header', () => {
  const override = { name: 'x-crossfade-side', secret: 's3cret: ü' };
  const secret = Buffer.from(override.secret, 'utf8').toString('latin1');

  async function asked(
    fields: readonly string[],
    weightPpm = 0,
  ): Promise<{ side: string; seen: string; proxy: Plane }> {
    const [old, fresh] = [
      await backend(ScriptedBackend.answering('on-old')),
      await backend(ScriptedBackend.answering('on-new')),
    ];
    const proxy = await plane({ old: [old.port], new: [fresh.port], weightPpm, table: { override } });
    const client = await proxy.connect();
    client.say(`${['GET / HTTP/1.1', 'Host: shop.example', ...fields].join('\r\n')}\r\n\r\n`);
    const answer = await client.sees('\r\n\r\non-');
    return {
      side: answer.slice(-3),
      seen: [...old.wires, ...fresh.wires].map((wire) => wire.received).join(''),
      proxy,
    };
  }

  test.each([
    ['new with the secret', `new:${secret}`, 0, 'new'],
    ['old with the secret', `OLD; ${secret}`, PPM, 'old'],
    ['new with a wrong secret', 'new:s3cret', 0, 'old'],
    ['new with nothing', 'new', 0, 'old'],
    ['no side', `both:${secret}`, 0, 'old'],
  ])('says %s, and never reaches a backend', async (_name, value, weightPpm, side) => {
    const got = await asked([`X-Crossfade-Side: ${value}`, 'X-A: b'], weightPpm);
    expect(got.side).toBe(side);
    expect(got.seen).toMatch(/x-a: b/i);
    expect(got.seen).not.toMatch(/crossfade-side|s3cret/i);
  });

  test('is stripped as often as it is there, also when Connection names something or it', async () => {
    const got = await asked([
      'X-Crossfade-Side: nonsense',
      `x-crossfade-side: new:${secret}`,
      'Connection: x-a, x-crossfade-side',
      'X-A: b',
    ]);
    expect(got.side).toBe('old');
    expect(got.seen).not.toMatch(/crossfade-side|s3cret|x-a/i);
  });

  test('is stripped from trailers as well', async () => {
    const got = await asked([
      'Transfer-Encoding: chunked',
      `\r\n3\r\nabc\r\n0\r\nX-Crossfade-Side: new:${secret}\r\nX-Sum: 1`,
    ]);
    expect(got.seen).toContain('0\r\nX-Sum: 1\r\n\r\n');
    expect(got.seen).not.toMatch(/crossfade-side|s3cret/i);
  });
});
