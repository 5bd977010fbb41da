import type { HealthPolicy } from '../domain/health-policy.ts';
import type { JudgeSettings } from '../domain/judgement.ts';
import type { RampPlan, RampStep } from '../domain/ramp.ts';
import type { RouteSpec } from '../domain/route.ts';
import type { DiscoverySource } from '../domain/source.ts';
import type { BackendSpec, TableMessage } from '../seam.ts';
import type { Webhook } from './webhooks.ts';

/** What control makes of a valid configuration: all that a table needs, and what only the supervisor wants to know. */
export interface Plan
  extends Pick<
    TableMessage,
    'listeners' | 'limits' | 'requestHeadMs' | 'idleMs' | 'trustedProxies' | 'override' | 'drainMs' | 'accessLog'
  > {
  readonly backends: readonly {
    readonly spec: BackendSpec;
    readonly source: DiscoverySource;
    readonly health: HealthPolicy;
    /** Requests per second that one endpoint can carry; 0: not said. */
    readonly maxRequestsPerEndpoint: number;
  }[];
  /** `weightPpm`: where a route starts that the store has never seen. */
  readonly routes: readonly {
    readonly spec: RouteSpec;
    readonly weightPpm: number;
    readonly judge: JudgeSettings;
    /** What `ramp` walks it through unless told otherwise. */
    readonly ramp: RampPlan | null;
  }[];
  readonly webhooks: readonly Webhook[];
  /** Named ramps. */
  readonly ramps: Readonly<Record<string, readonly RampStep[]>>;
  /** How often the keys of TLS session tickets are replaced; 0: never. */
  readonly ticketRotationMs: number;
  /** Worker processes. */
  readonly workers: number;
}
