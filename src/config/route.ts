import { z } from 'zod';
import type { StickySource } from '../domain/route.ts';
import { Duration } from './duration.ts';
import { Judge, Rescue } from './judge.ts';
import { Match } from './match.ts';
import { LowerFieldName, Name, Token } from './name.ts';
import { Percent } from './percent.ts';
import { Ramp } from './ramp.ts';

/** Times in milliseconds; those left out are inherited. */
const RouteTimeouts = z.strictObject({
  connect: Duration.exactOptional(),
  requestHead: Duration.exactOptional(),
  responseHead: Duration.exactOptional(),
  idle: Duration.exactOptional(),
  total: Duration.exactOptional(),
});

/** What routes inherit: connect 1 s, requestHead 10 s, responseHead 60 s, idle 60 s, total none. */
export const DefaultTimeouts = z.strictObject({
  connect: Duration.prefault('1s'),
  requestHead: Duration.prefault('10s'),
  responseHead: Duration.prefault('60s'),
  idle: Duration.prefault('60s'),
  total: Duration.prefault(0),
});

/** Where a sticky key is read from: one kind an entry. */
const Sticky = z
  .strictObject({
    header: LowerFieldName.exactOptional(),
    cookie: Token.exactOptional(),
    address: z.literal(true).exactOptional(),
    generate: z.literal(true).exactOptional(),
  })
  .transform((source, context): StickySource => {
    if (Object.keys(source).length === 1) {
      if (source.header !== undefined) return { kind: 'header', name: source.header };
      if (source.cookie !== undefined) return { kind: 'cookie', name: source.cookie };
      return { kind: source.address === true ? 'address' : 'generate' };
    }
    context.issues.push({
      code: 'custom',
      message: 'must have exactly one of header, cookie, address, generate',
      input: source,
    });
    return z.NEVER;
  });

/** A match with an old and a new backend, and how its requests are shared between them. */
export const Route = z.strictObject({
  name: Name,
  match: Match,
  old: Name,
  new: Name,
  /** First start only, afterwards the store decides. */
  weight: Percent.prefault(0),
  sticky: z
    .array(Sticky)
    .refine((sources) => sources.slice(0, -1).every(({ kind }) => kind !== 'generate'), {
      error: 'must have generate last: it gives every request a key, so nothing after it is looked at',
    })
    .default([]),
  group: Name.exactOptional(),
  timeouts: RouteTimeouts.prefault({}),
  rescue: Rescue.prefault({}),
  judge: Judge.exactOptional(),
  ramp: z.union([Name, Ramp], { error: 'must be the name of a ramp or a list of steps' }).exactOptional(),
});
