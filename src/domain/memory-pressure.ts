/** How near a process is to the memory that it may have, from samples. */

/** `high`: what lies idle should go. `critical`: nothing new is taken on. */
export type MemoryPressure = 'none' | 'high' | 'critical';

export interface MemorySample {
  /** What the kernel counts, and would kill for. */
  readonly residentBytes: number;
  /** What the runtime has given out and not got back: the rest of the resident memory is there to be used again. */
  readonly usedBytes: number;
}

// Shares of the limit. A state that was entered ends well below where it began.
const CRITICAL = 1;
const STILL_CRITICAL = 0.9;
const HIGH = 0.9;
const STILL_HIGH = 0.8;
/** An allocator keeps what it once had. With so little of the limit in use there is room, whatever is resident. */
const IN_USE = 0.5;

/** @param limitBytes 0: no limit */
export function pressureOf(
  before: MemoryPressure,
  { residentBytes, usedBytes }: MemorySample,
  limitBytes: number,
): MemoryPressure {
  if (limitBytes === 0 || usedBytes < limitBytes * IN_USE) return 'none';
  const share = residentBytes / limitBytes;
  if (share >= (before === 'critical' ? STILL_CRITICAL : CRITICAL)) return 'critical';
  return share >= (before === 'none' ? HIGH : STILL_HIGH) ? 'high' : 'none';
}
