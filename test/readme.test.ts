/** What README.md says to type is typed: every line of its blocks, in bash, against a replica in front of the sample backends. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from './store/redis/servers.ts';
import { Replica, yamlOf } from './supervisor/replica.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const CLI = new URL('../dist/cli/main.js', import.meta.url).pathname;
/** The build's: it starts its servers from files beside it. */
const { startSampleBackends } = (await import(
  new URL('../dist/demo/sample-backends.js', import.meta.url).href
)) as typeof import('../src/demo/sample-backends.ts');

let replica: Replica;
let backends: Awaited<ReturnType<typeof startSampleBackends>>;

beforeEach(async () => {
  const ports = await Promise.all(Array.from({ length: 4 }, freePort));
  const [old, next, greeterOld, greeterNew] = ports.map((port) => `127.0.0.1:${port}`) as [
    string,
    string,
    string,
    string,
  ];
  backends = await startSampleBackends(
    ports.map((port, i) => ({
      side: i % 2 === 0 ? 'old' : 'new',
      endpoint: { host: '127.0.0.1', port },
      protocol: i < 2 ? 'http1' : 'h2',
    })),
  );
  replica = new Replica();
  // The routes of the sample configuration.
  const match = '{ grpc: { service: crossfade.demo.v1.Greeter } }';
  const routes = `  - { name: greeter, match: ${match}, old: greeter-old, new: greeter-new }`;
  const greeters = `backends:
  greeter-old: { protocol: h2, discovery: { static: ["${greeterOld}"] } }
  greeter-new: { protocol: h2, discovery: { static: ["${greeterNew}"] } }`;
  replica.configure(yamlOf({ old, new: next }, { routes }).replace('backends:', greeters));
  await replica.start();
}, 60_000);
afterEach(async () => {
  await replica.dispose();
  await backends.stop();
}, 60_000);

/** The first block of code below a heading. */
function blockOf(heading: string): string[] {
  const section = README.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const block = /```sh\n([\s\S]*?)```/.exec(section)?.[1]?.trimEnd();
  if (block === undefined) throw new Error(`README.md has no block of code below "${heading}"`);
  return block.split('\n');
}

/** What a line prints, both streams together; it must succeed. The ports of `npm start` are those of the replica here. */
async function type(line: string): Promise<string> {
  const here = line
    .replaceAll('http://127.0.0.1:8080', replica.proxy)
    .replaceAll('http://127.0.0.1:9900', replica.admin);
  const npx = `npx() { [ "$1" = crossfade ] || return 127; shift; "${process.execPath}" "${CLI}" "$@"; }`;
  const env = { ...process.env, CROSSFADE_ADMIN: replica.admin, USER: 'ada' };
  const child = spawn('bash', ['-c', `set -euo pipefail; ${npx}; ${here}`], { env });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
  return out;
}

/** Without what differs from one time to the next: milliseconds, and how many of the requests fell on which side. */
function bare(printed: string): string {
  return printed
    .replaceAll(/\d+ ms/g, 'N ms')
    .replaceAll(/ {2,}\d+(?= )/g, '  N')
    .trim();
}

test('the first move, with the answers that stand there', async () => {
  const lines = blockOf('First move');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    expect(line).toMatch(/^\$ /);
    const said: string[] = [];
    while (lines[at + 1] !== undefined && !lines[at + 1]?.startsWith('$ ')) said.push(lines[++at] as string);
    const printed = await type(line.slice(2));
    if (said.length > 0) expect(bare(printed)).toBe(bare(said.join('\n')));
    else expect(printed).not.toBe('');
  }
}, 120_000);

test('the guided migration, line by line, to the end', async () => {
  const lines = blockOf('A migration in fifteen minutes');
  expect(lines.length).toBeGreaterThan(7);
  const printed: string[] = [];
  for (const line of lines) printed.push(await type(line));
  expect((await replica.route('demo')).weight).toBe(100);
  expect(printed.at(-1)).toMatch(/rollback +local +demo 50% -> 0% +practice/);
  // All of the 500 requests were answered, by one side or the other.
  const counts = printed.find((each) => each.includes('"side":"old"') && /^ *\d+ /.test(each)) ?? '';
  expect([...counts.matchAll(/^ *(\d+) /gm)].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(500);
}, 240_000);

test('the call by curl', async () => {
  await type('npx crossfade set demo 2 --wait');
  const [call = ''] = README.match(/curl -s -X PUT http:\/\/127\.0\.0\.1:9900[\s\S]*?'\n/) ?? [];
  const { revision } = await replica.route('demo');
  const answer = await type(call.replace(/"\d+"'/, `"${revision}"'`).trim());
  expect(JSON.parse(answer)).toMatchObject({ name: 'demo', weight: 5, reason: 'step 1' });
}, 60_000);

test('the gRPC call by curl', async () => {
  const [call = '', said] = /\$ (printf [\s\S]*?c \+8)\n(.*)\n/.exec(README)?.slice(1) ?? [];
  expect(await type(call.replace(/ \\\n +/, ' '))).toBe(`${said}\n`);
}, 60_000);
