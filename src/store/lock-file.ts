/**
 * Keeps a second process from writing the same journal. The lock is a file with the holder's pid and, where /proc tells it, the time at
 * which that process started: a pid alone is soon somebody else's, in a container often at the very next start.
 * Two containers that share a volume do not see each other's processes; a fleet needs Redis.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Takes the lock and returns the function that gives it back. Throws an Error naming the holder while that lives. */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${(await startOf(process.pid)) ?? ''}\n`;
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, mine);
  try {
    await take(path, own, path);
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    if ((await contentOf(path)) === mine) await rm(path, { force: true });
  };
}

/**
 * Puts `own` at `path`. A dead holder's file is replaced only by who holds the claim on just that file, which is taken in the same
 * way: of several that find it none can mistake the lock of the quickest for it.
 */
async function take(path: string, own: string, name: string): Promise<void> {
  // A link appears at once with its content, and like O_EXCL not at all when the name is taken.
  while (!(await linked(own, path))) {
    const found = await contentOf(path);
    if (found === undefined) continue;
    const [pid = '', start = ''] = found.trim().split(' ');
    if (await lives(Number(pid), start)) {
      throw new Error(`${name}: process ${pid} has the store open; stop it, or give this one another store`);
    }
    const claim = `${path}.${crc32(found).toString(16)}`;
    await take(claim, own, name);
    try {
      if ((await contentOf(path)) === found) {
        await link(own, `${own}.next`);
        await rename(`${own}.next`, path);
        return;
      }
    } finally {
      await rm(claim, { force: true });
    }
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function lives(pid: number, start: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = await startOf(pid);
  return now === undefined || (now !== 'ended' && (start === '' || start === now));
}

/** When the process started, in clock ticks since boot (proc(5), field 22); `ended` when only its parent has yet to notice. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  // The name in field 2 may hold anything, also blanks and parentheses; what counts begins after its last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? 'ended' : fields?.[19];
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ESRCH: the process ended while its /proc file was read.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
