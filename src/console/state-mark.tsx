/** A route's state as a sign and a word: neither needs its colour to be told from the others. */
import type { RouteView } from '../control/control.ts';

const MARKS: Readonly<
  Record<RouteView['state'], { readonly sign: string; readonly word: string; readonly tone: string }>
> = {
  steady: { sign: '●', word: 'steady', tone: 'calm' },
  ramping: { sign: '▲', word: 'ramping', tone: 'moving' },
  paused: { sign: '‖', word: 'paused', tone: 'warn' },
  held: { sign: '■', word: 'held', tone: 'warn' },
  rolledBack: { sign: '↩', word: 'rolled back', tone: 'bad' },
  completed: { sign: '✔', word: 'completed', tone: 'good' },
};

export function StateMark({ route }: { readonly route: RouteView }) {
  const isBreach = route.evidence.verdict === 'breach' && route.weight > 0;
  const { sign, word, tone } = isBreach ? { sign: '✖', word: 'breach', tone: 'bad' } : MARKS[route.state];
  return (
    <span class={`mark ${tone}`}>
      <span aria-hidden="true" class="sign">
        {sign}
      </span>
      {word}
      {route.frozen && (
        <span class="frozen" title="Refuses to be raised">
          {' '}
          <span aria-hidden="true">❄</span> frozen
        </span>
      )}
    </span>
  );
}
