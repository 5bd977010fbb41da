/** What a change of weight would move, reckoned from the last seconds' traffic. */
import { PPM, ppmToPercent, type RouteSpec, type StickySource } from '../domain/route.ts';
import type { PreviewView, StatsRow } from './control.ts';

export interface PreviewSource {
  readonly spec: RouteSpec;
  /** Now, and as it would be. */
  readonly weightPpm: { readonly now: number; readonly after: number };
  readonly stats: StatsRow;
  /** That the requests are of. */
  readonly seconds: number;
  /** Of the new side: endpoints in use, and most connections that all workers may open to them; 0: no limit. */
  readonly endpoints: number;
  readonly connections: number;
}

export function previewOf({ spec, weightPpm, stats, seconds, endpoints, connections }: PreviewSource): PreviewView {
  const [oldRequests, , , , oldInflight, newRequests, , , , newInflight] = stats;
  const total = (oldRequests + newRequests) / seconds;
  const share = weightPpm.after / PPM;
  // Requests under way on new, were all of the route there: by what it carries now, or by what old does where new has nothing yet.
  const whole = newRequests > 0 ? (newInflight / newRequests) * (oldRequests + newRequests) : oldInflight + newInflight;
  return {
    weight: { now: ppmToPercent(weightPpm.now), after: ppmToPercent(weightPpm.after) },
    requestsPerSecond: {
      old: { now: tenth(oldRequests / seconds), after: tenth(total * (1 - share)) },
      new: { now: tenth(newRequests / seconds), after: tenth(total * share) },
    },
    users:
      spec.sticky.length === 0
        ? null
        : { percent: ppmToPercent(Math.abs(weightPpm.after - weightPpm.now)), by: spec.sticky.map(sourceInWords) },
    headroom: { endpoints, connections, inflight: { now: newInflight, after: Math.ceil(whole * share) } },
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function sourceInWords(source: StickySource): string {
  switch (source.kind) {
    case 'header':
      return `header ${source.name}`;
    case 'cookie':
      return `cookie ${source.name}`;
    case 'address':
      return 'client address';
    case 'generate':
      return 'a cookie of their own';
  }
}
