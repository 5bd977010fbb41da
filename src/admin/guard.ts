/**
 * Who may call. Without tokens the port is open on loopback only, and whoever reaches it is admin `local`. Browsers on the same machine
 * reach it too, on behalf of any site they show: so the Host must be loopback (a name that a site points here is not), and an
 * Origin, when there is one, must be this very server. With tokens every call needs one, which no other site has, or the cookie of a
 * session, which browsers send along with what this site's own pages ask for (SameSite=Strict, RFC 6265bis section 5.4.7); to write, such a
 * page must also be named by the Origin.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback } from '../config/address.ts';
import { type Access, bearerToken, type Caller, callerOf, LOCAL, mayAct, type Role } from './access.ts';
import { AdminProblem } from './problem.ts';
import type { Sessions } from './sessions.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard; null on what is open to all. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** Lowest role that may; default: viewer to read, admin for whatever else. */
    needs?: Role;
    /** Name of a write in records of refusals. */
    verb?: string;
    /** Part of the page, which tells nothing by itself. */
    isPage?: true;
    /** Whoever has no token yet comes here to show one. */
    isLogin?: true;
  }
}

/** Asked by whoever keeps processes running, where there are tokens under any name of the machine; they tell nothing but up or down. */
const OPEN_TO_ALL = new Set(['/healthz', '/readyz']);
const READS = new Set(['GET', 'HEAD']);

/** @throws Error when the address can be reached from other machines and no tokens are configured */
export function assertReachable(address: string, { tokens }: Access): void {
  if (tokens.length === 0 && !isLoopbackHost(address)) {
    throw new Error(
      `admin.address ${address} is not on loopback, and no tokens are configured: use 127.0.0.1 or configure tokens`,
    );
  }
}

/** @throws AdminProblem when the caller may not; else `request.caller` is set */
export function guard(request: FastifyRequest, reply: FastifyReply, access: Access, sessions: Sessions): void {
  const { url = '', config } = request.routeOptions;
  if (access.tokens.length === 0) {
    checkLocal(request);
    request.caller = OPEN_TO_ALL.has(url) ? null : LOCAL;
    return;
  }
  if (OPEN_TO_ALL.has(url) || (url === '/metrics' && access.openMetrics)) return;
  if (config?.isPage) return;
  if (config?.isLogin) return checkOrigin(request);
  const caller = authenticate(request, reply, access, sessions);
  // Before anything is refused: refusals name the caller.
  request.caller = caller;
  const isRead = READS.has(request.method);
  if (!isRead) checkOrigin(request);
  if (!isRead && isBrowser(request) && request.headers.origin === undefined) {
    throw new AdminProblem('foreignOrigin', 'A write with the cookie of a session must name its Origin');
  }
  const needs = config?.needs ?? (isRead ? 'viewer' : 'admin');
  if (mayAct(caller, needs)) return;
  throw new AdminProblem('forbidden', `This needs the role ${needs}; the token "${caller.name}" has ${caller.role}`);
}

/** Whether the caller, who may have been let in long ago, would be now. */
export function isStillAdmitted(request: FastifyRequest, access: Access, sessions: Sessions): boolean {
  if (access.tokens.length === 0) return request.caller === LOCAL;
  return callerFrom(request, access, sessions) !== undefined;
}

/** Comes with the cookie of a session, and no token of its own. */
function isBrowser({ headers }: FastifyRequest): boolean {
  return bearerToken(headers.authorization) === undefined;
}

function callerFrom({ headers }: FastifyRequest, access: Access, sessions: Sessions): Caller | undefined {
  const token = bearerToken(headers.authorization);
  return token === undefined ? sessions.caller(headers.cookie, access) : callerOf(token, access);
}

/** The challenge is that of RFC 6750 section 3. */
function authenticate(request: FastifyRequest, reply: FastifyReply, access: Access, sessions: Sessions): Caller {
  const caller = callerFrom(request, access, sessions);
  if (caller !== undefined) return caller;
  const hasToken = !isBrowser(request);
  reply.header('www-authenticate', `Bearer realm="crossfade"${hasToken ? ', error="invalid_token"' : ''}`);
  throw new AdminProblem(
    'unauthenticated',
    hasToken
      ? 'The token is none of those that admin.tokens lists'
      : 'Send a token as "Authorization: Bearer TOKEN" (crossfade: --token or CROSSFADE_TOKEN)',
  );
}

function checkLocal(request: FastifyRequest): void {
  const { host = '' } = request.headers;
  if (!isLoopbackHost(host)) {
    throw new AdminProblem(
      'foreignHost',
      `Host is "${host}", but must be localhost, 127.0.0.1 or [::1]: call the admin API by one of these`,
    );
  }
  checkOrigin(request);
}

/** Browsers that leave out the Origin of a request from another site still say what it is (Fetch Metadata). */
function checkOrigin({ headers, method }: FastifyRequest): void {
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  if (!READS.has(method) && site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new AdminProblem('foreignOrigin', `Sec-Fetch-Site is "${site}", but only pages of http://${host} may call`);
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

/** By host and port: whatever secures the port in front of this server is not known here. */
function isSameOrigin(origin: string, host: string): boolean {
  const here = `http://${host}`;
  return URL.canParse(origin) && URL.canParse(here) && new URL(origin).host === new URL(here).host;
}
