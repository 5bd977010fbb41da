/**
 * Rollbacks that a replica has made alone, kept over its restart: one JSON file, replaced whole, gone when there are none. What cannot be
 * read is refused with the reason; then nothing is pinned.
 */
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder, putInPlace, syncDirectory } from './replace-file.ts';

/** Routes that one request has rolled back. */
export interface SavedPin {
  readonly routes: readonly string[];
  readonly actor: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Rejects when there is a file that cannot be read; without one there are no pins. */
export async function readPins(path: string): Promise<SavedPin[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const pins: unknown = JSON.parse(text);
  if (!Array.isArray(pins) || !pins.every(isPin)) throw new Error(`${path} does not hold rollbacks`);
  return pins;
}

/** Durable when it resolves. */
export async function writePins(path: string, pins: readonly SavedPin[]): Promise<void> {
  await makeFolder(dirname(path));
  if (pins.length === 0) await rm(path, { force: true });
  else await (await putInPlace(path, Buffer.from(JSON.stringify(pins)))).close();
  await syncDirectory(path);
}

function isPin(value: unknown): value is SavedPin {
  const { routes, actor, reason, at } = (value ?? {}) as Record<string, unknown>;
  const areNames = Array.isArray(routes) && routes.every((route) => typeof route === 'string');
  return areNames && typeof actor === 'string' && typeof reason === 'string' && Number.isInteger(at);
}
