/** What a command touches besides the network. Tests give their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Both take whole lines, without the newline. */
  out(line: string): void;
  err(line: string): void;
}

export function processIo(): Io {
  // A reader that has seen enough (`crossfade history | head`) is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    env: process.env,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  };
}
