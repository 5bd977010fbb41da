import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit.ts';
import { plain, plural } from '../text.ts';

export function addCheck(program: Command, context: Context): void {
  program
    .command('check')
    .description('check a configuration without using it')
    .argument('[file]', 'configuration', 'config/crossfade.yaml')
    .addHelpText(
      'after',
      examples(['crossfade check mine.yaml', 'exit code 78 with file, line and key when it is not valid']),
    )
    .action(async (file: string) => {
      const [{ loadConfig }, { formatProblem, formatWarning }, { whyNotWritable }] = await Promise.all([
        import('../../config/load.ts'),
        import('../../config/problem.ts'),
        import('../../config/writable.ts'),
      ]);
      const result = await loadConfig(file, context.io.env);
      if (result.kind === 'ok') {
        const { routes, backends, store, stateFile } = result.config;
        for (const warning of result.warnings) context.io.err(plain(formatWarning(warning)));
        // No fault of the configuration: it may be checked elsewhere than where it is served.
        for (const [key, path] of [
          ['store', 'path' in store ? store.path : stateFile],
          ['stateFile', stateFile],
        ] as const) {
          const reason = await whyNotWritable(path);
          if (reason !== null) context.io.err(plain(`${file}: ${key}: warning: ${path}: ${reason} by this user here`));
        }
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
