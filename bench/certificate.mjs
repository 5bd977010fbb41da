// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fixture = (/** @type {string} */ name) => fileURLToPath(new URL(`../test/fixtures/tls/${name}`, import.meta.url));

/** Signs itself and stands for `localhost`, 127.0.0.1 and ::1 (ECDSA, P-256). */
export const CERTIFICATE = fixture('localhost.crt');
const KEY = fixture('localhost.key');

/**
 * The suite's certificate and key, and both in one file, as HAProxy reads them.
 * @param {string} directory where to put that file
 * @returns {import('./types.ts').Certificate}
 */
export function certificateIn(directory) {
  const both = join(directory, 'localhost.pem');
  writeFileSync(both, readFileSync(CERTIFICATE, 'utf8') + readFileSync(KEY, 'utf8'));
  return { certificate: CERTIFICATE, key: KEY, both };
}
