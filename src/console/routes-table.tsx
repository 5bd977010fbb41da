/** All routes. Only the rows that can be seen are in the page, so that five hundred cost what twenty do. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RouteView, StatsRow } from '../control/control.ts';
import { NO_TRAFFIC } from './model.ts';
import { RouteRow } from './route-row.tsx';

/** Rows beyond the edges, for whoever scrolls fast. */
const MARGIN = 4;
const HEADS = ['Route', 'To new', '', 'Req/s', 'Faults', 'p50', 'p99', 'Evidence of worse', 'Ramp', 'Endpoints', ''];

export interface TableProps {
  readonly routes: readonly RouteView[];
  readonly rows: readonly StatsRow[];
  /** Places to show, in order. */
  readonly places: readonly number[];
  readonly selected: string | null;
  readonly canAct: boolean;
  readonly now: number;
  /** Whether a pointer is over the rows. */
  readonly onAim: (isAimed: boolean) => void;
  readonly onSelect: (name: string) => void;
  readonly onRollback: (route: RouteView) => void;
}

export function RoutesTable(props: TableProps) {
  const { routes, rows, places, selected, canAct, now, onAim, onSelect, onRollback } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, row: 52 });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = (): void => {
      // 0: there is none yet, or it has not been laid out.
      const row = element.querySelector<HTMLElement>('.row')?.offsetHeight || 52;
      setView({ top: element.scrollTop, height: element.clientHeight, row });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);
  const chosen = places.findIndex((place) => routes[place]?.name === selected);
  // Whoever moves by keys is followed.
  useEffect(() => {
    const element = scroller.current;
    if (element === null || chosen === -1) return;
    const head = element.querySelector<HTMLElement>('.heads')?.offsetHeight ?? 0;
    const top = chosen * view.row;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + view.row + head > element.scrollTop + view.height)
      element.scrollTop = top + view.row + head - view.height;
  }, [chosen]);

  const first = Math.max(0, Math.floor(view.top / view.row) - MARGIN);
  const last = Math.min(places.length, Math.ceil((view.top + view.height) / view.row) + MARGIN);
  return (
    <div class="scroller" ref={scroller} tabIndex={0} role="region" aria-label="Routes, scrollable">
      <div role="table" aria-label="Routes" aria-rowcount={places.length + 1} class="routes">
        <div role="rowgroup" class="head-group">
          <div role="row" aria-rowindex={1} class="heads">
            {HEADS.map((head, i) => (
              <div role="columnheader" key={i} class={`head-${i}`}>
                {head}
                {head === '' && <span class="sr">{i === 2 ? 'Sides' : 'Actions'}</span>}
              </div>
            ))}
          </div>
        </div>
        <div
          role="rowgroup"
          class="body-group"
          onPointerEnter={() => onAim(true)}
          onPointerLeave={() => onAim(false)}
          style={{
            paddingTop: `${first * view.row}px`,
            paddingBottom: `${Math.max(0, places.length - last) * view.row}px`,
          }}
        >
          {places.slice(first, last).map((place, i) => {
            const route = routes[place] as RouteView;
            return (
              <RouteRow
                key={route.name}
                route={route}
                row={rows[place] ?? NO_TRAFFIC}
                index={first + i}
                isSelected={route.name === selected}
                canAct={canAct}
                now={route.ramp === null ? 0 : now}
                onSelect={onSelect}
                onRollback={onRollback}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
