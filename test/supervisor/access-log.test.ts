/** The access log of a whole replica, on its stdout. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Origins, Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

async function started(accessLog: string): Promise<Replica> {
  const origins = new Origins();
  const replica = new Replica();
  onTestFinished(async () => {
    await replica.dispose();
    origins.stop();
  });
  replica.configure(yamlOf(await origins.start(), { head: `accessLog: ${accessLog}` }));
  return replica;
}

/** Lines that were dropped, by the replica's own count. */
async function dropped(replica: Replica): Promise<number> {
  const text = await (await fetch(`${replica.admin}/metrics`)).text();
  return Number(/^crossfade_access_log_dropped_total (\d+)$/m.exec(text)?.[1]);
}

test('a reader that does not read holds up no request, costs lines that are counted, and no end of the process', async () => {
  const replica = await started('{}');
  await replica.start();
  expect(await dropped(replica)).toBe(0);
  replica.listen(false);
  const path = `/${'x'.repeat(1000)}`;
  let answered = 0;
  await until(
    'lines to be dropped',
    async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => replica.get(path)));
      answered += answers.filter((answer) => answer === 'old').length;
      return (await dropped(replica)) > 0;
    },
    60_000,
  );
  const lost = await dropped(replica);
  replica.listen(true);
  const entries = (): string[] => replica.stdout.split('\n').filter((line) => line.startsWith('{'));
  await until('the lines that were kept', () => entries().length >= answered - lost);
  replica.signal('SIGTERM');
  expect(await replica.exit()).toBe(0);
  for (const line of entries()) expect(JSON.parse(line)).toMatchObject({ route: 'demo', path, status: 200 });
});

test('a file that cannot be written refuses the start and says where', async () => {
  const replica = await started('{ file: nowhere/access.log }');
  replica.launch();
  expect(await replica.exit()).toBe(78);
  expect(replica.stderr).toContain(`accessLog.file: cannot be written: ENOENT`);
  expect(replica.stderr).toContain(join(replica.folder, 'nowhere/access.log'));
});

test('without it nothing is printed', async () => {
  const origins = new Origins();
  const replica = new Replica();
  onTestFinished(async () => {
    await replica.dispose();
    origins.stop();
  });
  replica.configure(yamlOf(await origins.start()));
  await replica.start();
  expect(await replica.get('/')).toBe('old');
  await replica.stop();
  expect(replica.stdout.split('\n').filter((line) => line.startsWith('{'))).toEqual([]);
});
