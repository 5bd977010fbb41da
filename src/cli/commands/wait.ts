import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Status } from '../api.ts';
import { laggards } from '../change.ts';
import { type Context, duration } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError, EXIT } from '../exit.ts';
import { plural } from '../text.ts';

const TIMEOUT_MS = 30_000;
const POLL_MS = 50;

export function addWait(program: Command, context: Context): void {
  program
    .command('wait')
    .description('until every replica serves the current revision')
    .addOption(
      new Option('--timeout <time>', 'give up after, such as 500ms or 5s')
        .argParser(duration)
        .default(TIMEOUT_MS, '30s'),
    )
    .addHelpText(
      'after',
      examples(['crossfade set search 25 && crossfade wait --timeout 5s', 'exit code 2 names those that lag behind']),
    )
    .action(async ({ timeout }: { timeout: number }) => {
      const call = context.client();
      const startedAt = performance.now();
      let status = await call<Status>('/v1/status');
      // What is current now, however often it changes meanwhile; without the store nobody knows what is.
      let wanted = status.store.up ? status.revision : undefined;
      while (wanted === undefined || laggards(status.replicas, wanted).length > 0) {
        const leftMs = timeout - (performance.now() - startedAt);
        if (leftMs <= 0) throw outOfTime(status, wanted, timeout);
        await sleep(Math.min(POLL_MS, leftMs));
        status = await call<Status>('/v1/status');
        if (status.store.up) wanted ??= status.revision;
      }
      const { revision, replicas, applied } = status;
      context.print({ revision: wanted, replicas, applied }, () => [
        `${plural(replicas.length, 'replica')} at revision ${wanted}${revision > wanted ? ` (by now ${revision} is current)` : ''}`,
      ]);
    });
}

function outOfTime({ store, replicas }: Status, wanted: number | undefined, timeout: number): CliError {
  const after = `after ${timeout} ms`;
  if (wanted === undefined) {
    const trouble = store.disputed === true ? 'contradicts what is served' : 'does not answer';
    return new CliError(EXIT.unreachable, `${after} the store ${trouble}: ${store.reason ?? 'unknown reason'}`);
  }
  const behind = laggards(replicas, wanted);
  const serving = replicas.length - behind.length;
  const message = `${after} ${serving} of ${replicas.length} replicas serve revision ${wanted}; behind: ${behind.join(', ')}`;
  return new CliError(EXIT.refused, message);
}
