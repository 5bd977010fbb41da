import { connect, type TLSSocket } from 'node:tls';
import type { PoolTarget, UpstreamTls } from './pool.ts';

/** Protocols as ALPN names them (RFC 7301), in the order of preference. */
export type Offer = readonly ('h2' | 'http/1.1')[];

/** Begins a secured connection to a backend; 'secureConnect' tells that it is made and `alpnProtocol` what was chosen, false: the backend does not say. */
export function dialTls({ host, port }: PoolTarget, tls: UpstreamTls, offer: Offer): TLSSocket {
  const socket = connect({
    host,
    port,
    secureContext: tls.context,
    rejectUnauthorized: tls.verify,
    ALPNProtocols: [...offer],
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  });
  socket.setNoDelay(true);
  return socket;
}
