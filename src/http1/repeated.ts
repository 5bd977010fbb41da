/** Heads that come again: what is the same to the byte means the same, and ends at the same empty line, so that nothing is searched or scanned. */
import { CR, LF } from './chars.ts';
import { latin1 } from './latin1.ts';

/** No head is shorter than a number of those that are compared. */
const WORD = 4;

export class RepeatedHead {
  #text = '';
  /** The same, four bytes a number, the last four behind all others; null: it has not come again. */
  #words: Int32Array | null = null;

  /** @param text a whole valid head; '' when there is none */
  keep(text: string): void {
    this.#text = text;
    this.#words = null;
  }

  /** Where bytes[at, end) leave off repeating it, or -1 when they are not the same. A look at the last line tells most others apart for nothing. */
  until(bytes: Buffer, at: number, end: number): number {
    const until = at + this.#text.length;
    if (until === at || until > end) return -1;
    if (bytes[until - 1] !== LF || bytes[until - 2] !== CR || bytes[until - 3] !== LF) return -1;
    const words = this.#words;
    if (words !== null) return isSame(words, viewOf(bytes), at, until) ? until : -1;
    if (latin1(bytes, at, until) !== this.#text) return -1;
    this.#words = wordsOf(viewOf(bytes), at, until);
    return until;
  }
}

function isSame(words: Int32Array, view: DataView, at: number, until: number): boolean {
  const last = words.length - 1;
  if (view.getInt32(until - WORD, true) !== words[last]) return false;
  for (let i = 0, p = at; i < last; i++, p += WORD) if (view.getInt32(p, true) !== words[i]) return false;
  return true;
}

function wordsOf(view: DataView, at: number, until: number): Int32Array {
  const words = new Int32Array(Math.ceil((until - at) / WORD));
  const last = words.length - 1;
  for (let i = 0; i < last; i++) words[i] = view.getInt32(at + i * WORD, true);
  words[last] = view.getInt32(until - WORD, true);
  return words;
}

let viewed: Buffer = Buffer.alloc(0);
let view = new DataView(viewed.buffer);

/** All connections read into the same buffer, so the view of the last one mostly serves the next. */
function viewOf(bytes: Buffer): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return view;
}
