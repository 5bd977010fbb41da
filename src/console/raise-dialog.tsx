/**
 * What sends more to new: shows first what moves, and wants a reason. Lowering by number comes here too, and needs none. It goes by the
 * route as it was when this was opened: what has been changed meanwhile, by a person or by the judge, is said and not overwritten.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RouteView } from '../control/control.ts';
import { doSet, doVerb, notice } from './actions.ts';
import { weight as inPercent } from './format.ts';
import { Moves, usePreview } from './moves.tsx';
import { isWeight, PercentField } from './percent-field.tsx';
import { rampOf } from './ramp.ts';

export type Raise = 'set' | 'ramp' | 'step' | 'resume' | 'promote';

const TITLES: Readonly<Record<Raise, string>> = {
  set: 'Set the share of new',
  ramp: 'Ramp up by steps',
  step: 'Take the next step now',
  resume: 'Resume',
  promote: 'Send everything to new',
};
const SENDS = { ramp: 'Ramp', step: 'Step', resume: 'Resume', promote: 'Promote' } as const;

interface RaiseDialogProps {
  readonly route: RouteView;
  readonly raise: Raise;
  readonly onClose: () => void;
}

export function RaiseDialog({ route: live, raise, onClose }: RaiseDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isSent = useRef(false);
  const [route, setRoute] = useState(live);
  const [typed, setTyped] = useState(route.weight);
  const [steps, setSteps] = useState('1:10m, 10:30m, 50:1h, 100');
  const [force, setForce] = useState(false);
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState('');
  const percent = raise === 'set' ? typed : targetOf(route, raise, steps);
  const preview = usePreview(route.name, percent, route.revision);
  useEffect(() => dialog.current?.showModal(), []);
  const needsReason = raise !== 'set' || percent > route.weight;
  const isOvertaken = live.revision !== route.revision;
  const isValid = (isWeight(percent) || raise === 'ramp') && (!needsReason || reason.trim() !== '') && !isOvertaken;

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isValid) return;
    const why = reason.trim();
    // Out of the way of what it does; what is refused is there again, to be put right.
    isSent.current = true;
    dialog.current?.close();
    const more = { ...rampBody(raise, steps), ...(force ? { force } : {}) };
    const isDone = await (raise === 'set' ? doSet(route, percent, why) : doVerb(route, raise, why, more));
    if (isDone) return onClose();
    isSent.current = false;
    setFault(notice.value?.text ?? '');
    dialog.current?.showModal();
  };
  const goOn = (): void => {
    setRoute(live);
    setFault('');
  };

  return (
    <dialog ref={dialog} class="raise" aria-labelledby="raise-title" onClose={() => !isSent.current && onClose()}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="raise-title">
          {TITLES[raise]}: {route.name}
        </h2>
        {raise === 'set' && <PercentField value={typed} onChange={setTyped} now={route.weight} />}
        {raise === 'ramp' && (
          <label>
            Template, or steps as percent:hold (empty: the route's own)
            <input value={steps} onInput={(event) => setSteps(event.currentTarget.value)} />
          </label>
        )}
        {isWeight(percent) && <Moves route={route} preview={preview} />}
        {raise === 'ramp' && !isWeight(percent) && (
          <p class="moves">Begins at its first step that is not below {inPercent(route.weight)}</p>
        )}
        {raise === 'set' && endedRamp(route)}
        <label>
          Reason {needsReason ? '(needed)' : '(not needed to lower)'}
          <input
            value={reason}
            maxLength={500}
            required={needsReason}
            onInput={(event) => setReason(event.currentTarget.value)}
            autoFocus={raise !== 'set'}
          />
        </label>
        {route.state === 'rolledBack' && raise === 'resume' && (
          <label class="check">
            <input type="checkbox" checked={force} onChange={(event) => setForce(event.currentTarget.checked)} /> even
            after two rollbacks in a day
          </label>
        )}
        {isOvertaken ? <Overtaken live={live} onGoOn={goOn} /> : fault !== '' && <p class="fault">{fault}</p>}
        <div class="buttons">
          <button type="button" class="quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={!isValid}>
            {raise === 'set' ? `Set${isWeight(percent) ? ` to ${inPercent(percent)}` : ''}` : SENDS[raise]}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** A weight by hand ends a ramp, which is easily overlooked. */
function endedRamp(route: RouteView) {
  const ramp = rampOf(route);
  if (ramp === null || route.state === 'rolledBack') return null;
  return (
    <p>
      Its ramp, at step {ramp.step} of {ramp.of}, ends with this
    </p>
  );
}

/** Somebody, or the judge, was quicker. */
function Overtaken({ live, onGoOn }: { readonly live: RouteView; readonly onGoOn: () => void }) {
  return (
    <p role="alert" class="fault">
      Changed meanwhile: {inPercent(live.weight)} to new, {live.state} ({live.reason}){' '}
      <button type="button" onClick={onGoOn}>
        Go on from there
      </button>
    </p>
  );
}

/** Where the route would be at once; NaN: the console does not know, as of a template. */
function targetOf(route: RouteView, raise: Raise, steps: string): number {
  const ramp = rampOf(route);
  if (raise === 'promote') return 100;
  if (raise === 'step') return ramp?.next?.weight ?? route.weight;
  if (raise === 'ramp') return typedSteps(steps)?.find(({ weight }) => weight >= route.weight)?.weight ?? Number.NaN;
  if (route.state === 'rolledBack') return ramp?.steps[0]?.weight ?? route.from ?? 0;
  return ramp?.waiting?.for === 'approval' ? (ramp.next?.weight ?? route.weight) : route.weight;
}

function rampBody(raise: Raise, steps: string): object {
  if (raise !== 'ramp') return {};
  const text = steps.trim();
  if (text === '') return {};
  const typed = typedSteps(text);
  return typed === undefined ? { template: text } : { steps: typed };
}

/** Undefined: nothing, or a template's name. */
function typedSteps(steps: string): { weight: number; hold?: string }[] | undefined {
  const text = steps.trim();
  return /^\d/.test(text) ? text.split(/\s*,\s*/).map(stepOf) : undefined;
}

/** Of `10:30m`, or `100` alone. */
function stepOf(text: string): { weight: number; hold?: string } {
  const [weight, hold] = text.split(/\s*:\s*/);
  return { weight: Number(weight), ...(hold === undefined ? {} : { hold }) };
}
