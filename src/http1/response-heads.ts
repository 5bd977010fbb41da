/**
 * Heads of responses that have come more than once, of one endpoint, on whichever connection: what is the same to the byte means the same. A hundred
 * connections that each keep their own copy, and all that is made of it for the clients, do not fit into a core's caches.
 */
import { ResponseHead } from './response.ts';

const SLOTS = 16;
/** A longer one holds something that will not come again. */
const LONGEST = 1_024;

export class ResponseHeads {
  readonly #fieldLimit: number;
  readonly #shared: (ResponseHead | undefined)[] = [];
  /** Texts that have come once. */
  readonly #once: (string | undefined)[] = [];

  constructor(fieldLimit: number) {
    this.#fieldLimit = fieldLimit;
  }

  /** The head at bytes[at, end), `end` being behind the empty line, if it is known; else null. It never changes. */
  find(bytes: Buffer, at: number, end: number, answersHead: boolean): ResponseHead | null {
    const head = this.#shared[slotOf(bytes, at, end)];
    return head !== undefined && head.repeatedUntil(bytes, at, end, answersHead) === end ? head : null;
  }

  /** Another that is valid has been parsed from there. Returns what is known from now on for the same, or that one itself. */
  note(head: ResponseHead, bytes: Buffer, at: number, end: number, answersHead: boolean): ResponseHead {
    if (end - at > LONGEST) return head;
    const slot = slotOf(bytes, at, end);
    const { text } = head.fields;
    if (this.#once[slot] !== text) {
      this.#once[slot] = text;
      return head;
    }
    this.#once[slot] = undefined;
    const shared = new ResponseHead(this.#fieldLimit);
    shared.parse(bytes, at, end, answersHead);
    this.#shared[slot] = shared;
    return shared;
  }
}

/** Heads of one endpoint differ in their dates, and in their lengths, which mostly stand near the end. */
function slotOf(bytes: Buffer, at: number, end: number): number {
  return (end - at + (bytes[end - 5] as number) + (bytes[(at + end) >> 1] as number)) & (SLOTS - 1);
}
