import { type Command, InvalidArgumentError } from 'commander';
import type { Route } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import { type Context, routePath, writeCall } from '../context.ts';
import { examples } from '../examples.ts';

export function addSet(program: Command, context: Context): void {
  program
    .command('set')
    .description("set the new side's share of a route")
    .argument('<route>', 'name of the route')
    .argument('<percent>', '0 to 100, with at most four decimals', parsePercent)
    .addHelpText(
      'after',
      examples(
        ["crossfade set search 1 --reason 'first percent' --wait"],
        ['crossfade set search 0.05 --if-rev 41', 'only if nobody has changed it meanwhile'],
      ),
    )
    .action(async (name: string, weight: number) => {
      const call = context.client();
      const before = await call<Route>(routePath(name));
      const write = writeCall(context, 'PUT', 'set', { weight });
      // Whoever gives no revision means the route as it is now.
      const ifRevision = write.ifRevision ?? before.revision;
      const after = await call<Route>(`${routePath(name)}/weight`, { ...write, ifRevision });
      context.print(after, () => changeLines([before], [after], true));
      await warnOfLaggards(context, call, write.waitMs, [after]);
    });
}

function parsePercent(text: string): number {
  const value = Number(/^(\d{1,3}(?:\.\d{1,4})?)%?$/.exec(text)?.[1]);
  if (value <= 100) return value;
  throw new InvalidArgumentError('It must be between 0 and 100 percent, with at most four decimals.');
}
