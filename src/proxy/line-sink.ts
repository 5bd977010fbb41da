/**
 * Lines to a file or to stdout that never hold up whoever writes them: they wait in memory, leave by asynchronous writes, and are dropped and
 * counted when too many wait. A pipe that nobody reads is tried again at the next flush.
 */
import { close, constants, fstatSync, open, write } from 'node:fs';

/** Characters that may wait: a tenth of a second of a busy worker many times over. */
const MOST_WAITING = 1_048_576;
/** More than this is not left to the next beat. */
const FLUSH_AT = 65_536;
/** What a pipe takes whole or not at all (POSIX, PIPE_BUF on Linux), so that lines of several workers, all shorter, never mix. */
const ATOMIC_BYTES = 4096;
const NEWLINE = 10;
const EMPTY = Buffer.alloc(0);
const STDOUT = 1;
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;
const MODE = 0o640;

export class LineSink {
  /** Null: stdout. */
  #path: string | null;
  #fd: number | null = null;
  #isStale = false;
  #isClosed = false;
  /** A pipe, socket or terminal: whole lines in small portions. */
  #isPipe = false;
  /** Opening or writing. */
  #isBusy = false;
  #text = '';
  /** On its way out, from `#at` on. */
  #pending: Buffer = EMPTY;
  #at = 0;
  #dropped = 0;
  #onRest: (() => void) | null = null;

  /** @param path absolute; null: stdout */
  constructor(path: string | null) {
    this.#path = path;
    this.flush();
  }

  /** @param line with its end */
  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#text.length + this.#pending.length - this.#at + line.length > MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#text += line;
    if (this.#text.length >= FLUSH_AT) this.flush();
  }

  /** Opens the file again, or another: whoever rotates logs has moved it away. */
  reopen(path: string | null): void {
    this.#path = path;
    this.#isStale = true;
    this.flush();
  }

  /** Lines dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** What waits leaves now, as far as it is taken. */
  flush(): void {
    if (this.#isBusy || this.#isClosed) return;
    if (this.#fd === null || this.#isStale) {
      this.#open();
      return;
    }
    if (this.#at === this.#pending.length) {
      if (this.#text === '') return this.#rest();
      this.#pending = Buffer.from(this.#text);
      this.#at = 0;
      this.#text = '';
    }
    this.#isBusy = true;
    write(this.#fd, this.#pending, this.#at, this.#portion(), null, this.#onWritten);
  }

  /** Calls back when everything has been written or nothing more is taken; a reader that does not read is not waited for. */
  finish(onRest: () => void): void {
    this.#onRest = onRest;
    this.flush();
  }

  /** After the last flush nothing more is written. */
  close(): void {
    this.finish(() => {
      this.#isClosed = true;
      this.#letGo();
    });
  }

  #letGo(): void {
    if (this.#fd !== null && this.#fd !== STDOUT) close(this.#fd);
    this.#fd = null;
  }

  #rest(): void {
    this.#onRest?.();
    this.#onRest = null;
  }

  #portion(): number {
    const left = this.#pending.length - this.#at;
    if (!this.#isPipe || left <= ATOMIC_BYTES) return left;
    return this.#pending.lastIndexOf(NEWLINE, this.#at + ATOMIC_BYTES - 1) + 1 - this.#at;
  }

  readonly #onWritten = (error: NodeJS.ErrnoException | null, written: number): void => {
    this.#isBusy = false;
    if (error === null) {
      this.#at += written;
      this.flush();
      return;
    }
    // A full pipe is tried again; a full disk or a reader that has gone costs what was on its way.
    if (error.code !== 'EAGAIN') {
      for (let at = this.#at; at < this.#pending.length; at++) if (this.#pending[at] === NEWLINE) this.#dropped++;
      this.#at = this.#pending.length;
    }
    this.#rest();
  };

  #open(): void {
    this.#isBusy = true;
    this.#isStale = false;
    this.#letGo();
    if (this.#path !== null) open(this.#path, FLAGS | constants.O_CREAT, MODE, this.#onOpened);
    else this.#openStdout();
  }

  #openStdout(): void {
    const stat = fstatSync(STDOUT);
    // A descriptor of its own, since not to block is a property that all processes with the same one share.
    if (stat.isFIFO() || stat.isCharacterDevice()) {
      open('/proc/self/fd/1', FLAGS, this.#onOpened);
      return;
    }
    // A socket (systemd's journal) cannot be opened again, but no longer blocks when Node has made a stream of it.
    this.#onOpened(null, stat.isSocket() ? process.stdout.fd : STDOUT);
  }

  readonly #onOpened = (error: NodeJS.ErrnoException | null, fd: number): void => {
    this.#isBusy = false;
    if (error !== null) {
      // What cannot be opened is tried again at the next flush; lines wait for it until there are too many.
      this.#rest();
      return;
    }
    this.#fd = fd;
    this.#isPipe = isPipe(fd);
    this.flush();
  };
}

function isPipe(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket() || stat.isCharacterDevice();
}
