import { type Command, Option } from 'commander';
import type { Entry, History, Refused } from '../api.ts';
import { type Context, wholeNumber } from '../context.ts';
import { examples } from '../examples.ts';
import { percent, plural, table, time } from '../text.ts';

interface Options {
  readonly route?: string;
  readonly limit: number;
  readonly refused?: boolean;
}

export function addHistory(program: Command, context: Context): void {
  program
    .command('history')
    .description('changes, newest first')
    .argument('[route]', 'only changes of this one')
    .option('--route <name>', 'the same')
    .addOption(new Option('--limit <n>', 'at most so many').argParser(wholeNumber(1)).default(20))
    .option('--refused', 'what this replica has refused to write, instead of changes')
    .addHelpText(
      'after',
      examples(
        ['crossfade history --limit 5'],
        ['crossfade history search -o json'],
        ['crossfade history --refused', 'writes that were refused, to whom and why'],
      ),
    )
    .action(async (named: string | undefined, { route = named, limit, refused = false }: Options) => {
      const query = new URLSearchParams({ limit: String(limit), ...(route === undefined ? {} : { route }) });
      const call = context.client();
      if (refused) {
        query.set('refused', 'true');
        const answer = await call<Refused>(`/v1/history?${query.toString()}`);
        context.print(answer, () => refusedLines(answer));
      } else {
        const answer = await call<History>(`/v1/history?${query.toString()}`);
        context.print(answer, () => changedLines(answer));
      }
    });
}

function changedLines({ entries }: History): string[] {
  const rows = entries.map((entry) => [
    String(entry.revision),
    time(entry.at),
    entry.verb,
    entry.actor,
    routesText(entry),
    entry.reason,
  ]);
  return table([['REV', 'TIME', 'VERB', 'ACTOR', 'ROUTES', 'REASON'], ...rows], [0]);
}

function refusedLines({ refusals }: Refused): string[] {
  const rows = refusals.map(({ at, verb, actor, route, code, reason, omitted }) => {
    const before = omitted === 0 ? '' : ` (and ${omitted} before it)`;
    return [time(at), verb, actor, route ?? '', code, `${reason}${before}`];
  });
  return table([['TIME', 'VERB', 'ACTOR', 'ROUTE', 'REFUSED', 'REASON'], ...rows]);
}

/** More than these are only counted. */
const NAMED = 3;

export function routesText({ routes }: Pick<Entry, 'routes'>): string {
  if (routes.length > NAMED) return plural(routes.length, 'route');
  return routes.map(({ route, before, after }) => `${route} ${movement(before, after)}`).join(', ');
}

type Positions = Entry['routes'][number];

function movement(before: Positions['before'], after: Positions['after']): string {
  const weight = percent(after.weight);
  const moved = before === null || before.weight === after.weight ? weight : `${percent(before.weight)} -> ${weight}`;
  return after.frozen ? `${moved} frozen` : moved;
}
