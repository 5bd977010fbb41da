/** What one exchange adds to the counts. Knows the layout; one an exchange, begun anew for each request. */
import {
  AT_ATTEMPTS,
  AT_DURATION,
  AT_DURATION_SUM,
  AT_FAULTS,
  AT_INFLIGHT,
  AT_JUDGED,
  AT_REQUESTS,
  CODE_CLASSES,
  cellsOf,
  codeClass,
  DURATION_BUCKETS_SECONDS,
  PROTOCOLS,
  ROUTE_CELLS,
} from '../domain/counts.ts';
import { type ErrorCode, FAULT_KINDS } from '../domain/errors.ts';
import { classifyStatus, OUTCOME_FAULT, type OutcomeIndex } from '../domain/outcome.ts';
import type { SideIndex } from '../domain/route.ts';
import type { Counts } from './counts.ts';

const FAULT_INDEX: ReadonlyMap<string, number> = new Map(FAULT_KINDS.map((kind, index) => [kind, index]));
const STATUS_5XX = FAULT_INDEX.get('status5xx') as number;
const WEBSOCKET = PROTOCOLS.indexOf('websocket');
const CLASSES = CODE_CLASSES.length;
const BUCKETS = DURATION_BUCKETS_SECONDS.length;

export class Observation {
  readonly #protocol: number;
  #counts: Counts | null = null;
  #row = 0;
  /** First cell of the side's block; of the last row when no route was found. */
  #base = 0;
  #isRouted = false;
  #isJudged = false;
  #startMs = 0;

  constructor(protocol: number) {
    this.#protocol = protocol;
  }

  begin(counts: Counts, row: number, side: SideIndex, startMs: number, isOverridden: boolean): void {
    this.#counts = counts;
    this.#row = row;
    this.#base = cellsOf(row, side);
    this.#isRouted = true;
    this.#isJudged = !isOverridden;
    this.#startMs = startMs;
    counts.inflight++;
    counts.add(row, this.#base + AT_INFLIGHT, 1);
  }

  beginUnrouted(counts: Counts): void {
    this.#counts = counts;
    this.#row = counts.unroutedRow;
    this.#base = counts.unroutedRow * ROUTE_CELLS;
    this.#isRouted = false;
  }

  add(offset: number, value: number): void {
    this.#counts?.add(this.#row, this.#base + offset, value);
  }

  /** The end of one attempt. The first is what the judge sees (intention to treat); overrides are not counted there. */
  attempt(outcome: OutcomeIndex): void {
    if (!this.#isRouted) return;
    this.add(AT_ATTEMPTS + outcome, 1);
    if (!this.#isJudged) return;
    this.#isJudged = false;
    this.add(AT_JUDGED + outcome, 1);
  }

  attemptByStatus(status: number): void {
    const outcome = classifyStatus(status);
    if (outcome === OUTCOME_FAULT) this.add(AT_FAULTS + STATUS_5XX, 1);
    this.attempt(outcome);
  }

  /** An error of the table that is put down to the side. */
  fault(code: ErrorCode): void {
    const kind = FAULT_INDEX.get(code);
    if (kind !== undefined) this.add(AT_FAULTS + kind, 1);
  }

  /** The client's answer is over. @param status 0: it got none */
  response(status: number, nowMs: number): void {
    if (!this.#isRouted) {
      this.add(codeClass(status), 1);
      return;
    }
    this.add(AT_REQUESTS + this.#protocol * CLASSES + codeClass(status), 1);
    this.#duration(nowMs);
    this.end();
  }

  /** The handshake of a tunnel is over; the request stays under way until `end`. */
  tunnel(nowMs: number): void {
    this.add(AT_REQUESTS + WEBSOCKET * CLASSES + codeClass(101), 1);
    this.#duration(nowMs);
  }

  #duration(nowMs: number): void {
    const seconds = (nowMs - this.#startMs) / 1000;
    let bucket = 0;
    while (bucket < BUCKETS && seconds > (DURATION_BUCKETS_SECONDS[bucket] as number)) bucket++;
    this.add(AT_DURATION + bucket, 1);
    this.add(AT_DURATION_SUM, seconds);
  }

  end(): void {
    this.add(AT_INFLIGHT, -1);
    if (this.#counts !== null) this.#counts.inflight--;
    this.#counts = null;
  }
}
