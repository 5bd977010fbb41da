/**
 * The state that a replica applied last, on its own disk: what it serves when the store does not answer at its start. One line
 * `crossfade-last-state 1 LENGTH SHA256`, then LENGTH bytes of JSON. A file that is cut, longer or changed anywhere is refused.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { State } from '../domain/state.ts';
import { checked, recordOfState, stateOfRecord } from './records.ts';
import { putInPlace, syncDirectory } from './replace-file.ts';

export type LastState =
  /** `savedAt` in milliseconds since 1970. */
  | { readonly kind: 'ok'; readonly state: State; readonly savedAt: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string };

const MAGIC = 'crossfade-last-state 1';
const savedRecord = z.looseObject({ savedAt: z.number() });

/** Never throws; a file that cannot be read is refused. */
export async function readLastState(file: string): Promise<LastState> {
  try {
    return { kind: 'ok', ...decode(await readFile(file)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'refused', reason: `${file}: ${(error as Error).message}` };
  }
}

export interface LastStateWriterOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** A state could not be written; it, or a newer one, is tried again at the next `save` or `flush`. */
  readonly onFailure: (error: Error) => void;
}

/** Keeps the file at the newest state: one write at a time, states in between left out, never back to a lower revision of an epoch. */
export class LastStateWriter {
  readonly #file: string;
  readonly #options: LastStateWriterOptions;
  #newest: State | undefined;
  #onDisk: State | undefined;
  #hasRead = false;
  #writing: Promise<void> | undefined;
  #failure: string | null = null;

  constructor(file: string, options: LastStateWriterOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Why the newest state is not on disk; null: it is, or is being written. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Returns at once. */
  save(state: State): void {
    if (this.#newest === undefined || !isBehind(state, this.#newest)) this.#newest = state;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when the newest state is on disk (true), or when one more try to write it has failed (false). */
  async flush(): Promise<boolean> {
    if (this.#newest === undefined) return true;
    this.#writing ??= this.#writeAll();
    await this.#writing;
    return !isAhead(this.#newest, this.#onDisk);
  }

  async #writeAll(): Promise<void> {
    for (let tried: State | undefined; this.#newest !== undefined && this.#newest !== tried; ) {
      tried = this.#newest;
      await this.#write(tried);
    }
    this.#writing = undefined;
  }

  async #write(state: State): Promise<void> {
    try {
      if (!this.#hasRead) {
        const last = await readLastState(this.#file);
        if (last.kind === 'ok') this.#onDisk = last.state;
        this.#hasRead = true;
      }
      if (!isAhead(state, this.#onDisk)) return;
      await mkdir(dirname(this.#file), { recursive: true });
      const handle = await putInPlace(this.#file, encode(state, this.#options.clock()));
      await handle.close();
      await syncDirectory(this.#file);
      this.#onDisk = state;
      this.#failure = null;
    } catch (error) {
      this.#failure = `${this.#file}: ${(error as Error).message}`;
      this.#options.onFailure(new Error(this.#failure, { cause: error }));
    }
  }
}

function isBehind(state: State, other: State): boolean {
  return state.epoch === other.epoch && state.revision < other.revision;
}

function isAhead(state: State, other: State | undefined): boolean {
  return state.epoch !== other?.epoch || state.revision > other.revision;
}

function encode(state: State, savedAt: number): Buffer {
  const json = Buffer.from(JSON.stringify({ savedAt, ...recordOfState(state) }));
  return Buffer.concat([Buffer.from(`${headOf(json)}\n`), json]);
}

function decode(bytes: Buffer): { state: State; savedAt: number } {
  const end = bytes.indexOf('\n');
  if (end === -1) throw new Error('cut off in its first line');
  const json = bytes.subarray(end + 1);
  const head = bytes.toString('latin1', 0, end);
  if (!head.startsWith(`${MAGIC} `)) throw new Error(`does not begin with \`${MAGIC}\``);
  const length = head.slice(MAGIC.length + 1).split(' ')[0];
  if (length !== String(json.length)) throw new Error(`holds ${json.length} bytes where ${length} are due`);
  if (head !== headOf(json)) throw new Error('the checksum does not match');
  const record: unknown = JSON.parse(json.toString('utf8'));
  return { state: stateOfRecord(record), savedAt: checked(savedRecord, record).savedAt };
}

function headOf(json: Buffer): string {
  return `${MAGIC} ${json.length} ${createHash('sha256').update(json).digest('hex')}`;
}
