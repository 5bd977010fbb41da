/** A route as a line of the table: two lines, old above new, so that what is to be compared stands below each other. */
import { Component } from 'preact';
import type { RouteView, SideView, StatsRow } from '../control/control.ts';
import { isNewWorse } from './compare.ts';
import { Evidence } from './evidence.tsx';
import { count, milliseconds, rate, ratio } from './format.ts';
import { illOf } from './ill-endpoints.ts';
import { nextInWords, rampOf } from './ramp.ts';
import { Share } from './share.tsx';
import { StateMark } from './state-mark.tsx';

const STATS_SECONDS = 10;

export interface RowProps {
  readonly route: RouteView;
  readonly row: StatsRow;
  readonly index: number;
  readonly isSelected: boolean;
  readonly canAct: boolean;
  /** Rounded to the second only for routes that count down; else constant. */
  readonly now: number;
  readonly onSelect: (name: string) => void;
  readonly onRollback: (route: RouteView) => void;
}

export class RouteRow extends Component<RowProps> {
  /** Hundreds of rows are asked each second; only those that differ are drawn. */
  override shouldComponentUpdate(next: RowProps): boolean {
    const { route, row, index, isSelected, canAct, now } = this.props;
    return (
      next.route !== route ||
      next.row !== row ||
      next.index !== index ||
      next.isSelected !== isSelected ||
      next.canAct !== canAct ||
      next.now !== now
    );
  }

  override render({ route, row, index, isSelected, canAct, now, onSelect, onRollback }: RowProps) {
    const [oldRequests, oldFaults, oldP50, oldP99, , newRequests, newFaults, newP50, newP99] = row;
    const worse = isNewWorse(row);
    const ramp = rampOf(route);
    return (
      // Whoever uses keys or a reader has the name's button; a click anywhere is a convenience.
      <div
        role="row"
        aria-rowindex={index + 2}
        aria-selected={isSelected}
        class={isSelected ? 'row selected' : 'row'}
        onClick={() => onSelect(route.name)}
      >
        <div role="rowheader" class="name">
          <button type="button" aria-pressed={isSelected} onClick={() => onSelect(route.name)}>
            {route.name}
          </button>
          <StateMark route={route} />
          {ramp !== null && (
            <span class="n ramp-brief">
              {' '}
              {ramp.step}/{ramp.of} {nextInWords(route, ramp, now)}
            </span>
          )}
        </div>
        <div role="cell" class="share-cell">
          <Share route={route} row={row} />
        </div>
        <div role="cell" class="sides" aria-hidden="true">
          <span class="old">old</span>
          <span class="new">new</span>
        </div>
        <Pair
          title="Requests a second"
          old={rate(oldRequests / STATS_SECONDS)}
          new={rate(newRequests / STATS_SECONDS)}
        />
        <Pair
          title="Faults"
          isWorse={worse.errors}
          old={ratio(oldFaults, oldRequests)}
          oldCount={`${count(oldFaults)}/${count(oldRequests)}`}
          new={ratio(newFaults, newRequests)}
          newCount={`${count(newFaults)}/${count(newRequests)}`}
        />
        <Pair title="p50" isWorse={worse.p50} old={milliseconds(oldP50)} new={milliseconds(newP50)} />
        <Pair title="p99" isWorse={worse.p99} old={milliseconds(oldP99)} new={milliseconds(newP99)} />
        <div role="cell" class="evidence-cell">
          <Evidence route={route} />
        </div>
        <div role="cell" class="ramp-cell">
          {ramp === null ? (
            <span class="none">–</span>
          ) : (
            <>
              <span>
                {ramp.step}/{ramp.of}
              </span>
              <span class="n">{nextInWords(route, ramp, now)}</span>
            </>
          )}
        </div>
        <Pair title="Endpoints" old={endpointsOf(route.old)} new={endpointsOf(route.new)} />
        <div role="cell" class="act">
          {canAct && route.weight > 0 && (
            <button
              type="button"
              class="rollback"
              aria-label={`Roll back ${route.name}`}
              onClick={(event) => {
                event.stopPropagation();
                onRollback(route);
              }}
            >
              ↩ Roll back
            </button>
          )}
        </div>
      </div>
    );
  }
}

/** How many; where not all are healthy, how many of them are. */
function endpointsOf(side: SideView): string {
  const ill = illOf(side);
  const all = side.endpoints.length;
  return ill === 0 ? String(all) : `${all - ill} of ${all}`;
}

interface PairProps {
  readonly title: string;
  readonly old: string;
  readonly new: string;
  readonly oldCount?: string;
  readonly newCount?: string;
  readonly isWorse?: boolean;
}

function Pair({ title, old, new: fresh, oldCount, newCount, isWorse = false }: PairProps) {
  return (
    <div role="cell" class="pair" data-title={title}>
      <span class="old">
        <span class="sr">old </span>
        {old}
        {oldCount !== undefined && <span class="n">{oldCount}</span>}
      </span>
      <span class={isWorse ? 'new worse' : 'new'}>
        <span class="sr">new </span>
        {isWorse && (
          <>
            <span aria-hidden="true">▲</span>
            <span class="sr">worse than old: </span>
          </>
        )}
        {fresh}
        {newCount !== undefined && <span class="n">{newCount}</span>}
      </span>
    </div>
  );
}
