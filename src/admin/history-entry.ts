import type { ControlEvent } from '../control/control.ts';
import { entryView } from '../control/entry-view.ts';

/** What `GET /v1/events` sends of an event. */
export function eventData(event: ControlEvent): Record<string, unknown> {
  return event.type === 'change' ? { ...event, entry: entryView(event.entry) } : { ...event };
}
