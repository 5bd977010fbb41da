import { setTimeout as sleep } from 'node:timers/promises';
import { Instance } from '../instance.ts';
import type { HeliosCluster } from './cluster.ts';

/** Where agents begin to give out ports. */
const FIRST_PORT = 20_001;
/** Seconds between the word that a task will stop and its end. */
const GRACE_S = 2;

interface Running {
  readonly id: string;
  readonly host: string;
  readonly instance: Instance;
}

/** A job on an emulated Helios whose tasks really serve: one a host. */
export class HeliosService {
  readonly #cluster: HeliosCluster;
  readonly #name: string;
  readonly #portName: string;
  #running: readonly Running[] = [];
  #nextPort = FIRST_PORT;

  constructor(cluster: HeliosCluster, name: string, portName: string) {
    this.#cluster = cluster;
    this.#name = name;
    this.#portName = portName;
  }

  /** @param hosts addresses of this machine */
  async start(version: string, hosts: readonly string[]): Promise<void> {
    const id = this.#create(version);
    for (const host of hosts) await this.#deploy(id, version, host);
  }

  #create(version: string): string {
    const ports = { [this.#portName]: { internalPort: 8080 } };
    const registration = { [`${this.#name}/http`]: [this.#portName] };
    return this.#cluster.createJob({ name: this.#name, version, ports, registration, gracePeriod: GRACE_S });
  }

  async #deploy(id: string, version: string, host: string): Promise<void> {
    const port = this.#nextPort++;
    const instance = await Instance.start('old', `${this.#name}:${version} on ${host}`, host, port);
    this.#running = [...this.#running, { id, host, instance }];
    this.#cluster.deploy(id, host, { [this.#portName]: port });
  }

  /** Puts another version in the place of what runs, host after host: both run side by side meanwhile. */
  async roll(version: string): Promise<void> {
    const before = this.#running;
    const id = this.#create(version);
    for (const task of before) {
      await this.#deploy(id, version, task.host);
      await this.#stop(task);
    }
    for (const old of new Set(before.map((task) => task.id))) this.#cluster.removeJob(old);
  }

  async #stop(task: Running): Promise<void> {
    const { id, host, instance } = task;
    this.#cluster.change(id, host, { goal: 'UNDEPLOY', state: 'STOPPING' });
    await sleep(GRACE_S * 1_000);
    instance.stop();
    this.#cluster.undeploy(id, host);
    this.#running = this.#running.filter((other) => other !== task);
  }

  /** The host's machine dies: what ran there is gone, and is shown as RUNNING on. */
  lose(host: string): void {
    this.#cluster.setHost(host, false);
    for (const task of this.#running) if (task.host === host) task.instance.die();
    this.#running = this.#running.filter((task) => task.host !== host);
  }
}
