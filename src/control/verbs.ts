/** The verbs that move routes. Each is one change of the store, over all routes that it touches. */
import { type Command, decide, type Progress, undoRefusal } from '../domain/cutover.ts';
import type { RampPlan } from '../domain/ramp.ts';
import { type AuditEntry, isMachine, type RoutePosition, type State, type Verb } from '../domain/state.ts';
import { StoreDiverged, StoreUnavailable } from '../store/store.ts';
import type { RefusalCode, WriteRequest } from './control.ts';
import type { Pin } from './local-rollbacks.ts';
import type { StateKeeper } from './state-keeper.ts';
import { type Intent, storeRefusal, type Writer, type Written } from './writer.ts';

type Refused = Extract<Written, { kind: 'refused' }>;

/** What is asked beyond the state before something is written. */
interface Asked {
  /** Other replicas that serve what the state does not have, a phrase each. */
  readonly ahead: (of: State) => Promise<readonly string[]>;
  /** Why nothing should be sent to a route's new side for now; null: it may. Asked before a route leaves 0. */
  readonly raiseRefusal: (route: string) => Promise<string | null>;
}

export class Verbs {
  readonly #keeper: StateKeeper;
  readonly #writer: Writer;
  readonly #ahead: (of: State) => Promise<readonly string[]>;
  readonly #raiseRefusal: (route: string) => Promise<string | null>;

  constructor(keeper: StateKeeper, writer: Writer, { ahead, raiseRefusal }: Asked) {
    this.#ahead = ahead;
    this.#keeper = keeper;
    this.#writer = writer;
    this.#raiseRefusal = raiseRefusal;
  }

  set(route: string, weightPpm: number, write: WriteRequest): Promise<Written> {
    return this.#command(route, { kind: 'set', weightPpm }, write);
  }

  ramp(route: string, plan: RampPlan, write: WriteRequest): Promise<Written> {
    return this.#command(route, { kind: 'ramp', ...plan }, write);
  }

  /** What a person wants of a ramp, or of a route that was taken back. */
  move(route: string, kind: 'step' | 'pause' | 'resume' | 'promote', write: WriteRequest): Promise<Written> {
    return this.#command(route, { kind }, write);
  }

  /** The judge's rollback: nothing is done when another test runs by now, or somebody has frozen the route. */
  takeBack(
    route: string,
    testSince: number,
    write: Pick<WriteRequest, 'actor' | 'reason' | 'evidence'>,
  ): Promise<Written> {
    return this.#takeBack([route], testSince, write);
  }

  /** What this replica has rolled back alone. */
  writePin(routes: readonly string[], { actor, reason, testSince, evidence }: Pin): Promise<Written> {
    const write = { actor, reason, evidence };
    return testSince === undefined ? this.rollback(routes, write) : this.#takeBack(routes, testSince, write);
  }

  #takeBack(
    routes: readonly string[],
    testSince: number,
    write: Pick<WriteRequest, 'actor' | 'reason' | 'evidence'>,
  ): Promise<Written> {
    return this.#writer.write({
      verb: 'rollback',
      ...writerOf(write),
      routes,
      decide: (_route, state, now) =>
        state.testSince === testSince && !state.frozen
          ? decide(state, { kind: 'rollback', automatic: true }, now)
          : { kind: 'unchanged' },
    });
  }

  freeze(route: string, frozen: boolean, write: WriteRequest): Promise<Written> {
    const state = this.#keeper.state?.routes.get(route);
    const reason = state?.cutover === 'rolledBack' ? besideRollback(write.reason, state.reason) : write.reason;
    return this.#command(route, { kind: frozen ? 'freeze' : 'unfreeze' }, { ...write, reason });
  }

  rollback(routes: readonly string[], write: WriteRequest): Promise<Written> {
    const event = { kind: 'rollback', automatic: isMachine(write.actor), ifRevision: write.ifRevision } as const;
    return this.#writer.write({
      verb: 'rollback',
      ...writerOf(write),
      routes,
      decide: (_route, state, now) => decide(state, event, now),
    });
  }

  /** What a ramp does by itself. */
  progress(route: string, event: Progress, write: WriteRequest): Promise<Written> {
    const verb = event.kind === 'advance' ? 'step' : event.kind;
    return this.#writer.write({
      verb,
      ...writerOf(write),
      routes: [route],
      decide: (_route, state, now) => decide(state, event, now),
    });
  }

  async #command(route: string, command: Command & { readonly kind: Verb }, write: WriteRequest): Promise<Written> {
    const event = { ...command, ifRevision: write.ifRevision, force: write.force };
    const refusal = write.force === true ? null : await this.#firstRaiseRefusal(route, event);
    if (refusal !== null) return refused('conflict', `${refusal}; force raises it all the same`);
    return this.#writer.write({
      verb: command.kind,
      ...writerOf(write),
      routes: [route],
      decide: (_route, state, now) => decide(state, event, now),
    });
  }

  /** The new side is probed before the first request is sent there. */
  async #firstRaiseRefusal(route: string, event: Command): Promise<string | null> {
    const state = this.#keeper.state?.routes.get(route);
    if (state === undefined || state.weightPpm > 0) return null;
    const decision = decide(state, event, this.#keeper.now());
    return decision.kind === 'next' && decision.next.weightPpm > 0 ? this.#raiseRefusal(route) : null;
  }

  /** @param revision of the change to take back */
  async undo(revision: number, write: WriteRequest): Promise<Written> {
    const entry = await this.#entry(revision);
    if ('kind' in entry) return entry;
    const refusal = undoRefusal(entry);
    if (refusal !== undefined) return refused('conflict', refusal);
    const before = new Map<string, RoutePosition>();
    for (const touched of entry.routes) if (touched.before !== null) before.set(touched.route, touched.before);
    const { ifRevision, force } = write;
    const eventOf = (route: string): Command => {
      return { kind: 'undo', revision, before: before.get(route) as RoutePosition, ifRevision, force };
    };
    for (const route of force === true ? [] : before.keys()) {
      const dead = await this.#firstRaiseRefusal(route, eventOf(route));
      if (dead !== null) return refused('conflict', `${dead}; force raises it all the same`);
    }
    return this.#writer.write({
      verb: 'undo',
      ...writerOf(write),
      routes: [...before.keys()],
      decide: (route, state, now) => decide(state, eventOf(route), now),
    });
  }

  /** @param keep what this replica serves, or what the store holds */
  async adopt(keep: 'served' | 'stored', { actor, reason, force = false }: WriteRequest): Promise<Written> {
    const needless = await this.#needlessAdopt();
    if (needless !== null) return needless;
    if (keep === 'served' && this.#keeper.state === undefined) {
      return refused('conflict', 'This replica serves no state: adopt on one that does, or keep what is stored');
    }
    if (keep === 'served' && !force) {
      const ahead = await this.#ahead(this.#keeper.state as State);
      if (ahead.length > 0) return refused('conflict', behind(this.#keeper.state as State, ahead));
    }
    try {
      return { kind: 'applied', entry: await this.#keeper.adopt(keep, { actor, reason }) };
    } catch (error) {
      if (error instanceof StoreUnavailable) return storeRefusal(error);
      throw error;
    }
  }

  /** Null: the store contradicts what is served. Asked of the store, which may be away or have lost it a moment ago. */
  async #needlessAdopt(): Promise<Refused | null> {
    if (this.#keeper.alarm !== null) return null;
    try {
      await this.#keeper.refresh();
      return refused('conflict', 'The store holds what is served: nothing is to be adopted');
    } catch (error) {
      if (error instanceof StoreDiverged) return null;
      if (error instanceof StoreUnavailable) return storeRefusal(error);
      throw error;
    }
  }

  async #entry(revision: number): Promise<AuditEntry | Refused> {
    try {
      const [entry] = await this.#keeper.history({ limit: 1, before: revision + 1 });
      if (entry?.revision === revision) return entry;
      return refused('unknownRevision', `The history has no revision ${revision}`);
    } catch (error) {
      if (error instanceof StoreUnavailable) return storeRefusal(error);
      throw error;
    }
  }
}

const ROLLED_BACK = '; rolled back before: ';

/** Why the route is on old is what people come to see: a freeze does not hide it. @param last why the route is where it is */
function besideRollback(reason: string, last: string): string {
  return reason + ROLLED_BACK + (last.split(ROLLED_BACK)[1] ?? last);
}

function behind({ epoch, revision }: State, ahead: readonly string[]): string {
  const place = `This replica serves revision ${revision} of epoch ${epoch}, which others are ahead of`;
  return `${place}: ${ahead.join('; ')}. Adopt on the one that is ahead, or force it to give up what they serve`;
}

function refused(code: RefusalCode, detail: string): Refused {
  return { kind: 'refused', code, detail };
}

function writerOf({
  actor,
  reason,
  evidence,
  force,
}: WriteRequest): Pick<Intent, 'actor' | 'reason' | 'evidence' | 'forced'> {
  return { actor, reason, ...(evidence !== undefined && { evidence }), ...(force === true && { forced: true }) };
}
