import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Route, RouteList, Status } from '../api.ts';
import type { Client } from '../client.ts';
import { type Context, routePath, wholeNumber } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Screen } from '../io.ts';
import { type Line, toned, unpainted } from '../paint.ts';
import { Rates } from '../rates.ts';
import { duration, percent, plain } from '../text.ts';
import { type Sight, type Size, treeOf } from '../watch-tree.ts';

const POLL_MS = 500;
const WINDOW_MS = 5_000;
/** Of a screen whose size nobody knows. */
const ENDLESS: Size = { rows: 10_000, columns: Number.POSITIVE_INFINITY };

interface Options {
  readonly once?: boolean;
  readonly times?: number;
}

export function addWatch(program: Command, context: Context): void {
  program
    .command('watch')
    .description('routes and their ramps, live; without a terminal a line for each change')
    .argument('[route]', 'only this one')
    .option('--once', 'show it once')
    .addOption(new Option('--times <n>', 'look so many times').argParser(wholeNumber(1)).hideHelp())
    .addHelpText(
      'after',
      examples(
        ['crossfade watch search', 'Ctrl-C ends it; NO_COLOR=1 takes the colours away'],
        ['crossfade watch | tee ramp.log'],
        ['crossfade watch --once', 'the same for a script or a ticket'],
      ),
    )
    .action((name: string | undefined, { once = false, times }: Options) =>
      watch(context, name, once, times ?? (once ? 1 : Number.POSITIVE_INFINITY)),
    );
}

async function watch(context: Context, name: string | undefined, once: boolean, times: number): Promise<void> {
  const call = context.client();
  const rates = new Rates(WINDOW_MS);
  const told = new Map<string, string>();
  let sight: Sight | undefined;
  for (let looked = 1; ; looked++) {
    const seen = await look(call, name);
    if (seen instanceof CliError) {
      // Whoever watches a move wants to see it again when the replica is back.
      if (sight === undefined || seen.exit !== EXIT.unreachable) throw seen;
      tellSilence(context, seen, sight, told);
    } else {
      const now = Date.now();
      sight = { ...seen, rates: rates.add(seen.routes, performance.now()), now };
      show(context, sight, told, once);
    }
    if (looked >= times) return;
    await sleep(POLL_MS);
  }
}

async function look(call: Client, name: string | undefined): Promise<Pick<Sight, 'status' | 'routes'> | CliError> {
  try {
    const [status, routes] = await Promise.all([call<Status>('/v1/status'), routesOf(call, name)]);
    return { status, routes };
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
}

async function routesOf(call: Client, name: string | undefined): Promise<readonly Route[]> {
  return name === undefined ? (await call<RouteList>('/v1/routes')).routes : [await call<Route>(routePath(name))];
}

function show(context: Context, sight: Sight, told: Map<string, string>, once: boolean): void {
  const { io } = context;
  const asJson = context.options().output === 'json';
  if (!asJson && once) return treeOf(sight, ENDLESS).forEach((line) => io.out(unpainted(line)));
  if (!asJson && io.screen !== undefined) return io.screen.draw(treeOf(sight, sizeOf(io.screen)));
  told.delete(SILENCE);
  for (const route of sight.routes) {
    const line = routeLine(route);
    if (told.get(route.name) === line) continue;
    told.set(route.name, line);
    io.out(asJson ? JSON.stringify(route) : plain(`${new Date(sight.now).toISOString()}  ${line}`));
  }
}

function sizeOf(screen: Screen): Size {
  return { rows: screen.rows(), columns: screen.columns() };
}

/** No route has this name. */
const SILENCE = ' silence';

/** What was seen last stays, with its age. */
function tellSilence(context: Context, { message }: CliError, last: Sight, told: Map<string, string>): void {
  const { io } = context;
  if (context.options().output !== 'json' && io.screen !== undefined) {
    const age = duration(Math.floor((Date.now() - last.now) / 1000) * 1000);
    const { rows, columns } = sizeOf(io.screen);
    const old = treeOf(last, { rows: rows - 1, columns }).map((line): Line => [toned('dim', unpainted(line))]);
    return io.screen.draw([[toned('bad', `✖ ${message}; this is ${age} old`)], ...old]);
  }
  if (told.get(SILENCE) === message) return;
  told.set(SILENCE, message);
  io.err(plain(`crossfade: ${message}`));
}

function routeLine({ name, weight, state, frozen, revision, ramp, evidence }: Route): string {
  const step = ramp === null ? '' : `  step ${ramp.step}/${ramp.of}`;
  const waiting = ramp?.waiting ? `  waits for ${ramp.waiting.for}` : '';
  return `${name}  ${percent(weight)} new  ${state}${frozen ? ', frozen' : ''}  rev ${revision}${step}${waiting}  ${evidence.verdict}`;
}
