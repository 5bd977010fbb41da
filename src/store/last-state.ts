/**
 * The state that a replica applied last, on its own disk: what it serves when the store does not answer at its start. A file that is cut or
 * changed anywhere is refused (last-state-format.ts). A change is appended, as long as the file is not twice what the state alone takes.
 */
import { type FileHandle, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { State } from '../domain/state.ts';
import { Content, decode, encodeChange, encodeWhole, HEAD_BYTES } from './last-state-format.ts';
import { makeFolder, putInPlace, syncDirectory, writeAt } from './replace-file.ts';

export type LastState =
  /** `savedAt` in milliseconds since 1970. */
  | { readonly kind: 'ok'; readonly state: State; readonly savedAt: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Changes that are appended before the file is written anew, at least. */
const CHANGES_BYTES = 64 * 1024;

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

/** The file as this process has written it. */
interface Written {
  readonly handle: FileHandle;
  readonly content: Content;
  /** From here on it is written anew. */
  readonly mostBytes: number;
}

/** Keeps the file at the newest state: one write at a time, states in between left out, never back to a lower revision of an epoch. */
export class LastStateWriter {
  readonly #file: string;
  readonly #options: LastStateWriterOptions;
  #newest: State | undefined;
  #onDisk: State | undefined;
  /** Undefined: nothing can be appended to what is there. */
  #written: Written | undefined;
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

  /** As `flush`; nothing may be saved afterwards. */
  async close(): Promise<boolean> {
    const isFlushed = await this.flush();
    await this.#written?.handle.close();
    this.#written = undefined;
    return isFlushed;
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
      await this.#append(state);
      this.#onDisk = state;
      this.#failure = null;
    } catch (error) {
      this.#failure = `${this.#file}: ${(error as Error).message}`;
      this.#options.onFailure(new Error(this.#failure, { cause: error }));
    }
  }

  async #append(state: State): Promise<void> {
    const saved = { state, savedAt: this.#options.clock() };
    const written = this.#written;
    const change = this.#onDisk && encodeChange(this.#onDisk, saved);
    if (written === undefined || change === undefined || !(await this.#takes(written, change))) {
      return this.#rewrite(encodeWhole(saved));
    }
    const content = written.content.with(change);
    await writeAt(written.handle, change, HEAD_BYTES + written.content.length);
    await written.handle.sync();
    // If this breaks off, what the file tells is not known: the next state is written whole.
    this.#written = undefined;
    try {
      await writeAt(written.handle, content.head(), 0);
      await written.handle.sync();
    } catch (error) {
      await written.handle.close();
      throw error;
    }
    this.#written = { ...written, content };
  }

  /** There is room, and the file is as it was left here: nobody has replaced, cut or removed it, and no append broke off. */
  async #takes({ handle, content, mostBytes }: Written, change: Buffer): Promise<boolean> {
    if (content.length + change.length > mostBytes) return false;
    const [ours, there] = await Promise.all([handle.stat(), stat(this.#file).catch(() => undefined)]);
    return ours.ino === there?.ino && ours.dev === there.dev && there.size === HEAD_BYTES + content.length;
  }

  async #rewrite(whole: Buffer): Promise<void> {
    const content = Content.of(whole);
    await makeFolder(dirname(this.#file));
    const handle = await putInPlace(this.#file, Buffer.concat([content.head(), whole]));
    const replaced = this.#written?.handle;
    this.#written = { handle, content, mostBytes: 2 * content.length + CHANGES_BYTES };
    await replaced?.close();
    await syncDirectory(this.#file);
  }
}

function isBehind(state: State, other: State): boolean {
  return state.epoch === other.epoch && state.revision < other.revision;
}

function isAhead(state: State, other: State | undefined): boolean {
  return state.epoch !== other?.epoch || state.revision > other.revision;
}
