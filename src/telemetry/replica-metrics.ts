/** Metrics of the replica as a whole: few series, set from the source at each scrape. */
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { CountsSource } from './counts-source.ts';

/** prom-client gives these names and types that `promtool check metrics` refuses (a gauge must not end in `_total`). */
const REFUSED_BY_PROMTOOL = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

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
  collectDefaultMetrics({ register: registry });
  for (const name of REFUSED_BY_PROMTOOL) registry.removeSingleMetric(name);
}
