/** Metrics of the replica as a whole: few series, set from the source at each scrape. */
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { CountsSource } from './counts-source.ts';

/** prom-client gives these names and types that `promtool check metrics` refuses (a gauge must not end in `_total`). */
const REFUSED_BY_PROMTOOL = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

/**
 * prom-client reads how late the event loop is from a timer that goes off a hundred times a second. On a core that a worker shares, that took 3 percent
 * of each request. At this pace it takes nothing, and what it would tell (each figure holds the pace itself) is left out.
 */
const LAG_PACE_MS = 60_000;
const LAG_FIGURES = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  (figure) => `nodejs_eventloop_lag_${figure}_seconds`,
);

export function registerReplicaMetrics(registry: Registry, source: CountsSource): void {
  const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void => {
    // Registers itself.
    void new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  };
  gauge('crossfade_endpoints', 'Endpoints of a backend, by state.', ['backend', 'state'], (metric) => {
    for (const { value, ...labels } of source.endpoints()) metric.inc(labels, value);
  });
  gauge('crossfade_discovery_up', "Whether a backend's source of endpoints answers well.", ['backend'], (metric) => {
    for (const { backend, up } of source.discoveries()) metric.set({ backend }, up ? 1 : 0);
  });
  gauge('crossfade_discovery_age_seconds', 'Since the source last confirmed the endpoints.', ['backend'], (metric) => {
    for (const { backend, ageSeconds } of source.discoveries())
      if (ageSeconds !== null) metric.set({ backend }, ageSeconds);
  });
  gauge('crossfade_connections', 'Open client connections.', ['listener', 'protocol'], (metric) => {
    for (const { value, ...labels } of source.connections()) metric.inc(labels, value);
  });
  gauge('crossfade_store_up', 'Whether the store answers.', [], (metric) => metric.set(source.storeUp() ? 1 : 0));
  gauge('crossfade_state_revision', 'Revision of the state served.', [], (metric) => metric.set(source.revision()));
  gauge('crossfade_state_age_seconds', 'Since the store last confirmed the state.', [], (metric) =>
    metric.set(source.stateAgeSeconds()),
  );
  gauge('crossfade_build_info', 'Always 1; what runs stands in the labels.', ['version', 'node'], (metric) =>
    metric.set({ ...source.build }, 1),
  );
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PACE_MS });
  for (const name of [...REFUSED_BY_PROMTOOL, ...LAG_FIGURES]) registry.removeSingleMetric(name);
}
