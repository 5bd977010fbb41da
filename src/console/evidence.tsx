/** How close the evidence is to the line at which a route is taken back. */
import type { RouteView } from '../control/control.ts';
import { rate } from './format.ts';

const WORDS = { healthy: 'healthy', inconclusive: 'undecided', breach: 'breach' } as const;
const SIGNS = { healthy: '✔', inconclusive: '·', breach: '✖' } as const;

interface EvidenceProps {
  readonly route: RouteView;
  readonly isLong?: boolean;
}

export function Evidence({ route: { evidence, weight }, isLong }: EvidenceProps) {
  const { value, threshold, verdict } = evidence;
  const isJudged = threshold > 0 && (weight > 0 || verdict === 'breach');
  // Evidence multiplies: what is half way to the line is its root.
  const part = threshold > 1 ? Math.min(1, Math.max(0, Math.log(Math.max(1, value)) / Math.log(threshold))) : 0;
  return (
    <div class={`evidence ${verdict}`} title={evidence.reason}>
      <div class="gauge" aria-hidden="true">
        <div class="fill" style={{ width: `${part * 100}%` }} />
      </div>
      <span class="words">
        {isJudged ? (
          <>
            <span aria-hidden="true">{SIGNS[verdict]}</span> {WORDS[verdict]}{' '}
            <span class="n">
              {rate(value)} of {rate(threshold)}
            </span>
          </>
        ) : (
          'not judged'
        )}
      </span>
      {isLong && <p>{evidence.reason}</p>}
    </div>
  );
}
