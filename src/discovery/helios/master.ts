/** The questions that are asked of a Helios master. What it answered before, to the byte, is not read again. */
import { gunzipSync } from 'node:zlib';
import type { HeliosSource } from '../../domain/source.ts';
import { HttpClient, MOST_BYTES } from '../http-client.ts';
import type { HostStatuses, JobStatuses, Jobs } from './answers.ts';
import { bareHost, bareJobs, type RunningTask, runningTasks, type WantedJob } from './tasks.ts';

/** Any version that this is compatible with is served (0.9.x); without the header every one is, with it a later one can say so. */
const VERSION = '0.9.0';
const TIMEOUT_MS = 5_000;
const JOBS = { path: '/jobs', key: '/jobs' };
/** Jobs and hosts of one question: a question costs more than it asks for, but of a few of them more often none has changed. */
const JOBS_AT_ONCE = 250;
const HOSTS_AT_ONCE = 150;

/** Made once for a list that is asked about again and again. */
interface Question<T> {
  readonly part: readonly T[];
  readonly path: string;
  readonly body: string;
  /** By which the answer of the last round is found. Which ports are wanted belongs to it: they decide what is kept. */
  readonly key: string;
}

interface Known<T> {
  readonly raw: Buffer;
  readonly value: T;
}

/** Whether the master says something new, and what. */
export interface Reading<T> {
  readonly value: T;
  readonly isNew: boolean;
}

export class HeliosMaster {
  readonly #url: string;
  readonly #client: HttpClient;
  readonly #over: AbortSignal;
  /** Of the last round, by question. */
  #known = new Map<string, Known<unknown>>();
  #asked = new Map<string, Known<unknown>>();
  readonly #questions = new WeakMap<readonly unknown[], readonly Question<unknown>[]>();
  /** What the answers about a list made together, as long as none is new. */
  readonly #joined = new WeakMap<readonly unknown[], readonly unknown[]>();

  /** @param over ends every request */
  constructor(url: string, tls: HeliosSource['tls'], over: AbortSignal) {
    this.#url = url;
    this.#client = new HttpClient(url, tls);
    this.#over = over;
  }

  /** A new round begins: what was asked in the one before last is forgotten. */
  begin(): void {
    this.#known = this.#asked;
    this.#asked = new Map();
  }

  /** @throws Error in one sentence; so do all questions */
  jobs(): Promise<Reading<Jobs>> {
    return this.#ask('GET', JOBS, (value) => bareJobs(value as Jobs));
  }

  /** @param jobs the same array while they are the same jobs */
  tasks(jobs: readonly WantedJob[]): Promise<Reading<readonly RunningTask[]>> {
    return this.#askAbout(jobs, { path: '/jobs/statuses', atOnce: JOBS_AT_ONCE, name: ({ id }) => id }, (part, value) =>
      runningTasks(part, value as JobStatuses),
    );
  }

  /** Those that are up, without dots at the end. @param hosts as `jobs` of `tasks` */
  hostsUp(hosts: readonly string[]): Promise<Reading<readonly string[]>> {
    return this.#askAbout(
      hosts,
      { path: '/hosts/statuses?status=UP', atOnce: HOSTS_AT_ONCE, name: (host) => host },
      (_, value) =>
        Object.entries(value as HostStatuses)
          .filter(([, { status }]) => status === 'UP')
          .map(([host]) => bareHost(host)),
    );
  }

  async #askAbout<T, R>(
    all: readonly T[],
    how: { readonly path: string; readonly atOnce: number; readonly name: (one: T) => string },
    read: (part: readonly T[], value: object) => R[],
  ): Promise<Reading<readonly R[]>> {
    const questions = (this.#questions.get(all) as readonly Question<T>[] | undefined) ?? questionsOf(all, how);
    this.#questions.set(all, questions);
    const readings: Reading<R[]>[] = [];
    for (const question of questions)
      readings.push(await this.#ask('POST', question, (value) => read(question.part, value)));
    const isNew = readings.some((reading) => reading.isNew);
    const known = this.#joined.get(all) as readonly R[] | undefined;
    const value = isNew || known === undefined ? readings.flatMap((reading) => reading.value) : known;
    this.#joined.set(all, value);
    return { value, isNew };
  }

  async #ask<T>(
    method: 'GET' | 'POST',
    { path, body, key }: Pick<Question<unknown>, 'path' | 'key'> & { readonly body?: string },
    read: (value: object) => T,
  ): Promise<Reading<T>> {
    // Compressed answers to the same question are the same as well, a twentieth of the size, and mostly need no unpacking.
    const accepts = { 'helios-version': VERSION, 'accept-encoding': 'gzip' };
    const what = body === undefined ? {} : { body };
    const request = { method, path, ...what, headers: accepts, timeoutMs: TIMEOUT_MS };
    const {
      status,
      headers,
      body: raw,
    } = await this.#client.send(request, this.#over).catch((error: Error) => {
      throw new Error(`Helios master ${this.#url} ${error.message}`, { cause: error });
    });
    if (status !== 200) {
      const version = headers['helios-server-version'];
      const running = version === undefined ? '' : `; it runs Helios ${String(version)}`;
      throw new Error(`Helios master ${this.#url} answered ${status} to ${method} ${path}${running}`);
    }
    const known = this.#known.get(key) as Known<T> | undefined;
    const isNew = known === undefined || !known.raw.equals(raw);
    const isZipped = headers['content-encoding'] === 'gzip';
    const value = isNew ? read(this.#parse(path, raw, isZipped)) : known.value;
    this.#asked.set(key, { raw, value });
    return { value, isNew };
  }

  /** Without the parser's own words, which quote what they do not understand. */
  #parse(path: string, raw: Buffer, isZipped: boolean): object {
    let value: unknown;
    try {
      const bytes = isZipped ? gunzipSync(raw, { maxOutputLength: MOST_BYTES }) : raw;
      value = JSON.parse(bytes.toString('utf8'));
    } catch {
      const what = raw.length === 0 ? 'nothing' : `${raw.length} bytes that are not JSON`;
      throw new Error(`Helios master ${this.#url} answered ${what} to ${path}`);
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    throw new Error(`Helios master ${this.#url} answered something else than a map to ${path}`);
  }

  close(): void {
    this.#client.close();
  }
}

function questionsOf<T>(
  all: readonly T[],
  { path, atOnce, name }: { readonly path: string; readonly atOnce: number; readonly name: (one: T) => string },
): Question<T>[] {
  const questions: Question<T>[] = [];
  for (let i = 0; i < all.length; i += atOnce) {
    const part = all.slice(i, i + atOnce);
    questions.push({ part, path, body: JSON.stringify(part.map(name)), key: `${path} ${JSON.stringify(part)}` });
  }
  return questions;
}
