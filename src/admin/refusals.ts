/** Writes that were refused: told to whoever listens, and the last of them kept for who asks. */
import type { FastifyRequest } from 'fastify';
import type { Control, Refusal } from '../control/control.ts';
import { UNKNOWN } from './access.ts';
import { type AdminProblem, PROBLEMS } from './problem.ts';

/** Statuses that say no, as against those that say that a request is no good or that nobody can answer it. */
const REFUSED = new Set([401, 403, 409, 412, 428]);
const REMEMBERED = 1_000;
/** Told of one caller in one second, so that nobody floods the log or pushes the others out. */
const TOLD_PER_SECOND = 20;
/** Longest text from a caller that is kept. */
const LONGEST = 300;

export type TimedRefusal = Refusal & { at: number };

interface Told {
  since: number;
  told: number;
  omitted: number;
}

export class Refusals {
  readonly #control: Control;
  readonly #clock: () => number;
  readonly #ring: TimedRefusal[] = [];
  readonly #told = new Map<string, Told>();

  /** @param clock milliseconds since 1970 */
  constructor(control: Control, clock: () => number) {
    this.#control = control;
    this.#clock = clock;
  }

  /** Whatever was answered with this problem; only refused writes count. */
  note(request: FastifyRequest, { code, message }: AdminProblem): void {
    const verb = request.routeOptions.config?.verb;
    if (verb === undefined || !REFUSED.has(PROBLEMS[code].status)) return;
    const actor = request.caller?.name ?? UNKNOWN;
    const omitted = this.#omittedBefore(actor);
    if (omitted === undefined) return;
    const { route } = request.params as { route?: string };
    const place = route === undefined ? null : shortened(route);
    const refusal = { actor, verb, route: place, code, reason: shortened(message), omitted };
    this.#ring.push({ at: this.#clock(), ...refusal });
    if (this.#ring.length > REMEMBERED) this.#ring.shift();
    this.#control.tellRefusal(refusal);
  }

  /** How many of the actor's were left out before this one; undefined: this one is to be left out as well. */
  #omittedBefore(actor: string): number | undefined {
    const told = this.#toldOf(actor);
    if (told.told === TOLD_PER_SECOND) {
      told.omitted++;
      return undefined;
    }
    const { omitted } = told;
    told.told++;
    told.omitted = 0;
    return omitted;
  }

  #toldOf(actor: string): Told {
    const now = this.#clock();
    const known = this.#told.get(actor);
    // The clock may be set back.
    if (known !== undefined && Math.abs(now - known.since) < 1_000) return known;
    const fresh = { since: now, told: 0, omitted: known?.omitted ?? 0 };
    this.#told.set(actor, fresh);
    return fresh;
  }

  /** Newest first. */
  list({ limit, route }: { limit: number; route?: string | undefined }): TimedRefusal[] {
    const wanted = route === undefined ? this.#ring : this.#ring.filter((refusal) => refusal.route === route);
    return wanted.slice(-limit).toReversed();
  }
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
