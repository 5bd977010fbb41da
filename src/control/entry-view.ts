/** A change as people are told of it, by the admin API and by webhooks alike: weights in percent. */
import { ppmToPercent } from '../domain/route.ts';
import type { AuditEntry, Cutover, RoutePosition } from '../domain/state.ts';

export interface PositionView {
  /** Percent. */
  weight: number;
  state: Cutover;
  frozen: boolean;
}

export interface EntryView extends Omit<AuditEntry, 'routes'> {
  routes: { route: string; before: PositionView | null; after: PositionView }[];
}

export function entryView({ routes, ...entry }: AuditEntry): EntryView {
  return {
    ...entry,
    routes: routes.map(({ route, before, after }) => ({
      route,
      before: before === null ? null : position(before),
      after: position(after),
    })),
  };
}

function position({ weightPpm, cutover, frozen }: RoutePosition): PositionView {
  return { weight: ppmToPercent(weightPpm), state: cutover, frozen };
}
