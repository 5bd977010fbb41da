import { describe, expect, test } from 'vitest';
import { compareSides, type SideExamination } from '../../src/domain/doctor.ts';

const NOW = Date.UTC(2026, 10, 26);
const SAMPLE = { status: 200, fields: ['content-type', 'date'], contentType: 'application/json', latencyMs: 10 };

function side(backend: string, more: Partial<SideExamination> = {}): SideExamination {
  const good = {
    endpoints: 3,
    alarm: null,
    tried: 3,
    unreachable: [],
    configured: 'http1' as const,
    protocols: ['http1'],
    tls: null,
  };
  return { backend, ...good, sample: SAMPLE, noSample: null, ...more };
}

function findings(next: Partial<SideExamination>, old: Partial<SideExamination> = {}): string[] {
  return compareSides(side('helios', old), side('k8s', next), NOW).map(({ severity, text }) => `${severity}: ${text}`);
}

describe('two sides', () => {
  test('that are alike leave nothing to say', () => {
    expect(findings({})).toEqual([]);
  });

  test.each<[string, Partial<SideExamination>, string]>([
    ['no endpoint', { endpoints: 0, tried: 0, protocols: [], sample: null }, 'breaks: new (k8s) has no endpoint'],
    [
      'no endpoint, and why',
      { endpoints: 0, tried: 0, protocols: [], sample: null, alarm: 'forbidden' },
      'breaks: new (k8s): forbidden',
    ],
    ['an alarm, but endpoints', { alarm: 'the master is away' }, 'differs: new (k8s): the master is away'],
    [
      'one dead endpoint',
      { unreachable: ['a:1 ECONNREFUSED'] },
      'differs: new (k8s): 1 of 3 endpoints tried take no connection: a:1 ECONNREFUSED',
    ],
    [
      'only dead endpoints',
      { tried: 1, endpoints: 1, unreachable: ['a:1 ECONNREFUSED'], protocols: [], sample: null },
      'breaks: new (k8s): 1 of 1 endpoints tried take no connection: a:1 ECONNREFUSED',
    ],
    [
      'a certificate nobody trusts',
      { tls: { refused: 'self-signed certificate', expiresAt: null }, protocols: [], sample: null },
      'breaks: new (k8s): TLS fails: self-signed certificate',
    ],
    [
      'a certificate that ends soon',
      { tls: { refused: null, expiresAt: NOW + 3 * 86_400_000 } },
      'differs: new (k8s): its certificate ends on 2026-11-29',
    ],
    ['another protocol', { configured: 'h2', protocols: ['h2'] }, 'differs: old speaks http1, new speaks h2'],
    [
      'a failing sample',
      { sample: { ...SAMPLE, status: 404 } },
      'breaks: the sample request is answered 200 by old and 404 by new',
    ],
    [
      'another type',
      { sample: { ...SAMPLE, contentType: null } },
      'differs: Content-Type is application/json from old and absent from new',
    ],
    [
      'other fields',
      { sample: { ...SAMPLE, fields: ['content-type', 'x-new', 'server'] } },
      'differs: only new sends x-new',
    ],
    ['more time', { sample: { ...SAMPLE, latencyMs: 40 } }, 'differs: new takes 40.0 ms where old takes 10.0 ms'],
  ])('of which new has %s', (_, next, finding) => {
    expect(findings(next)).toEqual([finding]);
  });
});
