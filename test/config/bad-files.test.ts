import { afterAll, describe, expect, test } from 'vitest';
import { crossCheck } from '../../src/config/cross-checks.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { ConfigFolder, GOOD } from './files.ts';

const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

const folder = new ConfigFolder();
afterAll(() => folder.remove());

/** What is wrong, the good file's text, what stands there instead, and the first line that is printed. */
const BAD: readonly [what: string, text: string, instead: string, firstLine: string][] = [
  // Form of the text.
  [
    'not YAML',
    'weight: 5',
    'weight: [5',
    '12:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['a key twice', 'weight: 5', 'weight: 5\n    weight: 6', '12:5: the key weight is given twice in one mapping'],
  ['a tag', 'weight: 5', 'weight: !percent 5', '11:13: not valid YAML: Unresolved tag: !percent'],
  ['an alias of nothing', 'old: a', 'old: *a', '1:1: Unresolved alias (the anchor must be set before the alias): a'],
  [
    'an alias inside itself',
    'match: { path: / }',
    'match: &m { headers: *m }',
    '8:17: an alias must not stand inside what it repeats',
  ],
  ['an empty file', GOOD, '', '1:1: must be a mapping (got nothing)'],
  ['a list', GOOD, '- a', '1:1: must be a mapping (got a list)'],
  // Keys.
  ['an unknown key', 'weight: 5', 'wieght: 5', '11:5: routes[0].wieght: unknown key; did you mean "weight"?'],
  ['an unknown key, unlike any', 'weight: 5', 'colour: 5', '11:5: routes[0].colour: unknown key'],
  [
    'an unknown key in a flow mapping',
    '{ path: / }',
    '{ paht: / }',
    '8:14: routes[0].match.paht: unknown key; did you mean "path"?',
  ],
  [
    'an unknown key in a union',
    '{ path: / }',
    '{ path: { exact: /, depth: 1 } }',
    '8:32: routes[0].match.path.depth: unknown key',
  ],
  ['a key that objects have by birth', 'weight: 5', '__proto__: 5', '11:5: routes[0].__proto__: unknown key'],
  ['a backend named __proto__', 'b: {', '__proto__: {', '5:3: backends.__proto__: unknown key'],
  ['a merge key', 'weight: 5', '<<: { weight: 5 }', '11:5: routes[0]."<<": unknown key'],
  ['a missing key', '    old: a\n', '', '7:5: routes[0].old: is required'],
  [
    'a missing section',
    GOOD.slice(GOOD.indexOf('backends:'), GOOD.indexOf('routes:')),
    '',
    '1:1: backends: is required',
  ],
  ['no value', 'weight: 5', 'weight:', '11:5: routes[0].weight: must be a number (got nothing)'],
  // Values.
  [
    'weight above 100',
    'weight: 5',
    'weight: 101',
    '11:5: routes[0].weight: must be between 0 and 100 percent (got 101)',
  ],
  [
    'weight below 0',
    'weight: 5',
    'weight: -0.1',
    '11:5: routes[0].weight: must be between 0 and 100 percent (got -0.1)',
  ],
  [
    'weight too fine',
    'weight: 5',
    'weight: 0.00001',
    '11:5: routes[0].weight: must have at most four decimals (got 0.00001)',
  ],
  ['weight as text', 'weight: 5', 'weight: 5%', '11:5: routes[0].weight: must be a number (got "5%")'],
  [
    'number for text',
    'match: { path: / }',
    'match: { headers: { x-v: 2 } }',
    '8:25: routes[0].match.headers.x-v: must be text in quotes (got 2)',
  ],
  [
    'duration without unit',
    'weight: 5',
    'timeouts: { total: 5 }',
    '11:17: routes[0].timeouts.total: must be a duration such as 250ms, 30s, 5m or 1h, or 0 (got 5)',
  ],
  [
    'duration of an unknown unit',
    'weight: 5',
    'timeouts: { total: 5d }',
    '11:17: routes[0].timeouts.total: must be a duration such as 250ms, 30s, 5m or 1h, or 0 (got "5d")',
  ],
  [
    'duration beyond timers',
    'weight: 5',
    'timeouts: { total: 600h }',
    '11:17: routes[0].timeouts.total: must be at most 24 days (got "600h")',
  ],
  ['no workers', 'backends:', 'workers: 0\nbackends:', '3:1: workers: must be at least 1 (got 0)'],
  [
    'workers by another word',
    'backends:',
    'workers: all\nbackends:',
    '3:1: workers: must be auto or a number of workers (got "all")',
  ],
  [
    'half a connection',
    'backends:',
    'limits: { connections: 0.5 }\nbackends:',
    '3:11: limits.connections: must be a whole number (got 0.5)',
  ],
  [
    'a small head',
    'backends:',
    'limits: { headBytes: 10 }\nbackends:',
    '3:11: limits.headBytes: must be at least 1024 (got 10)',
  ],
  [
    'unknown role',
    'backends:',
    `admin: { tokens: [{ name: x, role: god, sha256: ${SHA256} }] }\nbackends:`,
    '3:30: admin.tokens[0].role: must be viewer or operator or admin (got "god")',
  ],
  [
    'a token instead of its hash',
    'backends:',
    'admin: { tokens: [{ name: x, role: admin, sha256: hunter2 }] }\nbackends:',
    '3:43: admin.tokens[0].sha256: must be 64 hexadecimal digits',
  ],
  [
    'a token named like whoever has none',
    'backends:',
    `admin: { tokens: [{ name: local, role: admin, sha256: ${SHA256} }] }\nbackends:`,
    '3:21: admin.tokens[0].name: must not be one of local, unknown, config, which stand for callers without a token (got "local")',
  ],
  [
    'two tokens of one name',
    'backends:',
    `admin: { tokens: [{ name: x, role: admin, sha256: ${SHA256} }, { name: x, role: viewer, sha256: ${SHA256.replace('9', 'a')} }] }\nbackends:`,
    '3:121: admin.tokens[1].name: "x" is already the name of admin.tokens[0]',
  ],
  [
    'one token of two names',
    'backends:',
    `admin: { tokens: [{ name: x, role: admin, sha256: ${SHA256} }, { name: y, role: viewer, sha256: ${SHA256.toUpperCase()} }] }\nbackends:`,
    '3:144: admin.tokens[1].sha256: this is already the token of admin.tokens[0]',
  ],
  ['no listener', '\n  - address: 127.0.0.1:8080', ' []', '1:1: listeners: must have at least 1 entry (got a list)'],
  [
    'listener without port',
    '127.0.0.1:8080',
    '127.0.0.1',
    '2:5: listeners[0].address: must be host:port, such as 127.0.0.1:8080 or [::1]:8080 (got "127.0.0.1")',
  ],
  [
    'listener beyond the ports',
    '127.0.0.1:8080',
    '127.0.0.1:65536',
    '2:5: listeners[0].address: must be host:port, such as 127.0.0.1:8080 or [::1]:8080 (got "127.0.0.1:65536")',
  ],
  [
    'an address that is none',
    '127.0.0.1:9101',
    '127.0.0.256:9101',
    '4:30: backends.a.discovery.static[0]: must be host:port, such as 10.0.0.7:8080 or [::1]:80 (got "127.0.0.256:9101")',
  ],
  [
    'an endpoint on port 0',
    '127.0.0.1:9101',
    '127.0.0.1:0',
    '4:30: backends.a.discovery.static[0]: must be host:port, such as 10.0.0.7:8080 or [::1]:80 (got "127.0.0.1:0")',
  ],
  [
    'an endpoint twice',
    '["127.0.0.1:9101"]',
    '["h:1", "H:1"]',
    '4:21: backends.a.discovery.static: names an endpoint twice (got a list)',
  ],
  [
    'no endpoint',
    '["127.0.0.1:9101"]',
    '[]',
    '4:21: backends.a.discovery.static: must have at least 1 entry (got a list)',
  ],
  [
    'no discovery',
    '{ static: ["127.0.0.1:9101"] }',
    '{}',
    '4:8: backends.a.discovery: must have exactly one of static, dns, helios, kubernetes (got a mapping)',
  ],
  [
    'an unknown discovery',
    'static: ["127.0.0.1:9101"]',
    'consul: {}',
    '4:21: backends.a.discovery.consul: unknown key',
  ],
  [
    'half of mutual TLS',
    '["127.0.0.1:9101"] }',
    '["127.0.0.1:9101"] }, tls: { certificate: localhost.crt }',
    '4:51: backends.a.tls: must have certificate and key together (got a mapping)',
  ],
  [
    'a name with a blank',
    'name: one',
    'name: o ne',
    '7:5: routes[0].name: must be 1 to 63 letters, digits, dots, dashes or underscores and begin with a letter or digit (got "o ne")',
  ],
  [
    'a backend name with a blank',
    '  b: {',
    '  b c: {',
    '5:3: backends."b c": the name must be 1 to 63 letters, digits, dots, dashes or underscores and begin with a letter or digit',
  ],
  [
    'host with port',
    '{ path: / }',
    '{ hosts: ["a.b:80"] }',
    '8:22: routes[0].match.hosts[0]: must be a host name without port, such as api.example.com or *.example.com (got "a.b:80")',
  ],
  [
    'wildcard inside',
    '{ path: / }',
    '{ hosts: ["a.*.b"] }',
    '8:22: routes[0].match.hosts[0]: must be a host name without port, such as api.example.com or *.example.com (got "a.*.b")',
  ],
  [
    'any host',
    '{ path: / }',
    '{ hosts: ["*"] }',
    '8:22: routes[0].match.hosts[0]: must be a host name without port, such as api.example.com or *.example.com (got "*")',
  ],
  [
    'path without slash',
    '{ path: / }',
    '{ path: search }',
    '8:14: routes[0].match.path: must be a path such as /search/, without query; other characters percent-encoded (got "search")',
  ],
  [
    'path with query',
    '{ path: / }',
    '{ path: { exact: "/a?b" } }',
    '8:22: routes[0].match.path.exact: must be a path such as /search/, without query; other characters percent-encoded (got "/a?b")',
  ],
  [
    'path that no request has',
    '{ path: / }',
    '{ path: /%7euser/ }',
    '8:14: routes[0].match.path: must be written as requests are compared: no dot segments, escapes in capitals and only where needed (got "/%7euser/")',
  ],
  [
    'path of another kind',
    '{ path: / }',
    '{ path: [/] }',
    '8:14: routes[0].match.path: must be a path or { exact: path } (got a list)',
  ],
  [
    'method with a blank',
    '{ path: / }',
    '{ methods: ["GET "] }',
    '8:24: routes[0].match.methods[0]: must be a token (letters, digits, dashes; no blanks) (got "GET ")',
  ],
  [
    'method in small letters',
    '{ path: / }',
    '{ methods: [get] }',
    '8:24: routes[0].match.methods[0]: must be in capitals, as clients send it (got "get")',
  ],
  [
    'header name with a colon',
    '{ path: / }',
    '{ headers: { "x:": y } }',
    '8:25: routes[0].match.headers."x:": the name must be a header name (letters, digits, dashes; no blanks)',
  ],
  [
    'header value with a line break',
    '{ path: / }',
    '{ headers: { x: "a\\nb" } }',
    '8:25: routes[0].match.headers.x: must be a header value (no control characters, no blanks around it) (got "a\\nb")',
  ],
  [
    'header twice',
    '{ path: / }',
    '{ headers: { x: a, X: b } }',
    '8:31: routes[0].match.headers.X: is given twice, but for capitals (got "b")',
  ],
  [
    'path beside grpc',
    '{ path: / }',
    '{ path: /, grpc: { service: p.S } }',
    '8:5: routes[0].match: must not have both path and grpc: a gRPC service is matched by its path (got a mapping)',
  ],
  [
    'generate not last',
    'weight: 5',
    'sticky: [{ generate: true }, { address: true }]',
    '11:5: routes[0].sticky: must have generate last: it gives every request a key, so nothing after it is looked at (got a list)',
  ],
  [
    'two sources in one',
    'weight: 5',
    'sticky: [{ header: x, cookie: y }]',
    '11:14: routes[0].sticky[0]: must have exactly one of header, cookie, address, generate (got a mapping)',
  ],
  [
    'a source switched off',
    'weight: 5',
    'sticky: [{ address: false }]',
    '11:16: routes[0].sticky[0].address: must be true (got false)',
  ],
  [
    'a proxy that is no network',
    'backends:',
    'trustedProxies: [10.0.0.0/33]\nbackends:',
    '3:18: trustedProxies[0]: must be an address or a CIDR block, such as 10.0.0.0/8 (got "10.0.0.0/33")',
  ],
  [
    'a store of no kind',
    'backends:',
    'store: sqlite:x\nbackends:',
    '3:1: store: must be file:PATH, redis://HOST:6379/0, rediss://HOST:6379/0, redis+sentinel://HOST:26379,HOST:26379/NAME or redis+cluster://HOST:6379,HOST:6379',
  ],
  // Between parts.
  ['route without backend', 'old: a', 'old: aa', '9:5: routes[0].old: there is no backend "aa"; did you mean "a"?'],
  [
    'a backend that objects have by birth',
    'new: b',
    'new: toString',
    '10:5: routes[0].new: there is no backend "toString"',
  ],
  [
    'two listeners on one address',
    'backends:',
    '  - address: 127.0.0.1:8080\nbackends:',
    '3:5: listeners[1].address: 127.0.0.1:8080 is already the address of listeners[0]',
  ],
  [
    'a listener on the admin address',
    '127.0.0.1:8080',
    '127.0.0.1:9900',
    '1:1: admin.address: 127.0.0.1:9900 is already the address of listeners[0]',
  ],
  [
    'a listener on all addresses beside one of them',
    'backends:',
    '  - address: 0.0.0.0:8080\nbackends:',
    '3:5: listeners[1].address: 0.0.0.0:8080 overlaps the address of listeners[0]',
  ],
  [
    'a listener on all addresses of IPv6, which takes IPv4 along',
    'backends:',
    '  - address: "[::]:8080"\nbackends:',
    '3:5: listeners[1].address: [::]:8080 overlaps the address of listeners[0]',
  ],
  [
    'one address of IPv6, written in two ways',
    '- address: 127.0.0.1:8080',
    '- address: "[::1]:8080"\n  - address: "[0:0::1]:8080"',
    '3:5: listeners[1].address: [0:0::1]:8080 overlaps the address of listeners[0]',
  ],
  [
    'a listener on all addresses with the port of the admin address',
    '127.0.0.1:8080',
    '0.0.0.0:9900',
    '1:1: admin.address: 127.0.0.1:9900 overlaps the address of listeners[0]',
  ],
  [
    'one file for the store and the last state',
    'backends:',
    'store: file:state.json\nstateFile: ./state.json\nbackends:',
    '4:1: stateFile: state.json is already the file of store',
  ],
  [
    'one file for the store and the access log',
    'backends:',
    'store: file:state.json\naccessLog: { file: state.json }\nbackends:',
    '4:14: accessLog.file: state.json is already the file of store',
  ],
  [
    'a rescue told in a field that frames the response',
    'weight: 5',
    'rescue: { responseField: Content-Length }',
    '11:15: routes[0].rescue.responseField: must not be a field by which messages are framed or sent on (got "Content-Length")',
  ],
  [
    'an override by the field that names the host',
    'backends:',
    'overrideHeader: { name: Host, secret: hunter2 }\nbackends:',
    '3:19: overrideHeader.name: must not be a field by which messages are framed or sent on (got "Host")',
  ],
  [
    'an ejection that is switched on',
    '["127.0.0.1:9101"] }',
    '["127.0.0.1:9101"] }, ejection: true',
    '4:51: backends.a.ejection: must be false or a mapping (got true)',
  ],
  [
    'more workers than any machine carries',
    'backends:',
    'workers: 100000\nbackends:',
    '3:1: workers: must be at most 1024 (got 100000)',
  ],
  [
    'admin for everyone',
    'backends:',
    'admin: { address: 0.0.0.0:9900 }\nbackends:',
    '3:10: admin.address: must be a loopback address, such as 127.0.0.1:9900, without tokens (got "0.0.0.0:9900")',
  ],
  [
    'a route name twice',
    'weight: 5',
    'weight: 5\n  - { name: one, match: { path: /b }, old: a, new: b }',
    '12:7: routes[1].name: "one" is already the name of routes[0]',
  ],
  // Variables.
  [
    'a variable that is not set',
    'old: a',
    'old: "${OLD}"',
    '9:5: routes[0].old: the environment variable OLD is not set',
  ],
  [
    'a variable of no name',
    'old: a',
    'old: "${OLD-a}"',
    '9:5: routes[0].old: ${OLD-a} does not name an environment variable; write $${ for a literal ${',
  ],
  [
    'a variable without end',
    'old: a',
    'old: "${OLD"',
    '9:5: routes[0].old: ${OLD does not name an environment variable; write $${ for a literal ${',
  ],
];

describe('a bad file is refused at the line to blame', () => {
  test.each(BAD)('%s', async (_what, text, instead, firstLine) => {
    expect(GOOD).toContain(text);
    const [first] = await folder.lines(GOOD.replace(text, () => instead));
    expect(first).toBe(`crossfade.yaml:${firstLine}`);
  });

  test('the good file is good', async () => {
    expect(await folder.lines(GOOD)).toEqual([]);
  });

  test('a file that cannot be read is named without a line', async () => {
    const result = await loadConfig('no/such.yaml', {});
    expect(result.kind).toBe('invalid');
    const lines = result.kind === 'invalid' ? result.problems.map(formatProblem) : [];
    expect(lines).toEqual(["no/such.yaml: cannot be read: ENOENT: no such file or directory, open 'no/such.yaml'"]);
  });

  test('all problems are reported, in the order of lines', async () => {
    const text = GOOD.replace('weight: 5', 'weight: 101')
      .replace('old: a', 'old: c')
      .replace('8080', '8080x')
      .replace('name: one', 'nam: one');
    expect(await folder.lines(text)).toEqual([
      'crossfade.yaml:2:5: listeners[0].address: must be host:port, such as 127.0.0.1:8080 or [::1]:8080 (got "127.0.0.1:8080x")',
      'crossfade.yaml:7:5: routes[0].nam: unknown key; did you mean "name"?',
      'crossfade.yaml:7:5: routes[0].name: is required',
      'crossfade.yaml:9:5: routes[0].old: there is no backend "c"',
      'crossfade.yaml:11:5: routes[0].weight: must be between 0 and 100 percent (got 101)',
    ]);
  });

  test('a file that is no YAML at all is not repeated in its messages', async () => {
    const lines = await folder.lines(`a: b\n${`"${'x'.repeat(1_000)}" "y": z\n`.repeat(1_000)}`);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(10);
    for (const line of lines) expect(line.length).toBeLessThan(300);
  });

  test('a route with one backend for both sides is served with a warning', async () => {
    const result = await folder.load(GOOD.replace('new: b', 'new: a'));
    expect(result.kind === 'ok' && result.warnings.map(({ key, line, message }) => ({ key, line, message }))).toEqual([
      { key: 'routes[0].new', line: 10, message: '"a" is also old: whatever the weight, nothing moves' },
    ]);
  });

  test('listeners of one port on addresses apart', async () => {
    const text = GOOD.replace(
      '127.0.0.1:8080',
      '127.0.0.1:8080\n  - address: "[::1]:8080"\n  - address: 127.0.0.2:8080',
    );
    expect(await folder.lines(text)).toEqual([]);
  });

  test('a ramp that there is not', () => {
    const findings = crossCheck({
      ramps: { careful: [] },
      routes: [{ ramp: 'carefull' }, { ramp: 'careful' }, { ramp: [] }],
    });
    expect(findings).toEqual([
      { path: ['routes', 0, 'ramp'], message: 'there is no ramp "carefull"; did you mean "careful"?' },
    ]);
  });

  test('an alias that grows without bound', async () => {
    const laughs = Array.from(
      { length: 9 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`,
    );
    expect(await folder.lines(`l0: &l0 [x]\n${laughs.join('\n')}\n`)).toEqual([
      'crossfade.yaml:1:1: Excessive alias count indicates a resource exhaustion attack',
    ]);
  });

  test('the content of a secret is in no message', async () => {
    const text = `overrideHeader: { name: x-side, secret: "\${SECRET}" }\nstore: redis://:\${SECRET}@host:port\nfleet: "\${SECRET} "\n${GOOD}`;
    const lines = await folder.lines(text, { SECRET: ' hunter2' });
    expect(lines.map((line) => line.split(': ')[1])).toEqual(['overrideHeader.secret', 'store', 'fleet']);
    expect(lines.join('\n')).not.toContain('hunter2');
  });
});

/** The good file with two routes of these matches. */
function two(first: string, second: string): string {
  return GOOD.replace('{ path: / }', first).concat(`  - { name: two, match: ${second}, old: a, new: b }\n`);
}

describe('routes that take the same requests', () => {
  test.each([
    ['the same path', '{ path: /x/ }', '{ path: /x/ }'],
    ['everything, written in two ways', '{}', '{ path: / }'],
    ['one exact path, written in two ways', '{ path: /x }', '{ path: { exact: /x } }'],
    ['a host in common', '{ hosts: [a.example, B.example] }', '{ hosts: [b.example] }'],
    ['a method in common', '{ methods: [GET, HEAD] }', '{ methods: [POST, HEAD] }'],
    ['the same headers in another order', '{ headers: { x: "1", y: "2" } }', '{ headers: { Y: "2", X: "1" } }'],
  ])('%s: refused, both named', async (_what, first, second) => {
    expect(await folder.lines(two(first, second))).toEqual([
      'crossfade.yaml:12:18: routes[1].match: routes "one" and "two" match the same requests and neither is more specific',
    ]);
  });

  test.each([
    ['a path and all below it', '{ path: /x }', '{ path: /x/ }'],
    ['the root and everything', '{ path: { exact: / } }', '{ path: / }'],
    ['a host and its wildcard', '{ hosts: [a.example.com] }', '{ hosts: ["*.example.com"] }'],
    ['a method and any', '{ methods: [GET] }', '{}'],
    ['two methods', '{ methods: [GET] }', '{ methods: [PUT] }'],
    ['two values of a header', '{ headers: { x: a } }', '{ headers: { x: b } }'],
  ])('%s: both serve', async (_what, first, second) => {
    expect(await folder.lines(two(first, second))).toEqual([]);
  });
});
