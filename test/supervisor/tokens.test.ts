/** Tokens of a running Crossfade: from its file, swapped by SIGHUP, named in the history and never in the log. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../cli/harness.ts';
import { Origins, Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

let origins: Origins;
let replica: Replica;
let yaml: string;

beforeEach(async () => {
  origins = new Origins();
  yaml = yamlOf(await origins.start());
  replica = new Replica();
});
afterEach(async () => {
  await replica.dispose();
  origins.stop();
});

const withAdmin = (admin: string): string => yaml.replace('admin: { address: "127.0.0.1:0" }', `admin: ${admin}`);
const entry = (name: string, role: string, token: string): string =>
  `{ name: ${name}, role: ${role}, sha256: ${createHash('sha256').update(token).digest('hex')} }`;
const crossfade = (line: string, token: string) =>
  run(line.split(' '), { CROSSFADE_ADMIN: replica.admin, CROSSFADE_TOKEN: token });

test('who has none may not, who has one may by its role, and SIGHUP swaps them', async () => {
  const viewer = entry('vera', 'viewer', 'v-secret-1');
  replica.configure(
    withAdmin(`{ address: "127.0.0.1:0", tokens: [${viewer}, ${entry('otto', 'operator', 'o-secret-1')}] }`),
  );
  await replica.start();
  expect((await fetch(`${replica.admin}/healthz`)).status).toBe(200);
  expect((await fetch(`${replica.admin}/metrics`)).status).toBe(401);
  expect(await crossfade('status', '')).toMatchObject({ code: 2, err: expect.stringContaining('needs a token') });
  expect((await crossfade('status', 'v-secret-1\n')).code).toBe(0);
  expect(await crossfade('set demo 10', 'v-secret-1')).toMatchObject({
    code: 2,
    err: 'crossfade: The token may not do this: This needs the role operator; the token "vera" has viewer',
  });
  expect((await crossfade('set demo 10 --wait', 'o-secret-1')).out).toContain('1/1 applied in');
  expect((await crossfade('adopt --reason x', 'o-secret-1')).err).toContain('needs the role admin');
  const history = JSON.parse((await crossfade('history -o json --limit 1', 'v-secret-1')).out) as { entries: object[] };
  expect(history.entries).toMatchObject([{ verb: 'set', actor: 'otto' }]);

  replica.configure(
    withAdmin(
      `{ address: "127.0.0.1:0", openMetrics: true, tokens: [${viewer}, ${entry('otto', 'admin', 'o-secret-2')}] }`,
    ),
  );
  replica.signal('SIGHUP');
  await until('the new token', async () => (await crossfade('status', 'o-secret-2')).code === 0);
  expect((await crossfade('set demo 11', 'o-secret-1')).code).toBe(2);
  expect((await fetch(`${replica.admin}/metrics`)).status).toBe(200);
  // An admin may adopt; there is only nothing to adopt.
  expect((await crossfade('adopt --reason x', 'o-secret-2')).err).toContain('nothing is to be adopted');

  const refused = (await crossfade('history --refused', 'v-secret-1')).out.split('\n');
  // The head, and three: a token that is not valid does not even get as far as a write.
  expect(refused).toHaveLength(4);
  await until('the log', () => replica.stderr.includes('"verb":"adopt","route":null,"code":"conflict"'));
  expect(replica.stderr).toMatch(
    /"actor":"vera","verb":"set","route":"demo","code":"forbidden".*"msg":"refused: This needs the role operator/,
  );
  expect(`${replica.stderr}\n${refused.join('\n')}`).not.toMatch(/[vo]-secret/);
});

test('off loopback without tokens it does not start: 78, with the line to blame', async () => {
  replica.configure(withAdmin('{ address: "0.0.0.0:0" }'));
  replica.launch();
  expect(await replica.exit()).toBe(78);
  expect(replica.stderr).toMatch(/crossfade\.yaml:3:\d+: admin\.address: must be a loopback address.*without tokens/);
});

test('a reload cannot take the last token away from a port that others reach', async () => {
  replica.configure(withAdmin(`{ address: "0.0.0.0:0", tokens: [${entry('ada', 'admin', 'a-secret')}] }`));
  await replica.start();
  replica.configure(withAdmin('{ address: "0.0.0.0:0" }'));
  replica.signal('SIGHUP');
  await until('the refusal', () => replica.stderr.includes('configuration refused'));
  const url = replica.admin.replace('0.0.0.0', '127.0.0.1');
  expect((await fetch(`${url}/v1/status`)).status).toBe(401);
  expect((await fetch(`${url}/v1/status`, { headers: { authorization: 'Bearer a-secret' } })).status).toBe(200);
});
