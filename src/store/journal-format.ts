/**
 * The journal as bytes: lines of `crc32 SPACE json NEWLINE`, the checksum in eight lower-case hex digits over the json. The first line is
 * the state when the file was made, followed by as many lines of older history as it says; these were put in place as a whole.
 * Every line after that is one applied change, appended. Revisions of all entries are consecutive, so no line can be missing unseen.
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { AuditEntry, State } from '../domain/state.ts';
import { applyEntries } from './decide.ts';
import { auditEntryOf, checked, recordOfState, stateOfRecord } from './records.ts';

const FORMAT = 1;
const REMEDY = 'restore the file from a copy, or move it away and have it written anew with: crossfade adopt';
const CHECKSUM_BYTES = 8;
const NEWLINE = 0x0a;
/** `}`, with which every line's json ends. */
const CLOSING = 0x7d;

const headRecord = z.looseObject({ format: z.number(), history: z.int().min(0) });

export interface JournalContent {
  readonly state: State;
  /** Oldest first. */
  readonly history: readonly AuditEntry[];
  /** Bytes of the part that was put in place as a whole. */
  readonly headBytes: number;
  /** Bytes of all whole lines. What follows is a write that was never finished, so never acknowledged. */
  readonly wholeBytes: number;
  readonly lines: number;
}

export function encodeHead(state: State, history: readonly AuditEntry[]): Buffer {
  const head = encodeLine({ format: FORMAT, history: history.length, ...recordOfState(state) });
  return Buffer.concat([head, encodeEntries(history)]);
}

export function encodeEntries(entries: readonly AuditEntry[]): Buffer {
  return Buffer.concat(entries.map(encodeLine));
}

/** Throws an Error `path:line: reason; what to do` when anything but an unfinished last line is wrong. */
export function decodeJournal(bytes: Buffer, path: string): JournalContent {
  const ends = endsOfLines(bytes);
  const line = (index: number): unknown =>
    decodeLine(bytes.subarray(ends[index - 1] ?? 0, (ends[index] as number) - 1));
  let at = 0;
  try {
    if (ends.length === 0) throw new Error('the first line is cut off');
    const head = line(0);
    const { format, history: older } = checked(headRecord, head);
    if (format !== FORMAT) throw new Error(`format ${format} belongs to another version of Crossfade`);
    const state = stateOfRecord(head);
    at = ends.length;
    if (ends.length <= older) throw new Error(`cut off: ${older} lines of history should follow the first line`);
    const entries: AuditEntry[] = [];
    for (at = 1; at < ends.length; at++) {
      const entry = auditEntryOf(line(at));
      const due = state.revision - older + at;
      if (entry.revision !== due) throw new Error(`revision ${entry.revision} where ${due} is due`);
      entries.push(entry);
    }
    const wholeBytes = ends.at(-1) as number;
    checkTail(bytes.subarray(wholeBytes));
    return {
      state: applyEntries(state, entries.slice(older)),
      history: entries,
      headBytes: ends[older] as number,
      wholeBytes,
      lines: ends.length,
    };
  } catch (error) {
    throw new Error(`${path}:${at + 1}: ${(error as Error).message}; ${REMEDY}`, { cause: error });
  }
}

function encodeLine(record: object): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  return Buffer.concat([Buffer.from(`${checksum(json)} `), json, Buffer.of(NEWLINE)]);
}

function decodeLine(line: Buffer): unknown {
  const json = line.subarray(CHECKSUM_BYTES + 1);
  const sound = line.toString('latin1', 0, CHECKSUM_BYTES + 1) === `${checksum(json)} `;
  if (!sound) throw new Error('damaged, the checksum does not match');
  return JSON.parse(json.toString('utf8'));
}

/** A write that broke off cannot have left a whole line and, where its newline belongs, another byte: that line was acknowledged. */
function checkTail(tail: Buffer): void {
  const claimed = tail.toString('latin1', 0, CHECKSUM_BYTES);
  let sum = 0;
  let from = CHECKSUM_BYTES + 1;
  for (let to = tail.indexOf(CLOSING, from) + 1; to > 0 && to < tail.length; to = tail.indexOf(CLOSING, from) + 1) {
    sum = crc32(tail.subarray(from, to), sum);
    if (claimed === hex(sum)) throw new Error('damaged, another byte stands where the line ends');
    from = to;
  }
}

function checksum(json: Buffer): string {
  return hex(crc32(json));
}

function hex(sum: number): string {
  return sum.toString(16).padStart(CHECKSUM_BYTES, '0');
}

/** The offset after each newline. */
function endsOfLines(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, newline + 1)) {
    ends.push(newline + 1);
  }
  return ends;
}
