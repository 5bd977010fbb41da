/** Files that are written to: two writers of one would destroy what the other has to keep. */
import type { Config } from './config.ts';
import type { Finding, KeyPath } from './problem.ts';

export function findSharedFiles({ store, stateFile, accessLog }: Config): Finding[] {
  const places: [KeyPath, string | null | undefined][] = [
    [['store'], 'path' in store ? store.path : null],
    [['stateFile'], stateFile],
    [['accessLog', 'file'], accessLog?.file],
  ];
  const taken = new Map<string, string>();
  return places.flatMap(([path, file]): Finding[] => {
    if (file === null || file === undefined) return [];
    const other = taken.get(file);
    taken.set(file, path.join('.'));
    return other === undefined ? [] : [{ path, message: `${file} is already the file of ${other}` }];
  });
}
