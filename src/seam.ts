/**
 * What passes between control (the supervisor) and data (the workers): Snapshot messages down, Outcome counts up. Nothing else does.
 * Messages go through the cluster's channel with V8 serialisation, so typed arrays cross as they are.
 */
import type { RouteSpec } from './domain/route.ts';

export interface ListenerSpec {
  /** As configured, for messages and the `listener` label. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Absent on cleartext listeners. */
  readonly tls?: ListenerTls;
}

/** PEM texts. */
export interface ListenerTls {
  /** The first is shown to clients that ask for none of the names. `*.` in front of a name stands for one label. */
  readonly certificates: readonly {
    readonly certificate: string;
    readonly key: string;
    readonly names: readonly string[];
  }[];
  /** Certificates of clients, and who vouches for them; null: they are not asked for any. */
  readonly client: {
    readonly ca: string;
    readonly isRequired: boolean;
    /** Backends are told of it, in x-forwarded-client-cert. */
    readonly isForwarded: boolean;
  } | null;
}

export interface BackendSpec {
  readonly name: string;
  /** Absent: cleartext. PEM texts; certificates are verified unless `insecure`. */
  readonly tls?: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly insecure: boolean;
  };
  /** Absent: http1. `auto`: what each endpoint chooses by ALPN; only with `tls`. */
  readonly protocol?: 'http1' | 'h2' | 'auto';
  /** Most connections that one worker opens to one endpoint; 0: no limit. */
  readonly connections: number;
  /** Requests of one worker that wait at a time for one of these connections, and for how long; absent: none waits. */
  readonly pending?: { readonly requests: number; readonly waitMs: number };
}

export interface Limits {
  readonly headBytes: number;
  readonly fields: number;
  readonly targetBytes: number;
  /** Bytes of a request body; 0: no limit. */
  readonly bodyBytes: number;
  /** Client connections of a worker, its share of the configured number. */
  readonly connections: number;
  /** Connections of one client address in a worker; 0: no limit. */
  readonly connectionsPerClient: number;
  /** Streams of one HTTP/2 connection at a time. The resets that are put up with follow it. */
  readonly concurrentStreams: number;
  /** Resident bytes of a worker from which on it takes no more requests; 0: no limit. */
  readonly workerMemoryBytes: number;
}

/** Which requests a line in JSON is written for. */
export interface AccessLogSpec {
  /** Share of the requests, parts per million. */
  readonly samplePpm: number;
  /** Milliseconds from which on a request is written whatever the sample; null: never. */
  readonly slowMs: number | null;
  /** Whether faults are written whatever the sample. */
  readonly allFaults: boolean;
  /** Absolute path; null: stdout. */
  readonly file: string | null;
}

/** Rare: the whole of the configuration that workers serve by. Route and backend indexes of later messages refer to it. */
export interface TableMessage {
  readonly kind: 'table';
  /** Rises with each table; weights and endpoints of another generation are dropped. */
  readonly generation: number;
  readonly listeners: readonly ListenerSpec[];
  /** Seal TLS session tickets (48 bytes), so that each worker resumes what another began. Secret: never logged. */
  readonly ticketKeys: Uint8Array;
  readonly backends: readonly BackendSpec[];
  readonly routes: readonly RouteSpec[];
  readonly limits: Limits;
  /** Times that hold before a route is known. */
  readonly requestHeadMs: number;
  readonly idleMs: number;
  readonly trustedProxies: readonly string[];
  readonly override: { readonly name: string; readonly secret: string } | null;
  readonly drainMs: number;
  /** Null: off. */
  readonly accessLog: AccessLogSpec | null;
}

/** Same shape as the domain's Endpoint. */
export interface EndpointSpec {
  /** IP literal or host name. */
  readonly host: string;
  readonly port: number;
  readonly name?: string;
}

/** A patch of a backend's list, which is empty when a table comes: what goes, by rising index, and what comes behind the rest. */
export interface EndpointsMessage {
  readonly kind: 'endpoints';
  readonly generation: number;
  readonly backend: number;
  readonly removed: readonly number[];
  readonly added: readonly EndpointSpec[];
}

/**
 * What keeps a backend's endpoints from being used alike, as a whole; it follows the endpoints that it speaks of. Endpoints are named by
 * their keys (domain/endpoints.ts).
 */
export interface HealthMessage {
  readonly kind: 'health';
  readonly generation: number;
  readonly backend: number;
  /** Not to be used. */
  readonly out: readonly string[];
  /** Grow into their share of the traffic: `forMs` of `ofMs` are left. */
  readonly warming: readonly { readonly key: string; readonly forMs: number; readonly ofMs: number }[];
}

/** A patch: of routes by index, the weight in parts per million and the test it belongs to. The first after a table holds every route. */
export interface WeightsMessage {
  readonly kind: 'weights';
  readonly generation: number;
  /** The state's revision that the weights bring the worker to. */
  readonly revision: number;
  /** Those of them that are held or rolled back: nothing that fails on old is tried on new. */
  readonly held: readonly number[];
  readonly weights: readonly (readonly [route: number, weightPpm: number, testSince: number])[];
}

/** What makes a response of a route slow, and which windows a sticky route's keys are seen in. */
export interface RouteBounds {
  readonly route: number;
  /** Milliseconds, by side, in the order of SLOW_KINDS; null: they are not known. */
  readonly bounds: { readonly old: readonly number[]; readonly new: readonly number[] } | null;
  /** By family. */
  readonly windows: readonly number[];
}

/** The judge's, for what is to be tallied from now on; routes that are left out keep theirs. */
export interface BoundsMessage {
  readonly kind: 'bounds';
  readonly generation: number;
  readonly routes: readonly RouteBounds[];
}

/** Stop accepting, tell clients to close, finish what runs, then exit. */
export interface DrainMessage {
  readonly kind: 'drain';
  /** Before it stops accepting, while whoever sends clients here learns that it leaves; answers tell clients to close already. */
  readonly graceMs: number;
}

/** Whether the worker still runs: answered at once by a PongMessage. */
export interface PingMessage {
  readonly kind: 'ping';
}

/** Ask for counts at once (a scrape wants them fresh); answered by a CountsMessage with the same `flush`. */
export interface FlushMessage {
  readonly kind: 'flush';
  readonly flush: number;
}

/** From now on these seal TLS session tickets, instead of the table's. */
export interface TicketKeysMessage {
  readonly kind: 'ticketKeys';
  readonly ticketKeys: Uint8Array;
}

export type DownMessage =
  | TableMessage
  | EndpointsMessage
  | HealthMessage
  | WeightsMessage
  | DrainMessage
  | PingMessage
  | FlushMessage
  | BoundsMessage
  | TicketKeysMessage;

/** The worker runs and asks for its table. */
export interface HelloMessage {
  readonly kind: 'hello';
}

/** Somebody told the worker by a signal to end: it goes on until it has a successor. */
export interface LeavingMessage {
  readonly kind: 'leaving';
}

export interface PongMessage {
  readonly kind: 'pong';
}

/** What a worker serves from now on; sent after each table or weights message is in place. */
export interface AppliedMessage {
  readonly kind: 'applied';
  readonly generation: number;
  readonly revision: number;
}

/** Every listener of the table of this generation accepts connections, or one failed. */
export interface ListeningMessage {
  readonly kind: 'listening';
  readonly generation: number;
  readonly failure: { readonly address: string; readonly message: string } | null;
}

/**
 * Counts since the last message, sparse: `cells[i]` of the generation's count table rose by `values[i]` (layout in domain/counts.ts).
 * `gauges` are current values, not increases.
 */
export interface CountsMessage {
  readonly kind: 'counts';
  readonly generation: number;
  readonly flush: number;
  readonly cells: Uint32Array;
  readonly values: Float64Array;
  /** Open client connections by listener of the table's order, of HTTP/1.1 and of HTTP/2. */
  readonly connections: readonly ConnectionsOfListener[];
}

/** How many there are by the protocol that they speak; those that have not said yet count as of HTTP/1.1. */
export interface ConnectionsOfListener {
  readonly http1: number;
  readonly h2: number;
}

/** What was tallied for the judge since the last message, as rows (domain/tally.ts). */
export interface EvidenceMessage {
  readonly kind: 'evidence';
  readonly generation: number;
  /** A fault is among it, or a suspicion: it should not wait. */
  readonly isUrgent: boolean;
  readonly tallies: Float64Array;
  readonly latencies: Uint32Array;
  readonly sightings: Float64Array;
  /** Routes whose new side took no connection three times in a row. */
  readonly suspects: readonly number[];
}

/** What happened on endpoints since the last message. One that is not named saw nothing new. */
export interface AttemptsMessage {
  readonly kind: 'attempts';
  readonly generation: number;
  readonly endpoints: readonly AttemptsOfEndpoint[];
}

export interface AttemptsOfEndpoint {
  readonly backend: number;
  /** See domain/endpoints.ts. */
  readonly key: string;
  readonly attempts: number;
  readonly faults: number;
  /** Faults since the last attempt without one. */
  readonly streak: number;
  /** Connections to it fail at the moment. */
  readonly isUnreachable: boolean;
}

/** What has come together since the last beat, in one message: each that comes wakes the supervisor, perhaps on the core that a worker is busy on. */
export interface BeatMessage {
  readonly kind: 'beat';
  readonly reports: readonly (CountsMessage | EvidenceMessage | AttemptsMessage)[];
}

/** The worker has begun to turn requests away for want of memory, or has ceased to. */
export interface SheddingMessage {
  readonly kind: 'shedding';
  readonly isShedding: boolean;
  readonly residentBytes: number;
}

export type UpMessage =
  | SheddingMessage
  | HelloMessage
  | LeavingMessage
  | PongMessage
  | AppliedMessage
  | ListeningMessage
  | EvidenceMessage
  | BeatMessage;
