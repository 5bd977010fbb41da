/** The hours that a replica does not remember, from Prometheus, in the form of those that it does. All replicas together. */
import { queryRange, type Sample } from './api.ts';

type Values = (number | null)[];

interface SideValues {
  readonly requests: Values;
  readonly faults: Values;
  readonly p50: Values;
  readonly p99: Values;
}

/** As SeriesView's rings; null where nobody was there to count, which is something else than no requests. */
export interface Ring {
  readonly seconds: number;
  /** Milliseconds since 1970. */
  readonly at: number[];
  readonly weight: Values;
  readonly old: SideValues;
  readonly new: SideValues;
}

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
    const counts = values(requests, side).map((rate) => (rate === null ? null : rate * seconds));
    return {
      requests: counts,
      // Without attempts there is no share of them.
      faults: values(share, side).map((ratio, i) => product(counts[i], ratio ?? 0)),
      p50: values(p50, side),
      p99: values(p99, side),
    };
  }) as [SideValues, SideValues];
  return { seconds, at: at.map((s) => s * 1_000), weight: values(weight), old, new: fresh };
}

function product(count: number | null | undefined, ratio: number): number | null {
  return count === null || count === undefined ? null : count * ratio;
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
