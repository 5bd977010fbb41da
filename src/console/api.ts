/** Calls of the admin API. The browser sends the session's cookie by itself. */
import type { HistoryEntry } from '../admin/history-schemas.ts';
import type { PreviewView, RouteView, SeriesView } from '../control/control.ts';

/** What the API said no with, in its own words. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export interface Caller {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly canLeave: boolean;
}

/** How long a write waits for all workers of all replicas: they take milliseconds. */
const WAIT_MS = 2_000;

/** Longer than a write waits by itself, and a store that does not answer. */
const ANSWER_MS = 10_000;

/** @throws Refusal with the problem's detail; status 0 when nobody answered */
async function call<T>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') throw new Refusal(0, 'This replica does not answer');
    const whether = method === 'GET' ? '' : ': whether it is done is seen when it does';
    throw new Refusal(0, `This replica has not answered for ${ANSWER_MS / 1_000} s${whether}`);
  }
  const answer = (await response.json()) as T & { detail?: string };
  if (!response.ok) throw new Refusal(response.status, answer.detail ?? response.statusText);
  return answer;
}

const routePath = (name: string): string => `/v1/routes/${encodeURIComponent(name)}`;

export const getCaller = (): Promise<Caller> => call('GET', '/v1/session');
export const login = (token: string): Promise<Caller> => call('POST', '/v1/session', { token });
export const logout = (): Promise<object> => call('DELETE', '/v1/session');

export const getSeries = (route: string): Promise<SeriesView> =>
  call('GET', `/v1/series?route=${encodeURIComponent(route)}`);

export const getPreview = (route: string, weight: number): Promise<PreviewView> =>
  call('GET', `${routePath(route)}/preview?weight=${weight}`);

/** One line of Prometheus's answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [second: number, value: string])[];
}

/** Times in seconds since 1970. */
export async function queryRange(query: string, start: number, end: number, step: number): Promise<Sample[]> {
  const asked = new URLSearchParams({ query, start: String(start), end: String(end), step: String(step) });
  const { data } = await call<{ data: { result: Sample[] } }>('GET', `/v1/prometheus/api/v1/query_range?${asked}`);
  return data.result;
}

/** Newest first. @param route absent: of all */
export async function getHistory(limit: number, route?: string): Promise<HistoryEntry[]> {
  const only = route === undefined ? '' : `&route=${encodeURIComponent(route)}`;
  const { entries } = await call<{ entries: HistoryEntry[] }>('GET', `/v1/history?limit=${limit}${only}`);
  return entries;
}

const reasoned = (reason: string): { reason?: string; wait: number } =>
  reason === '' ? { wait: WAIT_MS } : { reason, wait: WAIT_MS };

export function setWeight({ name, revision }: RouteView, weight: number, reason: string): Promise<RouteView> {
  return call('PUT', `${routePath(name)}/weight`, { weight, ...reasoned(reason) }, { 'if-match': `"${revision}"` });
}

/** A verb on one route. @param more of the body */
export function act(route: RouteView, verb: string, reason = '', more: object = {}): Promise<RouteView> {
  const path = `${routePath(route.name)}/${verb}`;
  return call('POST', path, { ...reasoned(reason), ...more }, { 'if-match': `"${route.revision}"` });
}

/** Whatever the route is at by now. @param direct on this replica alone, store or no store */
export function rollback(name: string, direct: boolean): Promise<RouteView> {
  return call('POST', `${routePath(name)}/rollback`, direct ? { direct } : { wait: WAIT_MS });
}

export async function rollbackAll(direct: boolean): Promise<RouteView[]> {
  const { routes } = await call<{ routes: RouteView[] }>(
    'POST',
    '/v1/rollback',
    direct ? { direct } : { wait: WAIT_MS },
  );
  return routes;
}

export async function undo(revision: number): Promise<RouteView[]> {
  const { routes } = await call<{ routes: RouteView[] }>('POST', '/v1/undo', { revision, wait: WAIT_MS });
  return routes;
}
