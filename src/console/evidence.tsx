/** How close the evidence is to the line at which a route is taken back. */
import type { RouteView } from '../control/control.ts';
import { rate } from './format.ts';

const WORDS = { healthy: 'healthy', inconclusive: 'open', breach: 'breach' } as const;
const SIGNS = { healthy: '✔', inconclusive: '·', breach: '✖' } as const;

export function Evidence({
  evidence,
  isLong,
}: {
  readonly evidence: RouteView['evidence'];
  readonly isLong?: boolean;
}) {
  const { value, threshold, verdict } = evidence;
  // Evidence multiplies: what is half way to the line is its root.
  const part = threshold > 1 ? Math.min(1, Math.max(0, Math.log(Math.max(1, value)) / Math.log(threshold))) : 0;
  const numbers = threshold > 0 ? `${rate(value)} of ${rate(threshold)}` : 'not judged';
  return (
    <div class={`evidence ${verdict}`} title={evidence.reason}>
      <div class="gauge" aria-hidden="true">
        <div class="fill" style={{ width: `${part * 100}%` }} />
      </div>
      <span class="words">
        <span aria-hidden="true">{SIGNS[verdict]}</span> {WORDS[verdict]} <span class="n">{numbers}</span>
      </span>
      {isLong && <p>{evidence.reason}</p>}
    </div>
  );
}
