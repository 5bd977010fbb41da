/** From here on the built-in copy, which makes a view first, is the quicker one. */
const LOOP_MOST = 40;

/** Copies source[start, end) to target[at …), which has room for it. Most of what is copied here is a few bytes long. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start > LOOP_MOST) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] as number;
}
