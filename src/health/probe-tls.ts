import type { ConnectionOptions } from 'node:tls';
import type { ProbeTarget } from './probe.ts';

/** Node's options for a connection that is secured as the backend's are. */
export function tlsOptions(tls: NonNullable<ProbeTarget['tls']>): ConnectionOptions {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    rejectUnauthorized: !tls.insecure,
  };
}

/** As in a URL or a Host field: an IPv6 address in brackets. */
export function authorityOf({ host, port }: ProbeTarget): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
