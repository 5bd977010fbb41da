/** The whole screen, and its keys. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RouteView } from '../control/control.ts';
import { doRollback, doRollbackAll, doUndo, notice } from './actions.ts';
import type { Caller } from './api.ts';
import { Detail } from './detail.tsx';
import { counted } from './format.ts';
import { Happenings } from './happenings.tsx';
import { Headline } from './headline-view.tsx';
import { useKeys } from './keys.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { type Model, NO_TRAFFIC } from './model.ts';
import { Notice } from './notice.tsx';
import { RoutesTable } from './routes-table.tsx';
import { type Store, useNow, useStore } from './store.ts';
import { TopBar } from './top-bar.tsx';
import { inOrderOf, placesOf } from './troubled-first.ts';

interface AppProps {
  readonly store: Store<Model>;
  readonly caller: Caller;
  readonly onLeave: () => void;
}

export function App({ store, caller, onLeave }: AppProps) {
  const model = useStore(store);
  const now = useNow(1_000);
  const [selected, select] = useState<string | null>(null);
  const [query, setQuery] = useState('');
  const [isHelp, setHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const rollbackAllButton = useRef<() => void>(() => undefined);
  const canAct = caller.role !== 'viewer';
  const isAway = model.status?.store.up === false;
  const { routes, rows } = model;
  const [isAimed, aim] = useState(false);
  const order = useRef<number[]>([]);
  const places = useMemo(() => {
    const sorted = placesOf(routes, query);
    order.current = isAimed ? inOrderOf(order.current, sorted) : sorted;
    return order.current;
  }, [routes, query, isAimed]);
  const place = routes.findIndex(({ name }) => name === selected);
  const route = routes[place];

  const back = (target: RouteView): void => void doRollback(target, isAway);
  const backAll = (): void => void doRollbackAll(isAway);
  rollbackAllButton.current = () => document.querySelector<HTMLButtonElement>('.rollback.all')?.focus();
  const walk = (by: number): void => {
    const at = places.findIndex((each) => routes[each]?.name === selected);
    const next = places[Math.min(places.length - 1, Math.max(0, at === -1 ? 0 : at + by))];
    if (next !== undefined) select(routes[next]?.name ?? null);
  };
  useKeys({
    j: () => walk(1),
    ArrowDown: () => walk(1),
    k: () => walk(-1),
    ArrowUp: () => walk(-1),
    '/': () => search.current?.focus(),
    r: () => canAct && route !== undefined && route.weight > 0 && back(route),
    R: () => rollbackAllButton.current(),
    u: () => {
      const revision = notice.value?.undo;
      if (canAct && revision !== undefined) void doUndo(revision);
    },
    Escape: () => (isHelp ? setHelp(false) : select(null)),
    '?': () => setHelp(true),
  });
  useEffect(() => {
    const first = routes.length === 1 ? routes[0] : undefined;
    if (first !== undefined) select(first.name);
  }, [routes.length]);

  return (
    <div class={`screen ${model.connection} ${route === undefined ? '' : 'with-detail'}`}>
      <TopBar
        model={model}
        caller={caller}
        canAct={canAct}
        now={now}
        onRollbackAll={backAll}
        onHelp={() => setHelp(true)}
        onLeave={onLeave}
      />
      <Headline model={model} now={now} canAct={canAct} onSelect={select} onRollback={back} />
      <main>
        <div class="overview">
          <div class="tools">
            <input
              ref={search}
              type="search"
              placeholder={`Filter ${counted(routes.length, 'route')}  (/)`}
              aria-label="Filter routes"
              value={query}
              onInput={(event) => setQuery(event.currentTarget.value)}
            />
            <span class="n">last 10 s, by this replica</span>
          </div>
          <RoutesTable
            routes={routes}
            rows={rows}
            places={places}
            onAim={aim}
            selected={selected}
            canAct={canAct}
            now={now}
            onSelect={select}
            onRollback={back}
          />
          <Happenings
            happenings={model.happenings}
            now={now}
            canAct={canAct}
            onUndo={(revision) => void doUndo(revision)}
          />
        </div>
        {route !== undefined && (
          <Detail
            route={route}
            row={rows[place] ?? NO_TRAFFIC}
            canAct={canAct}
            hasPrometheus={model.status?.hasPrometheus ?? false}
            now={now}
            onRollback={back}
            onClose={() => select(null)}
          />
        )}
      </main>
      <Notice canAct={canAct} />
      {isHelp && <KeysDialog onClose={() => setHelp(false)} />}
    </div>
  );
}
