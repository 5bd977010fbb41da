import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Recorder } from '../../src/control/recorder.ts';
import {
  AT_ATTEMPTS,
  AT_INFLIGHT,
  AT_REQUESTS,
  AT_RESCUES,
  cellCount,
  cellsOf,
  ROUTE_CELLS,
} from '../../src/domain/counts.ts';
import { OUTCOME_FAULT } from '../../src/domain/outcome.ts';
import { NEW, OLD } from '../../src/domain/route.ts';
import type { CountsMessage } from '../../src/seam.ts';

function counts(generation: number, cells: readonly (readonly [cell: number, value: number])[]): CountsMessage {
  return {
    kind: 'counts',
    generation,
    flush: 0,
    cells: Uint32Array.from(cells, ([cell]) => cell),
    values: Float64Array.from(cells, ([, value]) => value),
    connections: [],
  };
}

const inflightOf = (recorder: Recorder, route: number) => recorder.totals()[cellsOf(route, NEW) + AT_INFLIGHT];

describe('sums', () => {
  test('requests are summed over protocols and classes, faults are the attempts that were faults', () => {
    const recorder = new Recorder();
    recorder.table(1, ['a', 'b']);
    const at = cellsOf(1, NEW);
    recorder.add(
      1,
      counts(1, [
        [at + AT_REQUESTS + 2, 5],
        [at + AT_REQUESTS + 7, 1],
      ]),
    );
    recorder.add(
      2,
      counts(1, [
        [at + AT_REQUESTS + 2, 10],
        [at + AT_ATTEMPTS + OUTCOME_FAULT, 3],
      ]),
    );
    expect(recorder.side('b', NEW)).toEqual({ requests: 16, faults: 3 });
    expect(recorder.side('b', OLD)).toEqual({ requests: 0, faults: 0 });
    expect(recorder.side('unheard of', OLD)).toEqual({ requests: 0, faults: 0 });
  });

  test('totals have the size of the table, at 0 from the start, and a message of an unknown table is dropped', () => {
    const recorder = new Recorder();
    recorder.table(1, ['a', 'b']);
    recorder.add(1, counts(9, [[0, 5]]));
    expect(recorder.totals()).toEqual(new Float64Array(cellCount(2)));
  });
});

describe('a new table', () => {
  test('late messages of the older one find their route by name', () => {
    const recorder = new Recorder();
    recorder.table(1, ['a', 'b']);
    recorder.add(1, counts(1, [[cellsOf(0, OLD) + AT_RESCUES, 4]]));
    recorder.table(2, ['new', 'b', 'a']);
    recorder.add(1, counts(1, [[cellsOf(0, OLD) + AT_RESCUES, 3]]));
    recorder.add(1, counts(2, [[cellsOf(2, OLD) + AT_RESCUES, 2]]));
    expect(recorder.totals()[cellsOf(2, OLD) + AT_RESCUES]).toBe(9);
    expect(recorder.totals()[cellsOf(0, OLD) + AT_RESCUES]).toBe(0);
  });

  test('requests without a route stay behind the last one', () => {
    const recorder = new Recorder();
    recorder.table(1, ['a']);
    recorder.add(1, counts(1, [[cellsOf(1, OLD) + 4, 11]]));
    recorder.table(2, ['a', 'b', 'c']);
    expect(recorder.totals()[cellsOf(3, OLD) + 4]).toBe(11);
  });

  test('whatever the order of tables and messages, no count is lost or moves to another route', () => {
    const names = ['a', 'b', 'c', 'd'];
    const tables = fc.array(fc.shuffledSubarray(names), { minLength: 1, maxLength: 5 });
    const added = fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.nat(ROUTE_CELLS - 1), fc.integer({ min: 1, max: 9 })));
    fc.assert(
      fc.property(tables, added, (all, messages) => {
        const recorder = new Recorder();
        const expected = new Map(names.map((name) => [name, 0]));
        const add = (known: number) => {
          for (const [of, row, cell, value] of messages) {
            const generation = of % known;
            const routes = all[generation] as string[];
            const route = row % (routes.length + 1);
            recorder.add(1, counts(generation, [[route * ROUTE_CELLS + cell, value]]));
            const name = routes[route];
            if (name !== undefined) expected.set(name, (expected.get(name) ?? 0) + value);
          }
        };
        for (const [generation, routes] of all.entries()) {
          recorder.table(generation, routes);
          add(generation + 1);
        }
        const totals = recorder.totals();
        for (const [i, name] of (all.at(-1) ?? []).entries()) {
          const row = totals.subarray(i * ROUTE_CELLS, (i + 1) * ROUTE_CELLS);
          expect(row.reduce((sum, value) => sum + value, 0)).toBe(expected.get(name));
        }
      }),
    );
  });
});

describe('a worker that dies', () => {
  test('takes its requests under way along, and no count', () => {
    const recorder = new Recorder();
    recorder.table(1, ['a']);
    const cell = cellsOf(0, NEW) + AT_INFLIGHT;
    recorder.add(
      1,
      counts(1, [
        [cell, 5],
        [cellsOf(0, NEW), 2],
      ]),
    );
    recorder.add(2, counts(1, [[cell, 3]]));
    recorder.add(1, counts(1, [[cell, -1]]));
    recorder.table(2, ['b', 'a']);
    expect(inflightOf(recorder, 1)).toBe(7);
    recorder.forget(1);
    expect(inflightOf(recorder, 1)).toBe(3);
    expect(recorder.side('a', NEW).requests).toBe(2);
    recorder.forget(1);
    expect(inflightOf(recorder, 1)).toBe(3);
  });
});
