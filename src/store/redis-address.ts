/** Where a Redis is and how it is entered, whatever carries it. */
export interface RedisAddress {
  /** `sentinel`: the nodes are sentinels, which know the primary; `cluster`: some nodes of it, which know the others. */
  readonly topology: 'single' | 'sentinel' | 'cluster';
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** The primary's name among the sentinels. */
  readonly primary?: string;
  /** Always 0 in a cluster. */
  readonly database: number;
  readonly username?: string;
  readonly password?: string;
  /** Certificates are verified: against `ca` (PEM), or the runtime's authorities. */
  readonly tls: boolean;
  readonly ca?: string;
}

/** For messages: without user and password. */
export function placeOf({ nodes, topology, primary }: RedisAddress): string {
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  if (topology === 'sentinel') return `Redis "${primary}" of the sentinels ${hosts}`;
  return topology === 'cluster' ? `the Redis Cluster at ${hosts}` : `Redis at ${hosts}`;
}
