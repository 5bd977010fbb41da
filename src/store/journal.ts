/** The journal as a file: opened, appended to and compacted. Entries are durable when a method resolves. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { AuditEntry, State } from '../domain/state.ts';
import { decodeJournal, encodeEntries, encodeHead, type JournalContent } from './journal-format.ts';
import { putInPlace, syncDirectory, writeAt } from './replace-file.ts';

/** A journal is compacted when it is at least this long and twice as long as the last compaction left it. */
const COMPACT_BYTES = 4 * 1024 * 1024;

export class Journal {
  readonly #path: string;
  #file: FileHandle;
  /** Bytes of what is durable; the next entry goes there. */
  #length: number;
  #compactAt: number;
  /** Whether the file can be appended to; if not, only a new file can be relied on. */
  #sound = true;

  private constructor(path: string, file: FileHandle, headBytes: number, length: number) {
    this.#path = path;
    this.#file = file;
    this.#length = length;
    this.#compactAt = Math.max(COMPACT_BYTES, 2 * headBytes);
  }

  /** Makes the file with `initial` when there is none. Drops an unfinished last line; refuses any other damage. */
  static async open(
    path: string,
    initial: () => State,
    onWarning: (message: string) => void,
  ): Promise<{ journal: Journal; content: Pick<JournalContent, 'state' | 'history'> }> {
    const bytes = await contentOf(path);
    if (bytes === undefined) {
      const state = initial();
      const head = encodeHead(state, []);
      const file = await putInPlace(path, head);
      await syncDirectory(path);
      return { journal: new Journal(path, file, head.length, head.length), content: { state, history: [] } };
    }
    const content = decodeJournal(bytes, path);
    const { headBytes, wholeBytes, lines } = content;
    const file = await open(path, 'r+');
    try {
      if (wholeBytes < bytes.length) await file.truncate(wholeBytes);
      // What a crash left unsynced, content or name, is about to be relied on.
      await file.sync();
      await syncDirectory(path);
    } catch (error) {
      await file.close();
      throw error;
    }
    if (wholeBytes < bytes.length) {
      onWarning(
        `${path}:${lines + 1}: dropped ${bytes.length - wholeBytes} bytes of an unfinished line; it was never acknowledged`,
      );
    }
    return { journal: new Journal(path, file, headBytes, wholeBytes), content };
  }

  /** Adds the entries after `state` and `history`, or throws and has none of them. */
  async append(entries: readonly AuditEntry[], state: State, history: readonly AuditEntry[]): Promise<void> {
    if (!this.#sound) await this.#rewrite(state, history);
    const bytes = encodeEntries(entries);
    let written = false;
    try {
      await writeAt(this.#file, bytes, this.#length);
      written = true;
      await this.#file.sync();
    } catch (error) {
      // After a failed fsync the kernel may hold for clean what it could not write.
      this.#sound = (await this.#cutBack()) && !written;
      throw error;
    }
    this.#length += bytes.length;
  }

  compactionDue(): boolean {
    return this.#length >= this.#compactAt;
  }

  /** Throws when no new file could be made; the old one then serves on, and it is tried again when that has grown by as much. */
  async compact(state: State, history: readonly AuditEntry[]): Promise<void> {
    this.#compactAt = this.#length + COMPACT_BYTES;
    await this.#rewrite(state, history);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #rewrite(state: State, history: readonly AuditEntry[]): Promise<void> {
    const head = encodeHead(state, history);
    const file = await putInPlace(this.#path, head);
    const replaced = this.#file;
    this.#file = file;
    this.#length = head.length;
    this.#compactAt = Math.max(COMPACT_BYTES, 2 * head.length);
    // Until the directory is synced, a crash may bring back the file that was replaced, without what is appended to this one.
    this.#sound = false;
    await replaced.close();
    await syncDirectory(this.#path);
    this.#sound = true;
  }

  async #cutBack(): Promise<boolean> {
    try {
      await this.#file.truncate(this.#length);
      await this.#file.sync();
      return true;
    } catch {
      return false;
    }
  }
}

/** Undefined when there is no file. */
async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
