import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';

export function addServe(program: Command, context: Context): void {
  program
    .command('serve')
    .description('run the proxy and its admin API until told to stop')
    .option('--config <file>', 'configuration', 'config/crossfade.yaml')
    .addOption(
      new Option('--bootstrap <side>', 'start on this side without a state when the store is away').choices(['old']),
    )
    .addHelpText(
      'after',
      examples(
        ['crossfade serve --config mine.yaml'],
        ['crossfade serve --config mine.yaml --bootstrap old', 'a first start while the store is away'],
      ),
    )
    .action(async (options: { config: string; bootstrap?: 'old' }) => {
      // Loaded when needed: the other commands need none of it and start faster.
      const { serve } = await import('../../main.ts');
      context.exit(await serve({ config: options.config, bootstrapOld: options.bootstrap === 'old' }));
    });
}
