/** From a master's answers to the endpoints that may be sent requests. Pure. */
import type { Endpoint } from '../../domain/snapshot.ts';
import type { HeliosSelection } from '../../domain/source.ts';
import type { Job, JobStatuses, Jobs } from './answers.ts';

/** A job that is wanted, and which of its ports. */
export interface WantedJob {
  readonly id: string;
  readonly ports: readonly string[];
}

export interface Wanted {
  readonly jobs: readonly WantedJob[];
  /** Of ports that only the host itself can reach: `job port`. */
  readonly loopback: readonly string[];
}

/** What is kept of jobs, without what may be secret. */
export function bareJobs(jobs: Jobs): Jobs {
  return Object.fromEntries(
    Object.entries(jobs).map(([key, { id = key, ports = null, registration = null }]) => [
      key,
      { id, ports, registration },
    ]),
  );
}

/** The jobs of a selection, all their versions: while a job is rolled, tasks of two of them serve. */
export function wantedJobs(jobs: Jobs, select: HeliosSelection): Wanted {
  const wanted: WantedJob[] = [];
  const loopback: string[] = [];
  for (const [key, job] of Object.entries(jobs)) {
    const id = job.id ?? key;
    const ports = wantedPorts(id, job, select).filter((port) => (job.ports?.[port]?.protocol ?? 'tcp') === 'tcp');
    // The task's status does not say what the port is bound to; the job does.
    const open = ports.filter((port) => !isLoopback(job.ports?.[port]?.ip));
    loopback.push(...ports.filter((port) => !open.includes(port)).map((port) => `${id} ${port}`));
    if (open.length > 0) wanted.push({ id, ports: open });
  }
  return { jobs: wanted, loopback };
}

function wantedPorts(id: string, { ports, registration }: Job, select: HeliosSelection): string[] {
  if ('job' in select)
    return id.split(':')[0] === select.job && ports?.[select.port] !== undefined ? [select.port] : [];
  const service = withProtocol(select.registration);
  const registered = Object.entries(registration ?? {})
    .filter(([name]) => withProtocol(name) === service)
    .flatMap(([, value]) => Object.keys(value.ports ?? {}));
  return select.port === null ? registered : registered.filter((port) => port === select.port);
}

/** A service without a protocol is one of http, as in Helios itself. */
function withProtocol(service: string): string {
  return service.includes('/') ? service : `${service}/http`;
}

function isLoopback(ip: string | null | undefined): boolean {
  return ip != null && (ip.startsWith('127.') || ip === '::1' || ip === 'localhost');
}

/** Jobs that several selections want, each once with all its ports, in a lasting order. */
export function mergedJobs(selections: readonly Wanted[]): WantedJob[] {
  const ports = new Map<string, Set<string>>();
  for (const { jobs } of selections) {
    for (const job of jobs) ports.set(job.id, new Set([...(ports.get(job.id) ?? []), ...job.ports]));
  }
  return [...ports].map(([id, names]) => ({ id, ports: [...names].sort() })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A task that runs and is meant to. Whether its host lives is another question. */
export interface RunningTask {
  readonly job: string;
  readonly port: string;
  /** As the master names it: for asking it about the host. */
  readonly host: string;
  readonly endpoint: Endpoint;
}

export function runningTasks(jobs: readonly WantedJob[], statuses: JobStatuses): RunningTask[] {
  return jobs.flatMap(({ id, ports }) => {
    const { taskStatuses, deployments } = statuses[id] ?? {};
    return Object.entries(taskStatuses ?? {}).flatMap(([host, { state, goal, ports: bound }]) => {
      // The deployment's goal changes first: whatever is about to be stopped gets nothing new from here on.
      const isWanted = goal === 'START' && (deployments?.[host]?.goal ?? 'START') === 'START';
      if (state !== 'RUNNING' || !isWanted) return [];
      return ports.flatMap((port) => {
        const number = bound?.[port]?.externalPort;
        return number == null ? [] : [{ job: id, port, host, endpoint: { host: bareHost(host), port: number } }];
      });
    });
  });
}

/** Agents name themselves with a root's dot at times. */
export function bareHost(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/**
 * Of the tasks of these jobs, those on hosts that are up: RUNNING is what was written last, also where the host has died since.
 * @param up without dots at the end
 */
export function liveEndpoints(
  jobs: readonly WantedJob[],
  tasks: ReadonlyMap<string, readonly RunningTask[]>,
  up: ReadonlySet<string>,
): Endpoint[] {
  const live = new Map<string, Endpoint>();
  for (const { id, ports } of jobs) {
    for (const { port, endpoint } of tasks.get(id) ?? []) {
      if (ports.includes(port) && up.has(endpoint.host)) live.set(`${endpoint.host} ${endpoint.port}`, endpoint);
    }
  }
  return [...live.values()];
}
