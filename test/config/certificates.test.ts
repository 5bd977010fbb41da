import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigFolder, GOOD } from './files.ts';

const folder = new ConfigFolder();
afterAll(() => folder.remove());

const text = (name: string) => readFileSync(join(folder.folder, name), 'utf8');
const listener = (certificate: string, key: string) =>
  GOOD.replace('backends:', `    tls:\n      certificate: ${certificate}\n      key: ${key}\nbackends:`);
const backend = (tls: string) => GOOD.replace('["127.0.0.1:9101"] }', `["127.0.0.1:9101"] }, tls: ${tls}`);

describe('certificates', () => {
  test('a listener has the texts of its files', async () => {
    const config = await folder.config(listener('localhost.crt', join(folder.folder, 'localhost.key')));
    const names = ['localhost'];
    const certificates = [{ certificate: text('localhost.crt'), key: text('localhost.key'), names }];
    expect(config.listeners[0]?.tls).toEqual({ certificates, client: null });
  });

  test('a backend is verified unless told otherwise', async () => {
    const { backends } = await folder.config(backend('{}'));
    expect(backends.map(({ tls }) => tls)).toEqual([{ insecure: false }, undefined]);
  });

  test('a backend has all that is given', async () => {
    const tls =
      '{ ca: localhost.crt, certificate: localhost.crt, key: localhost.key, serverName: LocalHost, verify: false }';
    const { backends } = await folder.config(backend(tls));
    expect(backends[0]?.tls).toEqual({
      ca: text('localhost.crt'),
      certificate: text('localhost.crt'),
      key: text('localhost.key'),
      serverName: 'localhost',
      insecure: true,
    });
    expect(() => createSecureContext({ ca: backends[0]?.tls?.ca })).not.toThrow();
  });

  test('a bundle of authorities with words between them', async () => {
    writeFileSync(
      join(folder.folder, 'bundle.crt'),
      `# one - two\n${text('localhost.crt')}\n# again\n${text('localhost.crt')}`,
    );
    expect(await folder.lines(backend('{ ca: bundle.crt }'))).toEqual([]);
  });
});

describe('a certificate that cannot serve is a problem of its key', () => {
  test('missing files, both named', async () => {
    const lines = await folder.lines(listener('no.crt', 'no.key'));
    expect(lines).toEqual([
      "crossfade.yaml:4:7: listeners[0].tls.certificate: cannot be read: ENOENT: no such file or directory, open 'no.crt'",
      "crossfade.yaml:5:7: listeners[0].tls.key: cannot be read: ENOENT: no such file or directory, open 'no.key'",
    ]);
  });

  test.each([
    [
      'a key for a certificate',
      'localhost.key',
      'localhost.key',
      '4:7: listeners[0].tls.certificate: is not a PEM certificate',
    ],
    [
      'a certificate for a key',
      'localhost.crt',
      'localhost.crt',
      '5:7: listeners[0].tls.key: is not a PEM private key',
    ],
    [
      "another certificate's key",
      'localhost.crt',
      'other.key',
      '5:7: listeners[0].tls.key: does not belong to the certificate',
    ],
    [
      'a key with a passphrase',
      'localhost.crt',
      'encrypted.key',
      '5:7: listeners[0].tls.key: is not a PEM private key',
    ],
    ['an empty certificate', 'empty', 'localhost.key', '4:7: listeners[0].tls.certificate: is not a PEM certificate'],
    ['an empty key', 'localhost.crt', 'empty', '5:7: listeners[0].tls.key: is not a PEM private key'],
    ['a folder', '.', 'localhost.key', '4:7: listeners[0].tls.certificate: cannot be read: EISDIR'],
  ])('%s', async (_what, certificate, key, start) => {
    writeFileSync(join(folder.folder, 'empty'), '');
    const lines = await folder.lines(listener(certificate, key));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, `crossfade.yaml:${start}`.length)).toBe(`crossfade.yaml:${start}`);
  });

  test.each([
    ['no certificate at all', () => 'hello'],
    ['a key', () => text('localhost.key')],
    ['a bundle with one broken', () => `${text('localhost.crt')}${text('localhost.crt').slice(0, 200)}`],
  ])('authorities that are %s', async (_what, content) => {
    writeFileSync(join(folder.folder, 'bad.crt'), content());
    const lines = await folder.lines(backend('{ ca: bad.crt }'));
    expect(lines.map((line) => line.split(' (')[0])).toEqual([
      'crossfade.yaml:4:58: backends.a.tls.ca: is not a PEM certificate',
    ]);
  });
});
