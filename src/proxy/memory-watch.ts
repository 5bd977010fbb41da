/** Looks at the worker's memory, if that has a limit, and says so when requests are turned away for it. */
import { type MemorySample, pressureOf } from '../domain/memory-pressure.ts';
import type { SheddingMessage } from '../seam.ts';
import type { Runtime } from './runtime.ts';

/** Between two collections of garbage while the worker is at its limit: one takes some tens of milliseconds. */
const COLLECT_MS = 1_000;
const NOTHING: MemorySample = { residentBytes: 0, usedBytes: 0 };

export interface MemoryHost {
  readonly send: (message: SheddingMessage) => void;
  /** Of the worker's process. */
  readonly memory: () => MemorySample;
  /** Gives back memory that nothing uses any more, at once. */
  readonly collect: () => void;
}

export class MemoryWatch {
  readonly #runtime: Runtime;
  readonly #host: MemoryHost;
  #collectAtMs = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime, host: MemoryHost) {
    this.#runtime = runtime;
    this.#host = host;
  }

  sweep(): void {
    const runtime = this.#runtime;
    const { workerMemoryBytes } = runtime.serving.limits;
    const before = runtime.pressure;
    if (workerMemoryBytes === 0 && before === 'none') return;
    const sample = workerMemoryBytes === 0 ? NOTHING : this.#host.memory();
    runtime.pressure = pressureOf(before, sample, workerMemoryBytes);
    if (runtime.pressure === 'critical' && runtime.nowMs >= this.#collectAtMs) {
      // Much of it may be garbage, which a worker that takes no requests would never come to collect.
      this.#collectAtMs = runtime.nowMs + COLLECT_MS;
      this.#host.collect();
      runtime.pressure = pressureOf(before, this.#host.memory(), workerMemoryBytes);
    }
    if (runtime.pressure === before) return;
    runtime.sweeper.wakeAll();
    const isShedding = runtime.pressure === 'critical';
    if (isShedding === (before === 'critical')) return;
    this.#host.send({ kind: 'shedding', isShedding, residentBytes: sample.residentBytes });
  }
}
