import type { ConnectionsOfListener } from '../seam.ts';

/** A worker process as the supervisor sees it. */
export interface WorkerStatus {
  readonly pid: number;
  /** Of the state it serves; -1 before the first. */
  revision: number;
  /** Of the table it serves; 0 before the first. */
  generation: number;
  /** It has asked for its table. */
  greeted: boolean;
  listening: boolean;
  /** It finishes what it does, and takes nothing new. */
  leaving: boolean;
  /** By listener of its table. */
  connections: readonly ConnectionsOfListener[];
}

/** It accepts connections and knows where to send them. */
export function isReady({ listening, revision, leaving }: WorkerStatus): boolean {
  return listening && revision >= 0 && !leaving;
}
