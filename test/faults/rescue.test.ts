/** Backends that die, close and are replaced under a steady load: what a client sees of it. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { type Place, places, RATE, Scene } from './scene.ts';

test('the only endpoint of new is killed at weight 50: no GET fails', async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old);
  const victim = await scene.backend(fresh);
  await scene.serve([old], [fresh]);
  scene.load('GET');
  await scene.pass(1);
  victim.kill('SIGKILL');
  await scene.pass(2);
  await scene.rest('the only endpoint of new killed, GETs');
  expect(scene.failures).toEqual([]);
  const { new: side } = await scene.replica.route('demo');
  expect(side.faults).toBeGreaterThan(0);
  expect(side.ailing).toMatchObject([{ state: 'unreachable' }]);
});

test('the same with POSTs: those under way may fail, none is seen twice', async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old);
  const victim = await scene.backend(fresh);
  await scene.serve([old], [fresh]);
  scene.load('POST');
  await scene.pass(1);
  const underWay = scene.sent - scene.answered;
  victim.kill('SIGKILL');
  await scene.pass(2);
  await scene.rest('the only endpoint of new killed, POSTs', 'those under way');
  expect(scene.seenTwice()).toEqual([]);
  // Sent between the last look and the death: a few beats' worth.
  expect(scene.failures.length).toBeLessThanOrEqual(underWay + Math.ceil(RATE / 20));
});

test('a backend that closes each connection right after its answer: no GET fails', async () => {
  const scene = new Scene();
  const [old, fresh] = (await places('old', 'new')) as [Place, Place];
  await scene.backend(old, 'closing');
  await scene.backend(fresh, 'closing');
  await scene.serve([old], [fresh]);
  scene.load('GET');
  await scene.pass(3);
  await scene.rest('a backend that closes after each answer');
  expect(scene.failures).toEqual([]);
  const { new: side } = await scene.replica.route('demo');
  expect(side.faults).toBe(0);
});

test('each of four endpoints of new is replaced in turn with SIGTERM: nothing fails, and nothing counts against new', async () => {
  const scene = new Scene();
  const [old, ...fresh] = (await places('old', 'a', 'b', 'c', 'd')) as [Place, ...Place[]];
  await scene.backend(old);
  const pods = await Promise.all(fresh.map((place) => scene.backend(place)));
  await scene.serve([old], fresh);
  scene.load('GET');
  await scene.pass(1);
  for (const [i, pod] of pods.entries()) {
    pod.kill('SIGTERM');
    await once(pod, 'exit');
    await scene.pass(0.5);
    await scene.backend(fresh[i] as Place);
    await scene.pass(0.5);
  }
  await scene.rest('four endpoints of new replaced in turn');
  expect(scene.failures).toEqual([]);
  const { new: side, weight, state } = await scene.replica.route('demo');
  expect({ faults: side.faults, weight, state }).toEqual({ faults: 0, weight: 50, state: 'steady' });
});
