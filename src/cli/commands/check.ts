import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { EXIT } from '../exit.ts';
import { plain, plural } from '../text.ts';

export function addCheck(program: Command, context: Context): void {
  program
    .command('check')
    .description('check a configuration without using it')
    .argument('[file]', 'configuration', 'config/crossfade.yaml')
    .action(async (file: string) => {
      const [{ loadConfig }, { formatProblem }] = await Promise.all([
        import('../../config/load.ts'),
        import('../../config/problem.ts'),
      ]);
      const result = await loadConfig(file, context.io.env);
      if (result.kind === 'ok') {
        const { routes, backends } = result.config;
        const answer = { file, ok: true, routes: routes.length, backends: backends.length };
        context.print(answer, () => [
          `${file}: ok (${plural(routes.length, 'route')}, ${plural(backends.length, 'backend')})`,
        ]);
        return;
      }
      for (const problem of result.problems) context.io.err(plain(formatProblem(problem)));
      context.exit(EXIT.config);
    });
}
