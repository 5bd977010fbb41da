/** What the supervisor is told of what happened: evidence for the judge, counts, attempts at each endpoint. */
import { AT_LOG_DROPPED, cellsOf } from '../domain/counts.ts';
import { OLD } from '../domain/route.ts';
import type { AttemptsOfEndpoint, BoundsMessage, TableMessage, UpMessage } from '../seam.ts';
import { Counts } from './counts.ts';
import type { Listeners } from './listeners.ts';
import type { Runtime } from './runtime.ts';

/** Between two messages of evidence that do not wait for the beat: the first faults at once, those that go on and on less often. */
const URGENT_MS = 5;
const URGENT_MOST_MS = 25;
const URGENT_GROWTH = 1.25;
/** Beats between two reports of attempts of which none failed. */
const QUIET_BEATS = 10;

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
    this.#sendEvidence(false);
    this.#sendCounts(0, false);
    this.#sendAttempts();
  }

  /** @param id of the supervisor's question; 0: there was none */
  flush(id: number): void {
    this.#sendCounts(id, true);
  }

  /** The service is over. */
  end(): void {
    this.#sendEvidence(false);
    this.flush(0);
  }

  /** Faults at once, successes once in a while. */
  #sendAttempts(): void {
    const isDue = ++this.#beats % QUIET_BEATS === 0;
    const endpoints: AttemptsOfEndpoint[] = [];
    for (const [backend, pools] of this.#runtime.serving.pools.entries()) {
      for (const pool of pools) if (pool.hasNews(isDue)) endpoints.push({ backend, ...pool.takeNews() });
    }
    const { generation } = this.#runtime.serving.snapshot;
    if (endpoints.length > 0) this.#send({ kind: 'attempts', generation, endpoints });
  }

  /** At once, but with a pause after the one before. */
  readonly #onUrgent = (): void => {
    if (this.#evidenceTimer !== undefined) return;
    const waitMs = this.#evidenceSentMs + this.#urgentMs - this.#runtime.clock();
    this.#urgentMs = Math.min(URGENT_MOST_MS, this.#urgentMs * URGENT_GROWTH);
    this.#wasUrgent = true;
    this.#evidenceTimer = setTimeout(() => this.#sendEvidence(true), Math.max(0, waitMs));
  };

  #sendEvidence(isUrgent: boolean): void {
    clearTimeout(this.#evidenceTimer);
    this.#evidenceTimer = undefined;
    this.#evidenceSentMs = this.#runtime.clock();
    for (const { generation, tallies } of this.#counts) {
      const rows = tallies.take();
      if (rows !== null) this.#send({ kind: 'evidence', generation, isUrgent, ...rows });
    }
  }

  #sendCounts(flush: number, always: boolean): void {
    const connections = this.#listeners.countByProtocol();
    const [present, ...older] = this.#counts;
    if (present === undefined) return;
    for (const counts of older) {
      if (counts.isDirty)
        this.#send({ kind: 'counts', generation: counts.generation, flush: 0, ...counts.take(), connections });
    }
    const served = this.#runtime.serving.counts;
    this.#counts = [present, ...older.filter((counts) => counts === served || counts.inflight > 0)];
    const dropped = this.#runtime.accessLog?.takeDropped() ?? 0;
    if (dropped > 0) present.add(present.unroutedRow, cellsOf(present.unroutedRow, OLD) + AT_LOG_DROPPED, dropped);
    const total = JSON.stringify(connections);
    if (!always && !present.isDirty && total === this.#sentConnections) return;
    this.#sentConnections = total;
    this.#send({ kind: 'counts', generation: present.generation, flush, ...present.take(), connections });
  }
}
