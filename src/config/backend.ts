import { z } from 'zod';
import { ServerName } from './address.ts';
import { Discovery } from './discovery.ts';
import { Duration } from './duration.ts';
import { Ejection, Health, PanicBelow } from './health.ts';
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

/** A named set of endpoints and how to talk to them. */
export const Backend = z.strictObject({
  discovery: Discovery,
  /** `auto`: what each endpoint chooses by ALPN (RFC 7301). */
  protocol: z.enum(['http1', 'h2', 'auto']).default('http1'),
  tls: BackendTls.exactOptional(),
  /** Requests per second that one endpoint can carry; a weight is not raised beyond what those that are ready can. 0: no limit. */
  maxRequestsPerEndpoint: z.number().min(0).max(1_000_000).default(0),
  /**
   * `connections`: most that one worker opens to one endpoint; 0: no limit. `pending`: requests of one worker that wait when all are taken, for
   * `pendingTimeout` at most; the rest are answered with 503 at once.
   */
  limits: z
    .strictObject({
      connections: z.int().min(0).default(0),
      pending: z.int().min(0).max(100_000).default(0),
      pendingTimeout: Duration.prefault('5s'),
    })
    .prefault({}),
  health: Health.exactOptional(),
  ejection: Ejection.prefault({}),
  /** From being new or back to a full share of the traffic; 0: at once. */
  slowStart: Duration.prefault('10s'),
  panicBelow: PanicBelow,
});
