declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string;
  }
}

/**
 * bytes[start, end) as a string of one character a byte. The same as `toString('latin1', …)` without its look at the encoding's name,
 * which costs as much as a small head's slice does.
 */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.latin1Slice(start, end);
}
