/** The compare-and-set itself, without I/O: what a change becomes on a state, and the state that an applied change leads to. */
import {
  type Act,
  type AuditEntry,
  actOf,
  type Change,
  positionOf,
  type RoutePosition,
  type RouteState,
  type State,
} from '../domain/state.ts';
import type { CasResult } from './store.ts';

/** Compares the epoch and every touched route's revision. `applied` means: would be, once its entry is durable. */
export function decide(state: State, change: Change): CasResult {
  if (change.epoch !== state.epoch) return { kind: 'foreignEpoch', epoch: state.epoch };
  for (const { route, expected } of change.routes) {
    const actual = state.routes.get(route)?.revision ?? 0;
    if (actual !== expected) return { kind: 'stale', route, expected, actual };
  }
  const routes = change.routes.map(({ route, next }) => ({
    route,
    before: heldPosition(state.routes.get(route)),
    after: next,
  }));
  return { kind: 'applied', entry: { revision: state.revision + 1, ...actOf(change), routes } };
}

/** The state after entries that follow it one by one. */
export function applyEntries(state: State, entries: readonly AuditEntry[]): State {
  const routes = new Map<string, RouteState>(state.routes);
  for (const { revision, reason, actor, at, routes: touched } of entries) {
    for (const { route, after } of touched) routes.set(route, { revision, ...after, reason, actor, at });
  }
  return { ...state, revision: entries.at(-1)?.revision ?? state.revision, routes };
}

/** The state put over the one that is held: under a new epoch, above the revisions of both. */
export function adopt(held: State, state: State, act: Act, epoch: string): { entry: AuditEntry; state: State } {
  const entry: AuditEntry = {
    revision: Math.max(held.revision, state.revision) + 1,
    ...actOf(act),
    routes: [...state.routes].map(([route, after]) => ({
      route,
      before: heldPosition(held.routes.get(route)),
      after: positionOf(after),
    })),
  };
  const ended = [...(state.lineage ?? []), state.epoch, ...(held.lineage ?? []), held.epoch];
  const lineage = [...new Set(ended.filter((each) => each !== ''))];
  return { entry, state: { ...applyEntries(held, [entry]), epoch, lineage } };
}

function heldPosition(route: RouteState | undefined): RoutePosition | null {
  return route === undefined ? null : positionOf(route);
}
