/** Whether one state can come after another. */
import type { State } from '../domain/state.ts';
import { StoreDiverged } from '../store/store.ts';

/** @throws StoreDiverged unless it is of the same epoch, or of one that was adopted in its place; nothing in it may be older. */
export function assertFollows(known: State, state: State): void {
  const served = `revision ${known.revision} of epoch ${known.epoch} is served`;
  if (state.epoch !== known.epoch && !state.lineage?.includes(known.epoch)) {
    throw new StoreDiverged(`The store holds another epoch (${state.epoch}, revision ${state.revision}); ${served}`);
  }
  if (state.revision < known.revision) {
    throw new StoreDiverged(`The store fell back to revision ${state.revision}; ${served}`);
  }
  for (const [name, { revision }] of known.routes) {
    const held = state.routes.get(name)?.revision ?? 0;
    if (held < revision) {
      throw new StoreDiverged(`The store holds the route "${name}" at revision ${held}, below ${revision}; ${served}`);
    }
  }
}

/**
 * The first state, but above the other's revision and in the place of its epoch. Of a route that it does not have it says nothing: that stays
 * as the other has it, or no replica that knows the route would ever follow.
 */
export function joined(state: State, other: State): State {
  const lineage = [...(state.lineage ?? []), ...(other.lineage ?? []), other.epoch].filter((epoch) => epoch !== '');
  const routes = new Map([...other.routes, ...state.routes]);
  return { ...state, routes, revision: Math.max(state.revision, other.revision), lineage: [...new Set(lineage)] };
}
