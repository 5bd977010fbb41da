/** The replica at a glance: how fresh this is, the store, the fleet; and the way back for everything. */
import type { LiveStatus } from '../admin/live.ts';
import type { Caller } from './api.ts';
import { age } from './format.ts';
import type { Model } from './model.ts';
import { ThemeButton } from './theme.tsx';

interface TopBarProps {
  readonly model: Model;
  readonly caller: Caller;
  readonly canAct: boolean;
  readonly now: number;
  readonly onRollbackAll: () => void;
  readonly onHelp: () => void;
  readonly onLeave: () => void;
}

export function TopBar({ model, caller, canAct, now, onRollbackAll, onHelp, onLeave }: TopBarProps) {
  const { status, connection, heardAt } = model;
  const onNew = model.routes.filter(({ weight }) => weight > 0).length;
  return (
    <header class="top">
      <h1>
        <img src="/icon.svg" alt="" width="22" height="22" /> Crossfade
      </h1>
      {status !== undefined && (
        <ul class="facts" aria-label="Replica">
          <Fact label="fleet" text={status.fleet} />
          <Fact label="revision" text={String(status.revision)} />
          <Fact
            label="replicas"
            isBad={status.applied.replicas < status.applied.of}
            text={
              status.store.up
                ? `${status.applied.replicas}/${status.applied.of} agree`
                : `unknown while the store is ${status.store.disputed ? 'in dispute' : 'away'}`
            }
          />
          <Fact label={`store ${status.store.kind}`} isBad={!status.store.up} text={storeInWords(status)} />
          <Fact
            label="workers"
            isBad={status.workers.some(({ ready }) => !ready)}
            text={`${status.workers.filter(({ ready }) => ready).length}/${status.workers.length}`}
          />
        </ul>
      )}
      <span class={`fresh ${connection}`}>
        <span aria-hidden="true">{connection === 'live' ? '●' : '○'}</span>{' '}
        {connection === 'live' ? 'live' : connection === 'connecting' ? 'connecting' : `${age(now - heardAt)} old`}
      </span>
      <div class="right">
        <ThemeButton />
        <button type="button" class="quiet" onClick={onHelp} aria-label="Keys" title="Keys (?)">
          ?
        </button>
        {caller.canLeave ? (
          <button type="button" class="quiet" onClick={onLeave} title={`${caller.role}: leave`}>
            {caller.name}: leave
          </button>
        ) : (
          <span class="who">{caller.name}</span>
        )}
        {canAct && (
          <button type="button" class="rollback all" disabled={onNew === 0} onClick={onRollbackAll}>
            ↩ Roll back all {onNew > 0 && <span class="n">{onNew} on new</span>}
          </button>
        )}
      </div>
    </header>
  );
}

function storeInWords({ store, stateAgeMs }: LiveStatus): string {
  if (store.up) return `up, read ${age(stateAgeMs)} ago`;
  return `${store.disputed ? 'in dispute' : 'away'} for ${age(stateAgeMs)}`;
}

function Fact({
  label,
  text,
  isBad = false,
}: {
  readonly label: string;
  readonly text: string;
  readonly isBad?: boolean;
}) {
  return (
    <li class={isBad ? 'bad' : ''}>
      <span class="label">{label}</span> {isBad && <span aria-hidden="true">▲ </span>}
      {text}
    </li>
  );
}
