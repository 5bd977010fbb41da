/** A YAML text as a plain value that remembers where each of its keys stands. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { substitute } from './environment.ts';
import type { Finding, KeyPath } from './problem.ts';

/** Line and column from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SourceDocument {
  readonly value: unknown;
  /** What is wrong with the text beside its form: variables that are not set, keys that no mapping may have. */
  readonly findings: readonly Finding[];
  /** Where the key or list entry stands, or else the nearest one around it. */
  locate(path: KeyPath): Position;
  /** A value for messages as the file has it (so that a variable's content is never shown); undefined when there is none. */
  written(path: KeyPath): string | undefined;
}

export type ParseResult =
  | { readonly kind: 'parsed'; readonly document: SourceDocument }
  | { readonly kind: 'broken'; readonly errors: readonly (Position & { readonly message: string })[] };

/** A file that is no YAML at all has an error in each of its lines; the first ones say it. */
const MOST_ERRORS = 10;
/** Some repeat what they have found, however long it is. */
const LONGEST_MESSAGE = 200;

type Environment = Readonly<Record<string, string | undefined>>;

export function parseSource(text: string, env: Environment): ParseResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    return {
      kind: 'broken',
      errors: broken.slice(0, MOST_ERRORS).map((error) => ({ ...at(error.pos[0]), message: yamlMessage(error, text) })),
    };
  }
  const findings: Finding[] = [];
  prepare(document, document.contents, [], [], env, findings);
  const locate = (path: KeyPath) => at(find(document, path).offset);
  if (findings.some(({ message }) => message === CIRCULAR)) {
    return { kind: 'broken', errors: findings.map(({ path, message }) => ({ ...locate(path), message })) };
  }
  try {
    const written = (path: KeyPath) => describeNode(find(document, path).node);
    return { kind: 'parsed', document: { value: document.toJS(), findings, locate, written } };
  } catch (error) {
    // Aliases without an anchor, or so many that the value would grow without bound.
    return { kind: 'broken', errors: [{ ...at(0), message: (error as Error).message }] };
  }
}

function yamlMessage(error: { code: string; message: string; pos: [number, number] }, text: string): string {
  if (error.code !== 'DUPLICATE_KEY') {
    const message = error.message.replaceAll(/\s+/g, ' ');
    return `not valid YAML: ${message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message}`;
  }
  const key = /^(?:"[^"]*"|'[^']*'|[^\s:]+)/.exec(text.slice(error.pos[0]))?.[0] ?? '';
  return `the key ${key} is given twice in one mapping`;
}

const CIRCULAR = 'an alias must not stand inside what it repeats';

/** Puts variables in place, in values and not in keys, and finds what a plain value could not show any more. */
function prepare(
  document: Document,
  node: unknown,
  path: KeyPath,
  around: readonly unknown[],
  env: Environment,
  findings: Finding[],
): void {
  if (isAlias(node)) {
    if (around.includes(node.resolve(document))) findings.push({ path, message: CIRCULAR });
  } else if (isScalar(node)) {
    if (typeof node.value !== 'string') return;
    const { text, faults } = substitute(node.value, env);
    node.value = text;
    findings.push(...faults.map((message) => ({ path, message })));
  } else if (isMap(node)) {
    for (const pair of node.items) {
      const key = keyOf(pair);
      // Objects have this one by birth; it would be lost without a word.
      if (key === '__proto__') findings.push({ path: [...path, key], message: 'unknown key' });
      prepare(document, pair.value, [...path, key], [...around, node], env, findings);
    }
  } else if (isSeq(node)) {
    for (const [i, item] of node.items.entries())
      prepare(document, item, [...path, i], [...around, node], env, findings);
  }
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : '';
}

/** The offset of the path's last key or entry that exists, and the value's node when all of the path does. */
function find(document: Document, path: KeyPath): { offset: number; node: unknown } {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const step of path) {
    const inside = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(inside) ? inside.items.find((candidate) => keyOf(candidate) === String(step)) : undefined;
    const entry: unknown = isSeq(inside) ? inside.items[Number(step)] : pair?.key;
    if (entry === undefined) return { offset, node: undefined };
    offset = (entry as Node | null)?.range?.[0] ?? offset;
    node = pair === undefined ? entry : pair.value;
  }
  return { offset, node };
}

function describeNode(node: unknown): string | undefined {
  if (node === null) return 'nothing';
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node)) return undefined;
  const source = node.source ?? '';
  const text = typeof node.value === 'string' ? JSON.stringify(source) : source === '' ? 'nothing' : source;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
