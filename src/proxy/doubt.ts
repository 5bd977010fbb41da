/**
 * Whether an endpoint may have gone. A server that ends closes its idle connections first, and one that has ended refuses new ones:
 * instead of letting the next request find out, a connection is tried that carries none. While in doubt, other endpoints are taken.
 */
import { connect, type Socket } from 'node:net';
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import { DOWN, SUSPECT } from './choice.ts';
import { connectFailure } from './node-error.ts';
import { NOWHERE } from './roster.ts';
import type { Runtime } from './runtime.ts';
import type { Watched } from './sweeper.ts';

/** How long a try may take. */
const TRY_MS = 1_000;
/** Between tries, doubled with each that fails. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** A try that succeeds is believed for that long: else a server that closes each connection would be tried again and again. */
const BELIEVED_MS = 250;

export class Doubt implements Watched {
  sweepPlace = NOWHERE;
  readonly #runtime: Runtime;
  readonly #host: string;
  readonly #port: number;
  readonly #wasReached: () => boolean;
  readonly #onChange: (doubt: number) => void;
  /** How the last connection failed. */
  lastFailure: ErrorCode = 'connectFailed';
  #doubt = 0;
  #probe: Socket | null = null;
  #dueMs = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #believedUntilMs = Number.NEGATIVE_INFINITY;

  /**
   * @param wasReached whether connections have been made before
   * @param onChange told SUSPECT, DOWN or 0
   */
  constructor(
    runtime: Runtime,
    { host, port }: { readonly host: string; readonly port: number },
    wasReached: () => boolean,
    onChange: (doubt: number) => void,
  ) {
    this.#runtime = runtime;
    this.#host = host;
    this.#port = port;
    this.#wasReached = wasReached;
    this.#onChange = onChange;
  }

  /** A connection has ended that nobody here had ended, or was not made in time. */
  suspect(): void {
    if (this.#doubt !== 0 || this.#runtime.clock() < this.#believedUntilMs) return;
    this.#begin(SUSPECT);
    this.#try();
  }

  /** A connection was refused. */
  refused(): void {
    this.lastFailure = 'connectRefused';
    if (this.#doubt === DOWN) return;
    if (this.#doubt === 0) this.#begin(DOWN);
    else this.#set(DOWN);
    this.#rest();
  }

  /** A connection was made. */
  reached(): void {
    if (this.#doubt === 0) return;
    this.end();
    this.#believedUntilMs = this.#runtime.clock() + BELIEVED_MS;
  }

  /** The endpoint is of no interest any more, or is believed again. */
  end(): void {
    if (this.#doubt === 0) return;
    this.#runtime.sweeper.unwatch(this);
    this.#probe?.destroy();
    this.#probe = null;
    this.#set(0);
  }

  #begin(doubt: number): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#runtime.sweeper.watch(this);
    this.#set(doubt);
  }

  #set(doubt: number): void {
    this.#doubt = doubt;
    this.#onChange(doubt);
  }

  #try(): void {
    this.#dueMs = this.#runtime.clock() + TRY_MS;
    const probe = connect({ host: this.#host, port: this.#port });
    this.#probe = probe;
    probe.once('connect', () => this.reached());
    probe.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      if (this.#probe === probe) this.#failed(connectFailure(code, this.#wasReached()));
    });
  }

  #failed(code: ErrorCode): void {
    this.#probe?.destroy();
    this.#probe = null;
    // It says nothing of the endpoint that there was no socket to try it with.
    if (ERRORS[code].source === 'upstream') {
      this.lastFailure = code;
      this.#set(DOWN);
    }
    this.#rest();
  }

  #rest(): void {
    if (this.#probe !== null) return;
    this.#dueMs = this.#runtime.clock() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  sweep(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    if (this.#probe === null) this.#try();
    else this.#failed('connectTimeout');
  }
}
