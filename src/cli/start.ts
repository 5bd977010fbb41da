/** `npm start`: the demo, or with arguments `crossfade serve` with these. */
import { processIo } from './io.ts';
import { runCli } from './run.ts';

const args = process.argv.slice(2);
process.exitCode = await runCli(args.length === 0 ? ['demo'] : ['serve', ...args], processIo());
