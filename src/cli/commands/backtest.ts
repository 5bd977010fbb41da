import { createReadStream } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Replay, type ReplaySettings } from '../../domain/replay.ts';
import { type Context, wholeNumber } from '../context.ts';
import { CountsReader, type CountsRow } from '../counts-csv.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { plural } from '../text.ts';

/** Bytes read at once. */
const CHUNK = 1 << 20;

export function addBacktest(program: Command, context: Context): void {
  program
    .command('backtest')
    .description('judge recorded counts as they would have been judged live; one JSON line a run')
    .argument('<file>', 'CSV with the columns run,t_ms,weight_ppm,old_ok,old_fault,new_ok,new_fault; - reads stdin')
    .addOption(
      new Option('--alpha <p>', 'chance of ever taking back a side within tolerance')
        .default(0.001)
        .argParser(number('above 0 and below 1', (value) => value > 0 && value < 1)),
    )
    .addOption(
      new Option('--rho <factor>', "new may fail this many times old's rate")
        .default(1)
        .argParser(number('at least 1', (value) => value >= 1)),
    )
    .addOption(
      new Option('--delta <share>', 'and this share of requests more')
        .default(0.001)
        .argParser(number('at least 0 and below 1', (value) => value >= 0 && value < 1)),
    )
    .addOption(new Option('--bucket-ms <ms>', 'length of a bucket').default(1000).argParser(wholeNumber(1)))
    .addOption(new Option('--horizon-buckets <n>', 'length of a test').default(86_400).argParser(wholeNumber(1)))
    .addHelpText(
      'after',
      examples(
        ['crossfade backtest counts.csv'],
        ['crossfade backtest --delta 0.01 - < counts.csv', 'with more tolerance'],
      ),
    )
    .action(async (file: string, settings: ReplaySettings) => {
      const runs = new Runs(file === '-' ? 'stdin' : file, settings, (line) => context.io.out(line));
      const input: AsyncIterable<Uint8Array> =
        file === '-' ? process.stdin : createReadStream(file, { highWaterMark: CHUNK });
      try {
        for await (const chunk of input) runs.push(chunk);
        runs.end();
      } catch (error) {
        throw runs.failure(error);
      }
    });
}

function number(range: string, isWithin: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = /^\d*\.?\d+(?:e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
    if (isWithin(value) && Number.isFinite(value)) return value;
    throw new InvalidArgumentError(`It must be a number ${range}.`);
  };
}

/** A file holds run after run; each is told when its last row has been read, so that a run is told whole or not at all. */
class Runs {
  readonly #file: string;
  readonly #settings: ReplaySettings;
  readonly #out: (line: string) => void;
  readonly #reader: CountsReader;
  readonly #done = new Set<number>();
  #run: number | undefined;
  #replay: Replay | undefined;

  constructor(file: string, settings: ReplaySettings, out: (line: string) => void) {
    this.#file = file;
    this.#settings = settings;
    this.#out = out;
    this.#reader = new CountsReader(file, (row) => this.#take(row));
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  end(): void {
    this.#reader.end();
    this.#tell();
  }

  /** What to tell the caller, and how far the answer goes. */
  failure(error: unknown): CliError {
    const isOurs = error instanceof CliError;
    if (!isOurs && (error as NodeJS.ErrnoException).code === undefined) throw error;
    const what = isOurs ? error.message : `${this.#file}: cannot be read: ${(error as Error).message}`;
    const told = this.#done.size === 0 ? 'no run was judged' : `${plural(this.#done.size, 'run')} judged before it`;
    return new CliError(EXIT.usage, `${what} (${told})`);
  }

  #take(row: CountsRow): void {
    if (row.run !== this.#run) {
      this.#tell();
      if (this.#done.has(row.run)) this.#reader.fail('run', `${row.run} comes back: sort the rows by run, then t_ms`);
      this.#run = row.run;
      this.#replay = new Replay(this.#settings, row.tMs);
    }
    (this.#replay as Replay).add(row.tMs, row);
  }

  #tell(): void {
    if (this.#run === undefined || this.#replay === undefined) return;
    this.#out(JSON.stringify({ run: this.#run, ...this.#replay.result() }));
    this.#done.add(this.#run);
  }
}
