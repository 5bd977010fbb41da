/** What sends more to new: shows first what moves, and wants a reason. Lowering by number comes here too, and needs none. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PreviewView, RouteView } from '../control/control.ts';
import { doSet, doVerb } from './actions.ts';
import { getPreview } from './api.ts';
import { weight as inPercent, rate } from './format.ts';
import { rampOf } from './ramp.ts';

export type Raise = 'set' | 'ramp' | 'step' | 'resume' | 'promote';

const TITLES: Readonly<Record<Raise, string>> = {
  set: 'Set the share of new',
  ramp: 'Ramp up by steps',
  step: 'Take the next step now',
  resume: 'Resume',
  promote: 'Send everything to new',
};
const USUAL = [0, 1, 5, 10, 25, 50, 75, 100];
const DEBOUNCE_MS = 80;

interface RaiseDialogProps {
  readonly route: RouteView;
  readonly raise: Raise;
  readonly onClose: () => void;
}

export function RaiseDialog({ route, raise, onClose }: RaiseDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [percent, setPercent] = useState(targetOf(route, raise));
  const [steps, setSteps] = useState('1:10m, 10:30m, 50:1h, 100');
  const [force, setForce] = useState(false);
  const [reason, setReason] = useState('');
  const preview = usePreview(route.name, percent);
  useEffect(() => dialog.current?.showModal(), []);
  const needsReason = raise !== 'set' || percent > route.weight;
  const isValid = percent >= 0 && percent <= 100 && (!needsReason || reason.trim() !== '');

  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isValid) return;
    const why = reason.trim();
    onClose();
    if (raise === 'set') void doSet(route, percent, why);
    else void doVerb(route, raise, why, { ...rampBody(raise, steps), ...(force ? { force } : {}) });
  };

  return (
    <dialog ref={dialog} class="raise" aria-labelledby="raise-title" onClose={onClose}>
      <form onSubmit={submit}>
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
        <label>
          Reason {needsReason ? '' : '(not needed to lower)'}
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
        <div class="buttons">
          <button type="button" class="quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={!isValid}>
            {raise === 'set' ? `Set to ${inPercent(percent)}` : (TITLES[raise].split(' ')[0] ?? raise)}
          </button>
        </div>
      </form>
    </dialog>
  );
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
        value={String(value)}
        onInput={(event) => onChange(event.currentTarget.value === '' ? Number.NaN : Number(event.currentTarget.value))}
      />
      <input
        type="range"
        aria-label="Percent, by slider"
        min="0"
        max="100"
        step="1"
        value={String(value)}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
      <span class="usual" role="group" aria-label="Usual steps">
        {USUAL.map((step) => (
          <button key={step} type="button" class="quiet" aria-pressed={step === value} onClick={() => onChange(step)}>
            {step}
          </button>
        ))}
      </span>
    </fieldset>
  );
}

function usePreview(route: string, percent: number): PreviewView | undefined {
  const [preview, setPreview] = useState<PreviewView>();
  useEffect(() => {
    if (!(percent >= 0 && percent <= 100)) return;
    let isOver = false;
    const timer = setTimeout(() => {
      getPreview(route, percent).then(
        (answer) => !isOver && setPreview(answer),
        // The dialog works without.
        () => undefined,
      );
    }, DEBOUNCE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [route, percent]);
  return preview;
}

function Moves({ route, preview }: { readonly route: RouteView; readonly preview: PreviewView | undefined }) {
  if (preview === undefined) return <p class="moves">Reckoning what moves …</p>;
  const { weight, requestsPerSecond, users, headroom } = preview;
  const { new: fresh, old } = requestsPerSecond;
  const factor = fresh.now > 0 && fresh.after > fresh.now ? ` (×${(fresh.after / fresh.now).toFixed(1)})` : '';
  const { endpoints, connections, inflight } = headroom;
  return (
    <ul class="moves" aria-live="polite">
      <li>
        <b>
          new {inPercent(weight.now)} → {inPercent(weight.after)}
        </b>
      </li>
      <li>
        {route.new.backend}: {rate(fresh.now)} → <b>{rate(fresh.after)} req/s</b>
        {factor}; {route.old.backend}: {rate(old.now)} → {rate(old.after)} req/s
      </li>
      <li>
        {users === null
          ? 'Not sticky: each request is drawn afresh'
          : `${inPercent(users.percent)} of users change sides, told apart by ${users.by.join(', then ')}`}
      </li>
      <li>
        Headroom: {endpoints} {endpoints === 1 ? 'endpoint' : 'endpoints'}, under way {inflight.now} → about{' '}
        {inflight.after}
        {connections > 0 ? ` of ${connections} connections` : ', connections not limited'}
      </li>
    </ul>
  );
}
