import type { HealthPolicy } from '../domain/health-policy.ts';
import type { JudgeSettings } from '../domain/judgement.ts';
import type { RampPlan, RampStep } from '../domain/ramp.ts';
import type { RouteSpec, Timeouts } from '../domain/route.ts';
import type { DiscoverySource } from '../domain/source.ts';
import type { HostPort } from './address.ts';
import type { RedisStoreAddress } from './store.ts';

/** A loaded configuration: checked, names and paths resolved, times in milliseconds, weights in parts per million. Frozen. */
export interface Config {
  /** Absolute path of the file. */
  readonly file: string;
  readonly listeners: readonly ListenerConfig[];
  readonly admin: AdminConfig;
  readonly store: StoreConfig;
  readonly fleet: string;
  /** Absolute path of the replica's last applied state. Default: `last-<admin port>.json` beside the store's file, or in `../data`. */
  readonly stateFile: string;
  /** `auto`: as many as the machine has cores. */
  readonly workers: 'auto' | number;
  /** Addresses and CIDR blocks. */
  readonly trustedProxies: readonly string[];
  readonly drainMs: number;
  /** Of a drain: how long connections are still accepted. */
  readonly drainGraceMs: number;
  readonly override: { readonly name: string; readonly secret: string } | null;
  readonly limits: LimitsConfig;
  /** How often the keys of TLS session tickets are replaced; 0: never. */
  readonly ticketRotationMs: number;
  /** Null: off. */
  readonly accessLog: AccessLogConfig | null;
  /** What holds before a route is known, and what routes inherited. */
  readonly timeouts: Timeouts;
  /** In the order of the file; routes refer to the index. */
  readonly backends: readonly BackendConfig[];
  readonly routes: readonly RouteConfig[];
  readonly webhooks: readonly {
    readonly url: string;
    readonly events: readonly ('rollback' | 'held' | 'ramp' | 'step' | 'completed' | 'resume')[];
    readonly secret?: string;
  }[];
  /** Named ramps. */
  readonly ramps: Readonly<Record<string, readonly RampStep[]>>;
  /** Null: none. */
  readonly emulators: EmulatorsConfig | null;
}

/** Platforms to try a migration on. `portName` is the port's name on the platform. */
export interface EmulatorsConfig {
  readonly helios: HostPort & { readonly job: string; readonly portName: string; readonly hosts: readonly string[] };
  readonly kubernetes: HostPort & {
    readonly namespace: string;
    readonly service: string;
    readonly portName: string;
    readonly podPort: number;
    readonly pods: number;
  };
  readonly rehearsal: boolean;
}

export interface ListenerConfig extends HostPort {
  /** As configured. */
  readonly address: string;
  /** PEM texts. The first certificate is the default; `names` are those of its subjectAltName. `client` null: clients are not asked for theirs. */
  readonly tls?: {
    readonly certificates: readonly {
      readonly certificate: string;
      readonly key: string;
      readonly names: readonly string[];
    }[];
    readonly client: { readonly ca: string; readonly isRequired: boolean; readonly isForwarded: boolean } | null;
  };
}

/** `slowMs` null: slow requests are sampled like others; `file`, an absolute path, null: stdout. */
interface AccessLogConfig {
  readonly samplePpm: number;
  readonly slowMs: number | null;
  readonly allFaults: boolean;
  readonly file: string | null;
}

interface AdminConfig extends HostPort {
  /** As configured. */
  readonly address: string;
  /** None: only callers on this machine may, and each of them everything. Names and hashes are unique. */
  readonly tokens: readonly TokenConfig[];
  /** Whether `/metrics` answers without a token. */
  readonly openMetrics: boolean;
  /** Where longer ranges come from; `ca` is a PEM text, `token` a bearer token. */
  readonly prometheus?: { readonly url: string; readonly ca?: string; readonly token?: string };
}

interface TokenConfig {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  /** Of the token's bytes, in lower-case hex. */
  readonly sha256: string;
}

/** `path` is absolute, `ca` a PEM text. */
export type StoreConfig = { readonly kind: 'file'; readonly path: string } | RedisStoreAddress;

export interface BackendConfig {
  readonly name: string;
  readonly health: HealthPolicy;
  readonly source: DiscoverySource;
  /** Requests per second; 0: not said. */
  readonly maxRequestsPerEndpoint: number;
  /** Absent: cleartext. PEM texts; without `ca` the runtime's authorities; `insecure` leaves certificates unverified. */
  readonly tls?: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly insecure: boolean;
  };
  /** Absent: http1. `auto` only with `tls`. */
  readonly protocol?: 'h2' | 'auto';
  /** Most connections that one worker opens to one endpoint; 0: no limit. */
  readonly connections: number;
  /** Absent: no request waits for a connection. */
  readonly pending?: { readonly requests: number; readonly waitMs: number };
}

/** Of the replica: numbers of connections are still to be shared among its workers. Bytes; 0: no limit, where that is allowed. */
interface LimitsConfig {
  readonly headBytes: number;
  readonly fields: number;
  readonly targetBytes: number;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly concurrentStreams: number;
  readonly workerMemoryBytes: number;
}

export interface RouteConfig extends RouteSpec {
  /** On the route's first start; afterwards the store decides. */
  readonly weightPpm: number;
  readonly judge: JudgeSettings;
  /** What `ramp` walks it through unless told otherwise. */
  readonly ramp: RampPlan | null;
}
