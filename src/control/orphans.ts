/**
 * Workers whose supervisor was killed go on serving for a while. The next supervisor of the same replica knows them by a file, so that it
 * does not take their ports for somebody else's: it has its own workers ready first, then asks the orphans to let go (SIGTERM).
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const record = z.object({ supervisor: z.int(), script: z.string(), workers: z.array(z.int().min(1)) });

/** Remembers who works for this supervisor; best effort, since nothing but the next start after a kill needs it. */
export class WorkersFile {
  readonly #path: string;
  readonly #script: string;
  readonly #workers = new Set<number>();
  #writing: Promise<void> = Promise.resolve();

  /** @param script that the workers run */
  constructor(path: string, script: string) {
    this.#path = path;
    this.#script = script;
  }

  started(pid: number): void {
    this.#workers.add(pid);
    this.#write();
  }

  exited(pid: number): void {
    this.#workers.delete(pid);
    this.#write();
  }

  #write(): void {
    this.#writing = this.#writing.then(() => this.#save()).catch(() => {});
  }

  async #save(): Promise<void> {
    const workers = [...this.#workers];
    if (workers.length === 0) await rm(this.#path, { force: true });
    else await writeFile(this.#path, JSON.stringify({ supervisor: process.pid, script: this.#script, workers }));
  }

  async close(): Promise<void> {
    await this.#writing;
  }
}

/** Process ids of workers that the file names, that still run, and whose supervisor does not. */
export async function orphansOf(path: string, script: string): Promise<readonly number[]> {
  try {
    const known = record.parse(JSON.parse(await readFile(path, 'utf8')));
    if (known.script !== script || lives(known.supervisor)) return [];
    const running = await Promise.all(known.workers.map((pid) => runs(pid, script)));
    return known.workers.filter((_, i) => running[i]);
  } catch {
    return [];
  }
}

/** Asks them to let go of their ports and to finish what they do. */
export function dismissOrphans(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has gone by itself.
    }
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process runs the script, and not something else that was given the same id. */
async function runs(pid: number, script: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
  return commandLine.split('\0').includes(script);
}
