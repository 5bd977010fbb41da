/** A weight by hand: typed, drawn, or one of the usual. */
import { weight as inPercent } from './format.ts';

const USUAL = [0, 1, 5, 10, 25, 50, 75, 100];

export function isWeight(percent: number): boolean {
  return percent >= 0 && percent <= 100 && Number(percent.toFixed(4)) === percent;
}

export function PercentField({
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
