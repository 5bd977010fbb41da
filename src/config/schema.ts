/** The whole of the configuration file (DESIGN section 7), one strict schema; its parts stand in files of their own. */
import { z } from 'zod';
import { AccessLog } from './access-log.ts';
import { Network } from './address.ts';
import { Admin } from './admin.ts';
import { Backend } from './backend.ts';
import { Duration } from './duration.ts';
import { Emulators } from './emulators.ts';
import { DefaultJudge } from './judge.ts';
import { Listener, TicketRotation } from './listener.ts';
import { FieldValue, FilePath, Name, OwnFieldName } from './name.ts';
import { Ramp } from './ramp.ts';
import { DefaultTimeouts, Route } from './route.ts';
import { StoreAddress } from './store.ts';

/** Of a replica; numbers of connections are shared among its workers. */
const Limits = z.strictObject({
  headBytes: z.int().min(1024).max(1_048_576).default(16_384),
  fields: z.int().min(1).max(10_000).default(100),
  targetBytes: z.int().min(1).max(1_048_576).default(8192),
  /** 0: no limit. */
  bodyBytes: z.int().min(0).default(0),
  connections: z.int().min(1).default(20_000),
  /** 0: no limit. */
  connectionsPerClient: z.int().min(0).default(0),
  /** Streams of one HTTP/2 connection at a time. The resets that are put up with follow it. */
  concurrentStreams: z.int().min(1).max(100_000).default(1024),
  /** Resident memory of one worker. From 90 percent on idle connections are closed, from all of it on requests are answered with 503; 0: no limit. */
  workerMemoryBytes: z.int().min(0).default(0),
});

const Webhook = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }),
  events: z.array(z.enum(['rollback', 'held', 'ramp', 'step', 'completed', 'resume'])).min(1),
  /** Key of the signature, sent as `x-crossfade-signature`. */
  secret: z.string().min(1).exactOptional(),
});

export const ConfigFile = z.strictObject({
  listeners: z.array(Listener).min(1),
  admin: Admin.prefault({}),
  store: StoreAddress.prefault('file:../data/state.json'),
  fleet: Name.default('default'),
  stateFile: FilePath.exactOptional(),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(1024)], { error: 'must be auto or a number of workers' })
    .default('auto'),
  trustedProxies: z.array(Network).default([]),
  drainTimeout: Duration.prefault('30s'),
  drainGrace: Duration.prefault('1s'),
  overrideHeader: z.strictObject({ name: OwnFieldName, secret: FieldValue.min(1) }).exactOptional(),
  limits: Limits.prefault({}),
  ticketRotation: TicketRotation.prefault('12h'),
  accessLog: AccessLog.exactOptional(),
  defaults: z.strictObject({ timeouts: DefaultTimeouts.prefault({}), judge: DefaultJudge.prefault({}) }).prefault({}),
  emulators: Emulators.exactOptional(),
  backends: z.record(Name, Backend),
  routes: z.array(Route).min(1, 'must name a route: without one every request is answered 404'),
  ramps: z.record(Name, Ramp).default({}),
  webhooks: z.array(Webhook).default([]),
});

/** The file's content, checked: durations in milliseconds, percent in parts per million, names and paths as written. */
export type ConfigFile = z.output<typeof ConfigFile>;

/** The file's format as JSON Schema (draft 2020-12). */
export function describeSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(ConfigFile, { io: 'input' });
}
