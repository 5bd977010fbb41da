/**
 * Jobs, tasks and hosts as a Helios master writes them: every field in its order, nulls written out, and the quirk of a health check
 * whose type stands there twice.
 */
import { createHash } from 'node:crypto';

export interface PortSpec {
  /** Bound to this address only. */
  readonly ip?: string;
  readonly internalPort: number;
  readonly protocol?: 'tcp' | 'udp';
}

export interface JobSpec {
  readonly name: string;
  readonly version: string;
  readonly image?: string;
  readonly ports: Readonly<Record<string, PortSpec>>;
  /** `name/protocol` to the names of ports. */
  readonly registration?: Readonly<Record<string, readonly string[]>>;
  /** Seconds. */
  readonly gracePeriod?: number | null;
  readonly env?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly healthCheck?: { readonly path: string; readonly port: string };
  /** 40 hex digits; default: of name and version. */
  readonly hash?: string;
}

type TaskState =
  | 'PULLING_IMAGE'
  | 'CREATING'
  | 'STARTING'
  | 'HEALTHCHECKING'
  | 'RUNNING'
  | 'EXITED'
  | 'STOPPING'
  | 'STOPPED'
  | 'FAILED'
  | 'UNKNOWN';

export interface Task {
  goal: 'START' | 'STOP' | 'UNDEPLOY';
  state: TaskState;
  throttled: 'NO' | 'FLAPPING' | 'IMAGE_MISSING' | 'IMAGE_PULL_FAILED';
  /** By the port's name. */
  readonly externalPorts: Readonly<Record<string, number>>;
}

/** Becomes a second `type` in the text: an object cannot have a key twice. */
const AGAIN = '\u0000type';

/** JSON as the master writes it. */
export function write(value: unknown): string {
  return JSON.stringify(value).replaceAll('"\\u0000type"', '"type"');
}

export function idOf({ name, version, hash }: JobSpec): string {
  return `${name}:${version}:${hash ?? createHash('sha1').update(`${name}:${version}`).digest('hex')}`;
}

function portMappings(ports: JobSpec['ports'], external: Readonly<Record<string, number>> | null): object {
  return Object.fromEntries(
    Object.entries(ports).map(([name, { ip = null, internalPort, protocol = 'tcp' }]) => [
      name,
      // The port that an agent gives a task is told without what it is bound to.
      { ip: external === null ? ip : null, internalPort, externalPort: external?.[name] ?? null, protocol },
    ]),
  );
}

export function describeJob(spec: JobSpec): object {
  const { healthCheck } = spec;
  return {
    id: idOf(spec),
    image: spec.image ?? `registry.example.net/${spec.name}:${spec.version}`,
    hostname: null,
    created: 1_437_420_186_023,
    command: [],
    env: spec.env ?? {},
    resources: null,
    ports: portMappings(spec.ports, null),
    registration: Object.fromEntries(
      Object.entries(spec.registration ?? {}).map(([service, ports]) => [
        service,
        { ports: Object.fromEntries(ports.map((port) => [port, {}])) },
      ]),
    ),
    gracePeriod: spec.gracePeriod ?? null,
    volumes: {},
    expires: 1_537_420_186_023,
    registrationDomain: '',
    creatingUser: 'alice',
    token: spec.token ?? '',
    healthCheck: healthCheck === undefined ? null : { type: 'http', ...healthCheck, [AGAIN]: 'http' },
    securityOpt: [],
    networkMode: null,
    metadata: {},
    addCapabilities: [],
    dropCapabilities: [],
    labels: {},
    secondsToWaitBeforeKill: null,
    ramdisks: {},
    rolloutOptions: null,
    runtime: null,
  };
}

export function describeTask(spec: JobSpec, host: string, { goal, state, throttled, externalPorts }: Task): object {
  const env = Object.entries(externalPorts).map(([name, port]) => [`HELIOS_PORT_${name}`, `${host}:${port}`]);
  return {
    job: describeJob(spec),
    goal,
    state,
    containerId: `c0ffee${Object.values(externalPorts)[0] ?? 0}`,
    throttled,
    ports: portMappings(spec.ports, externalPorts),
    env: Object.fromEntries(env) as object,
    containerError: '',
  };
}

/** Its job stands under `jobId`, though its constructor calls it `job`. */
export function describeDeployment(spec: JobSpec, { goal }: Task): object {
  return { goal, deployerUser: 'alice', deploymentGroupName: spec.name.replace(/-api$/, ''), jobId: idOf(spec) };
}

export function describeHost(name: string, isUp: boolean, jobs: object, statuses: object, role: string): object {
  return {
    jobs,
    statuses,
    status: isUp ? 'UP' : 'DOWN',
    hostInfo: {
      hostname: name,
      uname: 'u',
      architecture: 'amd64',
      osName: 'Linux',
      osVersion: '4.4',
      cpus: 8,
      loadAvg: 0.4,
      memoryTotalBytes: 1,
      memoryFreeBytes: 1,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      dockerVersion: null,
      dockerHost: 'unix:///var/run/docker.sock',
      dockerCertPath: null,
    },
    agentInfo: null,
    environment: {},
    labels: { role },
  };
}
