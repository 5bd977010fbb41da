import { type Command, Option } from 'commander';
import type { RouteList, Routes } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import { type Context, writeCall } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';

export function addAdopt(program: Command, context: Context): void {
  program
    .command('adopt')
    .description('say what counts where the store and the replicas contradict each other; needs --reason')
    .addOption(
      new Option('--keep <which>', 'what this replica serves, or what the store holds')
        .choices(['served', 'stored'])
        .default('served'),
    )
    .option('--force', 'also where other replicas serve something newer')
    .addHelpText(
      'after',
      examples(
        ["crossfade adopt --reason 'Redis was emptied'", 'keeps what is served'],
        ["crossfade adopt --keep stored --reason 'restored from the backup of noon'"],
      ),
    )
    .action(async ({ keep, force }: { keep: 'served' | 'stored'; force?: true }) => {
      if (context.options().reason === undefined) throw new CliError(EXIT.usage, 'adopt needs --reason');
      const call = context.client();
      const { routes: before } = await call<RouteList>('/v1/routes');
      const write = writeCall(context, 'POST', 'adopt', { keep, ...(force && { force }) });
      const answer = await call<Routes>('/v1/adopt', { ...write, ifRevision: undefined });
      context.print(answer, () => changeLines(before, answer.routes, false));
      await warnOfLaggards(context, call, write.waitMs, answer.routes);
    });
}
