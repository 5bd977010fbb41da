/**
 * What a Helios master answers, as far as it is looked at. Job JSON holds `token` and `env`, which may be secrets: whoever reads an answer
 * here keeps none of its text, and no message quotes it.
 */

export interface Job {
  readonly id?: string;
  readonly ports?: Readonly<Record<string, PortMapping>> | null;
  /** By `name/protocol`: the ports that are registered under it. */
  readonly registration?: Readonly<
    Record<string, { readonly ports?: Readonly<Record<string, unknown>> | null }>
  > | null;
}

export interface PortMapping {
  /** What the port is bound to; null: every address. */
  readonly ip?: string | null;
  readonly externalPort?: number | null;
  readonly protocol?: string | null;
}

export interface JobStatus {
  readonly taskStatuses?: Readonly<Record<string, TaskStatus>> | null;
  readonly deployments?: Readonly<Record<string, { readonly goal?: string }>> | null;
}

export interface TaskStatus {
  readonly goal?: string;
  readonly state?: string;
  readonly ports?: Readonly<Record<string, PortMapping>> | null;
}

export interface HostStatus {
  readonly status?: string;
}

/** By full id `name:version:hash`. */
export type Jobs = Readonly<Record<string, Job>>;
export type JobStatuses = Readonly<Record<string, JobStatus>>;
/** By the host's name; one that is not up may be left out. */
export type HostStatuses = Readonly<Record<string, HostStatus>>;
