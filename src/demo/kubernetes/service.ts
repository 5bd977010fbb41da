import { setTimeout as sleep } from 'node:timers/promises';
import { Instance } from '../instance.ts';
import type { SliceObjects } from './objects.ts';

/** Between the word that a pod ends and its end, as a preStop hook gives it. */
const PRE_STOP_MS = 1_000;
/** As the controller that writes slices by default. */
const PER_SLICE = 100;

interface Pod {
  readonly name: string;
  readonly instance: Instance;
  isTerminating: boolean;
}

export interface ServiceNames {
  readonly namespace: string;
  readonly service: string;
  readonly port: string;
}

/** A service on an emulated Kubernetes whose pods really serve, each on an address of its own as far as this machine has them. */
export class KubernetesService {
  readonly #objects: SliceObjects;
  readonly #names: ServiceNames;
  readonly #podPort: number;
  #pods: readonly Pod[] = [];
  #slices = 0;
  #count = 0;

  /** @param podPort of all pods */
  constructor(objects: SliceObjects, names: ServiceNames, podPort: number) {
    this.#objects = objects;
    this.#names = names;
    this.#podPort = podPort;
  }

  async start(pods: number): Promise<void> {
    for (let i = 0; i < pods; i++) await this.#add();
  }

  async #add(): Promise<void> {
    const number = ++this.#count;
    const name = `${this.#names.service}-${number}`;
    const host = `127.1.${number >> 8}.${number & 255}`;
    const instance = await Instance.start('new', name, host, this.#podPort);
    this.#pods = [...this.#pods, { name, instance, isTerminating: false }];
    this.#write();
  }

  /** Every pod is replaced by a new one, one after the other, none missing at any time. */
  async rollOut(): Promise<void> {
    for (const pod of this.#pods) {
      await this.#add();
      pod.isTerminating = true;
      this.#write();
      await sleep(PRE_STOP_MS);
      pod.instance.stop();
      this.#pods = this.#pods.filter((other) => other !== pod);
      this.#write();
    }
  }

  #write(): void {
    const { namespace, service, port } = this.#names;
    const ports = [{ name: port, protocol: 'TCP', port: this.#podPort }];
    const wanted = Math.max(Math.ceil(this.#pods.length / PER_SLICE), 1);
    for (let i = 0; i < wanted; i++) {
      const endpoints = this.#pods.slice(i * PER_SLICE, (i + 1) * PER_SLICE).map(describe);
      this.#objects.put({ namespace, name: `${service}-slice${i}`, service, endpoints, ports });
    }
    for (let i = wanted; i < this.#slices; i++) this.#objects.remove(namespace, `${service}-slice${i}`);
    this.#slices = wanted;
  }
}

function describe({ name, instance, isTerminating }: Pod): object {
  return {
    addresses: [instance.host],
    conditions: { ready: !isTerminating, serving: true, terminating: isTerminating },
    nodeName: 'worker-1',
    targetRef: { kind: 'Pod', name, uid: `uid-of-${name}` },
  };
}
