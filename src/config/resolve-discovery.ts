import { resolve } from 'node:path';
import type { z } from 'zod';
import type { ClusterSource, DiscoverySource, HeliosSource } from '../domain/source.ts';
import type { Discovery } from './discovery.ts';

type DiscoveryContent = z.output<typeof Discovery>;

/**
 * From the file's checked content to where endpoints are known.
 * @param folder where relative paths start from
 * @param pem the text of a certificate's or key's file
 */
export function resolveDiscovery(
  { static: endpoints = [], dns, helios, kubernetes }: DiscoveryContent,
  folder: string,
  pem: (path: string) => string,
): DiscoverySource {
  if (dns !== undefined) {
    return { kind: 'dns', name: dns.name, type: dns.type, port: dns.port ?? null, servers: dns.servers };
  }
  if (helios !== undefined) return resolveHelios(helios, pem);
  if (kubernetes !== undefined) {
    const { namespace, service, port, compare: lookMs } = kubernetes;
    return { kind: 'kubernetes', namespace, service, port, lookMs, cluster: resolveCluster(kubernetes, folder) };
  }
  return { kind: 'static', endpoints };
}

function resolveHelios(
  { master = [], domain, job, registration = '', port, interval, tls = {} }: NonNullable<DiscoveryContent['helios']>,
  pem: (path: string) => string,
): HeliosSource {
  return {
    kind: 'helios',
    master: domain === undefined ? { urls: typeof master === 'string' ? [master] : master } : { domain },
    // The schema has made sure of the port.
    select: job === undefined ? { registration, port: port ?? null } : { job, port: port ?? '' },
    intervalMs: interval,
    tls: Object.fromEntries(Object.entries(tls).map(([key, path]) => [key, pem(path)])),
  };
}

function resolveCluster(
  { api, kubeconfig, context }: NonNullable<DiscoveryContent['kubernetes']>,
  folder: string,
): ClusterSource {
  if (api !== undefined) return { api };
  return kubeconfig === undefined ? 'ambient' : { kubeconfig: resolve(folder, kubeconfig), context: context ?? null };
}
