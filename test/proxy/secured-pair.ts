/** Both ends of a connection over TLS, the near one being the client's. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { Wire } from './harness.ts';
import { certificate, key } from './secured-backends.ts';

export const SECURED = ['TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof SECURED)[number];

/** @returns also what carries it: the far end's TCP socket */
export async function securedPair(version: Version): Promise<{ near: TLSSocket; far: Wire; carrier: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const { port } = server.address() as AddressInfo;
  const options = { port, host: '127.0.0.1', ca: certificate, minVersion: version, maxVersion: version };
  const near = connect({ ...options, allowHalfOpen: true } as object);
  near.on('error', () => undefined);
  const secured = new Promise((resolve) => near.once('secureConnect', resolve));
  const carrier = await accepted;
  const far = new Wire(new TLSSocket(carrier, { isServer: true, cert: certificate, key }));
  await secured;
  server.close();
  onTestFinished(() => {
    near.destroy();
    far.socket.destroy();
  });
  return { near, far, carrier };
}
