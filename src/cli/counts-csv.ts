/**
 * Recorded counts as comma-separated text, read byte by byte: files have gigabytes, and a string a field would cost most of the time.
 * Every field is a whole number, so nothing is ever quoted.
 */
import { CliError, EXIT } from './exit.ts';

/** One flush. The reader fills in the same object for every row. */
export interface CountsRow {
  run: number;
  tMs: number;
  weightPpm: number;
  oldOk: number;
  oldFault: number;
  newOk: number;
  newFault: number;
}

const COLUMNS = ['run', 't_ms', 'weight_ppm', 'old_ok', 'old_fault', 'new_ok', 'new_fault'] as const;
const HEADER = COLUMNS.join(',');
const [RUN, T_MS, WEIGHT_PPM, OLD_OK, OLD_FAULT, NEW_OK, NEW_FAULT] = [0, 1, 2, 3, 4, 5, 6] as const;

const PPM = 1_000_000;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;

export class CountsReader {
  readonly #file: string;
  readonly #onRow: (row: CountsRow) => void;
  readonly #row: CountsRow = { run: 0, tMs: 0, weightPpm: 0, oldOk: 0, oldFault: 0, newOk: 0, newFault: 0 };
  readonly #values = new Float64Array(COLUMNS.length);
  /** The first line as far as it has come; undefined: it has been read. */
  #header: string | undefined = '';
  #line = 1;
  #column = 0;
  /** Digits of the field so far, and their value. */
  #digits = 0;
  #value = 0;
  #isNegative = false;
  /** The last byte was a carriage return. */
  #isReturn = false;

  /** @param file name for messages */
  constructor(file: string, onRow: (row: CountsRow) => void) {
    this.#file = file;
    this.#onRow = onRow;
  }

  /** Of the line that is being read, from 1. */
  get line(): number {
    return this.#line;
  }

  /** @throws CliError naming line and column of what is wrong */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (this.#header !== undefined && at < chunk.length) this.#takeOfHeader(chunk[at++] as number);
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9 && !this.#isReturn) {
        this.#digits += 1;
        this.#value = this.#value * 10 + digit;
      } else this.#take(byte);
    }
  }

  /** The last line may end without a newline. */
  end(): void {
    if (this.#header !== undefined) this.#endHeader();
    else if (this.#column > 0 || this.#digits > 0 || this.#isNegative) this.#endRow();
  }

  /** @throws CliError: what the row says cannot be, at the line that has just been read */
  fail(column: string, message: string): never {
    throw new CliError(EXIT.usage, `${this.#file}:${this.#line}: ${column === '' ? '' : `${column}: `}${message}`);
  }

  #takeOfHeader(byte: number): void {
    if (byte === NEWLINE) {
      this.#endHeader();
      this.#line = 2;
      return;
    }
    // More than any header has is no header; the rest need not be kept.
    if ((this.#header as string).length < 200) this.#header += String.fromCharCode(byte);
  }

  #endHeader(): void {
    // A byte order mark, as spreadsheets write it.
    const found = (this.#header as string).replace(/^\u{ef}\u{bb}\u{bf}/u, '').replace(/\r$/, '');
    if (found !== HEADER) this.fail('', `the first line must name the columns: ${HEADER}`);
    this.#header = undefined;
  }

  /** Anything but a digit. */
  #take(byte: number): void {
    if (byte === NEWLINE) {
      this.#endRow();
      this.#line += 1;
    } else if (this.#isReturn) this.#refuse(RETURN);
    else if (byte === COMMA) this.#endField();
    else if (byte === RETURN) this.#isReturn = true;
    else if (byte === MINUS && this.#digits === 0 && !this.#isNegative && this.#column === T_MS)
      this.#isNegative = true;
    else this.#refuse(byte);
  }

  #endField(): void {
    const column = this.#column;
    if (column >= COLUMNS.length) this.fail('', `more than the ${COLUMNS.length} columns ${HEADER}`);
    const name = COLUMNS[column] as string;
    if (this.#digits === 0) this.fail(name, 'is empty: write 0 for none');
    if (!Number.isSafeInteger(this.#value)) this.fail(name, `is above ${Number.MAX_SAFE_INTEGER}: split the row`);
    this.#values[column] = this.#isNegative ? -this.#value : this.#value;
    this.#column = column + 1;
    this.#digits = 0;
    this.#value = 0;
    this.#isNegative = false;
  }

  #endRow(): void {
    if (this.#column === 0 && this.#digits === 0) this.fail('', 'the line is empty: remove it');
    this.#endField();
    if (this.#column < COLUMNS.length) {
      this.fail(COLUMNS[this.#column] as string, `is missing: each line has ${COLUMNS.length} columns`);
    }
    this.#column = 0;
    this.#isReturn = false;
    const row = this.#row;
    const values = this.#values;
    row.run = values[RUN] as number;
    row.tMs = values[T_MS] as number;
    row.weightPpm = values[WEIGHT_PPM] as number;
    row.oldOk = values[OLD_OK] as number;
    row.oldFault = values[OLD_FAULT] as number;
    row.newOk = values[NEW_OK] as number;
    row.newFault = values[NEW_FAULT] as number;
    this.#checkRow(row);
    this.#onRow(row);
  }

  #checkRow({ weightPpm, oldOk, oldFault, newOk, newFault }: CountsRow): void {
    if (weightPpm > PPM)
      this.fail('weight_ppm', `must be at most ${PPM} (got ${weightPpm}): it is in parts per million`);
    const hint = 'count a response with the weight that it was drawn with';
    if (weightPpm === 0 && newOk + newFault > 0) {
      this.fail(newOk > 0 ? 'new_ok' : 'new_fault', `weight 0 sends nothing to new: ${hint}`);
    }
    if (weightPpm === PPM && oldOk + oldFault > 0) {
      this.fail(oldOk > 0 ? 'old_ok' : 'old_fault', `weight ${PPM} sends nothing to old: ${hint}`);
    }
  }

  #refuse(byte: number): never {
    const isShown = byte > 0x20 && byte < 0x7f;
    const found = isShown ? `"${String.fromCharCode(byte)}"` : `the byte 0x${byte.toString(16).padStart(2, '0')}`;
    this.fail(COLUMNS[this.#column] ?? '', `must be a whole number in plain digits, found ${found}`);
  }
}
