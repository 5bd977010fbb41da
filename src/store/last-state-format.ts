/**
 * The last state as bytes. The first line, always as long, is `crossfade-last-state 2 LENGTH SHA256`: how many of the bytes behind it count,
 * and what they hash to. They are lines of JSON: the whole state, then what each later one changed. A state is added by writing its
 * line first and the first line anew when that is on disk, so the file tells one state or the next at any moment, and a cut or a changed bit
 * anywhere in what counts is seen. Bytes behind that are a change that was never finished. Format 1, which is only read: one state, one line.
 */
import { createHash, type Hash } from 'node:crypto';
import { z } from 'zod';
import type { RouteState, State } from '../domain/state.ts';
import { checked, recordOfState, routeChangesOf, stateOfRecord } from './records.ts';

export interface SavedState {
  readonly state: State;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

const NAME = 'crossfade-last-state';
const LENGTH_DIGITS = 12;
const savedRecord = z.looseObject({ savedAt: z.number() });
const changeRecord = z.strictObject({
  savedAt: z.number(),
  revision: z.int().min(0),
  set: z.array(z.tuple([z.string(), z.unknown()])),
  gone: z.array(z.string()),
});

/** What a line that was never finished may look like: the beginning of a change. */
const CHANGE_START = '{"savedAt":';

/** What counts of a file, as it grows. */
export class Content {
  readonly #hash: Hash;
  #length: number;

  private constructor(hash: Hash, length: number) {
    this.#hash = hash;
    this.#length = length;
  }

  static of(bytes: Uint8Array): Content {
    return new Content(createHash('sha256').update(bytes), bytes.length);
  }

  /** The content with so many more bytes; this one stays as it is. */
  with(bytes: Uint8Array): Content {
    return new Content(this.#hash.copy().update(bytes), this.#length + bytes.length);
  }

  get length(): number {
    return this.#length;
  }

  /** The file's first line. */
  head(): Buffer {
    const digest = this.#hash.copy().digest('hex');
    return Buffer.from(`${NAME} 2 ${String(this.#length).padStart(LENGTH_DIGITS, '0')} ${digest}\n`);
  }
}

/** Bytes of the first line. */
export const HEAD_BYTES = Content.of(new Uint8Array()).head().length;

export function encodeWhole({ state, savedAt }: SavedState): Buffer {
  return lineOf({ savedAt, ...recordOfState(state) });
}

/** What leads from one state to a later one of the same epoch; undefined when only the whole state can say it. */
export function encodeChange(from: State, { state, savedAt }: SavedState): Buffer | undefined {
  if (from.epoch !== state.epoch || from.lineage?.join() !== state.lineage?.join()) return undefined;
  const set: [string, RouteState][] = [];
  for (const [name, route] of state.routes) {
    // Within an epoch a route's revision says what it holds.
    const before = from.routes.get(name);
    if (before !== route && before?.revision !== route.revision) set.push([name, route]);
  }
  const gone = [...from.routes.keys()].filter((name) => !state.routes.has(name));
  return lineOf({ savedAt, revision: state.revision, set, gone });
}

function lineOf(record: object): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

/** Throws an Error that says what is wrong with the file. */
export function decode(bytes: Buffer): SavedState {
  const end = bytes.indexOf('\n');
  if (end === -1) throw new Error('cut off in its first line');
  const [, format, length, digest] =
    /^crossfade-last-state ([12]) (\d+) ([\da-f]{64})$/.exec(bytes.toString('latin1', 0, end)) ?? [];
  if (digest === undefined) throw new Error(`does not begin with \`${NAME} 2\`, a length and a checksum`);
  const rest = bytes.subarray(end + 1);
  const due = Number(length);
  if (rest.length < due || (format === '1' && rest.length > due)) {
    throw new Error(`holds ${rest.length} bytes where ${due} are due`);
  }
  const content = rest.subarray(0, due);
  if (createHash('sha256').update(content).digest('hex') !== digest) throw new Error('the checksum does not match');
  if (format === '1') return decodeWhole(content.toString('utf8'));
  if (end + 1 !== HEAD_BYTES) throw new Error('its first line has another length');
  checkUnfinished(rest.toString('latin1', due, due + CHANGE_START.length));
  const [whole = '', ...changes] = content.toString('utf8').trimEnd().split('\n');
  return decodeChanges(decodeWhole(whole), changes);
}

function decodeWhole(line: string): SavedState {
  const record: unknown = JSON.parse(line);
  return { state: stateOfRecord(record), savedAt: checked(savedRecord, record).savedAt };
}

function decodeChanges(first: SavedState, lines: readonly string[]): SavedState {
  if (lines.length === 0) return first;
  let { savedAt, state } = first;
  const routes = new Map(state.routes);
  for (const line of lines) {
    const change = checked(changeRecord, JSON.parse(line));
    for (const name of change.gone) routes.delete(name);
    for (const [name, route] of routeChangesOf(change.set)) routes.set(name, route);
    savedAt = change.savedAt;
    state = { ...state, revision: change.revision };
  }
  return { state: { ...state, routes }, savedAt };
}

function checkUnfinished(start: string): void {
  if (!CHANGE_START.startsWith(start))
    throw new Error('holds bytes that no change begins with behind those that are due');
}
