/** Files that are replaced whole: after a crash the old content or the new one is there, never a mixture. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes `<path>.tmp`, syncs it and renames it to `path`. The replacement may be lost in a crash until `syncDirectory` has resolved.
 * Returns the new file, open for reading and writing. On failure `path` is as it was and nothing is left behind.
 */
export async function putInPlace(path: string, bytes: Uint8Array): Promise<FileHandle> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w+');
  try {
    await writeAt(file, bytes, 0);
    await file.sync();
    await rename(temporary, path);
    return file;
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes the folder and those above it. Not by Node's own way, which never ends where the kernel makes none (under /proc). */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && !(code === 'ENOENT' && dirname(path) !== path)) throw error;
    if (code === 'EEXIST') return;
    await makeFolder(dirname(path));
    await mkdir(path).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== 'EEXIST') throw again;
    });
  }
}

/** Makes the names in the directory of `path` durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Writes all of it; a write may take only a part, of which the next one tells the reason. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
