/** The admin API over HTTP. */
import { CliError, EXIT, type ExitCode } from './exit.ts';

const ANSWER_MS = 10_000;

export interface Call {
  readonly method?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Sent as If-Match. */
  readonly ifRevision?: number | undefined;
  readonly waitMs?: number | undefined;
  /** Longest silence of the admin API, beyond waitMs; default 10 s. */
  readonly answerMs?: number;
}

/** @throws CliError for whatever is not an answer that says done */
export type Client = <Answer>(path: string, call?: Call) => Promise<Answer>;

/** Whether requests can be sent there. */
export function isAdminUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/**
 * @param onWarning told what a caller must know of a change that is made
 * @throws CliError when the address is none, or the token none that can be sent
 */
export function createClient(
  admin: string,
  givenToken: string | undefined,
  onWarning: (message: string) => void,
): Client {
  // The option has been looked at already; the environment has not.
  if (!isAdminUrl(admin)) {
    throw new CliError(EXIT.usage, `CROSSFADE_ADMIN must be a URL such as http://127.0.0.1:9900 (got "${admin}")`);
  }
  const base = admin.replace(/\/+$/, '');
  // A secret that was read from a file often ends with a newline.
  const token = givenToken?.trim() || undefined;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new CliError(EXIT.usage, 'the token (--token or CROSSFADE_TOKEN) must be one word of ASCII characters');
  }
  return async <Answer>(path: string, call: Call = {}) => {
    const response = await send(base, path, call, token);
    const body = await readJson(response, base);
    const warning = response.headers.get('crossfade-warning');
    if (warning !== null) onWarning(warning);
    if (!response.ok) throw refusal(response.status, body);
    if (isAnswer(path, body)) return body as Answer;
    throw new CliError(EXIT.unreachable, `${notCrossfade(base)}: it answered something else`);
  };
}

async function send(base: string, path: string, call: Call, token: string | undefined): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (call.ifRevision !== undefined) headers['if-match'] = `"${call.ifRevision}"`;
  if (call.body !== undefined) headers['content-type'] = 'application/json';
  try {
    return await fetch(base + path, {
      method: call.method ?? 'GET',
      headers,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      redirect: 'error',
      signal: AbortSignal.timeout((call.answerMs ?? ANSWER_MS) + (call.waitMs ?? 0)),
    });
  } catch (error) {
    const hint = 'is Crossfade serving there? --admin or CROSSFADE_ADMIN names another address';
    throw new CliError(EXIT.unreachable, `${base} does not answer (${causeOf(error)}): ${hint}`);
  }
}

/** fetch hides what happened one level down; a name that has several addresses, one further. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  if (!(cause instanceof Error)) return message;
  const [first] = cause instanceof AggregateError ? (cause.errors as Error[]) : [cause];
  return first?.message || cause.message || message;
}

/** Refusals of another server are none of Crossfade's, though they be JSON. */
async function readJson(response: Response, base: string): Promise<unknown> {
  const type = response.headers.get('content-type') ?? 'no content type';
  try {
    const wanted = response.ok ? /^application\/json\b/ : /^application\/problem\+json\b/;
    if (wanted.test(type)) return await response.json();
  } catch (error) {
    throw new CliError(EXIT.unreachable, `${base} broke off its answer (${causeOf(error)})`);
  }
  throw new CliError(EXIT.unreachable, `${notCrossfade(base)}: it answered ${response.status} with ${type}`);
}

function notCrossfade(base: string): string {
  return `${base} is not a Crossfade admin API`;
}

const isList = (value: unknown): boolean => Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';

/** What an answer to these cannot be without: another server that speaks JSON is told apart before anything is made of it. */
const MARKS: readonly (readonly [path: RegExp, key: string, is: (value: unknown) => boolean])[] = [
  [/^\/v1\/status$/, 'replicas', isList],
  [/^\/v1\/(?:routes|rollback|undo|adopt|doctor)$/, 'routes', isList],
  [/^\/v1\/routes\/[^/]+\/ramp$/, 'steps', isList],
  [/^\/v1\/routes\/[^/]+/, 'state', isText],
  [/^\/v1\/history/, 'entries', isList],
  [/^\/v1\/history/, 'refusals', isList],
  [/^\/v1\/explain/, 'sentence', isText],
];

/** By one of its path's marks. */
function isAnswer(path: string, body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const known = body as Readonly<Record<string, unknown>>;
  return MARKS.some(([of, key, is]) => of.test(path) && is(known[key]));
}

function refusal(status: number, problem: unknown): CliError {
  const { title = `The admin API answered ${status}`, detail } = (problem ?? {}) as { title?: string; detail?: string };
  // Many details begin by saying what the title says.
  const message = detail === undefined ? title : detail.startsWith(title) ? detail : `${title}: ${detail}`;
  return new CliError(exitOf(status), message, problem);
}

function exitOf(status: number): ExitCode {
  switch (status) {
    case 401:
    case 403:
    case 404:
    case 409:
    case 428:
      return EXIT.refused;
    case 412:
      return EXIT.stale;
    case 503:
      return EXIT.unreachable;
    default:
      return status < 500 ? EXIT.usage : EXIT.internal;
  }
}
