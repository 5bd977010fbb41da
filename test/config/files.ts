import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.ts';
import { type LoadResult, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';

/** A good file, by line: listeners 1-2, backends 3-5, routes 6-11. */
export const GOOD = `listeners:
  - address: 127.0.0.1:8080
backends:
  a: { discovery: { static: ["127.0.0.1:9101"] } }
  b: { discovery: { static: ["127.0.0.1:9102"] } }
routes:
  - name: one
    match: { path: / }
    old: a
    new: b
    weight: 5
`;

/** A folder of its own with a configuration file in it and certificates beside. */
export class ConfigFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'crossfade-config-'));
  readonly file = join(this.folder, 'crossfade.yaml');

  constructor() {
    cpSync(new URL('../fixtures/tls', import.meta.url), this.folder, { recursive: true });
  }

  load(text: string, env: Record<string, string> = {}): Promise<LoadResult> {
    writeFileSync(this.file, text);
    return loadConfig(this.file, env);
  }

  async config(text: string, env: Record<string, string> = {}): Promise<Config> {
    const result = await this.load(text, env);
    if (result.kind === 'ok') return result.config;
    throw new Error(result.problems.map(formatProblem).join('\n'));
  }

  /** Problems as they are printed, without the folder's name; none when the file is good. */
  async lines(text: string, env: Record<string, string> = {}): Promise<string[]> {
    const result = await this.load(text, env);
    if (result.kind === 'ok') return [];
    return result.problems.map((problem) => formatProblem(problem).replaceAll(`${this.folder}/`, ''));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
