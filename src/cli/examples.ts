/** How a command is typed, and what for. */
export type Example = readonly [line: string, what?: string];

/** To be shown below a command's help. A test holds every line to be one that the command takes. */
export function examples(...all: readonly Example[]): string {
  const width = Math.max(...all.map(([line]) => line.length));
  const lines = all.map(([line, what]) => (what === undefined ? `  ${line}` : `  ${line.padEnd(width)}   # ${what}`));
  return `\nExamples:\n${lines.join('\n')}`;
}
