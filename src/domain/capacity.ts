import { PPM, ppmToPercent } from './route.ts';

export interface Capacity {
  readonly weightPpm: number;
  /** Of the whole route, over the whole fleet. */
  readonly requestsPerSecond: number;
  /** Of the new side, those that can be sent requests. */
  readonly endpoints: number;
  /** Requests per second that one of them can carry; 0: not said. */
  readonly perEndpoint: number;
}

/** Why the new side cannot carry its share at this weight, in one sentence; null: it can, as far as is known. */
export function capacityRefusal({ weightPpm, requestsPerSecond, endpoints, perEndpoint }: Capacity): string | null {
  const share = (requestsPerSecond * weightPpm) / PPM;
  const capacity = endpoints * perEndpoint;
  if (perEndpoint === 0 || share <= capacity) return null;
  const most = Math.floor((capacity / requestsPerSecond) * PPM);
  return `The new side's ${endpoints} ready endpoints carry ${capacity} requests a second (maxRequestsPerEndpoint ${perEndpoint}); ${ppmToPercent(weightPpm)}% of the route are ${Math.ceil(share)}. At most ${ppmToPercent(most)}% fits now`;
}
