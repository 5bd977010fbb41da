/** Imports point one way: the table of CONTRIBUTING.md, held against every file of src. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Layer {
  /** Which files, by path from src. The first layer that fits is a file's. */
  readonly files: RegExp;
  /** In messages. */
  readonly name: string;
  /** What its files may import besides each other, by path from src. */
  readonly may: RegExp;
  /** Pure: no I/O, so neither Node's modules nor packages. */
  readonly isPure?: true;
}

const ANYTHING = /^/;
const NOTHING = /^$/;

const LAYERS: readonly Layer[] = [
  { name: 'domain', files: /^domain\//, may: NOTHING, isPure: true },
  { name: 'fields', files: /^fields\.ts$/, may: NOTHING, isPure: true },
  { name: 'seam', files: /^seam\.ts$/, may: /^domain\//, isPure: true },
  { name: 'http1', files: /^http1\//, may: /^fields\.ts$/, isPure: true },
  { name: 'http2', files: /^http2\//, may: /^fields\.ts$/, isPure: true },
  { name: 'config', files: /^config\//, may: /^domain\// },
  { name: 'telemetry', files: /^telemetry\//, may: /^domain\// },
  { name: 'store', files: /^store\//, may: /^domain\// },
  { name: 'discovery', files: /^discovery\//, may: /^domain\// },
  { name: 'health', files: /^health\//, may: /^domain\// },
  { name: 'demo', files: /^demo\//, may: /^domain\// },
  { name: 'proxy', files: /^proxy\//, may: /^(?:http1|http2|domain)\/|^(?:fields|seam)\.ts$/ },
  {
    name: 'control',
    files: /^control\//,
    may: /^(?:discovery|health|telemetry|domain)\/|^(?:store\/store|seam)\.ts$/,
  },
  { name: 'admin', files: /^admin\//, may: /^(?:control|config|telemetry|domain)\// },
  { name: 'console', files: /^console\//, may: /^control\/control\.ts$|^admin\/(?:live|history-schemas)\.ts$/ },
  {
    name: 'cli (commands that run here)',
    files: /^cli\/commands\/(?:serve|demo|check|diff|backtest|graduate)\.ts$/,
    may: /^cli\/|^main\.ts$|^(?:config|domain)\//,
  },
  { name: 'cli', files: /^cli\//, may: /^(?:cli|domain)\// },
  { name: 'prepare', files: /^prepare\.ts$/, may: /^(?:config|control)\/|^seam\.ts$/ },
  { name: 'kept-files', files: /^kept-files\.ts$/, may: /^(?:control|store|telemetry)\// },
  { name: 'first-steps', files: /^first-steps\.ts$/, may: /^(?:control|demo)\// },
  { name: 'signals', files: /^signals\.ts$/, may: /^control\// },
  { name: 'bundle', files: /^bundle\.config\.ts$/, may: NOTHING },
  { name: 'main', files: /^main\.ts$/, may: ANYTHING },
];

/** What stands between `import` or `export` and `from`: names, `*`, `type` and braces, but no other statement. */
const STATIC = /^(?:import|export)\s(?:[\w$*,\s]|\{[^}]*\})*?\bfrom\s*['"]([^'"]+)['"]/gm;
const SIDE_EFFECT = /^import\s*['"]([^'"]+)['"]/gm;
/** Also the form in types: `import('./x.ts').Name`. */
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g;

interface Import {
  readonly line: number;
  readonly specifier: string;
}

function importsOf(text: string): Import[] {
  return [STATIC, SIDE_EFFECT, DYNAMIC]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map((found) => ({ line: text.slice(0, found.index).split('\n').length, specifier: found[1] as string }))
    .sort((a, b) => a.line - b.line);
}

/** @param file by its path from src @returns one line a forbidden import */
function violations(file: string, text: string): string[] {
  const layer = LAYERS.find(({ files }) => files.test(file));
  if (layer === undefined) return [`src/${file} belongs to no layer: give it a row in test/layers.test.ts`];
  return importsOf(text).flatMap(({ line, specifier }) => {
    if (!specifier.startsWith('.')) {
      return layer.isPure ? [`src/${file}:${line} imports ${specifier}: ${layer.name} does no I/O`] : [];
    }
    const target = normalize(join(dirname(file), specifier));
    if (layer.files.test(target) || layer.may.test(target)) return [];
    return [`src/${file}:${line} imports src/${target}: ${layer.name} may not import ${nameOf(target)}`];
  });
}

function nameOf(file: string): string {
  return LAYERS.find(({ files }) => files.test(file))?.name ?? file;
}

const src = fileURLToPath(new URL('../src', import.meta.url));

function sourceFiles(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
}

test('no file of src imports what its layer may not', () => {
  const files = sourceFiles();
  expect(files).toContain('main.ts');
  expect(files.flatMap((file) => violations(file, readFileSync(join(src, file), 'utf8')))).toEqual([]);
});

describe('what the check sees', () => {
  test('every form of import, with its line', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      'import {',
      '  c,',
      '  type D,',
      "} from './cd.ts';",
      "import * as e from './e.ts';",
      "import './f.ts';",
      "export { g } from './g.ts';",
      "export * from './h.ts';",
      "export type { I } from './i.ts';",
      "const j = await import('./j.ts');",
      "let k: import('./k.ts').K;",
    ].join('\n');
    expect(importsOf(text).map(({ line, specifier }) => `${line} ${specifier}`)).toEqual([
      '1 ./a.ts',
      '2 ./b.ts',
      '3 ./cd.ts',
      '7 ./e.ts',
      '8 ./f.ts',
      '9 ./g.ts',
      '10 ./h.ts',
      '11 ./i.ts',
      '12 ./j.ts',
      '13 ./k.ts',
    ]);
  });

  test.each([
    [
      'proxy/pool.ts',
      '../control/plan.ts',
      'src/proxy/pool.ts:1 imports src/control/plan.ts: proxy may not import control',
    ],
    [
      'control/verbs.ts',
      '../store/file-store.ts',
      'src/control/verbs.ts:1 imports src/store/file-store.ts: control may not import store',
    ],
    [
      'control/verbs.ts',
      '../proxy/pool.ts',
      'src/control/verbs.ts:1 imports src/proxy/pool.ts: control may not import proxy',
    ],
    [
      'cli/commands/status.ts',
      '../../main.ts',
      'src/cli/commands/status.ts:1 imports src/main.ts: cli may not import main',
    ],
    ['domain/split.ts', 'node:crypto', 'src/domain/split.ts:1 imports node:crypto: domain does no I/O'],
    ['http1/body.ts', '../seam.ts', 'src/http1/body.ts:1 imports src/seam.ts: http1 may not import seam'],
  ])('%s importing %s', (file, specifier, message) => {
    expect(violations(file, `import { x } from '${specifier}';\n`)).toEqual([message]);
  });

  test('a file that no layer claims', () => {
    expect(violations('utils/strings.ts', '')).toEqual([
      'src/utils/strings.ts belongs to no layer: give it a row in test/layers.test.ts',
    ]);
  });

  test.each([
    ['proxy/exchange.ts', '../domain/split.ts'],
    ['control/verbs.ts', '../store/store.ts'],
    ['cli/commands/serve.ts', '../../main.ts'],
    ['telemetry/log.ts', 'pino'],
    ['main.ts', './proxy/worker.ts'],
  ])('nothing to say on %s importing %s', (file, specifier) => {
    expect(violations(file, `import { x } from '${specifier}';\n`)).toEqual([]);
  });
});
