/**
 * What sends more to new: shows first what moves, and wants a reason. Lowering by number comes here too, and needs none. It goes by the
 * route as it was when this was opened: what has been changed meanwhile, by a person or by the judge, is said and not overwritten.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RouteView } from '../control/control.ts';
import { doSet, doVerb, notice } from './actions.ts';
import { weight as inPercent } from './format.ts';
import { Moves, usePreview } from './moves.tsx';
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
const USUAL = [0, 1, 5, 10, 25, 50, 75, 100];

interface RaiseDialogProps {
  readonly route: RouteView;
  readonly raise: Raise;
  readonly onClose: () => void;
}

export function RaiseDialog({ route: live, raise, onClose }: RaiseDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isSent = useRef(false);
  const [route, setRoute] = useState(live);
  const [percent, setPercent] = useState(targetOf(route, raise));
  const [steps, setSteps] = useState('1:10m, 10:30m, 50:1h, 100');
  const [force, setForce] = useState(false);
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState('');
  const preview = usePreview(route.name, percent, route.revision);
  useEffect(() => dialog.current?.showModal(), []);
  const needsReason = raise !== 'set' || percent > route.weight;
  const isOvertaken = live.revision !== route.revision;
  const isValid = isWeight(percent) && (!needsReason || reason.trim() !== '') && !isOvertaken;

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
    if (raise !== 'set') setPercent(targetOf(live, raise));
  };

  return (
    <dialog ref={dialog} class="raise" aria-labelledby="raise-title" onClose={() => !isSent.current && onClose()}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="raise-title">
          {TITLES[raise]}: {route.name}
        </h2>
        {raise === 'set' && <PercentField value={percent} onChange={setPercent} now={route.weight} />}
        {raise === 'ramp' && (
          <label>
            Template, or steps as percent:hold (empty: the route's own)
            <input value={steps} onInput={(event) => setSteps(event.currentTarget.value)} />
          </label>
        )}
        <Moves route={route} preview={preview} />
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

function isWeight(percent: number): boolean {
  return percent >= 0 && percent <= 100 && Number(percent.toFixed(4)) === percent;
}

/** Where the route would be at once. */
function targetOf(route: RouteView, raise: Raise): number {
  const ramp = rampOf(route);
  if (raise === 'promote') return 100;
  if (raise === 'step') return ramp?.next?.weight ?? route.weight;
  if (raise === 'ramp') return 1;
  return route.weight;
}

function rampBody(raise: Raise, steps: string): object {
  if (raise !== 'ramp') return {};
  const text = steps.trim();
  if (text === '') return {};
  return /^\d/.test(text) ? { steps: text.split(/\s*,\s*/).map(stepOf) } : { template: text };
}

/** Of `10:30m`, or `100` alone. */
function stepOf(text: string): object {
  const [weight, hold] = text.split(/\s*:\s*/);
  return { weight: Number(weight), ...(hold === undefined ? {} : { hold }) };
}

function PercentField({
  value,
  now,
  onChange,
}: {
  readonly value: number;
  readonly now: number;
  readonly onChange: (value: number) => void;
}) {
  return (
    <fieldset>
      <legend>Percent to new (now {inPercent(now)})</legend>
      <input
        type="number"
        aria-label="Percent"
        min="0"
        max="100"
        step="any"
        autoFocus
        value={Number.isNaN(value) ? '' : String(value)}
        onInput={(event) => onChange(event.currentTarget.value === '' ? Number.NaN : Number(event.currentTarget.value))}
      />
      <input
        type="range"
        aria-label="Percent, by slider"
        min="0"
        max="100"
        step="1"
        value={String(Number.isNaN(value) ? now : value)}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
      <span class="usual" role="group" aria-label="Usual steps">
        {USUAL.map((step) => (
          <button key={step} type="button" class="quiet" aria-pressed={step === value} onClick={() => onChange(step)}>
            {step}
          </button>
        ))}
      </span>
      {!isWeight(value) && <p class="fault">0 to 100, with at most four decimals</p>}
    </fieldset>
  );
}
