import { z } from 'zod';
import { EndpointAddress, NameServer, ServerName } from './address.ts';
import { FilePath, Name } from './name.ts';

const Port = z.int().min(1).max(65_535);

/** Records of a name, asked for again when their TTL ends. `servers`: instead of those of /etc/resolv.conf. */
const Dns = z
  .strictObject({
    name: ServerName,
    type: z.enum(['A', 'AAAA', 'SRV']).default('A'),
    port: Port.exactOptional(),
    servers: z.array(NameServer).default([]),
  })
  .refine(({ type, port }) => type === 'SRV' || port !== undefined, {
    error: 'must have a port: A and AAAA records do not say it',
  })
  .refine(({ type, port }) => type !== 'SRV' || port === undefined, {
    error: 'must not have a port: SRV records say it',
  });

/** Where a backend's endpoints come from: exactly one kind. */
const Discovery = z
  .strictObject({
    static: z
      .array(EndpointAddress)
      .min(1)
      .refine((endpoints) => new Set(endpoints.map(({ host, port }) => `${host} ${port}`)).size === endpoints.length, {
        error: 'names an endpoint twice',
      })
      .exactOptional(),
    dns: Dns.exactOptional(),
    helios: z
      .strictObject({ master: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }), job: Name, port: Name })
      .exactOptional(),
    kubernetes: z.strictObject({ namespace: Name, service: Name, port: z.union([Name, Port]) }).exactOptional(),
  })
  .refine((kinds) => Object.keys(kinds).length === 1, {
    error: 'must have exactly one of static, dns, helios, kubernetes',
  });

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
