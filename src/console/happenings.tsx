/** The last events, with who and why. */
import { clock } from './format.ts';
import type { Happening } from './model.ts';

const SIGNS = { change: '→', rollback: '↩', refused: '✖', system: '·' } as const;

interface HappeningsProps {
  readonly happenings: readonly Happening[];
  readonly now: number;
  readonly canAct: boolean;
  readonly onUndo: (revision: number) => void;
}

export function Happenings({ happenings, now, canAct, onUndo }: HappeningsProps) {
  const undoable = newestOfRoutes(happenings);
  return (
    <section class="happenings" aria-label="Events">
      <h2>Events</h2>
      <ol tabIndex={0} aria-label="Newest first">
        {happenings.slice(0, 50).map((happening) => (
          <li key={`${happening.revision} ${happening.at} ${happening.what}`} class={happening.kind}>
            <time dateTime={new Date(happening.at).toISOString()}>{clock(happening.at, now)}</time>
            <span class="sign" aria-hidden="true">
              {SIGNS[happening.kind]}
            </span>
            <span class="who">{happening.who}</span>
            <span class="what">{happening.what}</span>
            <span class="why">{happening.why}</span>
            {canAct && undoable.has(happening) && (
              <button
                type="button"
                class="quiet undo"
                aria-label={`Undo revision ${happening.revision}`}
                onClick={() => onUndo(happening.revision as number)}
              >
                undo
              </button>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Changes that nobody has built on: only these can be undone. */
function newestOfRoutes(happenings: readonly Happening[]): Set<Happening> {
  const seen = new Set<string>();
  const newest = new Set<Happening>();
  for (const happening of happenings) {
    const { route, revision, kind } = happening;
    if (kind !== 'change' && kind !== 'rollback') continue;
    // A change of several routes hides all that came before.
    if (route === null) break;
    if (!seen.has(route) && revision !== null) newest.add(happening);
    seen.add(route);
  }
  return newest;
}
