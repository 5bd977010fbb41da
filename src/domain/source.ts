/** Where a backend's endpoints are known, as configured. Times are milliseconds, certificates and keys PEM texts. */
import type { Endpoint } from './snapshot.ts';

export type DiscoverySource = StaticSource | DnsSource | HeliosSource | KubernetesSource;

export interface StaticSource {
  readonly kind: 'static';
  readonly endpoints: readonly Endpoint[];
}

export interface DnsSource {
  readonly kind: 'dns';
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'SRV';
  /** Of the endpoints; null for SRV, whose records say it. */
  readonly port: number | null;
  /** Name servers; empty: those of /etc/resolv.conf. */
  readonly servers: readonly Endpoint[];
}
export interface HeliosSource {
  readonly kind: 'helios';
  /** Where the master's HTTP API is: addresses of which any will do, or the domain whose SRV records name them. */
  readonly master: { readonly urls: readonly string[] } | { readonly domain: string };
  readonly select: HeliosSelection;
  /** Between two polls. */
  readonly intervalMs: number;
  /** For an https master, such as a reverse proxy in front of it. */
  readonly tls: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
}

/** Which tasks: of the jobs that register a service (`name/protocol`; one of its ports, null: all), or of the jobs of a name, whatever their version. */
export type HeliosSelection =
  | { readonly registration: string; readonly port: string | null }
  | { readonly job: string; readonly port: string };

export interface KubernetesSource {
  readonly kind: 'kubernetes';
  readonly namespace: string;
  readonly service: string;
  /** Its name in the EndpointSlices, or its number there (the pods' port). */
  readonly port: string | number;
  /** Between two comparisons of what the watches have told with what there is, in milliseconds; 0: none. */
  readonly lookMs: number;
  readonly cluster: ClusterSource;
}

/** How the API server is found: by address without credentials, by a kubeconfig (null: its current context), or as it is where the process runs. */
export type ClusterSource =
  | { readonly api: string }
  | { readonly kubeconfig: string; readonly context: string | null }
  | 'ambient';
