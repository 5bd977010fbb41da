import { StateKeeper } from '../../src/control/state-keeper.ts';
import type { MemoryStore } from './memory-store.ts';

/** Of a replica that has no state of its own to begin with, not started yet. */
export function keeperOf(store: MemoryStore, clock: () => number, onState: () => void = () => {}): StateKeeper {
  return new StateKeeper({
    openStore: async () => store,
    lastState: { read: async () => undefined, save() {}, failure: null },
    bootstrapOld: false,
    clock,
    random: Math.random,
    onState,
    onEntry() {},
    onHealth() {},
  });
}
