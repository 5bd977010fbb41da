/** What the supervisor is told of what happened: evidence for the judge, counts, attempts at each endpoint. */
import { AT_LOG_DROPPED, cellsOf } from '../domain/counts.ts';
import { OLD } from '../domain/route.ts';
import type {
  AttemptsMessage,
  AttemptsOfEndpoint,
  BoundsMessage,
  CountsMessage,
  EvidenceMessage,
  TableMessage,
  UpMessage,
} from '../seam.ts';
import { Counts } from './counts.ts';
import type { Listeners } from './listeners.ts';
import type { Runtime } from './runtime.ts';

/** Between two messages of evidence that do not wait for the beat: the first faults at once, those that go on and on less often. */
const URGENT_MS = 5;
const URGENT_MOST_MS = 25;
const URGENT_GROWTH = 1.25;
/** Beats between two reports of what went well: they cost the supervisor as much as all else that it does, perhaps on the worker's own core. */
const QUIET_BEATS = 5;
/** The same for attempts at endpoints; a multiple, so that they come along. */
const QUIET_ATTEMPT_BEATS = 10;

export class Reports {
  readonly #runtime: Runtime;
  readonly #listeners: Listeners;
  readonly #send: (message: UpMessage) => void;
  /** Counts of the present table first, then of older ones that requests still add to. */
  #counts: Counts[] = [];
  #beats = 0;
  #sentConnections = '';
  #evidenceTimer: NodeJS.Timeout | undefined;
  #evidenceSentMs = Number.NEGATIVE_INFINITY;
  #urgentMs = URGENT_MS;
  /** Since the last beat. */
  #wasUrgent = false;

  constructor(runtime: Runtime, listeners: Listeners, send: (message: UpMessage) => void) {
    this.#runtime = runtime;
    this.#listeners = listeners;
    this.#send = send;
  }

  /** For the requests of a new table. */
  open(table: TableMessage): Counts {
    const counts = new Counts(table.generation, table.routes, this.#onUrgent);
    this.#counts = [counts, ...this.#counts];
    return counts;
  }

  onBounds(message: BoundsMessage): void {
    this.#counts.find(({ generation }) => generation === message.generation)?.tallies.setBounds(message.routes);
  }

  sweep(nowMs: number): void {
    for (const { tallies } of this.#counts) tallies.sweep(nowMs);
  }

  beat(): void {
    if (!this.#wasUrgent) this.#urgentMs = URGENT_MS;
    this.#wasUrgent = false;
    this.#beats++;
    const attempts = this.#takeAttempts();
    const isPressing = attempts.length > 0 || this.#counts.some(({ tallies }) => tallies.isPressing);
    if (!isPressing && this.#beats % QUIET_BEATS !== 0) return;
    const reports = [...this.#takeEvidence(false), ...this.#takeCounts(0, false), ...attempts];
    if (reports.length > 0) this.#send({ kind: 'beat', reports });
  }

  /** @param id of the supervisor's question; 0: there was none */
  flush(id: number): void {
    this.#send({ kind: 'beat', reports: [...this.#takeEvidence(false), ...this.#takeCounts(id, true)] });
  }

  /** The service is over. */
  end(): void {
    this.flush(0);
  }

  /** Faults at once, successes once in a while. */
  #takeAttempts(): AttemptsMessage[] {
    const isDue = this.#beats % QUIET_ATTEMPT_BEATS === 0;
    const endpoints: AttemptsOfEndpoint[] = [];
    for (const [backend, pools] of this.#runtime.serving.pools.entries()) {
      for (const pool of pools) if (pool.hasNews(isDue)) endpoints.push({ backend, ...pool.takeNews() });
    }
    const { generation } = this.#runtime.serving.snapshot;
    return endpoints.length > 0 ? [{ kind: 'attempts', generation, endpoints }] : [];
  }

  /** At once, but with a pause after the one before. */
  readonly #onUrgent = (): void => {
    if (this.#evidenceTimer !== undefined) return;
    const waitMs = this.#evidenceSentMs + this.#urgentMs - this.#runtime.clock();
    this.#urgentMs = Math.min(URGENT_MOST_MS, this.#urgentMs * URGENT_GROWTH);
    this.#wasUrgent = true;
    this.#evidenceTimer = setTimeout(
      () => {
        for (const message of this.#takeEvidence(true)) this.#send(message);
      },
      Math.max(0, waitMs),
    );
  };

  /** @param isOverdue what is urgent has waited for as long as it must */
  #takeEvidence(isOverdue: boolean): EvidenceMessage[] {
    // It comes along with a beat, and waits no longer for that.
    const isUrgent = isOverdue || this.#evidenceTimer !== undefined;
    clearTimeout(this.#evidenceTimer);
    this.#evidenceTimer = undefined;
    this.#evidenceSentMs = this.#runtime.clock();
    return this.#counts.flatMap(({ generation, tallies }) => {
      const rows = tallies.take();
      return rows === null ? [] : [{ kind: 'evidence', generation, isUrgent, ...rows }];
    });
  }

  /** Behind `#takeEvidence`: a table that nobody adds to any more is let go here, with what the judge has not been told of it. */
  #takeCounts(flush: number, always: boolean): CountsMessage[] {
    const connections = this.#listeners.countByProtocol();
    const [present, ...older] = this.#counts;
    if (present === undefined) return [];
    const messages: CountsMessage[] = older
      .filter((counts) => counts.isDirty)
      .map((counts) => ({ kind: 'counts', generation: counts.generation, flush: 0, ...counts.take(), connections }));
    const served = this.#runtime.serving.counts;
    this.#counts = [present, ...older.filter((counts) => counts === served || counts.inflight > 0)];
    const dropped = this.#runtime.accessLog?.takeDropped() ?? 0;
    if (dropped > 0) present.add(present.unroutedRow, cellsOf(present.unroutedRow, OLD) + AT_LOG_DROPPED, dropped);
    const total = JSON.stringify(connections);
    if (!always && !present.isDirty && total === this.#sentConnections) return messages;
    this.#sentConnections = total;
    return [...messages, { kind: 'counts', generation: present.generation, flush, ...present.take(), connections }];
  }
}
