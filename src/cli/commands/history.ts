import { type Command, Option } from 'commander';
import type { Entry, History } from '../api.ts';
import { type Context, wholeNumber } from '../context.ts';
import { percent, plural, table, time } from '../text.ts';

export function addHistory(program: Command, context: Context): void {
  program
    .command('history')
    .description('changes, newest first')
    .option('--route <name>', 'only changes of this route')
    .addOption(new Option('--limit <n>', 'at most so many').argParser(wholeNumber(1)).default(20))
    .action(async ({ route, limit }: { route?: string; limit: number }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(route === undefined ? {} : { route }) });
      const history = await context.client()<History>(`/v1/history?${query.toString()}`);
      const rows = history.entries.map((entry) => [
        String(entry.revision),
        time(entry.at),
        entry.verb,
        entry.actor,
        routesText(entry),
        entry.reason,
      ]);
      context.print(history, () => table([['REV', 'TIME', 'VERB', 'ACTOR', 'ROUTES', 'REASON'], ...rows], [0]));
    });
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
