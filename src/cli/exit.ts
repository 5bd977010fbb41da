/** Exit codes; 64 and 78 are those of BSD's sysexits.h. */
export const EXIT = {
  done: 0,
  internal: 1,
  /** By a guard: a precondition, a frozen route, a caller who may not. */
  refused: 2,
  /** The route has changed since it was read. */
  stale: 3,
  /** The admin API, or the store behind it, does not answer. */
  unreachable: 4,
  usage: 64,
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with this code; the message goes to stderr. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitCode;
  /** The admin API's problem details, printed instead of the message when JSON was asked for. */
  readonly problem: unknown;

  constructor(exit: ExitCode, message: string, problem?: unknown) {
    super(message);
    this.exit = exit;
    this.problem = problem;
  }
}
