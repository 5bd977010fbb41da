/** One route in full: what may be done, the evidence, the ramp, the charts, the endpoints. */
import { useState } from 'preact/hooks';
import type { RouteView, StatsRow } from '../control/control.ts';
import { doVerb } from './actions.ts';
import { Charts } from './charts.tsx';
import { Endpoints } from './endpoints.tsx';
import { Evidence } from './evidence.tsx';
import { clock, weight } from './format.ts';
import { illOf } from './ill-endpoints.ts';
import { type Raise, RaiseDialog } from './raise-dialog.tsx';
import { nextInWords, type RampShown, rampOf } from './ramp.ts';
import { Share } from './share.tsx';
import { StateMark } from './state-mark.tsx';

interface DetailProps {
  readonly route: RouteView;
  readonly row: StatsRow;
  readonly canAct: boolean;
  readonly hasPrometheus: boolean;
  readonly now: number;
  readonly onRollback: (route: RouteView) => void;
  readonly onClose: () => void;
}

export function Detail({ route, row, canAct, hasPrometheus, now, onRollback, onClose }: DetailProps) {
  const ramp = rampOf(route);
  // What is wrong must not stand below the edge of the screen.
  const isIll = illOf(route.old) + illOf(route.new) > 0;
  const endpoints = (
    <div class="backends">
      <Endpoints side="old" of={route.old} now={now} />
      <Endpoints side="new" of={route.new} now={now} />
    </div>
  );
  return (
    <section class="detail" aria-label={`Route ${route.name}`}>
      <div class="title">
        <h2>{route.name}</h2>
        <StateMark route={route} />
        <button type="button" class="quiet close" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      <p class="why">
        {route.reason} <span class="n">revision {route.revision}</span>
      </p>
      <Share route={route} row={row} />
      {canAct && <Buttons route={route} onRollback={onRollback} key={route.name} />}
      {ramp !== null && <Ramp route={route} ramp={ramp} now={now} />}
      <Evidence route={route} isLong />
      {isIll && endpoints}
      <Charts route={route} hasPrometheus={hasPrometheus} key={route.name} />
      {!isIll && endpoints}
    </section>
  );
}

function Buttons({ route, onRollback }: Pick<DetailProps, 'route' | 'onRollback'>) {
  const [raise, setRaise] = useState<Raise | null>(null);
  const { state, weight: now, frozen, ramp } = route;
  const isStopped = state === 'paused' || state === 'held' || state === 'rolledBack';
  const raises: [Raise, string, boolean][] = [
    ['set', 'Set …', true],
    ['ramp', 'Ramp …', state !== 'ramping' && now < 100],
    ['step', 'Step …', ramp !== null && now < 100],
    ['resume', 'Resume …', isStopped],
    ['promote', 'Promote …', now < 100],
  ];
  return (
    <div class="verbs" role="group" aria-label="Actions">
      {now > 0 && (
        <button type="button" class="rollback" onClick={() => onRollback(route)}>
          ↩ Roll back
        </button>
      )}
      {state === 'ramping' && (
        <button type="button" onClick={() => void doVerb(route, 'pause')}>
          ‖ Pause
        </button>
      )}
      {raises.map(
        ([name, label, isShown]) =>
          isShown && (
            <button key={name} type="button" disabled={frozen && name !== 'set'} onClick={() => setRaise(name)}>
              {label}
            </button>
          ),
      )}
      <button type="button" aria-pressed={frozen} onClick={() => void doVerb(route, frozen ? 'unfreeze' : 'freeze')}>
        ❄ {frozen ? 'Unfreeze' : 'Freeze'}
      </button>
      {raise !== null && <RaiseDialog route={route} raise={raise} onClose={() => setRaise(null)} />}
    </div>
  );
}

function Ramp({ route, ramp, now }: { readonly route: RouteView; readonly ramp: RampShown; readonly now: number }) {
  return (
    <div class="ramp" aria-label={`Ramp, step ${ramp.step} of ${ramp.of}`} role="group">
      <ol>
        {ramp.steps.map((step, i) => (
          <li key={i} class={i < ramp.step - 1 ? 'done' : i === ramp.step - 1 ? 'here' : ''}>
            {weight(step.weight)}
          </li>
        ))}
      </ol>
      <p>
        {nextInWords(route, ramp, now)} <span class="n">{detailOf(ramp, now)}</span>
      </p>
    </div>
  );
}

/** What the few words leave out: where to and when, or why not. */
function detailOf({ next, waiting }: RampShown, now: number): string {
  if (waiting !== null && waiting.for !== 'hold') return waiting.reason;
  return next === null || next.at === null ? '' : `${weight(next.weight)} at ${clock(next.at, now)}`;
}
