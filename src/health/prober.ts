/** Asks each endpoint again and again, each by its own beat; a new one at once. */

import type { CheckPolicy } from '../domain/health-policy.ts';
import type { ProbeResult } from './check.ts';

export interface ProberOptions {
  readonly policy: CheckPolicy;
  /** Never rejects. */
  readonly probe: (key: string) => Promise<ProbeResult>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onResult: (key: string, result: ProbeResult) => void;
}

/** Of one endpoint. `timer` waits for its next turn; undefined while it is being asked. */
interface Beat {
  timer: NodeJS.Timeout | undefined;
}

export class Prober {
  readonly #options: ProberOptions;
  readonly #beats = new Map<string, Beat>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** These are asked from now on, and no others. */
  follow(keys: readonly string[]): void {
    const wanted = new Set(keys);
    for (const [key, beat] of this.#beats) {
      if (wanted.has(key)) continue;
      clearTimeout(beat.timer);
      this.#beats.delete(key);
    }
    for (const key of keys) {
      if (this.#beats.has(key)) continue;
      const beat: Beat = { timer: undefined };
      this.#beats.set(key, beat);
      void this.#ask(key, beat);
    }
  }

  async #ask(key: string, beat: Beat): Promise<void> {
    const { policy, probe, random, onResult } = this.#options;
    const result = await probe(key);
    if (this.#beats.get(key) !== beat) return;
    const pauseMs = policy.intervalMs * (1 + policy.jitter * (2 * random() - 1));
    beat.timer = setTimeout(() => void this.#ask(key, beat), pauseMs);
    onResult(key, result);
  }

  /** Asks nobody any more; what is under way is not told. */
  close(): void {
    this.follow([]);
  }
}
