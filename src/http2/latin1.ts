declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string;
    latin1Write(text: string, offset: number): number;
  }
}

/** bytes[start, end) as a string of one character a byte, without `toString`'s look at the encoding's name. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.latin1Slice(start, end);
}

/** Writes a text of one character a byte at bytes[at …), which must have room for it. Returns where it ends. */
export function writeLatin1(bytes: Buffer, at: number, text: string): number {
  const end = at + text.length;
  // A call into native code costs as much as a few dozen characters.
  if (text.length > 24) bytes.latin1Write(text, at);
  else for (let p = at; p < end; p++) bytes[p] = text.charCodeAt(p - at);
  return end;
}
