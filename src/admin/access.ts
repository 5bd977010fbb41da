/** Callers and what they may do. Tokens are known by their SHA-256 alone. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Each may do what the one before it may: viewers read, operators move routes, admins say what counts. */
const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who may, as configured. */
export interface Access {
  /** None: only callers on this machine may, and each of them everything. */
  readonly tokens: readonly Token[];
  /** Whether `/metrics` answers without a token. */
  readonly openMetrics: boolean;
}

export interface Token {
  /** The caller's name in the history. */
  readonly name: string;
  readonly role: Role;
  /** Of the token's bytes, in lower-case hex. */
  readonly sha256: string;
}

export type Caller = Pick<Token, 'name' | 'role'>;

/** Whoever calls where no tokens are configured. */
export const LOCAL: Caller = { name: 'local', role: 'admin' };

/** Stands in records for a caller who has shown no valid token. */
export const UNKNOWN = 'unknown';

export function mayAct({ role }: Caller, needs: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needs);
}

/** The credentials of an Authorization header (RFC 6750 section 2.1); undefined when it has none of this scheme. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** Whose token it is. The time that this takes tells nothing about the tokens that there are. */
export function callerOf(token: string, { tokens }: Access): Caller | undefined {
  // Header values come from the wire as latin1: one character a byte.
  const hash = createHash('sha256').update(token, 'latin1').digest();
  let caller: Caller | undefined;
  for (const { name, role, sha256 } of tokens) {
    if (timingSafeEqual(hash, Buffer.from(sha256, 'hex'))) caller = { name, role };
  }
  return caller;
}
