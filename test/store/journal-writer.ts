/**
 * Run as a process of its own by file-store.test.ts, to be killed or starved of disk: writes without end to the file store named by its
 * argument and says each acknowledged entry on a line of its own. After a failure it says so and waits for a line before it goes on.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { AuditEntry, State } from '../../src/domain/state.ts';
import { openFileStore } from '../../src/store/file-store.ts';

export type WriterLine =
  | { readonly kind: 'acknowledged'; readonly entry: AuditEntry }
  | {
      readonly kind: 'failed';
      readonly name: string;
      readonly message: string;
      readonly up: boolean;
      readonly state: StateLine;
    }
  | { readonly kind: 'recovered'; readonly up: boolean };

type StateLine = Pick<State, 'epoch' | 'revision'> & { readonly routes: readonly unknown[] };

const path = process.argv[2] as string;
const store = await openFileStore(path, {
  clock: Date.now,
  randomId: () => 'made-by-child',
  onWarning: (message) => process.stderr.write(`${message}\n`),
});
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Synchronous, so that what was acknowledged has been said before anything else happens.
const say = (line: WriterLine): unknown => writeSync(1, `${JSON.stringify(line)}\n`);

async function write(route: string): Promise<void> {
  const { epoch, routes } = await store.load();
  const now = routes.get(route);
  const result = await store.compareAndSet({
    epoch,
    verb: 'set',
    actor: 'child',
    reason: 'x'.repeat(200),
    at: 1,
    routes: [
      {
        route,
        expected: now?.revision ?? 0,
        next: { weightPpm: (now?.weightPpm ?? 0) + 1, cutover: 'steady', frozen: false },
      },
    ],
  });
  if (result.kind !== 'applied') throw new Error(`not applied: ${result.kind}`);
  say({ kind: 'acknowledged', entry: result.entry });
}

async function writeForEver(route: string): Promise<never> {
  for (;;) {
    try {
      await write(route);
    } catch (error) {
      const { name, message } = error as Error;
      const { epoch, revision, routes } = await store.load();
      say({ kind: 'failed', name, message, up: store.health().up, state: { epoch, revision, routes: [...routes] } });
      await lines.next();
      await write(route);
      say({ kind: 'recovered', up: store.health().up });
    }
  }
}

await Promise.all((process.argv[3] as string).split(',').map(writeForEver));
