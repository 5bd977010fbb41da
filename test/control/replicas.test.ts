import { expect, test } from 'vitest';
import { Applied } from '../../src/control/applied.ts';
import { Replicas } from '../../src/control/replicas.ts';
import type { Fleet, ReplicaSeen } from '../../src/store/store.ts';

/** A fleet whose store tells what it is given. */
function fleetOf(living: () => readonly ReplicaSeen[]): Fleet {
  return { report: async () => living(), leave: async () => {}, watch: () => () => {} };
}

const seen = (id: string, epoch: string, revision: number): ReplicaSeen => ({
  id,
  address: null,
  epoch,
  revision,
  seenMs: 0,
});
const STATE = { epoch: 'e1', revision: 7, lineage: ['e0'] };

async function aheadOf(living: readonly ReplicaSeen[], forgotten: readonly ReplicaSeen[] = []): Promise<string[]> {
  let now: readonly ReplicaSeen[] = [...living, ...forgotten];
  const replicas = new Replicas({ applied: new Applied(), epoch: () => 'e1', monotonic: () => performance.now() });
  replicas.introduce({ id: 'me', address: null });
  replicas.join(fleetOf(() => now));
  await new Promise((resolve) => setImmediate(resolve));
  now = living;
  const ahead = await replicas.ahead(STATE);
  await replicas.close();
  return ahead;
}

test('nobody is ahead who serves as much, less, or an epoch that this one came after', async () => {
  expect(await aheadOf([seen('a', 'e1', 7), seen('b', 'e1', 3), seen('c', 'e0', 99), seen('d', '', -1)])).toEqual([]);
});

test('ahead are those with a later revision, and those of an epoch that is not known here', async () => {
  expect(await aheadOf([seen('a', 'e1', 8), seen('b', 'e2', 2)])).toEqual([
    'a serves revision 8',
    'b serves revision 2 of epoch e2',
  ]);
});

test('one of which the store has lost the report counts still', async () => {
  expect(await aheadOf([], [seen('a', 'e1', 8)])).toEqual(['a serves revision 8']);
});
