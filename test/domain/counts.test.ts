import { expect, test } from 'vitest';
import {
  AT_ATTEMPTS,
  AT_DURATION,
  AT_DURATION_SUM,
  AT_FAULTS,
  AT_GRPC,
  AT_INFLIGHT,
  AT_REQUESTS,
  AT_RESCUES,
  CODE_CLASSES,
  cellCount,
  cellsOf,
  codeClass,
  DURATION_BUCKETS_SECONDS,
  GRPC_STATUSES,
  OUTCOMES,
  PROTOCOLS,
  ROUTE_CELLS,
  SIDE_CELLS,
} from '../../src/domain/counts.ts';
import { ERRORS, FAULT_KINDS } from '../../src/domain/errors.ts';
import {
  classifyGrpc,
  classifyStatus,
  OUTCOME_CANCELLED,
  OUTCOME_CLIENT_ERROR,
  OUTCOME_FAULT,
  OUTCOME_OK,
} from '../../src/domain/outcome.ts';

test('every cell of every side belongs to exactly one count', () => {
  const sizes: readonly (readonly [number, number])[] = [
    [AT_REQUESTS, PROTOCOLS.length * CODE_CLASSES.length],
    [AT_GRPC, GRPC_STATUSES.length],
    [AT_ATTEMPTS, OUTCOMES.length],
    [AT_FAULTS, FAULT_KINDS.length],
    [AT_DURATION, DURATION_BUCKETS_SECONDS.length + 1],
    [AT_DURATION_SUM, 1],
    [AT_RESCUES, 1],
    [AT_INFLIGHT, 1],
  ];
  const routes = 3;
  const uses = Array.from({ length: cellCount(routes) }, () => 0);
  for (let route = 0; route < routes; route++) {
    for (const side of [0, 1]) {
      for (const [at, size] of sizes) {
        for (let i = 0; i < size; i++) {
          const cell = cellsOf(route, side) + at + i;
          uses[cell] = (uses[cell] as number) + 1;
        }
      }
    }
  }
  expect(new Set(uses.slice(0, routes * ROUTE_CELLS))).toEqual(new Set([1]));
  expect(new Set(uses.slice(routes * ROUTE_CELLS))).toEqual(new Set([0]));
});

test('behind the routes stands a row for requests without one, with room for a cell a class', () => {
  expect(cellCount(0)).toBe(ROUTE_CELLS);
  expect(cellCount(7)).toBe(8 * ROUTE_CELLS);
  expect(CODE_CLASSES.length).toBeLessThanOrEqual(SIDE_CELLS);
});

test('a status is counted in its class, and none as none', () => {
  expect([0, 99, 100, 101, 204, 308, 404, 599, 600, 999].map((status) => CODE_CLASSES[codeClass(status)])).toEqual([
    'none',
    'none',
    '1xx',
    '1xx',
    '2xx',
    '3xx',
    '4xx',
    '5xx',
    'none',
    'none',
  ]);
});

test('only answers from 500 on are a side’s fault', () => {
  const outcomes = [101, 200, 304, 400, 404, 429, 499, 500, 503, 599].map(classifyStatus);
  expect(outcomes).toEqual([
    OUTCOME_OK,
    OUTCOME_OK,
    OUTCOME_OK,
    OUTCOME_CLIENT_ERROR,
    OUTCOME_CLIENT_ERROR,
    OUTCOME_CLIENT_ERROR,
    OUTCOME_CANCELLED,
    OUTCOME_FAULT,
    OUTCOME_FAULT,
    OUTCOME_FAULT,
  ]);
});

test('every error of a backend has a kind in the faults metric, and no other error has', () => {
  const upstream = Object.entries(ERRORS).filter(([, { source }]) => source === 'upstream');
  const kinds = FAULT_KINDS.filter((kind) => kind !== 'status5xx' && kind !== 'grpcStatus');
  expect(upstream.map(([code]) => code).sort()).toEqual([...kinds].sort());
});

test('buckets of durations rise', () => {
  expect([...DURATION_BUCKETS_SECONDS]).toEqual([...DURATION_BUCKETS_SECONDS].sort((a, b) => a - b));
});

test('gRPC: what servers answer for, what callers do, and an answer without a status is a fault', () => {
  const statuses = [...Array.from({ length: 17 }, (_, status) => status), 17, undefined];
  const of = (outcome: number): (number | undefined)[] => statuses.filter((status) => classifyGrpc(status) === outcome);
  expect(of(OUTCOME_OK)).toEqual([0]);
  expect(of(OUTCOME_CANCELLED)).toEqual([1]);
  expect(of(OUTCOME_FAULT)).toEqual([2, 4, 12, 13, 14, 15, 17, undefined]);
  expect(of(OUTCOME_CLIENT_ERROR)).toEqual([3, 5, 6, 7, 8, 9, 10, 11, 16]);
});
