import { z } from 'zod';
import { ServerName } from './address.ts';
import { Discovery } from './discovery.ts';
import { FilePath } from './name.ts';

/** TLS to the endpoints. Without `ca` the runtime's own authorities; `certificate` and `key` are the proxy's own, for mutual TLS. */
const BackendTls = z
  .strictObject({
    ca: FilePath.exactOptional(),
    certificate: FilePath.exactOptional(),
    key: FilePath.exactOptional(),
    serverName: ServerName.exactOptional(),
    verify: z.boolean().default(true),
  })
  .refine((tls) => (tls.certificate === undefined) === (tls.key === undefined), {
    error: 'must have certificate and key together',
  });

/** How endpoints are asked whether they live: exactly one kind. */
const Health = z
  .strictObject({
    http: z
      .strictObject({ path: z.string().regex(/^\//, { error: 'must begin with /' }).default('/') })
      .exactOptional(),
    grpc: z.strictObject({ service: z.string().default('') }).exactOptional(),
    tcp: z.strictObject({}).exactOptional(),
  })
  .refine((kinds) => Object.keys(kinds).length === 1, { error: 'must have exactly one of http, grpc, tcp' });

/** A named set of endpoints and how to talk to them. */
export const Backend = z.strictObject({
  discovery: Discovery,
  protocol: z.enum(['http1', 'h2', 'auto']).default('http1'),
  tls: BackendTls.exactOptional(),
  /** `connections`: most that one worker opens to one endpoint; 0: no limit. */
  limits: z.strictObject({ connections: z.int().min(0).default(0) }).prefault({}),
  health: Health.exactOptional(),
});
