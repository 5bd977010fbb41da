/**
 * What a request to move a route makes of its state: the next position, or why not. Pure, so that whoever lost a compare-and-set
 * decides again on what it reads. Nothing but a person's `set` or `undo` raises a weight here; everything may lower one.
 */
import type { AuditEntry, RoutePosition, RouteState } from './state.ts';

export type CutoverRequest =
  | { readonly kind: 'set'; readonly weightPpm: number }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'freeze' }
  | { readonly kind: 'unfreeze' }
  /** Back to what the change of this revision replaced. */
  | { readonly kind: 'undo'; readonly revision: number; readonly before: RoutePosition };

export type CutoverRefusal = 'preconditionRequired' | 'stale' | 'frozen' | 'conflict';

export type CutoverDecision =
  | { readonly kind: 'next'; readonly next: RoutePosition }
  /** The route already is where it was asked to be; nothing needs writing. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly code: CutoverRefusal; readonly detail: string };

/**
 * @param state what the store holds
 * @param ifRevision the revision that the caller believes to change; a raise must name it, anything else may
 */
export function decideCutover(
  state: RouteState,
  request: CutoverRequest,
  ifRevision: number | undefined,
): CutoverDecision {
  if (ifRevision !== undefined && ifRevision !== state.revision) {
    return refused('stale', `The route is at revision ${state.revision}, not ${ifRevision}: read it again`);
  }
  const { weightPpm, cutover, frozen } = state;
  switch (request.kind) {
    case 'set':
      if (request.weightPpm > weightPpm) {
        if (frozen) return refused('frozen', 'The route is frozen: unfreeze it before raising its weight');
        if (ifRevision === undefined) {
          return refused(
            'preconditionRequired',
            `Raising a weight needs If-Match with the revision (${state.revision})`,
          );
        }
      }
      return next({ weightPpm: request.weightPpm, cutover: 'steady', frozen });
    case 'rollback':
      if (weightPpm === 0 && cutover === 'rolledBack') return { kind: 'unchanged' };
      return next({ weightPpm: 0, cutover: 'rolledBack', frozen });
    case 'freeze':
      return frozen ? { kind: 'unchanged' } : next({ weightPpm, cutover, frozen: true });
    case 'unfreeze':
      return frozen ? next({ weightPpm, cutover, frozen: false }) : { kind: 'unchanged' };
    case 'undo':
      return decideUndo(state, request.revision, request.before);
  }
}

function decideUndo(state: RouteState, revision: number, before: RoutePosition): CutoverDecision {
  if (state.revision !== revision) {
    return refused(
      'conflict',
      `The route was changed again at revision ${state.revision}: undo that first, or use set`,
    );
  }
  if (state.frozen && before.weightPpm > state.weightPpm) {
    return refused('frozen', 'The route is frozen: unfreeze it before raising its weight');
  }
  return next({ weightPpm: before.weightPpm, cutover: before.cutover, frozen: before.frozen });
}

/** Why a whole change cannot be undone, whatever its routes are now; undefined: it can, as far as it goes by itself. */
export function undoRefusal(entry: AuditEntry): string | undefined {
  if (entry.verb === 'rollback') return 'Undoing a rollback is refused: use set or resume';
  if (entry.routes.some(({ before }) => before === null)) return 'The first appearance of a route cannot be undone';
  return undefined;
}

function next(position: RoutePosition): CutoverDecision {
  return { kind: 'next', next: position };
}

function refused(code: CutoverRefusal, detail: string): CutoverDecision {
  return { kind: 'refused', code, detail };
}
