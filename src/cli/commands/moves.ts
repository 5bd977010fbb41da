import type { Command } from 'commander';
import type { Route } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import { type Context, routePath, writeCall } from '../context.ts';
import { type Example, examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';

interface Verb {
  readonly verb: 'step' | 'pause' | 'resume' | 'promote';
  readonly description: string;
  readonly needsReason?: boolean;
  readonly example: Example;
}

const VERBS: readonly Verb[] = [
  {
    verb: 'step',
    description: "to the ramp's next step now; that is how a step is approved",
    example: ["crossfade step search --reason 'looks good'"],
  },
  { verb: 'pause', description: 'stop a ramp where it is', example: ["crossfade pause search --reason 'lunch'"] },
  {
    verb: 'resume',
    description: 'let a paused or held ramp go on, or a route that was taken back begin again; needs --reason',
    needsReason: true,
    example: ["crossfade resume search --reason 'fixed in 1.4.2' --force", '--force: after two rollbacks within a day'],
  },
  {
    verb: 'promote',
    description: 'all to the new side, and done',
    example: ['crossfade promote search --reason done'],
  },
];

/** What a person wants of a ramp, or of a route that was taken back. */
export function addMoves(program: Command, context: Context): void {
  for (const { verb, description, needsReason = false, example } of VERBS) {
    program
      .command(verb)
      .description(description)
      .argument('<route>', 'name of the route')
      .addHelpText('after', examples(example))
      .action(async (name: string) => {
        if (needsReason && context.options().reason === undefined) {
          throw new CliError(EXIT.usage, `${verb} needs --reason`);
        }
        const call = context.client();
        const before = await call<Route>(routePath(name));
        const write = writeCall(context, 'POST', verb);
        // Whoever gives no revision means the route as it is now.
        const ifRevision = write.ifRevision ?? before.revision;
        const after = await call<Route>(`${routePath(name)}/${verb}`, { ...write, ifRevision });
        context.print(after, () => changeLines([before], [after], true));
        await warnOfLaggards(context, call, write.waitMs, [after]);
      });
  }
}
