/** Parts of the schema that this version accepts the form of but cannot do: refused by name, never ignored. Building one removes its row. */
import type { Finding, KeyPath } from './problem.ts';
import { list, mapping } from './raw.ts';

interface NotBuilt {
  /** Keys from the root; `*` stands for any key or list index. */
  readonly path: string;
  /** Which values are meant; absent: any. */
  readonly value?: RegExp;
  readonly says: string;
}

const NOT_BUILT: readonly NotBuilt[] = [
  { path: 'backends.*.protocol', value: /^auto$/, says: 'protocol "auto" is not built yet; use http1' },
];

export function findNotBuilt(root: unknown): Finding[] {
  return NOT_BUILT.flatMap(({ path, value, says }) =>
    matching(root, path.split('.'))
      .filter((found) => value === undefined || (typeof found.value === 'string' && value.test(found.value)))
      .map((found) => ({ path: found.path, message: says })),
  );
}

function matching(root: unknown, pattern: readonly string[]): { path: KeyPath; value: unknown }[] {
  let found: { path: KeyPath; value: unknown }[] = [{ path: [], value: root }];
  for (const step of pattern) {
    found = found.flatMap(({ path, value }) => {
      const entries = Array.isArray(value) ? [...list(value).entries()] : Object.entries(mapping(value));
      return entries
        .filter(([key]) => step === '*' || step === key)
        .map(([key, inner]) => ({ path: [...path, key], value: inner }));
    });
  }
  return found;
}
