/**
 * The last good endpoints of each source, for a start while the sources are away. One file, replaced whole: a line
 * `crossfade-last-endpoints 1 SHA256`, then JSON. What does not hash to that is not believed.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Endpoint } from '../domain/snapshot.ts';
import { makeFolder, putInPlace, syncDirectory } from './replace-file.ts';

const NAME = 'crossfade-last-endpoints 1';
/** Changes that come closer together are written together. */
const HASTE_MS = 1_000;
/** Sources that were not heard of for so long are of another configuration. */
const KEPT_MS = 30 * 86_400_000;

const endpoint = z.object({ host: z.string(), port: z.int(), name: z.string().optional() });
const sets = z.record(z.string(), z.object({ at: z.number(), endpoints: z.array(endpoint) }));

interface KnownSet {
  readonly at: number;
  readonly endpoints: readonly Endpoint[];
}

export interface LastEndpointsOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onFailure: (message: string) => void;
}

export class LastEndpoints {
  readonly #path: string;
  readonly #options: LastEndpointsOptions;
  readonly #sets: Map<string, KnownSet>;
  /** Of sources that are followed now: what they say is right until they say otherwise. */
  readonly #current = new Map<string, readonly Endpoint[]>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  private constructor(path: string, options: LastEndpointsOptions, known: Map<string, KnownSet>) {
    this.#path = path;
    this.#options = options;
    this.#sets = known;
  }

  /** A file that cannot be read, or not be believed, is told of and counts as none. */
  static async open(path: string, options: LastEndpointsOptions): Promise<LastEndpoints> {
    try {
      return new LastEndpoints(path, options, parse(await readFile(path, 'utf8')));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') options.onFailure(`the last endpoints are not used: ${path}: ${message}`);
      return new LastEndpoints(path, options, new Map());
    }
  }

  recall(source: string): KnownSet | undefined {
    return this.#sets.get(source);
  }

  /** On disk within a second. */
  keep(source: string, endpoints: readonly Endpoint[]): void {
    const before = this.#current.get(source);
    this.#current.set(source, endpoints);
    if (before === endpoints) return;
    this.#timer ??= setTimeout(() => this.#write(), HASTE_MS);
    this.#timer.unref();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#options.clock();
    for (const [source, endpoints] of this.#current) this.#sets.set(source, { at: now, endpoints });
    for (const [source, { at }] of this.#sets) if (now - at > KEPT_MS) this.#sets.delete(source);
    const text = format(this.#sets);
    this.#writing = this.#writing.then(() => this.#put(text));
  }

  async #put(text: string): Promise<void> {
    try {
      await makeFolder(dirname(this.#path));
      await (await putInPlace(this.#path, Buffer.from(text))).close();
      await syncDirectory(this.#path);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#options.onFailure(`the last endpoints are not on disk: ${(error as Error).message}`);
      this.#hasFailed = true;
    }
  }

  /** With the time until which they were right. */
  async close(): Promise<void> {
    if (this.#current.size > 0) this.#write();
    await this.#writing;
  }
}

function format(known: ReadonlyMap<string, KnownSet>): string {
  const json = JSON.stringify(Object.fromEntries(known));
  return `${NAME} ${hash(json)}\n${json}\n`;
}

function parse(text: string): Map<string, KnownSet> {
  const [, digest, json] = /^crossfade-last-endpoints 1 ([0-9a-f]{64})\n(.*)\n$/s.exec(text) ?? [];
  if (digest === undefined || json === undefined || hash(json) !== digest) throw new Error('it is damaged');
  return new Map(Object.entries(sets.parse(JSON.parse(json)) as Record<string, KnownSet>));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
