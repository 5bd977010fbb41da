/** What a command touches besides the network. Tests give their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Both take whole lines, without the newline. */
  out(line: string): void;
  err(line: string): void;
  /** Draws over what was drawn before; absent: there is no terminal. */
  draw?(lines: readonly string[]): void;
}

export function processIo(): Io {
  // A reader that has seen enough (`crossfade history | head`) is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const screen = process.stdout.isTTY ? { draw: drawing() } : {};
  return {
    ...screen,
    env: process.env,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** Lines that do not fit would leave a part of themselves behind when they are drawn over. */
function drawing(): (lines: readonly string[]) => void {
  let drawn = 0;
  return (lines) => {
    const { columns, rows } = process.stdout;
    const fitting = lines.slice(0, rows - 1).map((line) => line.slice(0, columns - 1));
    const up = drawn === 0 ? '' : `\x1b[${drawn}A`;
    process.stdout.write(`${up}${fitting.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[0J`);
    drawn = fitting.length;
  };
}
