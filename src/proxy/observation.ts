/**
 * What one exchange adds to the counts, and what the judge is told of it. Knows the layout; one an exchange, begun anew for each request.
 */
import {
  AT_ATTEMPTS,
  AT_DURATION,
  AT_DURATION_SUM,
  AT_FAULTS,
  AT_GRPC,
  AT_INFLIGHT,
  AT_REQUESTS,
  AT_RESCUES,
  CODE_CLASSES,
  cellsOf,
  codeClass,
  DURATION_BUCKETS_SECONDS,
  GRPC_STATUSES,
  PROTOCOLS,
  ROUTE_CELLS,
} from '../domain/counts.ts';
import { type ErrorCode, FAULT_KINDS } from '../domain/errors.ts';
import { classifyGrpc, classifyStatus, OUTCOME_FAULT, type OutcomeIndex } from '../domain/outcome.ts';
import { OLD, type SideIndex } from '../domain/route.ts';
import type { Counts } from './counts.ts';
import type { RouteTally } from './route-tally.ts';
import type { Tallies } from './tallies.ts';

const FAULT_INDEX: ReadonlyMap<string, number> = new Map(FAULT_KINDS.map((kind, index) => [kind, index]));
const GRPC_STATUS = FAULT_INDEX.get('grpcStatus') as number;
const GRPC_MISSING = GRPC_STATUSES.indexOf('missing');
const STATUS_5XX = FAULT_INDEX.get('status5xx') as number;
const WEBSOCKET = PROTOCOLS.indexOf('websocket');
const CLASSES = CODE_CLASSES.length;
/** Nothing that was sent can have had an effect: the new side takes no connections. */
const CONNECT_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'connectRefused',
  'connectTimeout',
  'connectFailed',
  'tlsFailed',
  'noEndpoint',
]);
/** Not judged, or not any more. */
const NO_DRAW = -1;
const BUCKETS = DURATION_BUCKETS_SECONDS.length;

export class Observation {
  readonly #protocol: number;
  #counts: Counts | null = null;
  #row = 0;
  /** First cell of the side's block; of the last row when no route was found. */
  #base = 0;
  #isRouted = false;
  #startMs = 0;
  /** That was drawn. */
  #side: SideIndex = OLD;
  /** First cell of the side that is asked now, another than the one drawn when that rescues the request. */
  #asked = 0;
  #askedSide: SideIndex = OLD;
  /** Null: the judge is not told of this request. */
  #tally: RouteTally | null = null;
  #draw = NO_DRAW;
  #owner = 0;
  /** When the head could leave, so that connecting is no part of the latency; NaN: not yet. */
  #sentMs = Number.NaN;
  /** Bounds of slowness that were told of. */
  #slow = 0;

  constructor(protocol: number) {
    this.#protocol = protocol;
  }

  begin(counts: Counts, row: number, side: SideIndex, startMs: number): void {
    this.#counts = counts;
    this.#row = row;
    this.#base = cellsOf(row, side);
    this.#isRouted = true;
    this.#side = side;
    this.#asked = this.#base;
    this.#askedSide = side;
    this.#startMs = startMs;
    this.#tally = null;
    this.#draw = NO_DRAW;
    counts.inflight++;
    counts.add(row, this.#base + AT_INFLIGHT, 1);
  }

  /** The side was drawn, not asked for: the judge is told. @param hash of a sticky route's key, or NO_KEY */
  judge(tallies: Tallies, era: number, hash: number): void {
    const tally = tallies.of(this.#row);
    this.#tally = tally;
    this.#draw = tally.draw(era, this.#startMs, this.#side, hash);
    this.#owner = tally.ownerOf(this.#side);
    this.#slow = 0;
    this.#sentMs = this.#startMs;
  }

  /** The head waits for a connection. */
  connecting(): void {
    this.#sentMs = Number.NaN;
  }

  connected(nowMs: number): void {
    this.#sentMs = nowMs;
  }

  /**
   * A request that is not over can be slow already. On the old side also one that still waits for a connection: where both are overwhelmed old,
   * which has more to take, is the first that takes no more connections, and must not look the quicker for it.
   */
  sweep(nowMs: number): void {
    const tally = this.#tally;
    if (tally === null || this.#draw === NO_DRAW) return;
    const sinceMs = this.#side === OLD && Number.isNaN(this.#sentMs) ? this.#startMs : this.#sentMs;
    const bits = tally.slowBits(this.#side, nowMs - sinceMs) & ~this.#slow;
    if (bits === 0) return;
    this.#slow |= bits;
    tally.slowSoFar(this.#draw, this.#owner, bits);
  }

  beginUnrouted(counts: Counts): void {
    this.#counts = counts;
    this.#row = counts.unroutedRow;
    this.#base = counts.unroutedRow * ROUTE_CELLS;
    this.#isRouted = false;
    this.#tally = null;
  }

  #add(offset: number, value: number): void {
    this.#counts?.add(this.#row, this.#base + offset, value);
  }

  /** What happens from now on happens on this side: it is asked instead of the one before. */
  turnTo(side: SideIndex): void {
    this.#asked = cellsOf(this.#row, side);
    this.#askedSide = side;
  }

  /** The request is sent again, having failed on the side that was asked. */
  rescue(): void {
    this.#addAsked(AT_RESCUES);
  }

  #addAsked(offset: number): void {
    this.#counts?.add(this.#row, this.#asked + offset, 1);
  }

  /** The end of one attempt. The first is what the judge sees (intention to treat). */
  attempt(outcome: OutcomeIndex, nowMs: number): void {
    if (!this.#isRouted) return;
    this.#addAsked(AT_ATTEMPTS + outcome);
    if (this.#draw === NO_DRAW) return;
    const draw = this.#draw;
    this.#draw = NO_DRAW;
    this.#tally?.decide(draw, this.#owner, outcome, this.#slow, nowMs - this.#sentMs, nowMs);
  }

  attemptByStatus(status: number, nowMs: number): OutcomeIndex {
    const outcome = classifyStatus(status);
    if (outcome === OUTCOME_FAULT) this.#addAsked(AT_FAULTS + STATUS_5XX);
    this.#tally?.connected(this.#askedSide, true);
    this.attempt(outcome, nowMs);
    return outcome;
  }

  /** @param status undefined: the response ended without one */
  attemptByGrpc(status: number | undefined, nowMs: number): OutcomeIndex {
    const outcome = classifyGrpc(status);
    if (!this.#isRouted) return outcome;
    if (outcome === OUTCOME_FAULT) this.#addAsked(AT_FAULTS + GRPC_STATUS);
    this.#tally?.connected(this.#askedSide, true);
    this.attempt(outcome, nowMs);
    return outcome;
  }

  /** The client was told a gRPC status, or a response ended without one. */
  grpcResponse(status: number | undefined): void {
    if (!this.#isRouted) return;
    this.#add(AT_GRPC + (status !== undefined && status < GRPC_MISSING ? status : GRPC_MISSING), 1);
  }

  /** An error of the table that is put down to the side. */
  fault(code: ErrorCode): void {
    const kind = FAULT_INDEX.get(code);
    if (kind !== undefined) this.#addAsked(AT_FAULTS + kind);
    if (CONNECT_FAULTS.has(code)) this.#tally?.connected(this.#askedSide, false);
  }

  /** The client's answer is over. @param status 0: it got none */
  response(status: number, nowMs: number): void {
    if (!this.#isRouted) {
      this.#add(codeClass(status), 1);
      return;
    }
    this.#add(AT_REQUESTS + this.#protocol * CLASSES + codeClass(status), 1);
    this.#duration(nowMs);
    this.end();
  }

  /** The handshake of a tunnel is over; the request stays under way until `end`. */
  tunnel(nowMs: number): void {
    this.#add(AT_REQUESTS + WEBSOCKET * CLASSES + codeClass(101), 1);
    this.#duration(nowMs);
  }

  #duration(nowMs: number): void {
    const seconds = (nowMs - this.#startMs) / 1000;
    let bucket = 0;
    while (bucket < BUCKETS && seconds > (DURATION_BUCKETS_SECONDS[bucket] as number)) bucket++;
    this.#add(AT_DURATION + bucket, 1);
    this.#add(AT_DURATION_SUM, seconds);
  }

  end(): void {
    this.#add(AT_INFLIGHT, -1);
    if (this.#counts !== null) this.#counts.inflight--;
    this.#counts = null;
  }
}
