import type { Command } from 'commander';
import type { RequestExplained, RouteExplained } from '../api.ts';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { percent, plain, table, time } from '../text.ts';
import { routesText } from './history.ts';

interface RequestOptions {
  readonly url?: string;
  readonly method?: string;
  readonly header: readonly string[];
  readonly address?: string;
}

export function addExplain(program: Command, context: Context): void {
  program
    .command('explain')
    .description('why a route is where it is, or where a request would go')
    .argument('[route]', 'name of the route')
    .option('--url <url>', 'URL of the request')
    .option('--method <method>', 'its method')
    .option('-H, --header <line>', "a header 'name: value'; may be repeated", append, [])
    .option('--address <ip>', "the client's address")
    .addHelpText(
      'after',
      examples(
        ['crossfade explain search', 'why the route is where it is'],
        ["crossfade explain --url http://api.example.com/search/?q=x -H 'x-user-id: 7'", 'where this request would go'],
      ),
    )
    .action(async (route: string | undefined, options: RequestOptions) => {
      if ((route === undefined) === (options.url === undefined)) {
        throw new CliError(EXIT.usage, 'name a route, or give --url');
      }
      const call = context.client();
      if (route !== undefined) {
        const explained = await call<RouteExplained>(`/v1/explain?${new URLSearchParams({ route }).toString()}`);
        context.print(explained, () => explainRoute(explained));
      } else {
        const explained = await call<RequestExplained>(`/v1/explain?${requestQuery(options).toString()}`);
        context.print(explained, () => explainRequest(explained));
      }
    });
}

function append(line: string, lines: readonly string[]): string[] {
  return [...lines, line];
}

function requestQuery({ url = '', method, header, address }: RequestOptions): URLSearchParams {
  const query = new URLSearchParams({ url });
  if (method !== undefined) query.set('method', method);
  if (address !== undefined) query.set('address', address);
  for (const line of header) query.append('header', line);
  return query;
}

function explainRoute({ sentence, last }: RouteExplained): string[] {
  if (last === null) return [plain(sentence)];
  const change = `last change: rev ${last.revision}, ${time(last.at)}, ${last.verb} by ${last.actor}: ${routesText(last)} (${last.reason})`;
  return [sentence, change].map(plain);
}

function explainRequest({ sentence, route, match, key, bucket, weight, side, backend }: RequestExplained): string[] {
  const rows: [string, string | null][] = [
    ['route', route],
    ['match', match],
    ['key', key === null ? null : `${key.source} "${key.value}"`],
    ['bucket', bucket === null ? null : `${bucket} of 1000000`],
    ['weight', weight === null ? null : `${percent(weight)} new`],
    ['side', side],
    ['backend', backend],
  ];
  const known = rows.filter((row): row is [string, string] => row[1] !== null);
  return [plain(sentence), ...table(known).map((line) => `  ${line}`)];
}
