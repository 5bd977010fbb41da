import { LastCall } from '../http2/serialize.ts';

/**
 * What the proxy adds to a message's fields, in the form of either protocol. Whoever adds the same to many messages hands the same object
 * to each, so that a half may keep what it made of it.
 */
export class AddedFields {
  /** Lower-case names and values in turn. */
  readonly flat: readonly string[];
  /** Of the calls that they were added to. */
  readonly lastCall = new LastCall();
  #lines: string | null = null;

  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /** As field lines of HTTP/1, CRLF behind each. */
  get lines(): string {
    this.#lines ??= this.#join();
    return this.#lines;
  }

  #join(): string {
    let lines = '';
    for (let i = 0; i < this.flat.length; i += 2) lines += `${this.flat[i]}: ${this.flat[i + 1]}\r\n`;
    return lines;
  }
}

export const NOTHING_ADDED = new AddedFields([]);
