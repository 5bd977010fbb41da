/** What the scripts that write are given: JSON ready made, in a fixed order. */
import { type Act, actOf, type Change, positionOf, type RouteState, type State } from '../domain/state.ts';
import { openJson } from './redis-replies.ts';

/** Audit entries that are kept, about. */
const AUDIT_ENTRIES = 10_000;

/** In the order of `scripts/write.ts`. */
export function writeArguments(
  change: Change,
  more: { floor: number; notAfterMicros: number; id: string; channel: string },
): string[] {
  const { floor, notAfterMicros, id, channel } = more;
  const args = [
    change.epoch,
    String(floor),
    String(notAfterMicros),
    id,
    String(AUDIT_ENTRIES),
    channel,
    openAct(change),
  ];
  for (const { route, expected, next } of change.routes) {
    const { json, rest } = routeArguments(next, change);
    args.push(route, JSON.stringify(route), String(expected), json, rest);
  }
  return args;
}

/** In the order of `scripts/adopt.ts`. */
export function adoptArguments(
  state: State,
  act: Act,
  { epoch, id, channel }: { epoch: string; id: string; channel: string },
): string[] {
  const ended = [...(state.lineage ?? []), ...(state.epoch === '' ? [] : [state.epoch])];
  const lineage = JSON.stringify(ended).slice(1, -1);
  const args = [epoch, String(state.revision), lineage, id, String(AUDIT_ENTRIES), channel, openAct(act)];
  for (const [route, position] of state.routes) {
    const { json, rest } = routeArguments(position, act);
    args.push(route, JSON.stringify(route), json, rest);
  }
  return args;
}

function openAct(act: Act): string {
  return openJson(actOf(act));
}

/** A position as JSON, and the rest of the route's state that follows its revision. */
function routeArguments(
  next: Parameters<typeof positionOf>[0],
  { reason, actor, at }: Pick<RouteState, 'reason' | 'actor' | 'at'>,
): { json: string; rest: string } {
  const position = positionOf(next);
  return { json: JSON.stringify(position), rest: `${openJson({ ...position, reason, actor, at })}}` };
}
