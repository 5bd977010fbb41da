import { InvalidArgumentError } from 'commander';
import { type Call, type Client, isAdminUrl } from './client.ts';
import type { Io } from './io.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly admin?: string;
  readonly token?: string;
  readonly reason?: string;
  readonly ifRev?: number;
  /** true: given without a time. */
  readonly wait?: number | true;
  readonly force?: boolean;
  readonly output: 'text' | 'json';
}

/** What commands are given besides their own arguments. */
export interface Context {
  readonly io: Io;
  options(): GlobalOptions;
  /** Made when first needed. @param admin URL; default: as the options and the environment say */
  client(admin?: string): Client;
  /** Lines for people, or the answer as JSON when that was asked for. */
  print(answer: unknown, lines: () => readonly string[]): void;
  /** The command's exit code; 0 unless set. */
  exit(code: number): void;
}

/** Where the admin API is unless said otherwise. */
export const ADMIN = 'http://127.0.0.1:9900';

const WAIT_MS = 2_000;

/** What goes along with every write: the body's reason and wait, and If-Match. @param verb for the reason when none is given */
export function writeCall(
  context: Context,
  method: string,
  verb: string,
  body: Readonly<Record<string, unknown>> = {},
): Call {
  const { reason, ifRev, wait, force } = context.options();
  const waitMs = wait === true ? WAIT_MS : wait;
  const user = context.io.env['USER'] ?? context.io.env['LOGNAME'] ?? 'hand';
  return {
    method,
    body: {
      ...body,
      reason: reason ?? `${verb} by ${user}`,
      ...(waitMs === undefined ? {} : { wait: waitMs }),
      ...(force === true ? { force } : {}),
    },
    ifRevision: ifRev,
    waitMs,
  };
}

/** For commander: a whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${least} on.`);
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** For commander: milliseconds, or a number with its unit such as `5s`. */
export function duration(text: string): number {
  const [, value, unit = 'ms'] = /^(\d{1,9})(ms|s|m|h)?$/.exec(text) ?? [];
  if (value !== undefined) return Number(value) * (UNITS[unit] as number);
  throw new InvalidArgumentError('It must be milliseconds, or a number with its unit such as 500ms, 5s or 2m.');
}

/** For commander: where an admin API is. */
export function httpUrl(text: string): string {
  if (isAdminUrl(text)) return text;
  throw new InvalidArgumentError(`It must be a URL such as ${ADMIN}.`);
}

export function routePath(route: string): string {
  return `/v1/routes/${encodeURIComponent(route)}`;
}
