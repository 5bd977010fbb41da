/**
 * The metrics that have series for each route. They keep nothing themselves: a row of the count table becomes samples when prom-client
 * asks. Series of configured routes exist at 0 from the start, as far as alerts need them; rarer label values appear once counted.
 */
import {
  AT_ATTEMPTS,
  AT_DURATION,
  AT_DURATION_SUM,
  AT_FAULTS,
  AT_GRPC,
  AT_INFLIGHT,
  AT_LOG_DROPPED,
  AT_REJECTIONS,
  AT_REQUESTS,
  AT_RESCUES,
  CODE_CLASSES,
  cellsOf,
  DURATION_BUCKETS_SECONDS,
  GRPC_STATUSES,
  OUTCOMES,
  PROTOCOLS,
} from '../domain/counts.ts';
import { FAULT_KINDS, REJECTIONS } from '../domain/errors.ts';
import { ppmToPercent, SIDES } from '../domain/route.ts';
import { ROLLBACK_REASONS } from './counts-source.ts';

type Labels = Readonly<Record<string, string>>;

/** One line of a scrape. `sharedLabels` is rendered once and remembered by prom-client for as long as the object lives. */
export interface Sample {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly sharedLabels: Labels;
  readonly value: number;
}

/** The table at the time of a scrape. */
export interface Table {
  readonly cells: Float64Array;
  readonly weightsPpm: ArrayLike<number>;
  readonly evidenceLog10: ArrayLike<number>;
  /** Rollbacks of a route by reason. */
  rollbacks(route: string, reason: string): number;
  /** By route; the last is the row of requests that reached no route. */
  readonly rows: readonly Row[];
}

/** Label sets of a route, made once a table. */
export interface Row {
  readonly name: string;
  readonly labels: Labels;
  readonly sides: readonly [Labels, Labels];
}

export interface RouteMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Appends the samples of one route. */
  sample(table: Table, row: Row, index: number, out: Sample[]): void;
}

export function routeRows(routes: readonly string[]): Row[] {
  const rows = routes.map((route) => rowOf(route));
  rows.push({ name: 'none', labels: { route: 'none' }, sides: [NO_SIDE, NO_SIDE] });
  return rows;
}

const NO_SIDE: Labels = { route: 'none', side: 'none' };

function rowOf(route: string): Row {
  return {
    name: route,
    labels: { route },
    sides: [
      { route, side: SIDES[0] },
      { route, side: SIDES[1] },
    ],
  };
}

const REQUEST_LABELS: Labels[] = PROTOCOLS.flatMap((protocol) => CODE_CLASSES.map((code) => ({ protocol, code })));
/** The classes whose rates alerts divide by each other. */
const REQUESTS_FROM_START = new Set(['2xx', '4xx', '5xx'].map((code) => CODE_CLASSES.indexOf(code as '2xx')));
const GRPC_LABELS: Labels[] = GRPC_STATUSES.map((status) => ({ grpc_status: status }));
const OUTCOME_LABELS: Labels[] = OUTCOMES.map((outcome) => ({ outcome }));
const KIND_LABELS: Labels[] = FAULT_KINDS.map((kind) => ({ kind }));
const LE_LABELS: Labels[] = [...DURATION_BUCKETS_SECONDS.map(String), '+Inf'].map((le) => ({ le }));
const FROM_LABELS: Labels[] = SIDES.map((from) => ({ from }));
const REASON_LABELS = ROLLBACK_REASONS.map((reason) => ({ reason }));
const REJECTION_LABELS: Labels[] = REJECTIONS.map((reason) => ({ reason }));
const NO_LABELS: Labels = {};

/** A metric with samples for either side of each route, none for requests without a route. */
function bySide(
  name: string,
  help: string,
  type: RouteMetric['type'],
  sampleSide: (cells: Float64Array, first: number, sharedLabels: Labels, out: Sample[]) => void,
): RouteMetric {
  return {
    name,
    help,
    type,
    sample(table, row, index, out) {
      if (index === table.rows.length - 1) return;
      for (const [side, labels] of row.sides.entries()) sampleSide(table.cells, cellsOf(index, side), labels, out);
    },
  };
}

/** One label set a cell, from `first` on. Those of `fromStart` are sampled even when nothing was counted. */
function labelled(
  cells: Float64Array,
  first: number,
  labels: readonly Labels[],
  fromStart: (index: number) => boolean,
  sharedLabels: Labels,
  out: Sample[],
): void {
  for (const [i, own] of labels.entries()) {
    const value = cells[first + i] as number;
    if (value !== 0 || fromStart(i)) out.push({ labels: own, sharedLabels, value });
  }
}

const requests: RouteMetric = {
  name: 'crossfade_requests_total',
  help: 'Requests answered or given up, by route, side, protocol and class of the status given to the client.',
  type: 'counter',
  sample(table, row, index, out) {
    // Requests without a route have one row without sides.
    const sides = index === table.rows.length - 1 ? 1 : row.sides.length;
    for (let side = 0; side < sides; side++) {
      const first = cellsOf(index, side) + AT_REQUESTS;
      const labels = row.sides[side] as Labels;
      labelled(table.cells, first, REQUEST_LABELS, (i) => REQUESTS_FROM_START.has(i), labels, out);
    }
  },
};

const DURATION = 'crossfade_request_duration_seconds';

function sampleDuration(cells: Float64Array, first: number, sharedLabels: Labels, out: Sample[]): void {
  let count = 0;
  for (const [i, labels] of LE_LABELS.entries()) {
    count += cells[first + AT_DURATION + i] as number;
    out.push({ metricName: `${DURATION}_bucket`, labels, sharedLabels, value: count });
  }
  const sum = cells[first + AT_DURATION_SUM] as number;
  out.push({ metricName: `${DURATION}_sum`, labels: NO_LABELS, sharedLabels, value: sum });
  out.push({ metricName: `${DURATION}_count`, labels: NO_LABELS, sharedLabels, value: count });
}

/** A metric with samples for each route as a whole, none for requests without one. */
function byRoute(
  name: string,
  help: string,
  type: RouteMetric['type'],
  sampleRoute: (table: Table, row: Row, index: number, out: Sample[]) => void,
): RouteMetric {
  return {
    name,
    help,
    type,
    sample(table, row, index, out) {
      if (index < table.rows.length - 1) sampleRoute(table, row, index, out);
    },
  };
}

const FAULT_FROM_START = FAULT_KINDS.indexOf('status5xx');

/** In the order in which a scrape lists them. */
export const ROUTE_METRICS: readonly RouteMetric[] = [
  requests,
  bySide(
    'crossfade_grpc_responses_total',
    'gRPC responses by route, side and status; `missing` when there was none.',
    'counter',
    (cells, first, labels, out) => labelled(cells, first + AT_GRPC, GRPC_LABELS, () => false, labels, out),
  ),
  bySide(
    DURATION,
    'From the first byte of a request to the last of its response, by route and side.',
    'histogram',
    sampleDuration,
  ),
  bySide(
    'crossfade_upstream_attempts_total',
    'Attempts sent to a side, by outcome.',
    'counter',
    (cells, first, labels, out) => labelled(cells, first + AT_ATTEMPTS, OUTCOME_LABELS, () => true, labels, out),
  ),
  bySide('crossfade_faults_total', 'Faults of a side, by kind.', 'counter', (cells, first, labels, out) =>
    labelled(cells, first + AT_FAULTS, KIND_LABELS, (i) => i === FAULT_FROM_START, labels, out),
  ),
  byRoute(
    'crossfade_rescues_total',
    'Requests sent again after failing on `from`.',
    'counter',
    (table, row, index, out) => {
      for (const [side, labels] of FROM_LABELS.entries()) {
        out.push({
          labels,
          sharedLabels: row.labels,
          value: table.cells[cellsOf(index, side) + AT_RESCUES] as number,
        });
      }
    },
  ),
  byRoute(
    'crossfade_route_weight_ratio',
    "The new side's share of a route, 0 to 1.",
    'gauge',
    (table, row, index, out) => {
      const ratio = ppmToPercent(table.weightsPpm[index] ?? 0) / 100;
      out.push({ labels: NO_LABELS, sharedLabels: row.labels, value: ratio });
    },
  ),
  bySide(
    'crossfade_inflight_requests',
    'Requests under way, by route and side.',
    'gauge',
    (cells, first, labels, out) =>
      out.push({ labels: NO_LABELS, sharedLabels: labels, value: cells[first + AT_INFLIGHT] as number }),
  ),
  {
    name: 'crossfade_rejections_total',
    help: 'Requests and connections that the proxy turned away by a limit or a rule of its own, by reason.',
    type: 'counter',
    sample(table, _row, index, out) {
      if (index !== table.rows.length - 1) return;
      for (const [i, labels] of REJECTION_LABELS.entries()) {
        const value = table.cells[cellsOf(index, 0) + AT_REJECTIONS + i] as number;
        out.push({ labels, sharedLabels: NO_LABELS, value });
      }
    },
  },
  {
    name: 'crossfade_access_log_dropped_total',
    help: 'Lines of the access log that were dropped because its file or reader did not keep up.',
    type: 'counter',
    sample(table, _row, index, out) {
      if (index !== table.rows.length - 1) return;
      const value = table.cells[cellsOf(index, 0) + AT_LOG_DROPPED] as number;
      out.push({ labels: NO_LABELS, sharedLabels: NO_LABELS, value });
    },
  },
  byRoute('crossfade_rollbacks_total', 'Rollbacks of a route, by reason.', 'counter', (table, row, _index, out) => {
    for (const labels of REASON_LABELS) {
      out.push({ labels, sharedLabels: row.labels, value: table.rollbacks(row.name, labels.reason) });
    }
  }),
  byRoute(
    'crossfade_evidence_log10',
    'Evidence against the new side in the running test, log10; 0 when nothing is judged.',
    'gauge',
    (table, row, index, out) => {
      out.push({ labels: NO_LABELS, sharedLabels: row.labels, value: table.evidenceLog10[index] ?? 0 });
    },
  ),
];
