import type { Command } from 'commander';
import type { Context } from '../context.ts';

export function addDemo(program: Command, context: Context): void {
  program
    .command('demo')
    .description('run the proxy in front of two sample backends')
    .action(async () => {
      const { demo } = await import('../../main.ts');
      context.exit(await demo());
    });
}
