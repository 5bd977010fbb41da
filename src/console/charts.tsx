/** What a route has done over time: both sides on one axis, so that the eye compares them. */
import { useEffect, useState } from 'preact/hooks';
import type { HistoryEntry } from '../admin/history-schemas.ts';
import type { RouteView } from '../control/control.ts';
import { getHistory, getSeries } from './api.ts';
import { Chart, type Line, type Mark } from './chart.tsx';
import { milliseconds, percent, rate, weight } from './format.ts';
import { getLongRing, type Ring } from './prometheus.ts';

/** Of what the replica remembers by itself. */
const RANGES = [
  { label: '5 min', ms: 300_000, ring: 0, everyMs: 2_000 },
  { label: '1 h', ms: 3_600_000, ring: 1, everyMs: 10_000 },
] as const;

/** Of what Prometheus remembers. */
const LONG_RANGES = [
  { label: '24 h', ms: 86_400_000, seconds: 300, everyMs: 60_000 },
  { label: '7 d', ms: 604_800_000, seconds: 1_800, everyMs: 300_000 },
] as const;
type Range = (typeof RANGES)[number] | (typeof LONG_RANGES)[number];

interface Shown {
  readonly ring: Ring;
  /** Whether the replica is younger than makes an hour worth showing. */
  readonly isYoung: boolean;
}

async function getShown(route: string, range: Range): Promise<Shown> {
  if ('seconds' in range) return { ring: await getLongRing(route, range.ms, range.seconds), isYoung: false };
  const { rings } = await getSeries(route);
  return { ring: rings[range.ring] ?? NOTHING, isYoung: (rings[1]?.at.length ?? 0) < YOUNG };
}

/** Slots of the hour below which the five minutes say all. */
const YOUNG = 31;

const NOTHING: Ring = {
  seconds: 1,
  at: [],
  weight: [],
  old: { requests: [], faults: [], p50: [], p99: [] },
  new: { requests: [], faults: [], p50: [], p99: [] },
};

interface ChartsProps {
  readonly route: RouteView;
  /** Whether Prometheus can be asked for what is longer ago. */
  readonly hasPrometheus: boolean;
}

export function Charts({ route, hasPrometheus }: ChartsProps) {
  const [chosen, setChoice] = useState<number | null>(null);
  const [isYoung, setYoung] = useState(true);
  const choice = chosen ?? (isYoung ? 0 : 1);
  const ranges: readonly Range[] = hasPrometheus ? [...RANGES, ...LONG_RANGES] : RANGES;
  const range = ranges[choice] ?? RANGES[0];
  const isLong = 'seconds' in range;
  const [shown, fault] = usePolled(() => getShown(route.name, range), range.everyMs, `${choice} ${route.name}`);
  const [history] = usePolled(() => getHistory(50, route.name), 0, route.name, route.revision);
  useEffect(() => {
    if (shown !== undefined && !isLong) setYoung(shown.isYoung);
  }, [shown]);
  const ring = shown?.ring ?? NOTHING;
  const to = ring.at.at(-1) ?? Date.now();
  const frame = { at: ring.at, marks: marksOf(history ?? []), from: to - range.ms, to };
  const perSecond = sides(ring, ({ requests }) => requests.map((n) => (n === null ? null : n / ring.seconds)));
  const faults = sides(ring, (side) =>
    side.requests.map((n, i) => (n === null || n === 0 ? null : (100 * (side.faults[i] ?? 0)) / n)),
  );
  const p99 = sides(ring, ({ p99, requests }) => whereAsked(p99, requests));
  const p50 = sides(ring, ({ p50, requests }) => whereAsked(p50, requests)).map((line) => ({
    ...line,
    isDashed: true,
  }));
  const share: Line = { label: 'new', color: '--new', values: ring.weight, isArea: true };
  return (
    <section class="charts" aria-label="Over time">
      <div class="ranges" role="group" aria-label="Range">
        {ranges.map(({ label }, i) => (
          <button key={label} type="button" class="quiet" aria-pressed={i === choice} onClick={() => setChoice(i)}>
            {label}
          </button>
        ))}
        <span class="legend">
          <span class="old">━ old</span> <span class="new">━ new</span> <span class="n">┅ p50, ┊ changes</span>
        </span>
      </div>
      {isLong && (
        <p class="n" role="status">
          {fault ?? 'All replicas together, by Prometheus'}
        </p>
      )}
      <Chart
        title="To new"
        summary={weight(route.weight)}
        {...frame}
        lines={[share]}
        height={64}
        max={100}
        format={weight}
      />
      <Chart
        title="Requests a second"
        summary={both(perSecond, rate)}
        {...frame}
        lines={perSecond}
        height={104}
        format={rate}
      />
      <Chart title="Faults" summary={both(faults, percent)} {...frame} lines={faults} height={104} format={percent} />
      <Chart
        title="Latency, p99 and p50"
        summary={both(p99, milliseconds)}
        {...frame}
        lines={[...p99, ...p50]}
        height={126}
        format={milliseconds}
        hasLabels
      />
    </section>
  );
}

/** The newest values of both sides, in words. */
function both([old, fresh]: [Line, Line], format: (value: number) => string): string {
  return [old, fresh].map((line) => `${line.label} ${newest(line, format)}`).join(', ');
}

/** Slots that count as now: older ones would tell of a side what is over. */
const NEWEST = 5;

function newest({ values }: Line, format: (value: number) => string): string {
  const last = values.slice(-NEWEST).findLast((value) => value !== null);
  return last === undefined || last === null ? '–' : format(last);
}

/** Where nobody asked, nothing took 0 ms. */
function whereAsked(values: Ring['old']['p99'], requests: Ring['old']['requests']): (number | null)[] {
  return values.map((value, i) => (requests[i] === 0 ? null : value));
}

function sides(ring: Ring, values: (side: Ring['old']) => (number | null)[]): [Line, Line] {
  return [
    { label: 'old', color: '--old', values: values(ring.old) },
    { label: 'new', color: '--new', values: values(ring.new) },
  ];
}

function marksOf(history: readonly HistoryEntry[]): Mark[] {
  return history
    .filter(({ routes }) => routes.some(({ before, after }) => before !== null && before.weight !== after.weight))
    .map(({ at, verb, routes }) => ({
      at,
      label: `${verb} ${routes[0]?.after.weight}%`,
      isRollback: verb === 'rollback',
    }));
}

/**
 * What is asked for now, and again so often (0: once); undefined until it came. Asked at once when a key changes; what was said for another
 * first key does not count. Beside it what was said instead the last time, if anything.
 */
function usePolled<T>(ask: () => Promise<T>, everyMs: number, ...keys: unknown[]): [T | undefined, string | undefined] {
  const [fault, setFault] = useState<string>();
  const [answer, setAnswer] = useState<{ readonly of: unknown; readonly value: T }>();
  useEffect(() => {
    let isOver = false;
    const poll = async (): Promise<void> => {
      try {
        const value = await ask();
        if (isOver) return;
        setAnswer({ of: keys[0], value });
        setFault(undefined);
      } catch (error) {
        // What was there stays.
        if (!isOver) setFault(error instanceof Error ? error.message : String(error));
      }
    };
    void poll();
    const timer = everyMs === 0 ? undefined : setInterval(() => !document.hidden && void poll(), everyMs);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [everyMs, ...keys]);
  return [answer?.of === keys[0] ? answer?.value : undefined, fault];
}
