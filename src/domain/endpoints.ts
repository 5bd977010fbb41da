/** Changes of a list of endpoints, small when few of them change: the rest keeps its place, and with it its connections. */
import type { Endpoint } from './snapshot.ts';

export interface EndpointsPatch {
  /** Indexes of what goes, rising. */
  readonly removed: readonly number[];
  /** What comes, behind the rest. */
  readonly added: readonly Endpoint[];
}

/** Two endpoints of one backend with the same key are the same. */
export function endpointKey({ host, port, name }: Endpoint): string {
  return name === undefined ? `${host} ${port}` : `${host} ${port} ${name}`;
}

/** What makes one list of the other, whatever the order of the second; null: nothing, they have the same endpoints. */
export function diffEndpoints(before: readonly Endpoint[], after: readonly Endpoint[]): EndpointsPatch | null {
  const wanted = new Map(after.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const removed: number[] = [];
  for (const [i, endpoint] of before.entries()) if (!wanted.delete(endpointKey(endpoint))) removed.push(i);
  return removed.length === 0 && wanted.size === 0 ? null : { removed, added: [...wanted.values()] };
}

/** The list without what goes and with what comes; also for lists that run beside that of the endpoints. */
export function patched<T>(list: readonly T[], removed: readonly number[], added: readonly T[]): T[] {
  if (removed.length === 0) return [...list, ...added];
  const gone = new Set(removed);
  return [...list.filter((_, i) => !gone.has(i)), ...added];
}
