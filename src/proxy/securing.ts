/** TLS towards clients: which certificate they are shown, what they have to show, and how their sessions are resumed. */
import { createHash } from 'node:crypto';
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { ListenerTls } from '../seam.ts';

/** A client that has not secured its connection by then is dropped; it counts among the connections only afterwards. */
const HANDSHAKE_MS = 10_000;

/**
 * A server that listens nowhere: it secures the connections that are given to it as 'connection'.
 * @param ticketKeys 48 bytes
 * @throws Node's error when a certificate, a key or an authority cannot be used
 */
export function createSecuring(
  tls: ListenerTls,
  ticketKeys: Uint8Array,
  onSecured: (socket: TLSSocket) => void,
): Server {
  const { certificates, client } = tls;
  const shared = {
    minVersion: 'TLSv1.2' as const,
    sessionIdContext: sessionContext(client),
    ticketKeys: Buffer.from(ticketKeys),
    ...(client === null ? {} : { ca: client.ca }),
  };
  const contexts = certificates.map(({ certificate, key }) =>
    createSecureContext({ ...shared, cert: certificate, key }),
  );
  const choose = byName(certificates.map(({ names }, i) => [names, contexts[i] as SecureContext]));
  const [first] = certificates;
  const server = createServer(
    {
      ...shared,
      allowHalfOpen: true,
      cert: first?.certificate,
      key: first?.key,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      requestCert: client !== null,
      rejectUnauthorized: client?.isRequired ?? false,
      SNICallback: (name, answer) => answer(null, choose(name)),
    },
    (socket) => {
      // Whoever need not show a certificate must not show one that nobody vouches for.
      if (client !== null && !socket.authorized && socket.getPeerX509Certificate() !== undefined) socket.destroy();
      else onSecured(socket);
    },
  );
  // A handshake that fails is the client's affair; without a listener its error would end the process.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/**
 * A session is resumed only where the same was asked of its client when it began: tickets of all listeners are sealed by the same keys, and
 * one that began without a certificate would otherwise pass for one with it.
 */
function sessionContext(client: ListenerTls['client']): string {
  const asked = client === null ? 'nothing' : `${client.isRequired ? 'required' : 'optional'} ${client.ca}`;
  // OpenSSL takes up to 32 bytes.
  return createHash('sha256').update(asked).digest('hex').slice(0, 32);
}

/** Exact names go before wildcards, which stand for one label (RFC 6125 section 6.4.3). Undefined: the default is shown. */
function byName(
  contexts: readonly (readonly [names: readonly string[], context: SecureContext])[],
): (name: string) => SecureContext | undefined {
  const known = new Map(contexts.flatMap(([names, context]) => names.map((name) => [name, context] as const)));
  return (asked) => {
    const name = asked.toLowerCase();
    return known.get(name) ?? known.get(`*${name.slice(name.indexOf('.'))}`);
  };
}
