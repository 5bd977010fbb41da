/** What the scripts answer, checked; and what they are given, ready made. */
import { z } from 'zod';
import type { AuditEntry, RouteState, State } from '../domain/state.ts';
import { auditEntryOf, checked, routeStateOf } from './records.ts';

const text = z.string();
const number = z.coerce.number();

const readReply = z.union([
  z.tuple([z.literal('gone'), number]),
  z.tuple([z.literal('same'), number]),
  z.tuple([z.literal('foreign'), number, text, number]),
  z.tuple([z.literal('behind'), number, number]),
  z.tuple([z.literal('diverged'), number, number]),
  z.tuple([z.literal('newer'), number, text, z.array(text)]),
  z.tuple([z.literal('whole'), number, text, number, text, text, z.array(text)]),
]);

export type ReadReply = z.infer<typeof readReply>;

export function readReplyOf(reply: unknown): ReadReply {
  return checked(readReply, reply);
}

const writeReply = z.union([
  z.tuple([z.literal('gone')]),
  z.tuple([z.literal('late')]),
  z.tuple([z.literal('behind'), number]),
  z.tuple([z.literal('foreignEpoch'), text]),
  z.tuple([z.literal('stale'), number, number]),
  z.tuple([z.literal('applied'), text]),
]);

export type WriteReply = z.infer<typeof writeReply>;

export function writeReplyOf(reply: unknown): WriteReply {
  return checked(writeReply, reply);
}

export function entryOf(json: string): AuditEntry {
  return auditEntryOf(JSON.parse(json));
}

const ROUTE = 'route:';

/** @param fields of the hash, names and values in turn */
export function stateOf(epoch: string, revision: number, lineage: string, fields: readonly string[]): State {
  const routes = new Map<string, RouteState>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (name.startsWith(ROUTE)) routes.set(name.slice(ROUTE.length), routeStateOf(JSON.parse(fields[i + 1] as string)));
  }
  const epochs = checked(z.array(text), JSON.parse(`[${lineage}]`));
  return { epoch, revision, routes, ...(epochs.length > 0 && { lineage: epochs }) };
}

/** An object's JSON without its braces, to be put together with more. */
export function openJson(object: object): string {
  return JSON.stringify(object).slice(1, -1);
}
