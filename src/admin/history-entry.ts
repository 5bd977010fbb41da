import type { AuditEntry, ControlEvent } from '../control/control.ts';
import { ppmToPercent } from '../domain/route.ts';
import type { RoutePosition } from '../domain/state.ts';
import type { HistoryEntry, HistoryPosition } from './schemas.ts';

/** An audit entry in the API's words: percent instead of parts per million, `state` as routes have it. */
export function historyEntry({ routes, ...entry }: AuditEntry): HistoryEntry {
  return {
    ...entry,
    routes: routes.map(({ route, before, after }) => ({
      route,
      before: before === null ? null : position(before),
      after: position(after),
    })),
  };
}

function position({ weightPpm, cutover, frozen }: RoutePosition): HistoryPosition {
  return { weight: ppmToPercent(weightPpm), state: cutover, frozen };
}

/** What `GET /v1/events` sends of an event. */
export function eventData(event: ControlEvent): Record<string, unknown> {
  return event.type === 'change' ? { ...event, entry: historyEntry(event.entry) } : { ...event };
}
