import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenStreams } from '../../src/http2/open-streams.ts';
import { Http2Stream, type StreamCommands } from '../../src/http2/stream.ts';

const NO_COMMANDS: StreamCommands = {
  sendHead: () => {},
  sendData: () => true,
  sendEnd: () => {},
  resume: () => {},
  reset: () => {},
};
const oldSpace = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN;
const stream = (id: number): Http2Stream => new Http2Stream(id, NO_COMMANDS);

test('it holds what a Map would, whatever comes and goes, and whatever identifiers a peer leaves out', () => {
  const steps = fc.array(
    fc.oneof(
      // Distances by which all of them would have the same slot, too.
      fc.record({ add: fc.constantFrom(2, 2, 2, 4, 16, 32, 64, 1_024) }),
      fc.record({ remove: fc.nat(200) }),
    ),
    { maxLength: 300 },
  );
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 2, 2 ** 31 - 400_001), (all, first) => {
      const [streams, expected] = [new OpenStreams(), new Map<number, Http2Stream>()];
      let id = first;
      for (const step of all) {
        if ('add' in step) {
          id += step.add;
          const one = stream(id);
          streams.add(one);
          expected.set(id, one);
        } else {
          const gone = [...expected.keys()][step.remove] ?? id + 2;
          streams.delete(gone);
          expected.delete(gone);
          expect(streams.get(gone)).toBeNull();
        }
        expect(streams.size).toBe(expected.size);
      }
      expect(streams.list()).toEqual([...expected.values()]);
      for (const [known, one] of expected) expect(streams.get(known)).toBe(one);
    }),
  );
});

test('cleared it is empty, and takes new ones', () => {
  const streams = new OpenStreams();
  for (let id = 1; id < 100; id += 2) streams.add(stream(id));
  streams.clear();
  expect([streams.size, streams.list(), streams.get(1)]).toEqual([0, [], null]);
  const one = stream(101);
  streams.add(one);
  expect(streams.get(101)).toBe(one);
});

test('regression: streams that were over stayed in memory until a full collection, each kept by the tables of those before', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const streams = new OpenStreams();
  const pass = (from: number, count: number): void => {
    for (let id = from; id < from + 2 * count; id += 2) {
      streams.add(stream(id));
      streams.delete(id - 32);
    }
  };
  pass(1, 1_000);
  // All that lives goes to the old generation, the table, too.
  collect();
  const before = oldSpace();
  pass(2_001, 300_000);
  expect(oldSpace() - before).toBeLessThan(2 ** 20);
});
