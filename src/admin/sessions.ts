/**
 * Sessions of browsers, which cannot send a token with everything that they ask for: a token is shown once, and a cookie stands for it from then
 * on. They live in this process, so that no secret is kept by the browser; whoever loses one shows the token again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Access, type Caller, callerOf } from './access.ts';

const COOKIE = 'crossfade_session';
const LIFETIME_MS = 12 * 3_600_000;
const MOST = 1_000;

interface Session {
  readonly token: string;
  readonly until: number;
}

export class Sessions {
  readonly #clock: () => number;
  /** By the hash of the cookie's value, oldest first. */
  readonly #sessions = new Map<string, Session>();

  /** @param clock milliseconds since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** @returns the cookie's value, for a token that somebody has */
  open(token: string): string {
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= MOST) this.#sessions.delete(oldest);
    const id = randomBytes(24).toString('base64url');
    this.#sessions.set(hashOf(id), { token, until: this.#clock() + LIFETIME_MS });
    return id;
  }

  close(cookies: string | undefined): void {
    const id = sessionOf(cookies);
    if (id !== undefined) this.#sessions.delete(hashOf(id));
  }

  /** Whose session a Cookie header names; undefined when there is none, it has run out, or its token counts no more. */
  caller(cookies: string | undefined, access: Access): Caller | undefined {
    const id = sessionOf(cookies);
    const session = id === undefined ? undefined : this.#sessions.get(hashOf(id));
    if (session === undefined || session.until < this.#clock()) return undefined;
    return callerOf(session.token, access);
  }
}

/** @param isSecure whether the browser came by https */
export function sessionCookie(id: string, isSecure: boolean): string {
  const life = id === '' ? 0 : LIFETIME_MS / 1000;
  return `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${life}${isSecure ? '; Secure' : ''}`;
}

function sessionOf(cookies = ''): string | undefined {
  for (const pair of cookies.split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === COOKIE && value !== undefined && value !== '') return value;
  }
  return undefined;
}

/** So that nobody finds a session by how long it takes not to. */
function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
