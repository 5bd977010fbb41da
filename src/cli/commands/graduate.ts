import { type Command, Option } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Route } from '../api.ts';
import { type Context, httpUrl, wholeNumber } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { gatewayRoute } from '../graduation.ts';
import { queryPrometheus } from '../prometheus.ts';
import { plural } from '../text.ts';

interface Options {
  readonly prometheus?: string;
  readonly days: number;
  readonly config: string;
  readonly gateway: string;
  readonly port?: number;
}

const HOURS = 24;

export function addGraduate(program: Command, context: Context): void {
  program
    .command('graduate')
    .description(
      'prove that the old side had no request for days, and print the Gateway API route that takes Crossfade out of the path',
    )
    .argument('<route>', 'name of the route')
    .addOption(
      new Option('--prometheus <url>', 'where the metrics of all replicas are kept (CROSSFADE_PROMETHEUS)').argParser(
        httpUrl,
      ),
    )
    .addOption(new Option('--days <n>', 'how long old must have had no request').argParser(wholeNumber(1)).default(14))
    .option('--config <file>', 'configuration that has the route', 'config/crossfade.yaml')
    .option('--gateway <name>', 'Gateway that the route is attached to', 'gateway')
    .addOption(new Option('--port <n>', "port of the new side's Service").argParser(wholeNumber(1)))
    .addHelpText(
      'after',
      examples(['crossfade graduate search --prometheus http://prometheus:9090 --port 80 | kubectl apply -f -']),
    )
    .action(async (name: string, options: Options) => {
      const manifest = await manifestOf(name, options, context.io.env);
      const proof = await prove(name, options, context);
      if (context.options().output === 'json') return context.print({ route: name, proof, manifest }, () => []);
      // The manifest alone stands on stdout, for kubectl apply.
      for (const line of proof) context.io.err(`# ${line}`);
      // Loaded when needed: the other commands need none of it and start faster.
      const { stringify } = await import('yaml');
      context.print(manifest, () => [stringify(manifest).trimEnd()]);
    });
}

/** What was found, a line each. @throws CliError (refused) with what stands against it */
async function prove(name: string, { prometheus, days }: Options, context: Context): Promise<string[]> {
  const base = prometheus ?? context.io.env['CROSSFADE_PROMETHEUS'];
  if (base === undefined) {
    throw new CliError(
      EXIT.usage,
      'say where requests of days are on record: --prometheus URL, or CROSSFADE_PROMETHEUS',
    );
  }
  const { weight, state } = await context.client()<Route>(`/v1/routes/${encodeURIComponent(name)}`);
  if (weight !== 100) throw new CliError(EXIT.refused, `${name} is at ${weight}% (${state}); it graduates from 100%`);
  const series = `crossfade_requests_total{route="${name}",side="old"}`;
  const hours = days * HOURS;
  const covered = (await queryPrometheus(base, `count_over_time((count(${series}))[${days}d:1h])`)) ?? 0;
  // The first and the last hour may be cut.
  if (covered < hours - 1) {
    throw new CliError(
      EXIT.refused,
      `Prometheus has ${name} on record for ${plural(covered, 'hour')} of the last ${hours}: that proves nothing for ${plural(days, 'day')}`,
    );
  }
  const requests = await queryPrometheus(base, `sum(increase(${series}[${days}d]))`);
  if (requests === null || requests > 0) {
    throw new CliError(
      EXIT.refused,
      `old had about ${Math.ceil(requests ?? 0)} requests of ${name} in the last ${plural(days, 'day')}`,
    );
  }
  return [
    `${name} is at 100%`,
    `old had no request for ${plural(days, 'day')} (${series}, ${covered} of ${hours} hours on record)`,
  ];
}

async function manifestOf(
  name: string,
  { config, gateway, port }: Options,
  env: Context['io']['env'],
): Promise<object> {
  const { loadConfig } = await import('../../config/load.ts');
  const { formatProblem } = await import('../../config/problem.ts');
  const loaded = await loadConfig(config, env);
  if (loaded.kind === 'invalid') throw new CliError(EXIT.config, loaded.problems.map(formatProblem).join('\n'));
  const route = loaded.config.routes.find((each) => each.name === name);
  if (route === undefined) throw new CliError(EXIT.usage, `${config} has no route "${name}"`);
  const service = serviceOf(loaded.config, route.new, port);
  return gatewayRoute({ name, match: route.match, timeouts: route.timeouts, service, gateway });
}

function serviceOf(
  { backends }: Config,
  backend: number,
  port: number | undefined,
): { namespace: string; name: string; port: number } {
  const { source, name = '' } = backends[backend] ?? {};
  if (source?.kind !== 'kubernetes') {
    throw new CliError(
      EXIT.usage,
      `the new side (${name}) is not discovered by kubernetes: which Service it is cannot be told`,
    );
  }
  if (port === undefined) {
    throw new CliError(
      EXIT.usage,
      `say which port of the Service ${source.service} it is: --port N (it has the name ${source.port})`,
    );
  }
  return { namespace: source.namespace, name: source.service, port };
}
