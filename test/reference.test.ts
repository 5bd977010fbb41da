import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../.ci/reference.mjs', import.meta.url));

test('the reference in README.md is that of the schemas (else: npm run reference)', async () => {
  await expect(promisify(execFile)(process.execPath, [SCRIPT, '--check'])).resolves.toMatchObject({ stderr: '' });
});
