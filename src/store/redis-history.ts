/** The audit of a fleet, read from its stream in pieces. */
import type { AuditEntry } from '../domain/state.ts';
import type { RedisLink } from './redis-link.ts';
import { entryOf } from './redis-replies.ts';
import type { Store } from './store.ts';

/** Most entries that are read at a time; a state that lies further back is read as a whole. */
export const CATCH_UP_ENTRIES = 500;

export async function readHistory(
  link: RedisLink,
  { limit, route, before }: Parameters<Store['history']>[0],
): Promise<readonly AuditEntry[]> {
  const found: AuditEntry[] = [];
  let end = before === undefined || !Number.isFinite(before) ? '+' : `(${Math.ceil(before)}-0`;
  // Redis takes no interval that ends before the first id.
  while (found.length < limit && !/^\((?:0|-)/.test(end)) {
    const count = route === undefined ? Math.min(limit - found.length, CATCH_UP_ENTRIES) : CATCH_UP_ENTRIES;
    const key = link.key('audit');
    const items = await link.ask((client) => client.xrevrange(key, end, '-', 'COUNT', count));
    for (const [, fields] of items) {
      const entry = entryOf(fields[3] as string);
      const wanted = route === undefined || entry.routes.some((touched) => touched.route === route);
      if (wanted && found.length < limit) found.push(entry);
    }
    if (items.length < count) break;
    end = `(${(items.at(-1) as [string, string[]])[0]}`;
  }
  return found;
}
