import type { Command } from 'commander';
import type { Route } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import { type Context, routePath, writeCall } from '../context.ts';
import { examples } from '../examples.ts';

/** `freeze` and `unfreeze`, which differ in nothing but the verb. */
export function addFreeze(program: Command, context: Context): void {
  const add = (verb: 'freeze' | 'unfreeze', description: string): void => {
    program
      .command(verb)
      .description(description)
      .argument('<route>', 'name of the route')
      .addHelpText('after', examples([`crossfade ${verb} search --reason 'until the incident is over'`]))
      .action(async (name: string) => {
        const call = context.client();
        const before = await call<Route>(routePath(name));
        const write = writeCall(context, 'POST', verb);
        const after = await call<Route>(`${routePath(name)}/${verb}`, write);
        context.print(after, () => changeLines([before], [after], true));
        await warnOfLaggards(context, call, write.waitMs, [after]);
      });
  };
  add('freeze', 'refuse to raise a route until it is unfrozen');
  add('unfreeze', 'let a frozen route be raised again');
}
