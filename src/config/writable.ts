/** Whether a file could be made or replaced at a place, without doing so. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Null: it could; else why not, in words. Folders that do not exist yet are made in the nearest that does. */
export async function whyNotWritable(path: string): Promise<string | null> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || dirname(folder) === folder) return `${folder} cannot be written to (${code ?? message})`;
    }
  }
}
