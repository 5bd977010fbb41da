import type { Command } from 'commander';
import type { History, Routes } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import type { Client } from '../client.ts';
import { type Context, wholeNumber, writeCall } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';

export function addUndo(program: Command, context: Context): void {
  program
    .command('undo')
    .description('restore what a change replaced, if nobody has changed its routes since')
    .argument('[revision]', 'the change; default: the last one', wholeNumber(1))
    .addHelpText(
      'after',
      examples(
        ["crossfade undo --reason 'too early'", 'the last change'],
        ["crossfade undo 42 --reason 'too early'", 'the change that made revision 42'],
      ),
    )
    .action(async (given: number | undefined) => {
      const call = context.client();
      const revision = given ?? (await lastRevision(call));
      const { routes: before } = await call<Routes>('/v1/routes');
      const write = writeCall(context, 'POST', `undo of revision ${revision}`, { revision });
      const answer = await call<Routes>('/v1/undo', { ...write, ifRevision: undefined });
      context.print(answer, () => changeLines(before, answer.routes, true));
      await warnOfLaggards(context, call, write.waitMs, answer.routes);
    });
}

async function lastRevision(call: Client): Promise<number> {
  const { entries } = await call<History>('/v1/history?limit=1');
  const last = entries[0];
  if (last === undefined) throw new CliError(EXIT.refused, 'nothing has been changed yet');
  return last.revision;
}
