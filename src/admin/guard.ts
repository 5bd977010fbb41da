/**
 * Who may call. Without tokens the port is open on loopback only, and whoever reaches it is admin `local`. Browsers on the same machine
 * reach it too, on behalf of any site they show: so the Host must be loopback (a name that a site points here is not), and an
 * Origin, when there is one, must be this very server.
 */
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../config/address.ts';
import { AdminProblem } from './problem.ts';

/** The caller's name in the audit. */
export const LOCAL = 'local';

/** Asked by whoever keeps processes running, under any name of the machine; they tell nothing but up or down. */
const OPEN_TO_ALL = new Set(['/healthz', '/readyz']);

/** @throws Error when the address can be reached from other machines */
export function assertLoopback(address: string): void {
  if (!isLoopbackHost(address)) {
    throw new Error(
      `admin.address ${address} is not on loopback, and no tokens are configured: use 127.0.0.1 or configure tokens`,
    );
  }
}

/** @throws AdminProblem when the caller may not */
export async function guard(request: FastifyRequest): Promise<void> {
  if (OPEN_TO_ALL.has(request.routeOptions.url ?? '')) return;
  const { host = '', origin } = request.headers;
  if (!isLoopbackHost(host)) {
    throw new AdminProblem(
      'foreignHost',
      `Host is "${host}", but must be localhost, 127.0.0.1 or [::1]: call the admin API by one of these`,
    );
  }
  if (origin !== undefined && !isSameOrigin(origin, host)) {
    throw new AdminProblem('foreignOrigin', `Origin is "${origin}", but only pages of http://${host} may call`);
  }
}

/** @param host with or without port, an IPv6 address in brackets */
function isLoopbackHost(host: string): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1] ?? '';
  return isLoopback(name.replace(/^\[(.*)\]$/, '$1').toLowerCase());
}

function isSameOrigin(origin: string, host: string): boolean {
  const here = `http://${host}`;
  return URL.canParse(origin) && URL.canParse(here) && new URL(origin).host === new URL(here).host;
}
