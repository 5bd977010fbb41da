/** Keys and list indexes from the root of the file to a value. */
export type KeyPath = readonly (string | number)[];

/** Something wrong at a key, before its place in the file is looked up. */
export interface Finding {
  readonly path: KeyPath;
  readonly message: string;
}

/** Something wrong with a configuration file, and where. */
export interface Problem {
  /** As it was named by the caller. */
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** Such as `routes[0].weight`; empty when no key is concerned. */
  readonly key: string;
  readonly message: string;
}

/** One line: `config/crossfade.yaml:14:5: routes[0].weight: must be between 0 and 100 percent (got 101)`. */
export function formatProblem({ file, line, column, key, message }: Problem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return key === '' ? `${place}: ${message}` : `${place}: ${key}: ${message}`;
}

/** The same about what can be served all the same. */
export function formatWarning(problem: Problem): string {
  return formatProblem({ ...problem, message: `warning: ${problem.message}` });
}

/** `routes[0].weight`; keys that would be misread stand in quotes. */
export function formatKey(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${/^[\w-]+$/.test(step) ? step : JSON.stringify(step)}`;
  }
  return text;
}
