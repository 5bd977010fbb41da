import { CR, LF } from './chars.ts';
import { latin1 } from './latin1.ts';

/**
 * Where bytes[at, end) leave off repeating `head`, a whole valid head, or -1 when they are not the same. What is the same to the byte means
 * the same, and ends at the same empty line: no search, no scan. A look at the last line tells most others apart for nothing.
 */
export function repeatedUntil(head: string, bytes: Buffer, at: number, end: number): number {
  const until = at + head.length;
  if (head === '' || until > end) return -1;
  if (bytes[until - 1] !== LF || bytes[until - 2] !== CR || bytes[until - 3] !== LF) return -1;
  return latin1(bytes, at, until) === head ? until : -1;
}
