/** What operators do: each action says what became of it, in one line. */
import type { RouteView } from '../control/control.ts';
import { act, Refusal, rollback, rollbackAll, setWeight, undo } from './api.ts';
import { weight as inPercent } from './format.ts';
import { Store } from './store.ts';

export interface Notice {
  readonly level: 'good' | 'bad' | 'busy';
  readonly text: string;
  /** Change that one more click takes back. */
  readonly undo?: number;
}

export const notice = new Store<Notice | null>(null);

let show: (written: readonly RouteView[]) => void = () => undefined;

/** Whoever shows routes is told what a write has answered of them. */
export function whenWritten(listener: typeof show): void {
  show = listener;
}

/** Says that it is under way, then what became of it. Resolves with whether it was done. */
async function tell(what: string, done: () => Promise<Notice>): Promise<boolean> {
  notice.set({ level: 'busy', text: `${what} …` });
  try {
    notice.set(await done());
    return true;
  } catch (error) {
    const detail = error instanceof Refusal ? error.message : String(error);
    notice.set({ level: 'bad', text: `${what}: ${detail}` });
    return false;
  }
}

function moved(before: RouteView, after: RouteView): Notice {
  show([after]);
  const { replicas, of, ms } = after.applied;
  const served = ms === null ? `${replicas}/${of} replicas so far` : `${replicas}/${of} applied in ${ms} ms`;
  const path =
    before.weight === after.weight
      ? inPercent(after.weight)
      : `${inPercent(before.weight)} → ${inPercent(after.weight)}`;
  const isUndoable = after.revision !== before.revision && after.state !== 'rolledBack';
  return {
    level: 'good',
    text: `${after.name}: ${path}, ${after.state}, revision ${after.revision}, ${served}`,
    ...(isUndoable ? { undo: after.revision } : {}),
  };
}

export function doSet(route: RouteView, percent: number, reason: string): Promise<boolean> {
  return tell(`Setting ${route.name} to ${percent}%`, async () =>
    moved(route, await setWeight(route, percent, reason)),
  );
}

/** @param more of the body: `template` or `steps` of a ramp */
export function doVerb(route: RouteView, verb: string, reason = '', more: object = {}): Promise<boolean> {
  return tell(`${verb} ${route.name}`, async () => moved(route, await act(route, verb, reason, more)));
}

/** @param direct the store is away: on this replica alone */
export function doRollback(route: RouteView, direct: boolean): Promise<boolean> {
  return tell(`Rolling back ${route.name}`, async () => {
    const after = await rollback(route.name, direct);
    if (direct) return { level: 'good', text: `${route.name} is back on old, on this replica; the store will be told` };
    return moved(route, after);
  });
}

export function doRollbackAll(direct: boolean): Promise<boolean> {
  return tell('Rolling back all routes', async () => {
    const routes = await rollbackAll(direct);
    show(routes);
    const away = routes.filter(({ weight }) => weight > 0).map(({ name }) => name);
    const where = direct ? ', on this replica; the store will be told' : '';
    if (away.length === 0) return { level: 'good', text: `All ${routes.length} routes are on old${where}` };
    if (direct) return { level: 'good', text: `${routes.length} routes go to old${where}` };
    return { level: 'bad', text: `Still on new: ${away.join(', ')}` };
  });
}

export function doUndo(revision: number): Promise<boolean> {
  return tell(`Undoing revision ${revision}`, async () => {
    const routes = await undo(revision);
    show(routes);
    const where = routes.map(({ name, weight }) => `${name} ${inPercent(weight)}`).join(', ');
    return { level: 'good', text: `Revision ${revision} is undone: ${where}` };
  });
}
