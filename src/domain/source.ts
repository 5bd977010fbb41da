/** Where a backend's endpoints are known, as configured. */
import type { Endpoint } from './snapshot.ts';

export type DiscoverySource = StaticSource | DnsSource;

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
