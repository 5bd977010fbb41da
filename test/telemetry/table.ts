import { cellCount } from '../../src/domain/counts.ts';
import type { CountsSource } from '../../src/telemetry/counts-source.ts';

/** A source that tests write to. */
export interface TableSource extends CountsSource {
  routes: readonly string[];
  cells: Float64Array;
}

export function tableSource(routes: readonly string[], parts: Partial<CountsSource> = {}): TableSource {
  return {
    routes,
    cells: new Float64Array(cellCount(routes.length)),
    weightsPpm: () => routes.map(() => 0),
    evidenceLog10: () => routes.map(() => 0),
    connections: () => [],
    endpoints: () => [],
    discoveries: () => [],
    storeUp: () => true,
    revision: () => 0,
    stateAgeSeconds: () => 0,
    rollbacks: () => [],
    build: { version: '0.1.0', node: process.version },
    ...parts,
  };
}
