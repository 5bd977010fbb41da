/** Whether what Redis holds follows from what is known of it, and to which state it leads. */
import type { State } from '../domain/state.ts';
import { applyEntries } from './decide.ts';
import { entryOf, type ReadReply, stateOf } from './redis-replies.ts';
import { StoreDiverged } from './store.ts';

/** A state as it is known, with the id of its last change; the id is empty when it comes from elsewhere. */
export interface Known {
  readonly state: State;
  readonly head: string;
}

/** @throws StoreDiverged when what is held does not follow from what is known */
export function follow(known: Known | undefined, reply: ReadReply, place: string): Known {
  const served =
    known === undefined
      ? 'replicas serve another, or a later revision'
      : `revision ${known.state.revision} of epoch ${known.state.epoch} is known`;
  switch (reply[0]) {
    case 'same':
      return known as Known;
    case 'newer': {
      const { state } = known as Known;
      return { state: applyEntries(state, reply[3].map(entryOf)), head: reply[2] };
    }
    case 'whole': {
      const [, , epoch, revision, head, lineage, fields] = reply;
      return { state: stateOf(epoch, revision, lineage, fields), head };
    }
    case 'gone':
      throw new StoreDiverged(`${place}: it holds no state any more; ${served}`);
    case 'foreign':
      throw new StoreDiverged(`${place}: it holds another epoch (${reply[2]}, revision ${reply[3]}); ${served}`);
    case 'behind':
      throw new StoreDiverged(`${place}: it fell back to revision ${reply[2]}; ${served}`);
    case 'diverged':
      throw new StoreDiverged(`${place}: it holds another history up to revision ${reply[2]}; ${served}`);
  }
}
