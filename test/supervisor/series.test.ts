import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { MemoryStore } from '../control/memory-store.ts';
import { planOf } from '../control/plans.ts';
import { until } from './until.ts';

test('regression: a steady load looked like a saw, since what workers tell by themselves comes in pieces', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossfade-series-'));
  process.env['FAKE_LOG'] = join(folder, 'told');
  const plane = new ControlPlane(planOf(['a'], { workers: 1 }), {
    version: '0',
    fleet: 'f',
    storeKind: 'memory',
    workerScript: fileURLToPath(new URL('./fake-worker.mjs', import.meta.url)),
    openStore: async () => new MemoryStore(),
    lastState: { read: async () => undefined, save() {}, failure: null },
    pins: { read: async () => [], save: async () => {} },
    bootstrapOld: false,
    memory: { recall: () => undefined, keep() {} },
    clock: Date.now,
  });
  onTestFinished(async () => {
    plane.kill();
    await plane.drain({ drainMs: 1_000, drainGraceMs: 0 });
    rmSync(folder, { recursive: true });
  });
  await plane.start({ id: 'r', address: '' });
  await plane.settled();
  // The worker counts one request each time it is asked, and tells nothing by itself.
  const seconds = await until('some seconds', () => {
    const requests = plane.service.series('a')?.rings[0]?.old.requests ?? [];
    const first = requests.findIndex((count) => count > 0);
    return first !== -1 && requests.length >= first + 2 && requests.slice(first);
  });
  expect(new Set(seconds)).toEqual(new Set([1]));
});
