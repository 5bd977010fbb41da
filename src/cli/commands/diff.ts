import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Route, RouteList } from '../api.ts';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit.ts';
import { percent, plain, plural, table } from '../text.ts';

interface Difference {
  readonly route: string;
  /** Which of its parts differs; `route`: the whole of it is on one side only. */
  readonly what: 'route' | 'weight' | 'old' | 'new';
  /** As the file has it; null: it has no such route. */
  readonly file: string | null;
  /** As it is in the store and served; null: it is not there. */
  readonly live: string | null;
}

export function addDiff(program: Command, context: Context): void {
  program
    .command('diff')
    .description('where the routes of a configuration file differ from those that are served and stored')
    .argument('[file]', 'configuration', 'config/crossfade.yaml')
    .addHelpText('after', examples(['crossfade diff mine.yaml', 'exit code 2 when they differ']))
    .action(async (file: string) => {
      const [{ loadConfig }, { formatProblem }] = await Promise.all([
        import('../../config/load.ts'),
        import('../../config/problem.ts'),
      ]);
      const loaded = await loadConfig(file, context.io.env);
      if (loaded.kind === 'invalid') {
        for (const problem of loaded.problems) context.io.err(plain(formatProblem(problem)));
        context.exit(EXIT.config);
        return;
      }
      const differences = compare(loaded.config, await context.client()<RouteList>('/v1/routes'));
      context.print({ file, differences }, () =>
        differences.length === 0
          ? [`${file}: nothing differs (${plural(loaded.config.routes.length, 'route')})`]
          : table([['ROUTE', 'WHAT', 'FILE', 'LIVE'], ...differences.map(row)]),
      );
      if (differences.length > 0) context.exit(EXIT.refused);
    });
}

function row({ route, what, file, live }: Difference): string[] {
  return [route, what, file ?? '-', live ?? '-'];
}

/** In the order of the file; what it does not have comes last. */
function compare({ routes, backends }: Pick<Config, 'routes' | 'backends'>, live: RouteList): Difference[] {
  const served = new Map(live.routes.map((route) => [route.name, route]));
  const stored = new Map(live.unconfigured.map((route) => [route.name, route]));
  const own = new Set(routes.map(({ name }) => name));
  return [
    ...routes.flatMap(({ name, weightPpm, old, new: next }): Difference[] => {
      const weight = `${weightPpm / 10_000}%`;
      const route = served.get(name);
      if (route === undefined) {
        const known = stored.get(name);
        const place = known === undefined ? null : `${stateText(known)}, stored but not served: reload (SIGHUP)`;
        return [{ route: name, what: 'route', file: weight, live: place }];
      }
      return [
        difference(name, 'weight', weight, stateText(route), weight === percent(route.weight)),
        difference(name, 'old', backends[old]?.name ?? '', route.old.backend),
        difference(name, 'new', backends[next]?.name ?? '', route.new.backend),
      ].flat();
    }),
    ...live.routes
      .filter(({ name }) => !own.has(name))
      .map((route): Difference => ({ route: route.name, what: 'route', file: null, live: stateText(route) })),
    ...live.unconfigured
      .filter(({ name }) => !own.has(name))
      .map((route): Difference => {
        return { route: route.name, what: 'route', file: null, live: `${stateText(route)}, stored but not served` };
      }),
  ];
}

function difference(
  route: string,
  what: Difference['what'],
  file: string,
  live: string,
  same = file === live,
): Difference[] {
  return same ? [] : [{ route, what, file, live }];
}

function stateText({
  weight,
  state,
  frozen,
  revision,
}: Pick<Route, 'weight' | 'state' | 'frozen' | 'revision'>): string {
  return `${percent(weight)} ${state}${frozen ? ', frozen' : ''}, rev ${revision}`;
}
