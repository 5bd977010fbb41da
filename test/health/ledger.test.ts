/** What checks and requests say of endpoints, and what follows for the traffic. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckPolicy, HealthPolicy } from '../../src/domain/health-policy.ts';
import { HealthLedger, isUsable } from '../../src/health/ledger.ts';

const CHECK: CheckPolicy = { ask: { kind: 'tcp' }, intervalMs: 1, timeoutMs: 1, rise: 2, fall: 3, jitter: 0 };
const POLICY: HealthPolicy = {
  check: null,
  ejection: { consecutive: 5, baseMs: 10_000, longestMs: 60_000, bySuccessRate: true },
  slowStartMs: 4_000,
  panicBelow: 0.5,
};
const FAULT = { attempts: 1, faults: 1, streak: 1, isUnreachable: false };
const OK = { attempts: 1, faults: 0, streak: 0, isUnreachable: false };

function ledgerOf(keys: readonly string[], policy: Partial<HealthPolicy> = {}): HealthLedger {
  const ledger = new HealthLedger({ ...POLICY, ...policy }, 0);
  ledger.follow(keys, 0);
  return ledger;
}

function states(ledger: HealthLedger, nowMs: number): Record<string, string> {
  return Object.fromEntries(ledger.view(nowMs).map(({ key, state }) => [key, state]));
}

function fail(ledger: HealthLedger, key: string, times: number, nowMs: number): void {
  for (let i = 0; i < times; i++) ledger.reported(1, key, FAULT, nowMs);
}

/** A window in which each endpoint had 100 attempts. @param share how many of them failed */
function windowOf(share: Record<string, number>): HealthLedger {
  const ledger = ledgerOf(Object.keys(share));
  for (const [key, faults] of Object.entries(share))
    for (let i = 0; i < 100; i++) ledger.reported(1, key, i % 100 < faults ? { ...FAULT, attempts: 2 } : OK, 5_000);
  ledger.tick(10_000);
  return ledger;
}

describe('checks', () => {
  test('the first answer decides, then `fall` failures in a row take out and `rise` passes bring back', () => {
    const ledger = ledgerOf(['a', 'b', 'c'], { check: CHECK });
    expect(states(ledger, 0)).toEqual({ a: 'starting', b: 'starting', c: 'starting' });
    for (const key of ['a', 'b', 'c']) ledger.probed(key, { ok: true }, 1);
    const down = { ok: false, reason: 'status 503' } as const;
    for (const result of [down, down, { ok: true } as const, down, down]) ledger.probed('a', result, 2);
    expect(states(ledger, 2).a).toBe('healthy');
    ledger.probed('a', down, 3);
    expect(ledger.view(3)[0]).toEqual({ key: 'a', state: 'unhealthy', reason: 'status 503' });
    expect(ledger.exceptions(3).out).toEqual(['a']);
    ledger.probed('a', { ok: true }, 4);
    expect(states(ledger, 4).a).toBe('unhealthy');
    ledger.probed('a', { ok: true }, 5);
    expect(states(ledger, 5).a).toBe('healthy');
  });

  test('a first failure takes out at once: nobody has ever seen it well', () => {
    const ledger = ledgerOf(['a', 'b'], { check: CHECK });
    ledger.probed('a', { ok: false, reason: 'refused' }, 1);
    expect(states(ledger, 1).a).toBe('unhealthy');
  });

  test('with fewer well than the panic share all are used', () => {
    const ledger = ledgerOf(['a', 'b', 'c', 'd'], { check: CHECK });
    expect(ledger.exceptions(0).out).toEqual([]);
    for (const key of ['a', 'b', 'c', 'd']) ledger.probed(key, { ok: true }, 1);
    const fall = (key: string): void => {
      for (let i = 0; i < 3; i++) ledger.probed(key, { ok: false, reason: 'x' }, 2);
    };
    fall('a');
    fall('b');
    expect(ledger.exceptions(2).out).toEqual(['a', 'b']);
    fall('c');
    expect(ledger.exceptions(2).out).toEqual([]);
    expect(states(ledger, 2)).toEqual({ a: 'unhealthy', b: 'unhealthy', c: 'unhealthy', d: 'healthy' });
  });
});

describe('ejection', () => {
  test('five faults in a row eject, a success in between does not let them add up', () => {
    const ledger = ledgerOf(['a', 'b']);
    fail(ledger, 'a', 4, 1);
    ledger.reported(2, 'a', OK, 1);
    fail(ledger, 'a', 4, 1);
    expect(states(ledger, 1).a).toBe('healthy');
    fail(ledger, 'a', 1, 1);
    expect(ledger.view(1)[0]).toEqual({ key: 'a', state: 'ejected', reason: '5 faults in a row' });
    expect(ledger.exceptions(1).out).toEqual(['a']);
  });

  test('each ejection is twice as long as the last, up to the longest, and short again after a long time of peace', () => {
    const ledger = ledgerOf(['a', 'b']);
    let nowMs = 0;
    const lengths = Array.from({ length: 5 }, () => {
      fail(ledger, 'a', 5, nowMs);
      const begin = nowMs;
      while (states(ledger, nowMs).a === 'ejected') nowMs += 500;
      return nowMs - begin;
    });
    expect(lengths).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
    nowMs += 60_000;
    fail(ledger, 'a', 5, nowMs);
    expect(states(ledger, nowMs + 9_999).a).toBe('ejected');
    expect(states(ledger, nowMs + 10_000).a).toBe('healthy');
  });

  test('the only endpoint is never ejected', () => {
    const ledger = ledgerOf(['a']);
    fail(ledger, 'a', 100, 1);
    expect(states(ledger, 1)).toEqual({ a: 'healthy' });
  });

  test('whatever happens, never more than half are ejected', () => {
    const step = fc.record({ key: fc.nat(8), faults: fc.integer({ min: 1, max: 9 }), afterMs: fc.nat(5_000) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 60 }), (count, steps) => {
        const ledger = ledgerOf(Array.from({ length: count }, (_, i) => String(i)));
        let nowMs = 0;
        for (const { key, faults, afterMs } of steps) {
          nowMs += afterMs;
          ledger.tick(nowMs);
          fail(ledger, String(key), faults, nowMs);
          const usable = ledger.view(nowMs).filter(({ state }) => isUsable(state)).length;
          expect(2 * usable).toBeGreaterThanOrEqual(count);
        }
      }),
    );
  });

  test('an endpoint that fails more often than its peers goes when the window closes, one that fails as they do stays', () => {
    expect(states(windowOf({ a: 40, b: 1, c: 0 }), 10_000)).toEqual({ a: 'ejected', b: 'healthy', c: 'healthy' });
    expect(states(windowOf({ a: 40, b: 38, c: 41 }), 10_000)).toEqual({ a: 'healthy', b: 'healthy', c: 'healthy' });
  });
});

describe('slow start', () => {
  test('a new endpoint and one that is back grow into their share, those of the start do not', () => {
    const ledger = ledgerOf(['a', 'b']);
    expect(ledger.exceptions(0).warming).toEqual([]);
    ledger.follow(['a', 'b', 'c'], 1_000);
    expect(ledger.exceptions(2_000).warming).toEqual([{ key: 'c', forMs: 3_000, ofMs: 4_000 }]);
    fail(ledger, 'a', 5, 6_000);
    ledger.tick(16_000);
    expect(ledger.exceptions(16_000)).toEqual({ out: [], warming: [{ key: 'a', forMs: 4_000, ofMs: 4_000 }] });
    expect(ledger.exceptions(20_000).warming).toEqual([]);
  });
});

describe('reach', () => {
  test('is calm while there is nothing to tell: all healthy, none growing into its share', () => {
    const ledger = ledgerOf(['a', 'b', 'c']);
    expect(ledger.isCalm(0)).toBe(true);
    ledger.follow(['a', 'b', 'c', 'd'], 1_000);
    expect(ledger.isCalm(4_999)).toBe(false);
    expect(ledger.isCalm(5_000)).toBe(true);
    fail(ledger, 'a', 5, 6_000);
    expect(ledger.isCalm(6_000)).toBe(false);
    // Back, and growing; then as before.
    ledger.tick(16_001);
    expect(ledger.isCalm(16_001)).toBe(false);
    expect(ledger.isCalm(20_002)).toBe(true);
    expect(ledger.exceptions(20_002)).toEqual({ out: [], warming: [] });
    expect(ledgerOf([]).isCalm(0)).toBe(false);
  });

  test('an endpoint that a worker cannot connect to is not usable until that worker can, or is gone', () => {
    const ledger = ledgerOf(['a', 'b']);
    ledger.reported(1, 'a', { ...FAULT, isUnreachable: true }, 1);
    ledger.reported(2, 'a', { ...FAULT, isUnreachable: true }, 1);
    expect(states(ledger, 1).a).toBe('unreachable');
    ledger.reported(1, 'a', OK, 2);
    expect(states(ledger, 2).a).toBe('unreachable');
    ledger.forget(2, 3);
    expect(states(ledger, 3).a).toBe('healthy');
  });
});
