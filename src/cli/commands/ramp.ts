import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Gate, RampPlan, Route } from '../api.ts';
import { changeLines, warnOfLaggards } from '../change.ts';
import { type Context, routePath, writeCall } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { count, duration, percent, table } from '../text.ts';

interface Options {
  readonly template?: string;
  readonly steps?: readonly Step[];
  readonly dryRun?: boolean;
}

interface Step {
  readonly weight: number;
  readonly hold: string | 0;
  readonly gate?: Exclude<Gate, null>;
}

export function addRamp(program: Command, context: Context): void {
  program
    .command('ramp')
    .description('walk a route through steps of weight, hold and gate; prints the plan first')
    .argument('<route>', 'name of the route')
    .option('--template <name>', 'a ramp of the configuration; default: that of the route')
    .addOption(
      new Option('--steps <list>', 'weight:hold[:gate], … such as 1:5m,10:1h:1000,50:1h:approval,100').argParser(
        parseSteps,
      ),
    )
    .option('--dry-run', 'print the plan and change nothing')
    .addHelpText(
      'after',
      examples(
        ['crossfade ramp search --dry-run', 'the plan of its configured ramp'],
        ["crossfade ramp search --reason 'move begins'", 'begins it'],
        ['crossfade ramp search --steps 1:5m,5:10m,25:30m,100', 'steps by hand'],
        [
          'crossfade ramp search --steps 1:5m:1000,50:1h:approval,100',
          'gates: 1,000 requests of new; crossfade step search',
        ],
      ),
    )
    .action(async (name: string, { template, steps, dryRun = false }: Options) => {
      if (template !== undefined && steps !== undefined) throw new CliError(EXIT.usage, 'give --template or --steps');
      const call = context.client();
      const wanted = { ...(template !== undefined && { template }), ...(steps !== undefined && { steps }) };
      const path = `${routePath(name)}/ramp`;
      const plan = await call<RampPlan>(path, { method: 'POST', body: { ...wanted, dryRun: true } });
      if (dryRun) {
        context.print(plan, () => planLines(plan));
        return;
      }
      const before = await call<Route>(routePath(name));
      const write = writeCall(context, 'POST', 'ramp', wanted);
      const after = await call<Route>(path, { ...write, ifRevision: write.ifRevision ?? before.revision });
      context.print(after, () => [...planLines(plan), ...changeLines([before], [after], true)]);
      await warnOfLaggards(context, call, write.waitMs, [after]);
    });
}

function parseSteps(text: string): Step[] {
  return text.split(',').map((part): Step => {
    const [, weight, hold, gate] =
      /^(\d+(?:\.\d{1,4})?)%?(?::(0|\d+(?:ms|s|m|h)))?(?::(approval|[1-9]\d{0,8}))?$/.exec(part.trim()) ?? [];
    if (weight === undefined) {
      throw new InvalidArgumentError(
        `"${part}" is no step: write weight:hold or weight:hold:gate, such as 10:5m or 10:5m:approval.`,
      );
    }
    const kept =
      gate === undefined ? {} : { gate: gate === 'approval' ? ('approval' as const) : { newRequests: Number(gate) } };
    return { weight: Number(weight), hold: hold === undefined || hold === '0' ? 0 : hold, ...kept };
  });
}

function planLines({ template, steps, begins }: RampPlan): string[] {
  const rows = steps.map(({ weight, hold, gate }, i) => {
    const skipped = begins === null || i + 1 < begins;
    const isLast = i === steps.length - 1;
    return [
      `${i + 1}`,
      percent(weight),
      isLast && hold === 0 ? '-' : duration(hold),
      gateText(gate),
      skipped ? 'passed already' : '',
    ];
  });
  return [
    `plan ${template ?? 'by hand'}: ${steps.length} steps`,
    ...table([['STEP', 'NEW', 'HOLD', 'GATE', ''], ...rows], [0, 1]),
  ];
}

export function gateText(gate: Gate): string {
  if (gate === null) return 'healthy';
  return gate === 'approval' ? 'approval' : `healthy, ${count(gate.newRequests)} new requests`;
}
