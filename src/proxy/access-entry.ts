/** What the access log tells of one request: noted while it is under way, made a line at its end. Exists only while the log is on. */
import { PROTOCOLS } from '../domain/counts.ts';
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import { type RouteSpec, SIDES, type SideIndex } from '../domain/route.ts';
import type { AccessLog } from './access-log.ts';
import { clientAddress, type TrustedProxies } from './forwarding.ts';
import type { Peer, RequestView } from './halves.ts';
import type { PoolTarget } from './pool.ts';

/**
 * Why a request went to its side: drawn by the weight, by its sticky key, because an operator's header asked for it, or
 * because the other one had failed.
 */
export type SideReason = 'weight' | 'key' | 'override' | 'rescue';

/** What the exchange knows by itself. */
export interface AccessFacts {
  readonly request: RequestView;
  readonly peer: Peer;
  readonly trusted: TrustedProxies;
  /** Index into PROTOCOLS. */
  readonly protocol: number;
  /** Of the state that it was served by. */
  readonly revision: number;
  /** Null: none matched. */
  readonly route: RouteSpec | null;
  readonly side: SideIndex;
  readonly reason: SideReason;
  readonly attempts: number;
  /** 0: the client got none. */
  readonly status: number;
  readonly grpcStatus: number | undefined;
  /** Of the last attempt. */
  readonly target: PoolTarget | null;
}

/** Keeps a line short enough for a pipe to take it whole. */
const LONGEST_PATH = 1024;
const LONGEST_METHOD = 32;

export class AccessEntry {
  readonly #log: AccessLog;
  readonly #startMs: number;
  #headMs = Number.NaN;
  #bytes = 0;
  #fault: string | undefined;
  #rescued: string | undefined;
  #error: string | undefined;

  /** @param startMs the runtime's clock */
  constructor(log: AccessLog, startMs: number) {
    this.#log = log;
    this.#startMs = startMs;
  }

  /** The response's head is here. */
  head(nowMs: number): void {
    this.#headMs = nowMs;
  }

  body(bytes: number): void {
    this.#bytes += bytes;
  }

  /** An attempt, or the whole request, ended by an error of the table; the last one is told. */
  failed(code: ErrorCode): void {
    if (ERRORS[code].source === 'upstream') this.#fault = code;
    else this.#error = code;
  }

  /** It is sent again, for what it met first. @param fault an error of the table, or `grpcStatus` */
  rescued(fault: string): void {
    this.#rescued ??= fault;
  }

  /** A whole response was a fault by what it said. */
  faultByStatus(isGrpc: boolean): void {
    this.#fault = isGrpc ? 'grpcStatus' : 'status5xx';
  }

  /** The client went, or sent what made the rest of the request unreadable. */
  endedByClient(): void {
    this.#error = 'clientGone';
  }

  end(nowMs: number, facts: AccessFacts): void {
    const totalMs = nowMs - this.#startMs;
    if (this.#log.wants(this.#fault !== undefined, totalMs)) this.#log.write(this.#line(totalMs, facts));
  }

  /** Of what the request said only method and path, cut where they are long, and the trace's id: queries and fields may hold secrets. */
  #line(totalMs: number, { request, route, grpcStatus, target, ...facts }: AccessFacts): string {
    const entry = {
      time: new Date(Date.now() - totalMs).toISOString(),
      route: route?.name ?? null,
      side: route === null ? null : SIDES[facts.side],
      reason: route === null ? null : facts.reason,
      revision: facts.revision,
      method: request.method.slice(0, LONGEST_METHOD),
      path: pathOf(request.target),
      status: facts.status === 0 ? null : facts.status,
      grpcStatus: Number.isNaN(grpcStatus) ? undefined : grpcStatus,
      attempts: facts.attempts,
      upstream: target === null ? null : placeOf(target),
      bytes: this.#bytes,
      totalMs: rounded(totalMs),
      headMs: Number.isNaN(this.#headMs) ? null : rounded(this.#headMs - this.#startMs),
      fault: this.#fault,
      rescued: this.#rescued,
      error: this.#error,
      protocol: PROTOCOLS[facts.protocol],
      client: clientAddress(facts.peer, request, facts.trusted),
      traceId: traceIdOf(request.fields.get('traceparent')),
    };
    return `${JSON.stringify(entry)}\n`;
  }
}

function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return target.slice(0, Math.min(end === -1 ? target.length : end, LONGEST_PATH));
}

function placeOf({ host, port }: PoolTarget): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Microseconds are as fine as the clock is worth. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Version 00 ends after the flags, a later one may go on; ids of zeros alone and version ff are invalid. */
const TRACEPARENT =
  /^(?:00(?=.{53}$)|(?!00|ff)[\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/;

/** From a valid traceparent (W3C Trace Context, section 3.2); whatever else it says stays unsaid. */
function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
}
