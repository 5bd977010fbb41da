/** What somebody who has just been woken has to know first: one sentence a trouble, the worst on top; or that there is none. */
import type { RouteView, StatsRow } from '../control/control.ts';
import { isNewWorse } from './compare.ts';
import { clock, counted, weight as inPercent, milliseconds, ratio, span } from './format.ts';
import { illOf } from './ill-endpoints.ts';
import { type Happening, type Model, NO_TRAFFIC } from './model.ts';

export type Level = 'bad' | 'warn' | 'good';

export interface Line {
  readonly level: Level;
  readonly text: string;
  /** Route that it is about. */
  readonly route?: string;
}

/** A fleet has this long to agree before anybody is told. */
const LAG_MS = 3_000;

/** @param now milliseconds since 1970, by the browser */
export function headline(model: Model, now: number): Line[] {
  const lines = [
    ...ofReplica(model, now),
    ...ofBackends(model.routes),
    ...model.routes.flatMap((route, place) =>
      route.state === 'rolledBack'
        ? [wasRolledBack(route, model.happenings, now)]
        : ofRoute(route, model.rows[place] ?? NO_TRAFFIC),
    ),
  ];
  if (lines.length === 0) return [{ level: 'good', text: calm(model.routes) }];
  const rank = { bad: 0, warn: 1, good: 2 };
  return lines.sort((a, b) => rank[a.level] - rank[b.level]);
}

function ofReplica({ status, connection, heardAt, disagreeSince }: Model, now: number): Line[] {
  const lines: Line[] = [];
  if (connection === 'lost') {
    const since = heardAt === 0 ? '' : ` for ${span(now - heardAt)}: what you see is that old`;
    lines.push({ level: 'bad', text: `No word from this replica${since}` });
  }
  if (connection === 'gaveWay') {
    const old = heardAt === 0 ? '' : ` What you see is ${span(now - heardAt)} old`;
    lines.push({
      level: 'bad',
      text: `Too many pages of this console are open in this browser: click into this one to go on.${old}`,
    });
  }
  if (status === undefined) return lines;
  // What is in dispute is among the alarms.
  if (!status.store.up && !status.store.disputed) {
    const reason = status.store.reason === null ? '' : ` (${status.store.reason})`;
    lines.push({
      level: 'bad',
      text: `The store has not answered for ${span(status.stateAgeMs)}${reason}. The last state is served and ramps hold; rolling back here still works, on this replica`,
    });
  }
  for (const alarm of status.alarm?.split('\n') ?? []) lines.push({ level: 'bad', text: alarm });
  if (!status.ready) lines.push({ level: 'bad', text: `Not ready: ${status.notReady}` });
  const behind = status.replicas.filter(({ applied }) => !applied);
  if (behind.length > 0 && disagreeSince !== null && now - disagreeSince > LAG_MS) {
    const names = behind.map(({ id }) => id).join(', ');
    lines.push({ level: 'warn', text: `${behind.length} of ${status.replicas.length} replicas lag behind: ${names}` });
  }
  return lines;
}

/** One line a backend, of those that matter: where requests go, and where they would go back to. */
function ofBackends(routes: readonly RouteView[]): Line[] {
  const sides = new Map(
    routes.flatMap(({ old, new: fresh, weight }) =>
      [old, ...(weight > 0 ? [fresh] : [])].map((side) => [side.backend, side] as const),
    ),
  );
  return [...sides.values()].flatMap((side): Line[] => {
    const { backend, endpoints } = side;
    const ill = illOf(side);
    if (endpoints.length === 0) return [{ level: 'bad', text: `${backend} has no endpoint` }];
    if (ill === 0) return [];
    const text = `${ill} of ${counted(endpoints.length, 'endpoint')} of ${backend} ${ill === 1 ? 'does' : 'do'} not serve`;
    return [{ level: ill < endpoints.length ? 'warn' : 'bad', text }];
  });
}

/** With when and by whom, while that is among the last events. */
function wasRolledBack({ name, reason }: RouteView, happenings: readonly Happening[], now: number): Line {
  const rollback = happenings.find(({ kind, route }) => kind === 'rollback' && (route === null || route === name));
  const told = rollback === undefined ? '' : ` at ${clock(rollback.at, now)} by ${rollback.who}`;
  // Nobody gave a reason: the name is said already.
  const why = rollback?.why === '' ? '' : `: ${reason}`;
  return { level: 'warn', route: name, text: `was rolled back${told}${why}` };
}

function ofRoute(route: RouteView, row: StatsRow): Line[] {
  const { name, state, evidence, weight } = route;
  if (evidence.verdict === 'breach' && weight > 0) {
    const text = `is worse on new and still ${inPercent(weight)} there: ${evidence.reason}`;
    return [{ level: 'bad', route: name, text }];
  }
  if (state === 'held') {
    const waitsFor = route.ramp?.waiting ? `, waits for ${route.ramp.waiting.for}` : '';
    return [{ level: 'warn', route: name, text: `is held${waitsFor}: ${route.reason}` }];
  }
  const worse = worseInWords(row);
  return weight > 0 && worse !== '' ? [{ level: 'warn', route: name, text: `${worse}, in the last 10 s` }] : [];
}

/** In which respect new looks worse than old, with the numbers; empty: in none. */
function worseInWords(row: StatsRow): string {
  const [oldRequests, oldFaults, oldP50, oldP99, , newRequests, newFaults, newP50, newP99] = row;
  const { errors, p50, p99 } = isNewWorse(row);
  if (errors) {
    const [fresh, old] = [ratio(newFaults, newRequests), ratio(oldFaults, oldRequests)];
    return `new fails more than old: ${fresh} (${newFaults} of ${newRequests}) against ${old} (${oldFaults} of ${oldRequests})`;
  }
  if (p99) return `new is slower than old: p99 ${milliseconds(newP99)} against ${milliseconds(oldP99)}`;
  return p50 ? `new is slower than old: p50 ${milliseconds(newP50)} against ${milliseconds(oldP50)}` : '';
}

function calm(routes: readonly RouteView[]): string {
  const moving = routes.filter(({ state }) => state === 'ramping').length;
  const between = routes.filter(({ weight }) => weight > 0 && weight < 100).length;
  if (routes.length === 0) return 'No routes yet';
  const parts = [`${routes.length} ${routes.length === 1 ? 'route' : 'routes'}`];
  if (between > 0) parts.push(`${between} on both sides`);
  if (moving > 0) parts.push(`${moving} ramping`);
  return `All calm: ${parts.join(', ')}, nothing worse on new than on old`;
}
