import type { Command } from 'commander';
import type { Route, Routes } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import { type Context, routePath, writeCall } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';

export function addRollback(program: Command, context: Context): void {
  program
    .command('rollback')
    .description('send all of a route, or of all routes, to the old side')
    .argument('[route]', 'name of the route')
    .option('--all', 'all routes, in one change')
    .action(async (name: string | undefined, { all = false }: { all?: boolean }) => {
      if ((name === undefined) !== all) throw new CliError(EXIT.usage, 'name a route, or give --all');
      const call = context.client();
      const { routes: before } = await call<Routes>('/v1/routes');
      const write = writeCall(context, 'POST', 'rollback');
      const answer = await (name === undefined
        ? call<Routes>('/v1/rollback', { ...write, ifRevision: undefined })
        : call<Route>(`${routePath(name)}/rollback`, write));
      const after = 'routes' in answer ? answer.routes : [answer];
      context.print(answer, () => changeLines(before, after, false));
      warnOfLaggards(context, write.waitMs, after);
    });
}
