/** The hours that a replica does not remember, from Prometheus, in the form of those that it does. All replicas together. */
import type { SeriesView } from '../control/control.ts';
import { queryRange, type Sample } from './api.ts';

type Ring = SeriesView['rings'][number];

const SIDES = ['old', 'new'] as const;

/** @param spanMs up to now @param seconds between values, and what each is a mean of */
export async function getLongRing(route: string, spanMs: number, seconds: number): Promise<Ring> {
  const end = Math.floor(Date.now() / 1_000 / seconds) * seconds;
  const start = end - spanMs / 1_000;
  const at = Array.from({ length: Math.round((end - start) / seconds) + 1 }, (_, i) => start + i * seconds);
  // A JSON text escapes as PromQL does.
  const of = `route=${JSON.stringify(route)}`;
  const perSecond = (metric: string, by: string, more = '') =>
    `sum by (${by}) (rate(${metric}{${of}${more}}[${seconds}s]))`;
  const quantile = (q: number) =>
    `histogram_quantile(${q}, ${perSecond('crossfade_request_duration_seconds_bucket', 'side, le')}) * 1000`;
  const attempts = 'crossfade_upstream_attempts_total';
  const [weight, requests, share, p50, p99] = await Promise.all(
    [
      `100 * max(crossfade_route_weight_ratio{${of}})`,
      perSecond('crossfade_requests_total', 'side'),
      `${perSecond(attempts, 'side', ',outcome="fault"')} / ${perSecond(attempts, 'side')}`,
      quantile(0.5),
      quantile(0.99),
    ].map((query) => queryRange(query, start, end, seconds)),
  );
  const values = (samples: readonly Sample[] = [], side?: string) => valuesAt(at, samples, side);
  const [old, fresh] = SIDES.map((side) => {
    const counts = values(requests, side).map((rate) => (rate ?? 0) * seconds);
    return {
      requests: counts,
      faults: values(share, side).map((ratio, i) => (ratio ?? 0) * (counts[i] ?? 0)),
      p50: values(p50, side),
      p99: values(p99, side),
    };
  }) as [Ring['old'], Ring['old']];
  return { seconds, at: at.map((s) => s * 1_000), weight: values(weight).map((share) => share ?? 0), old, new: fresh };
}

/** @returns null where there is no value, or none that is a number */
function valuesAt(at: readonly number[], samples: readonly Sample[], side?: string): (number | null)[] {
  const { values = [] } = samples.find(({ metric }) => metric['side'] === side) ?? {};
  const known = new Map(values.map(([second, text]) => [second, Number(text)]));
  return at.map((second) => {
    const value = known.get(second);
    return value === undefined || !Number.isFinite(value) ? null : value;
  });
}
