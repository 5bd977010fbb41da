import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigFile, describeSchema } from '../../src/config/schema.ts';
import { ConfigFolder, GOOD } from './files.ts';

const folder = new ConfigFolder();
const whole = readFileSync(new URL('whole.yaml', import.meta.url), 'utf8');
beforeAll(() => {
  for (const kind of ['crt', 'key'])
    copyFileSync(join(folder.folder, `localhost.${kind}`), join(folder.folder, `tls.${kind}`));
});
afterAll(() => folder.remove());

describe('the configuration of the design, whole', () => {
  test('has the form of the schema', () => {
    expect(ConfigFile.safeParse(parse(whole)).error?.issues).toBeUndefined();
  });

  test('is taken as it stands', async () => {
    expect(await folder.lines(whole, { OVERRIDE_SECRET: 's3cret' })).toEqual([]);
  });

  test('protocol auto needs TLS, by which it is chosen', async () => {
    expect(await folder.lines(GOOD.replace('a: {', 'a: { protocol: auto,'))).toEqual([
      'crossfade.yaml:4:8: backends.a.protocol: auto is chosen by ALPN, which needs tls; give it tls (such as tls: {}), or say http1 or h2',
    ]);
    const { backends } = await folder.config(GOOD.replace('a: {', 'a: { protocol: auto, tls: {},'));
    expect(backends.map(({ protocol }) => protocol)).toEqual(['auto', undefined]);
  });

  test('its format has a description', () => {
    expect(describeSchema()).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['listeners', 'backends', 'routes'],
    });
  });
});
