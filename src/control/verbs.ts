/** The verbs that move routes. Each is one change of the store, over all routes that it touches. */
import { type CutoverRequest, decideCutover, undoRefusal } from '../domain/cutover.ts';
import type { AuditEntry, RoutePosition, Verb } from '../domain/state.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { RefusalCode, WriteRequest } from './control.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { Writer, Written } from './writer.ts';

type Refused = Extract<Written, { kind: 'refused' }>;

export class Verbs {
  readonly #keeper: StateKeeper;
  readonly #writer: Writer;

  constructor(keeper: StateKeeper, writer: Writer) {
    this.#keeper = keeper;
    this.#writer = writer;
  }

  set(route: string, weightPpm: number, write: WriteRequest): Promise<Written> {
    return this.#write('set', [route], { kind: 'set', weightPpm }, write);
  }

  rollback(routes: readonly string[], write: WriteRequest): Promise<Written> {
    return this.#write('rollback', routes, { kind: 'rollback' }, write);
  }

  /** The judge's rollback: nothing is done when another test runs by now, or somebody has frozen the route. */
  takeBack(
    route: string,
    testSince: number,
    { actor, reason }: Pick<WriteRequest, 'actor' | 'reason'>,
  ): Promise<Written> {
    return this.#writer.write({
      verb: 'rollback',
      actor,
      reason,
      routes: [route],
      decide: (_route, state) =>
        state.testSince === testSince && !state.frozen
          ? decideCutover(state, { kind: 'rollback' }, undefined)
          : { kind: 'unchanged' },
    });
  }

  freeze(route: string, frozen: boolean, write: WriteRequest): Promise<Written> {
    const verb = frozen ? 'freeze' : 'unfreeze';
    return this.#write(verb, [route], { kind: verb }, write);
  }

  #write(verb: Verb, routes: readonly string[], request: CutoverRequest, write: WriteRequest): Promise<Written> {
    const { actor, reason, ifRevision } = write;
    return this.#writer.write({
      verb,
      actor,
      reason,
      routes,
      decide: (_route, state) => decideCutover(state, request, ifRevision),
    });
  }

  /** @param revision of the change to take back */
  async undo(revision: number, { actor, reason, ifRevision }: WriteRequest): Promise<Written> {
    const entry = await this.#entry(revision);
    if ('kind' in entry) return entry;
    const refusal = undoRefusal(entry);
    if (refusal !== undefined) return refused('conflict', refusal);
    const before = new Map<string, RoutePosition>();
    for (const touched of entry.routes) if (touched.before !== null) before.set(touched.route, touched.before);
    return this.#writer.write({
      verb: 'undo',
      actor,
      reason,
      routes: [...before.keys()],
      decide: (route, state) => {
        const request = { kind: 'undo', revision, before: before.get(route) as RoutePosition } as const;
        return decideCutover(state, request, ifRevision);
      },
    });
  }

  /** @param keep what this replica serves, or what the store holds */
  async adopt(keep: 'served' | 'stored', { actor, reason }: WriteRequest): Promise<Written> {
    if (this.#keeper.alarm === null)
      return refused('conflict', 'The store holds what is served: nothing is to be adopted');
    if (keep === 'served' && this.#keeper.state === undefined) {
      return refused('conflict', 'This replica serves no state: adopt on one that does, or keep what is stored');
    }
    try {
      return { kind: 'applied', entry: await this.#keeper.adopt(keep, { actor, reason }) };
    } catch (error) {
      if (error instanceof StoreUnavailable) return refused('storeUnavailable', error.message);
      throw error;
    }
  }

  async #entry(revision: number): Promise<AuditEntry | Refused> {
    try {
      const [entry] = await this.#keeper.history({ limit: 1, before: revision + 1 });
      if (entry?.revision === revision) return entry;
      return refused('unknownRevision', `The history has no revision ${revision}`);
    } catch (error) {
      if (error instanceof StoreUnavailable) return refused('storeUnavailable', error.message);
      throw error;
    }
  }
}

function refused(code: RefusalCode, detail: string): Refused {
  return { kind: 'refused', code, detail };
}
