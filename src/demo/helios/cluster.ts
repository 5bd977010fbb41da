/** What a Helios knows: jobs, hosts, and the tasks of jobs on hosts. A task's state is what was written last, whether or not its host lives. */
import {
  describeDeployment,
  describeHost,
  describeJob,
  describeTask,
  idOf,
  type JobSpec,
  type Task,
} from './descriptors.ts';

export class HeliosCluster {
  readonly #jobs = new Map<string, JobSpec>();
  /** By name: whether it is up. */
  readonly #hosts = new Map<string, boolean>();
  readonly #tasks = new Map<string, Map<string, Task>>();

  /** @returns its full id */
  createJob(spec: JobSpec): string {
    const id = idOf(spec);
    this.#jobs.set(id, spec);
    this.#tasks.set(id, new Map());
    return id;
  }

  removeJob(id: string): void {
    this.#jobs.delete(id);
    this.#tasks.delete(id);
  }

  /** Its tasks stay as they are: nobody is there to write anything else. */
  setHost(name: string, isUp: boolean): void {
    this.#hosts.set(name, isUp);
  }

  /** @param externalPorts what the agent has given the job's ports */
  deploy(id: string, host: string, externalPorts: Task['externalPorts'], more: Partial<Task> = {}): void {
    if (!this.#hosts.has(host)) this.#hosts.set(host, true);
    this.#tasks.get(id)?.set(host, { goal: 'START', state: 'RUNNING', throttled: 'NO', externalPorts, ...more });
  }

  change(id: string, host: string, change: Partial<Task>): void {
    Object.assign(this.#tasks.get(id)?.get(host) ?? {}, change);
  }

  undeploy(id: string, host: string): void {
    this.#tasks.get(id)?.delete(host);
  }

  jobs(filter: string): object {
    const found = [...this.#jobs].filter(([id]) => id.includes(filter));
    return Object.fromEntries(found.map(([id, spec]) => [id, describeJob(spec)]));
  }

  job(id: string): object | undefined {
    const spec = this.#jobs.get(id);
    return spec && describeJob(spec);
  }

  jobStatus(id: string): object | undefined {
    const spec = this.#jobs.get(id);
    if (spec === undefined) return undefined;
    const tasks = [...(this.#tasks.get(id) ?? [])];
    return {
      job: describeJob(spec),
      taskStatuses: Object.fromEntries(tasks.map(([host, task]) => [host, describeTask(spec, host, task)])),
      deployments: Object.fromEntries(tasks.map(([host, task]) => [host, describeDeployment(spec, task)])),
    };
  }

  /** Those that are down as well. */
  hosts(pattern: string): string[] {
    return [...this.#hosts.keys()].filter((name) => name.includes(pattern));
  }

  /** @param wanted only when it is in this state; null: in any */
  hostStatus(name: string, wanted: string | null): object | undefined {
    const isUp = this.#hosts.get(name);
    if (isUp === undefined || (wanted !== null && wanted !== (isUp ? 'UP' : 'DOWN'))) return undefined;
    const jobs: Record<string, object> = {};
    const statuses: Record<string, object> = {};
    let role = '';
    for (const [id, spec] of this.#jobs) {
      const task = this.#tasks.get(id)?.get(name);
      if (task === undefined) continue;
      role = spec.name.replace(/-api$/, '');
      jobs[id] = describeDeployment(spec, task);
      statuses[id] = describeTask(spec, name, task);
    }
    return describeHost(name, isUp, jobs, statuses, role);
  }
}
