import { type AddressInfo, createServer } from 'node:net';
import type { ListenerSpec } from '../seam.ts';

export type Claim =
  | { readonly kind: 'free'; readonly port: number }
  /** In words, without the address. */
  | { readonly kind: 'taken'; readonly reason: string };

/** Whether an address can be listened on now; port 0 comes back as a free one. */
export function probePort(host: string, port: number): Promise<Claim> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve({ kind: 'taken', reason: inWords(error) }));
    server.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve({ kind: 'free', port: bound }));
    });
  });
}

const REASONS = new Map([
  ['EADDRINUSE', 'is in use by another process: stop that or choose another port'],
  ['EACCES', 'may not be listened on by this user: choose a port above 1023 or grant the right'],
  ['EADDRNOTAVAIL', 'is no address of this machine'],
  ['ENOTFOUND', 'is no address of this machine'],
]);

function inWords({ code = '', message }: NodeJS.ErrnoException): string {
  return REASONS.get(code) ?? `cannot be listened on: ${message}`;
}

/**
 * Listeners with the ports that they will have. Those that are held already are not probed, and keep the port that stood for 0.
 * Failures are lines such as `listeners[0].address: 0.0.0.0:80 is in use…`.
 */
export async function claimListeners(
  wanted: readonly ListenerSpec[],
  held: readonly ListenerSpec[],
): Promise<{ readonly listeners: readonly ListenerSpec[]; readonly failures: readonly string[] }> {
  const unclaimed = [...held];
  const listeners: ListenerSpec[] = [];
  const failures: string[] = [];
  for (const [i, listener] of wanted.entries()) {
    const index = unclaimed.findIndex(({ address }) => address === listener.address);
    const [known] = index === -1 ? [] : unclaimed.splice(index, 1);
    const claim: Claim =
      known === undefined ? await probePort(listener.host, listener.port) : { kind: 'free', port: known.port };
    if (claim.kind === 'free') listeners.push({ ...listener, port: claim.port });
    else failures.push(`listeners[${i}].address: ${listener.address} ${claim.reason}`);
  }
  return { listeners, failures };
}
