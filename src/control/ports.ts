import { type AddressInfo, createServer, type Server } from 'node:net';
import type { ListenerSpec } from '../seam.ts';

export type Claim =
  | { readonly kind: 'free'; readonly port: number }
  /** In words, without the address. */
  | { readonly kind: 'taken'; readonly reason: string };

/**
 * Finds out whether addresses can be listened on, and holds those that can until it is told to let go: two that leave the choice of their
 * port to the system get different ones.
 */
export class Claims {
  readonly #held: Server[] = [];

  /** Port 0 comes back as a free one. */
  claim(host: string, port: number): Promise<Claim> {
    return new Promise((resolve) => {
      const server = createServer();
      server.once('error', (error) => resolve({ kind: 'taken', reason: this.#reason(error, port) }));
      server.listen({ host, port, exclusive: true }, () => {
        this.#held.push(server);
        resolve({ kind: 'free', port: portOf(server) });
      });
    });
  }

  #reason(error: NodeJS.ErrnoException, port: number): string {
    const isOurs = error.code === 'EADDRINUSE' && this.#held.some((server) => portOf(server) === port);
    return isOurs ? 'is given to another address of this file: choose another port' : inWords(error);
  }

  /** The addresses can be listened on by whoever wants them. */
  async release(): Promise<void> {
    await Promise.all(this.#held.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
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
  claims: Claims,
): Promise<{ readonly listeners: readonly ListenerSpec[]; readonly failures: readonly string[] }> {
  const unclaimed = [...held];
  const listeners: ListenerSpec[] = [];
  const failures: string[] = [];
  for (const [i, listener] of wanted.entries()) {
    const index = unclaimed.findIndex(({ address }) => address === listener.address);
    const [known] = index === -1 ? [] : unclaimed.splice(index, 1);
    const claim: Claim =
      known === undefined ? await claims.claim(listener.host, listener.port) : { kind: 'free', port: known.port };
    if (claim.kind === 'free') listeners.push({ ...listener, port: claim.port });
    else failures.push(`listeners[${i}].address: ${listener.address} ${claim.reason}`);
  }
  return { listeners, failures };
}
