// @ts-check
import { Histogram } from './histogram.mjs';

/**
 * @param {Histogram} histogram
 * @returns {import('./types.ts').Quantiles}
 */
function quantilesOf(histogram) {
  const at = (/** @type {number} */ share) => (histogram.count === 0 ? null : Math.round(histogram.quantile(share)));
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** What was answered by one side, or by all of them together. */
export class Answers {
  /** Responses by status code. @type {Map<number, number>} */
  statuses = new Map();
  /** From the intended send time to the response's last byte, microseconds. */
  latency = new Histogram();
  /** When the first one was complete, by performance.now(); null: none yet. @type {number | null} */
  firstAt = null;

  /**
   * @param {number} status
   * @param {number} microseconds
   */
  record(status, microseconds) {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    this.latency.record(microseconds);
    this.firstAt ??= performance.now();
  }

  total() {
    return this.latency.count;
  }

  /** Responses with a status of 400 or more. */
  errors() {
    let errors = 0;
    for (const [status, count] of this.statuses) if (status >= 400) errors += count;
    return errors;
  }

  toJSON() {
    return {
      total: this.total(),
      errors: this.errors(),
      statuses: Object.fromEntries(this.statuses),
      latencyUs: quantilesOf(this.latency),
    };
  }
}

/** Exact counts of the requests that fell due in one span of a run: every one due is answered or failed, once. */
export class Tally {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** Fell due by the schedule. */
  due = 0;
  /** Written to a connection. */
  sent = 0;
  /** How late the generator itself was, microseconds; part of the latency. Waiting for a free connection is not in it. */
  lag = new Histogram();
  answers = new Answers();
  /** Requests without a complete response, by error code. @type {Map<string, number>} */
  failures = new Map();
  /** Answers by the value of the side header; '' when a response has none. @type {Map<string, Answers>} */
  sides = new Map();

  /**
   * @param {number} status
   * @param {string} side
   * @param {number} microseconds
   */
  answer(status, side, microseconds) {
    this.answers.record(status, microseconds);
    let answers = this.sides.get(side);
    if (answers === undefined) this.sides.set(side, (answers = new Answers()));
    answers.record(status, microseconds);
  }

  /** @param {string} code */
  fail(code) {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }

  /** Requests that got no complete response, or one with a status of 400 or more. */
  failed() {
    let failed = this.answers.errors();
    for (const count of this.failures.values()) failed += count;
    return failed;
  }

  toJSON() {
    return {
      name: this.name,
      failed: this.failed(),
      failures: Object.fromEntries(this.failures),
      due: this.due,
      sent: this.sent,
      lagUs: quantilesOf(this.lag),
      answers: this.answers.toJSON(),
      sides: Object.fromEntries([...this.sides].map(([side, answers]) => [side, answers.toJSON()])),
    };
  }
}
