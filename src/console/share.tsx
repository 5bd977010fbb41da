/** The new side's share: what it is set to, and what it was given in the last seconds. */
import type { RouteView, StatsRow } from '../control/control.ts';
import { ratio, weight } from './format.ts';

export function Share({ route, row }: { readonly route: RouteView; readonly row: StatsRow }) {
  const total = row[0] + row[5];
  const actual = ratio(row[5], total);
  return (
    <div class="share">
      <span class="set">{weight(route.weight)}</span>
      <div class="bar" aria-hidden="true">
        <div class="fill" style={{ width: total === 0 ? '0' : `${(100 * row[5]) / total}%` }} />
        <div class="set-line" style={{ left: `${route.weight}%` }} />
      </div>
      <span class="actual">
        <span class="label">actual </span>
        {actual}
      </span>
    </div>
  );
}
