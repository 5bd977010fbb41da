import { withTest } from '../domain/test-since.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { Plan } from './plan.ts';
import type { StateKeeper } from './state-keeper.ts';

/**
 * Writes routes that the store has never seen, with the weight that their configuration gives them. Does nothing while the store is
 * away; the routes are served from old until it is back.
 */
export async function writeFirstWeights(keeper: StateKeeper, plan: Plan, clock: () => number): Promise<void> {
  try {
    let outcome: Awaited<ReturnType<Store['compareAndSet']>> | undefined;
    while (outcome?.kind !== 'applied') {
      const state = await keeper.refresh();
      const unknown = plan.routes.filter(({ spec }) => !state.routes.has(spec.name));
      if (unknown.length === 0) return;
      const at = clock();
      outcome = await keeper.compareAndSet({
        epoch: state.epoch,
        verb: 'init',
        actor: 'config',
        reason: 'weight of the configuration',
        at,
        routes: unknown.map(({ spec, weightPpm }) => ({
          route: spec.name,
          expected: 0,
          next: withTest(null, { weightPpm, cutover: 'steady', frozen: false }, 'init', at),
        })),
      });
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}
