import type { RouteView } from '../control/control.ts';
import { headline } from './headline.ts';
import type { Model } from './model.ts';

const SIGNS = { bad: '✖', warn: '▲', good: '✔' } as const;
/** More would bury the first. */
const SHOWN = 3;

interface HeadlineProps {
  readonly model: Model;
  readonly now: number;
  readonly canAct: boolean;
  readonly onSelect: (route: string) => void;
  readonly onRollback: (route: RouteView) => void;
}

export function Headline({ model, now, canAct, onSelect, onRollback }: HeadlineProps) {
  if (model.connection === 'connecting') return <div class="headline" />;
  const lines = headline(model, now);
  return (
    <div class="headline" role="status" aria-label="What matters now">
      {lines.slice(0, SHOWN).map(({ level, text, route }, i) => (
        <p key={i} class={level}>
          <span class="sign" aria-hidden="true">
            {SIGNS[level]}
          </span>
          {route !== undefined && (
            <button type="button" class="link" onClick={() => onSelect(route)}>
              {route}
            </button>
          )}
          <span>{text}</span>
          {canAct && route !== undefined && <WayBack route={routeOf(model, route)} onRollback={onRollback} />}
        </p>
      ))}
      {lines.length > SHOWN && <p class="n">and {lines.length - SHOWN} more, on top of the list</p>}
    </div>
  );
}

function routeOf({ routes }: Model, name: string): RouteView | undefined {
  return routes.find((route) => route.name === name);
}

/** Beside what is wrong, for a route that is not on old yet. */
function WayBack({ route, onRollback }: { readonly route: RouteView | undefined } & Pick<HeadlineProps, 'onRollback'>) {
  if (route === undefined || route.weight === 0) return null;
  return (
    <button type="button" class="rollback" aria-label={`Roll back ${route.name}`} onClick={() => onRollback(route)}>
      ↩ Roll back
    </button>
  );
}
