import { StringDecoder } from 'node:string_decoder';

/** Longer lines are no JSON object of this world. */
const MOST_CHARS = 64 * 1024 * 1024;

/** Cuts a stream of bytes into lines, wherever its chunks end, be it within a character of UTF-8. */
export class LineReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** The lines that the chunk completes, without their ends and without empty ones. @throws Error when one has no end */
  push(chunk: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MOST_CHARS) throw new Error('sent a line without end');
    return lines.filter((line) => line.trim() !== '');
  }
}
