/** Every write: decide on what is known, compare-and-set, and decide again on what is there when somebody was faster. */
import type { CutoverDecision } from '../domain/cutover.ts';
import { type Act, type AuditEntry, actOf, type RouteChange, type RouteState, type State } from '../domain/state.ts';
import { withTest } from '../domain/test-since.ts';
import { StoreDiverged, StoreUnavailable } from '../store/store.ts';
import type { RefusalCode } from './control.ts';
import type { StateKeeper } from './state-keeper.ts';

/** What is to happen to some routes, all at once or not at all. */
export interface Intent extends Omit<Act, 'at'> {
  readonly routes: readonly string[];
  /** @param now milliseconds since 1970 by the store's clock */
  decide(route: string, state: RouteState, now: number): CutoverDecision;
}

export type Written =
  /** `warning`: why it may yet be lost. */
  | { readonly kind: 'applied'; readonly entry: AuditEntry; readonly warning?: string | undefined }
  /** Every route already was where it should go. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly detail: string };

type Drafted =
  | { readonly kind: 'change'; readonly routes: readonly RouteChange[] }
  | Exclude<Written, { readonly kind: 'applied' }>;

export class Writer {
  readonly #keeper: StateKeeper;
  readonly #clock: () => number;
  readonly #capacity: (route: string, weightPpm: number) => string | null;
  readonly #onWritten: (entry: AuditEntry) => void;

  /**
   * @param clock milliseconds since 1970
   * @param capacity why a route cannot be raised to a weight, in one sentence; null: it can
   * @param onWritten this replica has written a change
   */
  constructor(
    keeper: StateKeeper,
    clock: () => number,
    capacity: (route: string, weightPpm: number) => string | null = () => null,
    onWritten: (entry: AuditEntry) => void = () => {},
  ) {
    this.#onWritten = onWritten;
    this.#keeper = keeper;
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /** Never rejects because of the store: that is a refusal too. */
  async write(intent: Intent): Promise<Written> {
    try {
      return await this.#write(intent);
    } catch (error) {
      if (error instanceof StoreUnavailable) return storeRefusal(error);
      throw error;
    }
  }

  async #write(intent: Intent): Promise<Written> {
    let state = this.#keeper.state ?? (await this.#keeper.refresh());
    for (;;) {
      let drafted = this.#draft(intent, state);
      if (drafted.kind !== 'change') {
        // Only what the store holds counts for a refusal.
        state = await this.#keeper.refresh();
        drafted = this.#draft(intent, state);
      }
      if (drafted.kind !== 'change') return drafted;
      const act = actOf({ ...intent, at: this.#clock() });
      const change = { ...act, epoch: state.epoch, routes: drafted.routes };
      const result = await this.#keeper.compareAndSet(change);
      if (result.kind === 'applied') {
        this.#onWritten(result.entry);
        return result;
      }
      // Another epoch is refused by `refresh`, except to a replica that has served nothing of the store yet.
      state = await this.#keeper.refresh();
    }
  }

  /** What was forced goes beyond what the new side is said to carry. */
  #draft(intent: Intent, state: State): Drafted {
    const drafted = draft(intent, state, this.#keeper.now());
    if (drafted.kind !== 'change' || intent.forced === true) return drafted;
    for (const { route, next } of drafted.routes) {
      if (next.weightPpm <= (state.routes.get(route)?.weightPpm ?? 0)) continue;
      const refusal = this.#capacity(route, next.weightPpm);
      if (refusal !== null) return refused('conflict', refusal);
    }
    return drafted;
  }
}

/** @param now milliseconds since 1970 by the store's clock */
function draft(intent: Intent, state: State, now: number): Drafted {
  const routes: RouteChange[] = [];
  for (const route of intent.routes) {
    const known = state.routes.get(route);
    // What the store does not know is served from old already.
    if (known === undefined && intent.verb === 'rollback') continue;
    if (known === undefined) return refused('storeUnavailable', `The store does not know the route "${route}" yet`);
    const decision = intent.decide(route, known, now);
    if (decision.kind === 'refused') return decision;
    if (decision.kind !== 'next') continue;
    routes.push({ route, expected: known.revision, next: withTest(known, decision.next, intent.verb, now) });
  }
  return routes.length === 0 ? { kind: 'unchanged' } : { kind: 'change', routes };
}

/** Of a change that the store could not be asked for. */
export function storeRefusal(error: StoreUnavailable): Written & { kind: 'refused' } {
  return refused(error instanceof StoreDiverged ? 'storeDisputed' : 'storeUnavailable', error.message);
}

function refused(code: RefusalCode, detail: string): Written & { kind: 'refused' } {
  return { kind: 'refused', code, detail };
}
