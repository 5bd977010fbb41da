import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EndpointSlice, readSlice, selectEndpoints } from '../../src/discovery/kubernetes/slices.ts';
import { LineReader } from '../../src/discovery/line-reader.ts';

function hosts(slices: readonly EndpointSlice[], port: string | number = 'http'): string[] {
  return selectEndpoints(slices.map((slice) => readSlice(slice, port))).map(({ host, port: at }) => `${host}:${at}`);
}

function slice(conditions: Record<string, object | null>, more: Partial<EndpointSlice> = {}): EndpointSlice {
  const endpoints = Object.entries(conditions).map(([host, each]) => ({ addresses: [host], conditions: each }));
  return { addressType: 'IPv4', ports: [{ name: 'http', port: 80 }], endpoints, ...more };
}

describe('which endpoints of slices are used', () => {
  test('ready unless it says no; what is not said counts as good', () => {
    expect(hosts([slice({ a: { ready: true }, b: { ready: false }, c: {}, d: null, e: { ready: null } })])).toEqual([
      'a:80',
      'c:80',
      'd:80',
      'e:80',
    ]);
  });

  test('when none is ready: those that serve while they terminate; serving follows ready where it is not said', () => {
    const ending = { ready: false, serving: true, terminating: true };
    expect(
      hosts([slice({ a: ending, b: { ready: false, terminating: true }, c: { ready: false, serving: true } })]),
    ).toEqual(['a:80']);
    expect(hosts([slice({ a: ending }), slice({ b: { ready: true } })])).toEqual(['b:80']);
  });

  test('by the name or the number of a TCP port', () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: null, port: 9090 },
    ];
    expect(hosts([slice({ a: {} }, { ports })], 'http')).toEqual(['a:8080']);
    expect(hosts([slice({ a: {} }, { ports })], 9090)).toEqual(['a:9090']);
    expect(hosts([slice({ a: {} }, { ports })], 'dns')).toEqual([]);
  });

  test('nulls where lists belong are empty lists', () => {
    expect(hosts([{ endpoints: null, ports: null }, slice({ a: {} }, { endpoints: null }), {}])).toEqual([]);
    expect(hosts([slice({}, { endpoints: [{ addresses: null }, { addresses: [] }] })])).toEqual([]);
  });

  test('a pod of both address families is one endpoint, by IPv4', () => {
    const targetRef = { kind: 'Pod', uid: 'u1' };
    const six = slice({}, { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'], targetRef }] });
    const four = slice({}, { endpoints: [{ addresses: ['10.0.0.1'], targetRef }] });
    expect(hosts([six, four])).toEqual(['10.0.0.1:80']);
    expect(hosts([six])).toEqual(['fd00::1:80']);
  });
});

test('lines are the same however their bytes are cut', () => {
  const text = fc.array(fc.string({ unit: 'binary' }).map((line) => JSON.stringify({ line })));
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 9 })), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const reader = new LineReader();
      const read: string[] = [];
      let at = 0;
      for (const cut of cuts) {
        read.push(...reader.push(bytes.subarray(at, at + cut)));
        at += cut;
      }
      read.push(...reader.push(bytes.subarray(at)));
      expect(read).toEqual(lines.map((line) => Buffer.from(line).toString()));
    }),
  );
});
