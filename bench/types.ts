/** Shapes that the bench's parts hand to each other. Types only: nothing here runs. */

/** Microseconds; null when nothing was recorded. */
export interface Quantiles {
  p50: number | null;
  p90: number | null;
  p99: number | null;
  p999: number | null;
  max: number | null;
}

/** Ports of the two origins that speak one protocol. */
export interface Origins {
  old: number;
  new: number;
}

/** What clients speak to the target, and the target to its origins. */
export type Front = 'http1' | 'https' | 'h2c' | 'h2';
export type Back = 'http1' | 'h2c';

/** Files in PEM: certificate and key of `localhost`, alone and in one. */
export interface Certificate {
  certificate: string;
  key: string;
  both: string;
}

/** How a target is set up for a cell. Peers know only one way and ignore it. */
export interface TargetOptions {
  routes?: number;
  workers?: number;
  /** Percent; default 50. */
  weight?: number;
  /** Default: any free port. */
  adminPort?: number;
  /** Default http1. Peers know these two as well. */
  front?: Front;
  back?: Back;
  /** Crossfade only: keys of the first route besides its match and backends, and of the configuration besides what is always there. */
  route?: Record<string, unknown>;
  config?: Record<string, unknown>;
  /** Crossfade only: nothing is counted or judged (bare.mjs). */
  isBare?: boolean;
}

export interface TargetSetting {
  port: number;
  origins: Origins;
  certificate: Certificate;
  /** A folder of its own, removed afterwards. */
  directory: string;
  /** As for `taskset -c`. */
  cores: string;
  options: TargetOptions;
}

/** A running target. */
export interface Running {
  /** Where it answers, on 127.0.0.1. */
  port: number;
  /** Every process of the target, at this moment. */
  pids(): number[];
  stop(): Promise<void>;
  /** What it wrote to its standard output and error, for messages. */
  log(): string;
}

export interface Target {
  readonly name: string;
  /** Which sides its answers must show; `direct` reaches only the old origin. */
  readonly sides: readonly string[];
  /** What to install when `version` finds nothing. */
  readonly debianPackage: string | null;
  /** null: not installed here. */
  version(): string | null;
  /** What the target cannot do, in words; null: it can. Absent: it can do everything. */
  lacks?(options: TargetOptions): string | null;
  start(setting: TargetSetting): Promise<Running>;
}

/** What one run of a load generator counted. */
export interface LoadResult {
  requests: number;
  seconds: number;
  failed: number;
  /** By kind, for the reader who wants to know. */
  failures: Record<string, number>;
  bytes: number;
}

/** A row of a cell's table. */
export interface Variant {
  /** Whether what the cell has beside its load is there, too; default: yes. */
  readonly isBesides?: boolean;
  readonly label: string;
  readonly target: string;
  readonly options: TargetOptions;
}

/** One question of the bench. */
export interface Cell {
  readonly name: string;
  readonly question: string;
  /** What the load needs besides wrk. */
  readonly tool?: 'h2load';
  /** Rows that the others are compared with. */
  readonly baselines: readonly string[];
  /** @param targets names asked for by the user */
  readonly variants: (targets: readonly string[]) => Variant[];
  /** Throws, saying what is wrong, unless the target answers as it should, on all of these sides. */
  readonly validate: (port: number, sides: readonly string[]) => Promise<void>;
  /** What goes on beside the load, from before the first round: how to end it, and what is to be said of it. */
  readonly beside?: (running: Running) => Promise<{ readonly end: () => Promise<void>; readonly note: string }>;
  /** Closed loop for so long; pinned to these cores. */
  readonly load: (port: number, seconds: number, cores: string) => Promise<LoadResult>;
  /** Open loop at a constant rate; absent: the cell asks only for cost. */
  readonly latency?: OpenLoopLoad;
  /** The same against an origin itself, to learn what the generator holds. */
  readonly flood?: { readonly origin: Back; readonly load: OpenLoopLoad };
}

export type OpenLoopLoad = (port: number, rate: number, seconds: number, cores: string) => Promise<LatencyResult>;

export interface LatencyResult {
  /** Asked for, requests a second. */
  rate: number;
  /** Answered a second. */
  achieved: number;
  failed: number;
  latencyUs: Quantiles;
  /** What the generator itself added. */
  lagUs: Quantiles;
}

/** One round of one variant. CPU in microseconds a request. */
export interface Round {
  requests: number;
  failed: number;
  failures: Record<string, number>;
  rate: number;
  userUs: number;
  systemUs: number;
  /** CPU time of the target over the time of the round: 1 is one core full. */
  busy: number;
  bytesPerCpuSecond: number;
}

export interface VariantResult {
  label: string;
  target: string;
  version: string | null;
  /** Why there are no figures, or none from some round on. */
  skipped: string | null;
  /** What else is to be said of it. */
  notes: string[];
  /** It is here, and did not do what it should. */
  broken: boolean;
  rounds: Round[];
  latency: LatencyResult[];
  /** Peak resident memory of all its processes together, bytes. */
  peakRss: number;
}

export interface CellResult {
  name: string;
  question: string;
  baselines: readonly string[];
  variants: VariantResult[];
  /** Requests a second beyond which generator and origin would be the limit; null when latency was not measured. */
  highestRate: number | null;
}

/** How much to measure. */
export interface Plan {
  targets: readonly string[];
  rounds: number;
  /** Of each round. */
  seconds: number;
  warmUpSeconds: number;
  /** Whether to measure latency at 60 percent of the knee. */
  latency: boolean;
}
