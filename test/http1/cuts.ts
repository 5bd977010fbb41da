/** Ways in which the same bytes may arrive. */

/** Text of one character a byte. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Cut at these places, in rising order; places outside of the bytes are passed over. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const place of places) {
    if (place <= from || place >= bytes.length) continue;
    pieces.push(bytes.subarray(from, place));
    from = place;
  }
  pieces.push(bytes.subarray(from));
  return pieces;
}

/** Each byte by itself. */
export function singleBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

/** Whole, byte by byte, and in two pieces for each boundary between two bytes. */
export function* everyCut(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield singleBytes(bytes);
  for (let place = 1; place < bytes.length; place++) yield cutAt(bytes, [place]);
}
