/** Which requests a line of the access log is written for, and where to. One a worker. */
import { PPM } from '../domain/route.ts';
import type { AccessLogSpec } from '../seam.ts';
import { LineSink } from './line-sink.ts';

export class AccessLog {
  #spec: AccessLogSpec;
  readonly #sink: LineSink;
  readonly #random: () => number;

  constructor(spec: AccessLogSpec, random: () => number) {
    this.#spec = spec;
    this.#sink = new LineSink(spec.file);
    this.#random = random;
  }

  /** With each table, whether or not it says something else: then a rotated file is left for the one that has its name now. */
  renew(spec: AccessLogSpec): void {
    this.#spec = spec;
    this.#sink.reopen(spec.file);
  }

  /** Whether a request that is over is to be written. */
  wants(isFault: boolean, totalMs: number): boolean {
    const { samplePpm, slowMs, allFaults } = this.#spec;
    if (samplePpm === PPM || (isFault && allFaults) || (slowMs !== null && totalMs >= slowMs)) return true;
    return this.#random() * PPM < samplePpm;
  }

  write(line: string): void {
    this.#sink.write(line);
  }

  flush(): void {
    this.#sink.flush();
  }

  takeDropped(): number {
    return this.#sink.takeDropped();
  }

  /** After what is left has been written; lines of requests that are still under way are lost. */
  close(): void {
    this.#sink.close();
  }

  /** Calls back when what is left has been written, or cannot be without waiting. */
  finish(onFinished: () => void): void {
    this.#sink.finish(onFinished);
  }
}
