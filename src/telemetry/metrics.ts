/**
 * The scrape. Requests touch no metric: workers add to typed arrays, and the sums become text here. With thousands of routes the text
 * is long, so it is made in slices with the event loop let go in between: a scrape must not hold up a rollback.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Metric, Registry } from 'prom-client';
import type { CountsSource } from './counts-source.ts';
import { registerReplicaMetrics } from './replica-metrics.ts';
import { ROUTE_METRICS, type RouteMetric, type Row, routeRows, type Sample, type Table } from './route-metrics.ts';

export interface Metrics {
  /** Prometheus' text format 0.0.4. */
  readonly contentType: string;
  /** One scrape, in parts of whole lines; made as they are read. */
  text(): AsyncIterable<string>;
}

/** Lines made without letting the event loop go: a few milliseconds' work. */
const SLICE_SAMPLES = 1_000;

export function createMetrics(source: CountsSource): Metrics {
  const registry = new Registry();
  const routeMetrics = ROUTE_METRICS.map((metric) => new SlicedMetric(registry, metric));
  registerReplicaMetrics(registry, source);
  const ofRoutes = new Set(routeMetrics.map((metric) => metric.name));
  const others = registry.getMetricsAsArray().filter((metric) => !ofRoutes.has(metric.name));
  let rowsOf: readonly string[] | undefined;
  let rows: Row[] = [];

  return {
    contentType: registry.contentType,
    async *text() {
      if (rowsOf !== source.routes) {
        rowsOf = source.routes;
        rows = routeRows(rowsOf);
      }
      const table = readTable(source, rows);
      for (const metric of routeMetrics) yield* metric.render(table);
      for (const metric of others) yield `${await registry.getSingleMetricAsString(metric.name)}\n`;
    },
  };
}

function readTable(source: CountsSource, rows: Row[]): Table {
  const rollbacks = new Map<string, Map<string, number>>();
  for (const { route, reason, value } of source.rollbacks()) {
    const reasons = rollbacks.get(route) ?? new Map<string, number>();
    rollbacks.set(route, reasons.set(reason, value));
  }
  return {
    cells: source.cells,
    weightsPpm: source.weightsPpm(),
    evidenceLog10: source.evidenceLog10(),
    rollbacks: (route, reason) => rollbacks.get(route)?.get(reason) ?? 0,
    rows,
  };
}

/** A route metric as prom-client's registry knows it: asked for its values, it gives those of the slice being rendered. */
class SlicedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: RouteMetric['type'];
  readonly aggregator = 'sum';
  readonly #metric: RouteMetric;
  readonly #registry: Registry;
  #slice: Sample[] = [];

  constructor(registry: Registry, metric: RouteMetric) {
    this.name = metric.name;
    this.help = metric.help;
    this.type = metric.type;
    this.#metric = metric;
    this.#registry = registry;
    // prom-client's type names only its own four classes; its registry needs no more than what is here.
    registry.registerMetric(this as unknown as Metric);
  }

  async get() {
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values: this.#slice };
  }

  /** The metric's text, headed once. */
  async *render(table: Table): AsyncGenerator<string> {
    let index = 0;
    let headed = false;
    while (index < table.rows.length) {
      const slice: Sample[] = [];
      while (index < table.rows.length && slice.length < SLICE_SAMPLES) {
        this.#metric.sample(table, table.rows[index] as Row, index, slice);
        index++;
      }
      // The registry reads the slice within this call, before it first awaits: scrapes that overlap do not mix.
      this.#slice = slice;
      const text = await this.#registry.getSingleMetricAsString(this.name);
      this.#slice = [];
      if (!headed) yield `${text}\n`;
      else if (slice.length > 0) yield `${withoutHead(text)}\n`;
      headed = true;
      if (index < table.rows.length) await nextTurn();
    }
  }
}

/** Without the lines HELP and TYPE. */
function withoutHead(text: string): string {
  return text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);
}
