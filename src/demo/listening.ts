/** Servers of emulated platforms, which are taken away and come back. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** @returns its port. @throws when it cannot be had */
export async function listenOn(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, host }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Nobody listens any more, and every connection is cut. */
export function closeAtOnce(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
