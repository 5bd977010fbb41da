/** A side's endpoints: those that somebody has to know of first, with why and since when. */
import type { EndpointView, SideView } from '../control/control.ts';
import { counted, span } from './format.ts';

const SHOWN = 20;

const MARKS: Readonly<Record<EndpointView['state'], { readonly sign: string; readonly tone: string }>> = {
  unreachable: { sign: '✖', tone: 'bad' },
  unhealthy: { sign: '✖', tone: 'bad' },
  ejected: { sign: '▲', tone: 'warn' },
  starting: { sign: '…', tone: 'calm' },
  draining: { sign: '↓', tone: 'calm' },
};

interface EndpointsProps {
  readonly side: 'old' | 'new';
  readonly of: SideView;
  readonly now: number;
}

export function Endpoints({ side, of: { backend, endpoints, ailing }, now }: EndpointsProps) {
  const known = new Set(ailing.map(({ endpoint }) => endpoint));
  const healthy = endpoints.filter((endpoint) => !known.has(endpoint));
  const isLost = healthy.length === 0;
  return (
    <div class={side}>
      <h3>
        {side} <span class="n">{backend}</span>
      </h3>
      <p class={isLost ? 'n worse' : 'n'}>
        {isLost && <span aria-hidden="true">✖ </span>}
        {counted(endpoints.length, 'endpoint')},{' '}
        {healthy.length === endpoints.length && !isLost ? 'all' : healthy.length} healthy
      </p>
      <ul>
        {ailing.slice(0, SHOWN).map((each) => (
          <Ailing key={each.endpoint} {...each} now={now} />
        ))}
        {healthy.slice(0, Math.max(0, SHOWN - ailing.length)).map((endpoint) => (
          <li key={endpoint}>
            <span class="mark good">
              <span aria-hidden="true">✔</span>
              <span class="sr">healthy</span>
            </span>{' '}
            {endpoint}
          </li>
        ))}
        {ailing.length + healthy.length > SHOWN && <li>and {ailing.length + healthy.length - SHOWN} more</li>}
      </ul>
    </div>
  );
}

function Ailing({ endpoint, state, reason, since, now }: EndpointView & { readonly now: number }) {
  const { sign, tone } = MARKS[state];
  return (
    <li class="ailing">
      <span class={`mark ${tone}`}>
        <span aria-hidden="true">{sign}</span> {state}
      </span>{' '}
      {endpoint} <span class="n">for {span(Math.max(0, now - since))}</span>
      <span class="why">{reason}</span>
    </li>
  );
}
