/** A replica as the admin API shows it. */
import { z } from 'zod';
import type { StatusView } from '../control/control.ts';
import { Applied } from './route-schemas.ts';
import { Revision } from './schema-terms.ts';

export const Status = z
  .object({
    version: z.string(),
    fleet: z.string(),
    epoch: z.string(),
    revision: Revision,
    stateAgeMs: z.number().describe('Since the store last confirmed the state.'),
    store: z.object({
      kind: z.string(),
      up: z.boolean(),
      disputed: z.boolean().describe('It answers what does not follow from what is served, until somebody adopts.'),
      reason: z.string().nullable(),
    }),
    ready: z.boolean(),
    notReady: z.string().nullable().describe('Why not ready.'),
    workers: z.array(z.object({ pid: z.int(), revision: z.int(), ready: z.boolean() })),
    applied: Applied,
    replicas: z
      .array(
        z.object({
          id: z.string(),
          address: z.string().nullable().describe('`host:port` of its admin API.'),
          revision: z.int().describe('That all its workers serve; -1: none.'),
          applied: z.boolean().describe('Whether that is the newest.'),
          seenMs: z.number().describe('Since it said so.'),
        }),
      )
      .describe('The living replicas of the fleet, this one first.'),
    backends: z.array(
      z.object({
        name: z.string(),
        discovery: z.string().describe('static, dns, helios or kubernetes.'),
        endpoints: z.int().describe('How many are known.'),
        ageMs: z.number().nullable().describe('Since the source last confirmed them; null: it never has.'),
        alarm: z.string().nullable().describe('What is wrong with the source; the last good endpoints stay in use.'),
      }),
    ),
    alarm: z
      .string()
      .nullable()
      .describe(
        'A line each: the store holds what does not follow from what is served; the last refused reload; a backend whose source fails.',
      ),
    routes: z.int(),
  })
  .meta({ id: 'Status' }) satisfies z.ZodType<StatusView>;
