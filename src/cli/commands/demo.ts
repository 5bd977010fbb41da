import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';

export function addDemo(program: Command, context: Context): void {
  program
    .command('demo')
    .description('run the proxy in front of its sample backends')
    .addHelpText('after', examples(['crossfade demo', 'proxy on :8080, console on http://127.0.0.1:9900/']))
    .action(async () => {
      const { demo } = await import('../../main.ts');
      context.exit(await demo());
    });
}
