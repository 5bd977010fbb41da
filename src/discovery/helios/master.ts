/** The questions that are asked of a Helios master. What it answered before, to the byte, is not read again. */
import { gunzipSync } from 'node:zlib';
import type { HeliosSource } from '../../domain/source.ts';
import { HttpClient, MOST_BYTES } from '../http-client.ts';
import type { HostStatuses, JobStatuses, Jobs } from './answers.ts';
import { bareHost, bareJobs, type RunningTask, runningTasks, type WantedJob } from './tasks.ts';

/** Any version that this is compatible with is served (0.9.x); without the header every one is, with it a later one can say so. */
const VERSION = '0.9.0';
const TIMEOUT_MS = 5_000;
/** Jobs and hosts of one question: of a few of them more often none has changed. */
const JOBS_AT_ONCE = 100;
const HOSTS_AT_ONCE = 50;

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
    return this.#ask('GET', '/jobs', undefined, '', (value) => bareJobs(value as Jobs));
  }

  async tasks(jobs: readonly WantedJob[]): Promise<Reading<RunningTask[]>> {
    const readings = await this.#inParts(jobs, JOBS_AT_ONCE, (part) =>
      this.#ask(
        'POST',
        '/jobs/statuses',
        part.map(({ id }) => id),
        JSON.stringify(part),
        (value) => runningTasks(part, value as JobStatuses),
      ),
    );
    return joined(readings);
  }

  /** Those that are up, without dots at the end. */
  async hostsUp(hosts: readonly string[]): Promise<Reading<string[]>> {
    const readings = await this.#inParts(hosts, HOSTS_AT_ONCE, (part) =>
      this.#ask('POST', '/hosts/statuses?status=UP', part, part.join(), (value) =>
        Object.entries(value as HostStatuses)
          .filter(([, { status }]) => status === 'UP')
          .map(([host]) => bareHost(host)),
      ),
    );
    return joined(readings);
  }

  async #inParts<T, R>(all: readonly T[], size: number, ask: (part: readonly T[]) => Promise<R>): Promise<R[]> {
    const answers: R[] = [];
    for (let i = 0; i < all.length; i += size) answers.push(await ask(all.slice(i, i + size)));
    return answers;
  }

  async #ask<T>(
    method: 'GET' | 'POST',
    path: string,
    body: readonly string[] | undefined,
    key: string,
    read: (value: object) => T,
  ): Promise<Reading<T>> {
    // Compressed answers to the same question are the same as well, a twentieth of the size, and mostly need no unpacking.
    const accepts = { 'helios-version': VERSION, 'accept-encoding': 'gzip' };
    const request = { method, path, body, headers: accepts, timeoutMs: TIMEOUT_MS };
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
    // Which ports are wanted belongs to it: they decide what is kept.
    const question = `${path} ${key}`;
    const known = this.#known.get(question) as Known<T> | undefined;
    const isNew = known === undefined || !known.raw.equals(raw);
    const isZipped = headers['content-encoding'] === 'gzip';
    const value = isNew ? read(this.#parse(path, raw, isZipped)) : known.value;
    this.#asked.set(question, { raw, value });
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

function joined<T>(readings: readonly Reading<T[]>[]): Reading<T[]> {
  return { value: readings.flatMap(({ value }) => value), isNew: readings.some(({ isNew }) => isNew) };
}
