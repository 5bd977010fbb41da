/**
 * Rollbacks that a replica has made alone, kept over its restart: one JSON file, replaced whole, gone when there are none. What cannot be
 * read is refused with the reason; then nothing is pinned.
 */
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { EvidenceNote } from '../domain/state.ts';
import { evidenceNote } from './records.ts';
import { makeFolder, putInPlace, syncDirectory } from './replace-file.ts';

/** Routes that one request has rolled back. */
export interface SavedPin {
  readonly routes: readonly string[];
  readonly actor: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly testSince?: number;
  readonly evidence?: EvidenceNote;
}

const savedPins = z.array(
  z.object({
    routes: z.array(z.string()),
    actor: z.string(),
    reason: z.string(),
    at: z.int(),
    testSince: z.int().exactOptional(),
    evidence: evidenceNote.exactOptional(),
  }),
);

/** Rejects when there is a file that cannot be read; without one there are no pins. */
export async function readPins(path: string): Promise<SavedPin[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const result = savedPins.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(`${path} does not hold rollbacks`);
  return result.data;
}

/** Durable when it resolves. */
export async function writePins(path: string, pins: readonly SavedPin[]): Promise<void> {
  await makeFolder(dirname(path));
  if (pins.length === 0) await rm(path, { force: true });
  else await (await putInPlace(path, Buffer.from(JSON.stringify(pins)))).close();
  await syncDirectory(path);
}
