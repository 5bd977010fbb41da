/**
 * The worker processes. With SCHED_NONE they accept connections themselves from a shared descriptor; the supervisor is never in the
 * path. One that dies is replaced at once, and only when workers keep dying young after a growing pause of at most a second.
 */
import cluster, { type Worker } from 'node:cluster';
import type { DownMessage, UpMessage } from '../seam.ts';

export interface WorkerPoolOptions {
  /** Script that workers run. */
  readonly exec: string;
  onStarted(worker: number, pid: number): void;
  onMessage(worker: number, message: UpMessage): void;
  /** @param detail how it ended, in words; null: as it was told to */
  onExited(worker: number, pid: number, detail: string | null): void;
}

/** A worker that lived shorter died young. */
const YOUNG_MS = 5_000;
/** A worker that runs says something at least so often: each ping is answered. */
const PING_MS = 1_000;
/** So many pings without a word: it hangs. */
const MOST_UNANSWERED = 5;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

interface Member {
  readonly process: Worker;
  readonly pid: number;
  readonly startedAt: number;
  /** It has said hello. What is sent before that is lost. */
  greeted: boolean;
  /** Pings since it last said anything. */
  unanswered: number;
  /** It was killed for that. */
  hangs: boolean;
  /** Told to finish, or about to be; it is not replaced again. */
  leaving: boolean;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members = new Map<number, Member>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  /** They go on until enough others are ready. */
  readonly #relieved = new Set<number>();
  readonly #pings: NodeJS.Timeout;
  #wanted = 0;
  #closed = false;
  #diedYoung = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
  }

  /**
   * Starts workers up to the number, or tells the newest of the surplus to finish; one that has not after `drainMs` is killed.
   * Returns the workers that leave. Does nothing after `close`.
   */
  resize(wanted: number, drainMs: number): number[] {
    if (this.#closed) return [];
    this.#wanted = wanted;
    const surplus = this.#staying().slice(wanted);
    for (const [id, member] of surplus) this.#dismiss(id, member, drainMs);
    for (let missing = wanted - this.#staying().length - this.#pauses.size; missing > 0; missing--) this.#fork();
    return surplus.map(([id]) => id);
  }

  /**
   * All finish what they do, after they have accepted connections for `graceMs` more; resolves when the last has exited. One that still
   * runs after `drainMs` is killed.
   */
  async close(drainMs: number, graceMs: number): Promise<void> {
    this.#closed = true;
    this.#wanted = 0;
    for (const pause of this.#pauses) clearTimeout(pause);
    this.#pauses.clear();
    const exits = [...this.#members.values()].map(
      ({ process }) => new Promise((resolve) => process.once('exit', resolve)),
    );
    for (const [id, member] of this.#members) this.#dismiss(id, member, drainMs, graceMs);
    await Promise.all(exits);
    clearInterval(this.#pings);
  }

  /** Starts a successor for each; they are told to finish once `relieve` says that enough others are ready. */
  replace(workers: readonly number[]): void {
    for (const id of workers) {
      const member = this.#members.get(id);
      if (this.#closed || member === undefined || member.leaving) continue;
      member.leaving = true;
      this.#relieved.add(id);
      this.#fork();
    }
  }

  /** @param ready workers that serve, without those that are leaving */
  relieve(ready: number, drainMs: number): void {
    if (ready < this.#wanted) return;
    for (const id of this.#relieved) {
      const member = this.#members.get(id);
      if (member !== undefined) this.#dismiss(id, member, drainMs);
    }
    this.#relieved.clear();
  }

  /** A worker that hangs keeps what it has accepted: the sooner it goes, the better for them. */
  #ping(): void {
    for (const [id, member] of this.#members) {
      if (!member.greeted) continue;
      if (member.unanswered++ < MOST_UNANSWERED) this.send(id, { kind: 'ping' });
      else {
        member.hangs = true;
        member.process.process.kill('SIGKILL');
      }
    }
  }

  kill(): void {
    for (const { process } of this.#members.values()) process.process.kill('SIGKILL');
  }

  /** A message to a worker that is dying is lost; its successor asks for everything anyway. */
  send(worker: number, message: DownMessage): void {
    const process = this.#members.get(worker)?.process;
    if (process?.isConnected()) process.send(message, () => {});
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  #staying(): [number, Member][] {
    return [...this.#members].filter(([, { leaving }]) => !leaving);
  }

  #fork(): void {
    // Process-wide settings, which cluster keeps from the first fork on; another pool in the process may have set its own.
    cluster.setupPrimary({
      exec: this.#options.exec,
      args: [],
      execArgv: [...process.execArgv, '--expose-gc'],
      serialization: 'advanced',
    });
    const worker = cluster.fork();
    const pid = worker.process.pid ?? 0;
    const member = {
      process: worker,
      pid,
      startedAt: performance.now(),
      greeted: false,
      leaving: false,
      unanswered: 0,
      hangs: false,
    };
    this.#members.set(worker.id, member);
    this.#options.onStarted(worker.id, pid);
    worker.on('message', (message: UpMessage) => {
      if (message.kind === 'hello') member.greeted = true;
      member.unanswered = 0;
      this.#options.onMessage(worker.id, message);
    });
    // Without a listener a worker that cannot be started would end the supervisor; its exit follows.
    worker.on('error', () => {});
    worker.once('exit', (code: number | null, signal: string | null) => this.#exited(worker.id, member, code, signal));
  }

  #exited(id: number, member: Member, code: number | null, signal: string | null): void {
    this.#members.delete(id);
    const detail = member.hangs
      ? `killed: it said nothing for ${(MOST_UNANSWERED * PING_MS) / 1_000} s`
      : signal === null || signal === undefined
        ? `exit code ${code}`
        : `killed by ${signal}`;
    const asTold = member.leaving && (code === 0 || signal === 'SIGTERM');
    this.#options.onExited(id, member.pid, asTold ? null : detail);
    if (member.leaving || this.#staying().length + this.#pauses.size >= this.#wanted) return;
    this.#diedYoung = performance.now() - member.startedAt < YOUNG_MS ? this.#diedYoung + 1 : 0;
    const pauseMs = this.#diedYoung < 2 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (this.#diedYoung - 2), LONGEST_PAUSE_MS);
    if (pauseMs === 0) this.#fork();
    else this.#forkAfter(pauseMs);
  }

  #forkAfter(pauseMs: number): void {
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      if (this.#staying().length < this.#wanted) this.#fork();
    }, pauseMs);
    this.#pauses.add(pause);
  }

  #dismiss(id: number, member: Member, drainMs: number, graceMs = 0): void {
    if (!member.greeted) member.process.process.kill('SIGTERM');
    else if (!member.leaving || this.#relieved.has(id)) this.send(id, { kind: 'drain', graceMs });
    member.leaving = true;
    const timer = setTimeout(() => member.process.process.kill('SIGKILL'), drainMs);
    member.process.once('exit', () => clearTimeout(timer));
  }
}
