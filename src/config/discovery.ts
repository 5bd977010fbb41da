/** Where a backend's endpoints come from. */
import { z } from 'zod';
import { EndpointAddress, NameServer, ServerName } from './address.ts';
import { Duration } from './duration.ts';
import { FilePath, Name } from './name.ts';

const Port = z.int().min(1).max(65_535);
const HttpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });

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

/** TLS to a master behind a reverse proxy; without `ca` the runtime's own authorities. */
const HeliosTls = z
  .strictObject({ ca: FilePath.exactOptional(), certificate: FilePath.exactOptional(), key: FilePath.exactOptional() })
  .refine((tls) => (tls.certificate === undefined) === (tls.key === undefined), {
    error: 'must have certificate and key together',
  });

/** `master`: of several any will do; `domain`: their SRV records are `_helios._https` and `_helios._http` there. */
const Helios = z
  .strictObject({
    master: z
      .union([HttpUrl, z.array(HttpUrl).min(1)], { error: 'must be an http(s) URL, or a list of them' })
      .exactOptional(),
    domain: ServerName.exactOptional(),
    job: Name.exactOptional(),
    registration: z
      .string()
      .regex(/^[^\s/]+(?:\/[^\s/]+)?$/, { error: 'must be a service, such as search or search/http' })
      .exactOptional(),
    port: Name.exactOptional(),
    interval: Duration.prefault('1s'),
    tls: HeliosTls.exactOptional(),
  })
  .refine(({ master, domain }) => (master === undefined) !== (domain === undefined), {
    error: 'must have either master or domain',
  })
  .refine(({ job, registration }) => (job === undefined) !== (registration === undefined), {
    error: 'must have either job or registration',
  })
  .refine(({ job, port }) => job === undefined || port !== undefined, {
    error: 'must have the port of the job, by its name',
  })
  .refine(({ interval }) => interval >= 100, { error: 'must have an interval of at least 100ms' });

/**
 * `port`: its name in the EndpointSlices, or its number there. Without kubeconfig and api: as a pod, or as kubectl would. `compare`: between
 * two comparisons of what the watches have told with what there is, which find out that all of them lie silent; 0: none.
 */
const Kubernetes = z
  .strictObject({
    namespace: Name,
    service: Name,
    port: z.union([Name, Port]),
    kubeconfig: FilePath.exactOptional(),
    context: z.string().min(1).exactOptional(),
    api: HttpUrl.exactOptional(),
    compare: Duration.prefault('1s'),
  })
  .refine(({ kubeconfig, api }) => kubeconfig === undefined || api === undefined, {
    error: 'must have at most one of kubeconfig and api',
  })
  .refine(({ compare }) => compare === 0 || compare >= 100, {
    error: 'must compare each 100ms at most, or 0 for never',
  })
  .refine(({ kubeconfig, context }) => context === undefined || kubeconfig !== undefined, {
    error: 'must have a kubeconfig where it has a context',
  });

/** Exactly one kind. */
export const Discovery = z
  .strictObject({
    static: z
      .array(EndpointAddress)
      .min(1)
      .refine((endpoints) => new Set(endpoints.map(({ host, port }) => `${host} ${port}`)).size === endpoints.length, {
        error: 'names an endpoint twice',
      })
      .exactOptional(),
    dns: Dns.exactOptional(),
    helios: Helios.exactOptional(),
    kubernetes: Kubernetes.exactOptional(),
  })
  .refine((kinds) => Object.keys(kinds).length === 1, {
    error: 'must have exactly one of static, dns, helios, kubernetes',
  });
