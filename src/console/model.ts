/** All that the page knows, and how each message of `GET /v1/live` changes it. Nothing here touches the page. */

import type { HistoryEntry } from '../admin/history-schemas.ts';
import type { LiveRoutes, LiveStats, LiveStatus } from '../admin/live.ts';
import type { RouteView, StatsRow } from '../control/control.ts';

/** Something that happened, as a line. */
export interface Happening {
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly why: string;
  /** Of the change, when it can be undone. */
  readonly revision: number | null;
  readonly route: string | null;
  readonly kind: 'change' | 'rollback' | 'refused' | 'system';
}

export interface Model {
  /** `connecting`: nothing was heard yet. */
  readonly connection: 'connecting' | 'live' | 'lost' | 'gaveWay';
  /** When the last message came, by the browser's clock; 0: none. */
  readonly heardAt: number;
  readonly status: LiveStatus | undefined;
  /** Since when replicas disagree; null: they do not. */
  readonly disagreeSince: number | null;
  readonly routes: readonly RouteView[];
  readonly rows: readonly StatsRow[];
  /** Newest first. */
  readonly happenings: readonly Happening[];
}

export const EMPTY: Model = {
  connection: 'connecting',
  heardAt: 0,
  status: undefined,
  disagreeSince: null,
  routes: [],
  rows: [],
  happenings: [],
};

const REMEMBERED = 200;
export const NO_TRAFFIC: StatsRow = [0, 0, null, null, 0, 0, 0, null, null, 0];

export function heard(model: Model, now: number): Model {
  return { ...model, connection: 'live', heardAt: now };
}

export function withStatus(model: Model, status: LiveStatus, now: number): Model {
  const agrees = status.replicas.every(({ applied }) => applied);
  return { ...model, status, disagreeSince: agrees ? null : (model.disagreeSince ?? now) };
}

/** Routes that did not change stay the same objects, so that nothing is drawn again for them. */
export function withRoutes(model: Model, { count, changed }: LiveRoutes): Model {
  const routes = model.routes.slice(0, count);
  const rows = model.rows.slice(0, count);
  for (const [place, route] of changed) {
    const known = routes[place];
    routes[place] = known === undefined ? route : { ...route, evidence: merged(known, route) };
    rows[place] ??= NO_TRAFFIC;
  }
  return { ...model, routes, rows };
}

/** What a write has answered is known before the stream tells it, and no longer when that has told of it. */
export function withWritten(model: Model, written: readonly RouteView[]): Model {
  const answers = new Map(written.map((route) => [route.name, route]));
  const routes = model.routes.map((known) => {
    const answer = answers.get(known.name);
    return answer !== undefined && answer.revision > known.revision ? answer : known;
  });
  return { ...model, routes };
}

/** The numbers of evidence come by `stats`, before or after the route. */
function merged({ evidence }: RouteView, route: RouteView): RouteView['evidence'] {
  return { ...evidence, verdict: route.evidence.verdict, threshold: route.evidence.threshold };
}

export function withStats(model: Model, { rows: changedRows, evidence }: LiveStats): Model {
  if (changedRows.length === 0 && evidence.length === 0) return model;
  const rows = model.rows.slice();
  for (const [place, ...row] of changedRows) rows[place] = row;
  if (evidence.length === 0) return { ...model, rows };
  const routes = model.routes.slice();
  for (const [place, news] of evidence) {
    const route = routes[place];
    if (route !== undefined) routes[place] = { ...route, evidence: news };
  }
  return { ...model, rows, routes };
}

export function withHappenings(model: Model, more: readonly Happening[]): Model {
  const all = [...more, ...model.happenings].sort((a, b) => b.at - a.at);
  const seen = new Set<string>();
  const happenings = all.filter(({ revision, kind, at, what }) => {
    const key = revision === null ? `${kind} ${at} ${what}` : `revision ${revision}`;
    return seen.size < REMEMBERED && !seen.has(key) && seen.add(key);
  });
  return { ...model, happenings };
}

const UNDOABLE = new Set(['set', 'promote', 'ramp', 'step', 'resume', 'pause', 'freeze', 'unfreeze']);

export function happeningOf({ at, verb, actor, reason, revision, routes }: HistoryEntry): Happening {
  const [first] = routes;
  const name = routes.length === 1 && first !== undefined ? first.route : `${routes.length} routes`;
  const from = first?.before?.weight;
  const moved = routes.length === 1 && from !== undefined && from !== first?.after.weight;
  const what = `${verb} ${name}${moved ? ` ${from} → ${first?.after.weight}%` : ''}`;
  return {
    at,
    who: actor,
    what,
    // The words for a reason that nobody gave repeat what stands beside them.
    why: reason === `${verb} by ${actor}` ? '' : reason,
    revision: UNDOABLE.has(verb) ? revision : null,
    route: routes.length === 1 ? (first?.route ?? null) : null,
    kind: verb === 'rollback' ? 'rollback' : 'change',
  };
}
