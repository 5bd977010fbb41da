import { type Line, painted } from './paint.ts';

/** What a command touches besides the network. Tests give their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Both take whole lines, without the newline. */
  out(line: string): void;
  err(line: string): void;
  /** Absent: there is no terminal. */
  readonly screen?: Screen;
}

export interface Screen {
  /** How many lines it shows. */
  rows(): number;
  /** How many characters a line of it takes. */
  columns(): number;
  /** Draws over what was drawn before. */
  draw(lines: readonly Line[]): void;
}

export function processIo(): Io {
  // A reader that has seen enough (`crossfade history | head`) is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const { env } = process;
  return {
    ...(process.stdout.isTTY && env['TERM'] !== 'dumb' ? { screen: terminal(env) } : {}),
    env,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** What a terminal is taken to be that does not say how large it is. */
const COLUMNS = 80;
const ROWS = 24;

/** The last one is for the cursor. */
function rows(): number {
  return (process.stdout.rows || ROWS) - 1;
}

/** The last one stays free: a terminal may begin a new line at it. */
function columns(): number {
  return (process.stdout.columns || COLUMNS) - 1;
}

function terminal(env: Io['env']): Screen {
  // https://no-color.org: set to anything that is not empty.
  const colour = (env['NO_COLOR'] ?? '') === '';
  let drawn = 0;
  return {
    rows,
    columns,
    draw(lines) {
      const up = drawn === 0 ? '' : `\x1b[${drawn}A`;
      const shown = lines.slice(0, rows());
      process.stdout.write(
        `${up}${shown.map((line) => `\x1b[2K${painted(line, columns(), colour)}\n`).join('')}\x1b[0J`,
      );
      drawn = shown.length;
    },
  };
}
