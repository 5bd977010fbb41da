import type { Command } from 'commander';
import type { Examination, Examinations, ExaminedSide } from '../api.ts';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit.ts';
import { plain, table } from '../text.ts';

export function addDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('what would break or differ if requests were moved: both sides of each route, held against each other')
    .argument('[route]', 'name of the route; default: all')
    .option('--path <path>', 'path of the sample request; default: what the route matches')
    .addHelpText(
      'after',
      examples(
        ['crossfade doctor', 'all routes; exit code 2 when something would break'],
        ["crossfade doctor search --path '/search/?q=x'", 'with a sample request of your own'],
      ),
    )
    .action(async (route: string | undefined, { path }: { path?: string }) => {
      const body = { ...(route === undefined ? {} : { route }), ...(path === undefined ? {} : { path }) };
      const found = await context.client()<Examinations>('/v1/doctor', { method: 'POST', body });
      context.print(found, () => found.routes.flatMap(routeLines));
      const breaks = found.routes.some(({ findings }) => findings.some(({ severity }) => severity === 'breaks'));
      if (breaks) context.exit(EXIT.refused);
    });
}

function routeLines({ route, request, old, new: next, findings }: Examination): string[] {
  const head = ['SIDE', 'BACKEND', 'ENDPOINTS', 'REACHED', 'PROTOCOLS', 'TLS', 'STATUS', 'MS'];
  const sides = table([head, row('old', old), row('new', next)]);
  const lines = findings.map(({ severity, text }) => `${severity.toUpperCase()}  ${text}`);
  return [
    plain(`${route}  (sample: ${request})`),
    ...[...sides, ...(lines.length > 0 ? lines : ['nothing would break, nothing differs'])].map(
      (line) => `  ${plain(line)}`,
    ),
  ];
}

function row(side: string, { backend, endpoints, tried, unreachable, protocols, tls, sample }: ExaminedSide): string[] {
  return [
    side,
    backend,
    String(endpoints),
    `${tried - unreachable.length}/${tried}`,
    protocols.join(' ') || '-',
    tls === null ? 'no' : tls.refused === null ? 'yes' : 'FAILS',
    sample === null ? '-' : String(sample.status),
    sample === null ? '-' : sample.latencyMs.toFixed(1),
  ];
}
