import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatWarning } from '../../src/config/problem.ts';
import { ConfigFolder, GOOD } from './files.ts';

const folder = new ConfigFolder();
afterAll(() => folder.remove());

const text = (name: string) => readFileSync(join(folder.folder, name), 'utf8');
const pair = (name: string) => `{ certificate: ${name}.crt, key: ${name}.key }`;
const listener = (...lines: string[]) =>
  GOOD.replace('backends:', `${lines.map((line) => `    ${line}\n`).join('')}backends:`);

describe('several certificates', () => {
  test('have the names of their subjectAltName, and the first need not have any', async () => {
    const { listeners } = await folder.config(
      listener(`tls: [${pair('nameless')}, ${pair('shop')}, ${pair('localhost')}]`),
    );
    expect(listeners[0]?.tls?.certificates.map(({ names, certificate }) => [names, certificate])).toEqual([
      [[], text('nameless.crt')],
      [['shop.example', '*.shop.example'], text('shop.crt')],
      [['localhost'], text('localhost.crt')],
    ]);
    expect(listeners[0]?.tls?.client).toBeNull();
  });

  test.each([
    [
      'for the same name',
      [`tls:`, `  - ${pair('localhost')}`, `  - ${pair('shop')}`, `  - ${pair('renewed')}`],
      '6:11: listeners[0].tls[2].certificate: is for localhost, as is that of listeners[0].tls[0]',
    ],
    [
      'one after the first without a name',
      [`tls:`, `  - ${pair('localhost')}`, `  - ${pair('nameless')}`],
      '5:11: listeners[0].tls[1].certificate: has no DNS name in its subjectAltName, so that no client would be shown it',
    ],
    [
      'one with the key of another',
      [`tls:`, `  - ${pair('localhost')}`, `  - { certificate: shop.crt, key: other.key }`],
      '5:34: listeners[0].tls[1].key: does not belong to the certificate',
    ],
    ['none', ['tls: []'], '3:5: listeners[0].tls: must have at least 1 entry'],
    ['a name', ['tls: shop.crt'], '3:5: listeners[0].tls: must be a mapping of certificate and key, or a list of such'],
  ])('%s', async (_what, lines, start) => {
    const problems = await folder.lines(listener(...lines));
    expect(problems.map((problem) => problem.slice(0, `crossfade.yaml:${start}`.length))).toEqual([
      `crossfade.yaml:${start}`,
    ]);
  });
});

describe('certificates of clients', () => {
  test('are required and not forwarded unless told otherwise', async () => {
    const tls = `tls: ${pair('localhost')}`;
    const { listeners } = await folder.config(listener(tls, 'clientCertificate: { ca: clients-ca.crt }'));
    expect(listeners[0]?.tls?.client).toEqual({ ca: text('clients-ca.crt'), isRequired: true, isForwarded: false });
    const other = listener(tls, 'clientCertificate: { ca: clients-ca.crt, verify: optional, forward: true }');
    expect((await folder.config(other)).listeners[0]?.tls?.client).toMatchObject({
      isRequired: false,
      isForwarded: true,
    });
  });

  test.each([
    [
      'without TLS',
      ['clientCertificate: { ca: clients-ca.crt }'],
      'clientCertificate: needs tls, in which clients show it',
    ],
    ['without a CA', [`tls: ${pair('localhost')}`, 'clientCertificate: {}'], 'clientCertificate.ca: is required'],
    [
      'with a CA that is none',
      [`tls: ${pair('localhost')}`, 'clientCertificate: { ca: client.key }'],
      'clientCertificate.ca: is not a PEM certificate',
    ],
    [
      'with a CA that is not there',
      [`tls: ${pair('localhost')}`, 'clientCertificate: { ca: none.crt }'],
      'clientCertificate.ca: cannot be read: ENOENT',
    ],
    [
      'with a word that is none',
      [`tls: ${pair('localhost')}`, 'clientCertificate: { ca: clients-ca.crt, verify: none }'],
      'clientCertificate.verify: must be required or optional',
    ],
  ])('%s', async (_what, lines, words) => {
    const problems = await folder.lines(listener(...lines));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`: listeners[0].${words}`);
  });
});

test('an expired certificate is served, with a warning that says where it stands', async () => {
  const result = await folder.load(listener('tls:', '  certificate: expired.crt', '  key: shop.key'));
  expect(result.kind === 'ok' && result.warnings.map(formatWarning)).toEqual([
    `${folder.file}:4:7: listeners[0].tls.certificate: warning: expired on 2020-02-01`,
  ]);
});

test.each(['500ms', '169h'])('ticketRotation: %s is out of range', async (written) => {
  const problems = await folder.lines(`${GOOD}ticketRotation: ${written}\n`);
  expect(problems[0]).toContain('ticketRotation: must be 0, or between 1s and 168h');
});
