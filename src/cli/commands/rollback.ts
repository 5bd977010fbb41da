import { type Command, Option } from 'commander';
import type { Route, Routes } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import { type Context, httpUrl, routePath, writeCall } from '../context.ts';
import { rollBackDirectly } from '../direct.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';

interface Options {
  readonly all?: boolean;
  readonly direct?: boolean;
  readonly force?: boolean;
  readonly admins?: readonly string[];
}

export function addRollback(program: Command, context: Context): void {
  program
    .command('rollback')
    .description('send all of a route, or of all routes, to the old side')
    .argument('[route]', 'name of the route')
    .option('--all', 'all routes, in one change')
    .option('--force', 'even onto an old side without a healthy endpoint')
    .option('--direct', 'each replica by itself, without the store; it is written when the store is back')
    .addOption(
      new Option('--admins <urls>', 'admin APIs of the replicas for --direct, with commas between (--admin)').argParser(
        (text) => text.split(',').map((url) => httpUrl(url.trim())),
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['crossfade rollback search', 'at once; needs no revision and no reason'],
        ["crossfade rollback --all --reason 'CHG-881'", 'everything, in one change'],
        [
          'crossfade rollback --all --direct --admins http://10.0.0.5:9900,http://10.0.0.6:9900',
          'while the store is away',
        ],
      ),
    )
    .action(async (name: string | undefined, { all = false, direct = false, force = false, admins }: Options) => {
      if ((name === undefined) !== all) throw new CliError(EXIT.usage, 'name a route, or give --all');
      if (!direct && admins !== undefined) throw new CliError(EXIT.usage, '--admins goes with --direct');
      if (direct) await rollBackDirectly(context, name, admins);
      else await rollBack(context, name, force);
    });
}

/** @param name undefined: all routes */
async function rollBack(context: Context, name: string | undefined, force: boolean): Promise<void> {
  const call = context.client();
  const { routes: before } = await call<Routes>('/v1/routes');
  const write = writeCall(context, 'POST', 'rollback', force ? { force } : {});
  const answer = await (name === undefined
    ? call<Routes>('/v1/rollback', { ...write, ifRevision: undefined })
    : call<Route>(`${routePath(name)}/rollback`, write));
  const after = 'routes' in answer ? answer.routes : [answer];
  context.print(answer, () => changeLines(before, after, false));
  await warnOfLaggards(context, call, write.waitMs, after);
}
