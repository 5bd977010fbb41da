/**
 * What the store's files hold, as JSON: the same shapes as in domain/state.ts, checked when they are read back. A checksum proves that a
 * file is as it was written; these schemas prove that what was written is a state.
 */
import { z } from 'zod';
import { HOLD_CAUSES } from '../domain/ramp.ts';
import { PPM } from '../domain/route.ts';
import type { AuditEntry, Change, RouteState, State } from '../domain/state.ts';

const revision = z.int().min(1);

const ppm = z.int().min(0).max(PPM);

const ramp = z.object({
  template: z.string().exactOptional(),
  steps: z
    .array(
      z.object({
        weightPpm: ppm,
        holdMs: z.number().min(0),
        gate: z
          .union([
            z.object({ kind: z.literal('approval') }),
            z.object({ kind: z.literal('newRequests'), newRequests: z.number().min(1) }),
          ])
          .nullable(),
      }),
    )
    .min(1)
    .readonly(),
  step: z.int().min(0),
  since: z.number(),
  held: z.object({ cause: z.enum(HOLD_CAUSES), reason: z.string(), since: z.number() }).exactOptional(),
});

const position = z.object({
  weightPpm: ppm,
  cutover: z.enum(['steady', 'ramping', 'paused', 'held', 'rolledBack', 'completed']),
  frozen: z.boolean(),
  testSince: z.int().min(0).exactOptional(),
  ramp: ramp.refine(({ step, steps }) => step < steps.length, { error: 'the ramp has no such step' }).exactOptional(),
  from: ppm.exactOptional(),
  rollbacks: z
    .array(z.object({ at: z.number(), automatic: z.boolean() }))
    .readonly()
    .exactOptional(),
});

const routeState = position.extend({ revision, reason: z.string(), actor: z.string(), at: z.number() });

const verb = z.enum([
  'init',
  'set',
  'ramp',
  'step',
  'pause',
  'resume',
  'promote',
  'rollback',
  'undo',
  'freeze',
  'unfreeze',
  'adopt',
  'hold',
  'release',
]);

export const evidenceNote = z.object({
  verdict: z.enum(['healthy', 'inconclusive', 'breach']),
  value: z.number(),
  threshold: z.number(),
  reason: z.string(),
  newRequests: z.number(),
  counts: z
    .object({ oldRequests: z.number(), oldFaults: z.number(), newRequests: z.number(), newFaults: z.number() })
    .exactOptional(),
});

/** Who does what, why and when: common to a change and to the entry that it becomes. */
const act = z.object({
  at: z.number(),
  verb,
  actor: z.string(),
  reason: z.string(),
  evidence: evidenceNote.exactOptional(),
  forced: z.literal(true).exactOptional(),
});

const auditEntry = act.extend({
  revision,
  /** None only when a state without routes was adopted. */
  routes: z.array(z.object({ route: z.string(), before: position.nullable(), after: position })),
});

const changeRecord = act.extend({
  epoch: z.string(),
  routes: z
    .array(z.object({ route: z.string(), expected: z.int().min(0), next: position }))
    .min(1, 'a change must touch at least one route')
    .refine((routes) => new Set(routes.map(({ route }) => route)).size === routes.length, {
      error: 'a change must touch each route once',
    }),
});

/** Routes are pairs, not keys of an object, so that every name is only a name (`__proto__` too). */
const stateRecord = z.object({
  epoch: z.string().min(1),
  revision: z.int().min(0),
  routes: z.array(z.tuple([z.string(), routeState])),
  lineage: z.array(z.string()).exactOptional(),
});

type StateRecord = z.infer<typeof stateRecord>;

export function recordOfState(state: State): StateRecord {
  const { epoch, revision: global, routes, lineage } = state;
  return { epoch, revision: global, routes: [...routes], ...(lineage && { lineage: [...lineage] }) };
}

/** Throws as `checked`. */
export function stateOfRecord(json: unknown): State {
  const { routes, ...rest } = checked(stateRecord, json);
  return { ...rest, routes: new Map(routes) };
}

/** Throws as `checked`. */
export function routeStateOf(json: unknown): RouteState {
  return checked(routeState, json);
}

/** Routes by name. Throws as `checked`. */
export function routeChangesOf(json: unknown): readonly (readonly [string, RouteState])[] {
  return checked(stateRecord.shape.routes, json);
}

/** Throws as `checked`. */
export function auditEntryOf(json: unknown): AuditEntry {
  return checked(auditEntry, json);
}

/**
 * A copy of the change with nothing in it that could not be read back. Throws TypeError, a programming error, for any other: no route, a
 * route twice, a weight out of range.
 */
export function checkedChange(change: Change): Change {
  try {
    return checked(changeRecord, change);
  } catch (error) {
    throw new TypeError((error as Error).message, { cause: error });
  }
}

/** Throws an Error that names the wrong fields. */
export function checked<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new Error(
    result.error.issues
      .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
      .join('; '),
  );
}
