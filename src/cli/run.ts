/** The `crossfade` command: parses, runs one command, and answers its exit code. Only `main.ts` and `start.ts` touch the process. */
import { Command, CommanderError, Option } from 'commander';
import { createClient } from './client.ts';
import { addAdopt } from './commands/adopt.ts';
import { addBacktest } from './commands/backtest.ts';
import { addCheck } from './commands/check.ts';
import { addCompletion } from './commands/completion.ts';
import { addDemo } from './commands/demo.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExplain } from './commands/explain.ts';
import { addFreeze } from './commands/freeze.ts';
import { addGraduate } from './commands/graduate.ts';
import { addHistory } from './commands/history.ts';
import { addMoves } from './commands/moves.ts';
import { addRamp } from './commands/ramp.ts';
import { addRollback } from './commands/rollback.ts';
import { addServe } from './commands/serve.ts';
import { addSet } from './commands/set.ts';
import { addStatus } from './commands/status.ts';
import { addUndo } from './commands/undo.ts';
import { addWait } from './commands/wait.ts';
import { addWatch } from './commands/watch.ts';
import { ADMIN, type Context, duration, type GlobalOptions, httpUrl, wholeNumber } from './context.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { plain } from './text.ts';
import { packageVersion } from './version.ts';

/** @param argv without the names of node and the script */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.done;
  const program = createProgram(io, (wanted) => {
    code = wanted;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return failed(error, program.opts<GlobalOptions>().output === 'json', io);
  }
}

/** All commands. @param exit told the exit code of the one that ran, unless it is 0 */
export function createProgram(io: Io, exit: (code: number) => void): Command {
  const program = globalProgram(io);
  const options = () => program.opts<GlobalOptions>();
  const context: Context = {
    io,
    options,
    client: (admin = options().admin ?? io.env['CROSSFADE_ADMIN'] ?? ADMIN) =>
      createClient(admin, options().token ?? io.env['CROSSFADE_TOKEN'], (warning) =>
        io.err(plain(`crossfade: warning: ${warning}`)),
      ),
    print(answer, lines) {
      for (const line of options().output === 'json' ? [JSON.stringify(answer, null, 2)] : lines()) io.out(line);
    },
    exit,
  };
  for (const add of COMMANDS) add(program, context);
  return program;
}

const COMMANDS = [
  addServe,
  addDemo,
  addCheck,
  addStatus,
  addSet,
  addRamp,
  addMoves,
  addRollback,
  addUndo,
  addFreeze,
  addAdopt,
  addHistory,
  addExplain,
  addWait,
  addWatch,
  addDiff,
  addBacktest,
  addDoctor,
  addGraduate,
  addCompletion,
];

function globalProgram(io: Io): Command {
  return new Command('crossfade')
    .description('Moves live traffic from an old platform to a new one, route by route, and takes it back by itself.')
    .version(packageVersion())
    .addOption(new Option('--admin <url>', `admin API (CROSSFADE_ADMIN, default ${ADMIN})`).argParser(httpUrl))
    .option('--token <token>', 'sent to the admin API (CROSSFADE_TOKEN)')
    .option('--reason <text>', 'why, for the history')
    .addOption(new Option('--if-rev <n>', 'only if the route is at this revision').argParser(wholeNumber(1)))
    .addOption(new Option('--wait [time]', 'wait until all replicas serve the change (2s)').argParser(duration))
    .option('--force', 'past a guard that may be overruled (latch, dead side, a ramp under way)')
    .addOption(new Option('-o, --output <format>', 'how to answer').choices(['text', 'json']).default('text'))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.err(text.trimEnd()) })
    .exitOverride();
}

function failed(error: unknown, json: boolean, io: Io): number {
  if (error instanceof CommanderError) {
    // Help and version were asked for and have been printed; anything else is a mistake that has been named.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (error instanceof CliError) {
    io.err(
      json && error.problem !== undefined
        ? JSON.stringify(error.problem, null, 2)
        : `crossfade: ${plain(error.message)}`,
    );
    return error.exit;
  }
  io.err(`crossfade: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return EXIT.internal;
}
