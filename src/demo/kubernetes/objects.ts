/** EndpointSlices as an API server keeps them: under one rising resource version, with the events since the last compaction. */

export interface StoredSlice {
  readonly addressType: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly endpoints: readonly unknown[] | null;
  readonly ports: readonly unknown[] | null;
}

export interface StoredEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  readonly object: StoredSlice;
  /** What it was before; absent for what is added. */
  readonly before?: StoredSlice;
}

/** What is written of a slice; the store gives the rest. */
export interface SliceDraft {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly addressType?: string;
  readonly endpoints: readonly unknown[] | null;
  readonly ports: readonly unknown[] | null;
}

/** Where a cluster that has lived for a while stands. */
const FIRST_VERSION = 190;

export class SliceObjects {
  readonly #slices = new Map<string, StoredSlice>();
  #events: StoredEvent[] = [];
  #version = FIRST_VERSION;
  #oldest = FIRST_VERSION;
  #listener: ((event: StoredEvent) => void) | undefined;

  /** The newest resource version. */
  get version(): number {
    return this.#version;
  }

  /** A watch from an older one has expired. */
  get oldest(): number {
    return this.#oldest;
  }

  onEvent(listener: (event: StoredEvent) => void): void {
    this.#listener = listener;
  }

  all(): StoredSlice[] {
    return [...this.#slices.values()];
  }

  since(version: number): StoredEvent[] {
    return this.#events.filter((event) => event.version > version);
  }

  put({ namespace, name, service, addressType = 'IPv4', endpoints, ports }: SliceDraft): void {
    const key = `${namespace}/${name}`;
    const before = this.#slices.get(key);
    const version = ++this.#version;
    const object: StoredSlice = {
      metadata: {
        name,
        namespace,
        generateName: `${service}-`,
        uid: `uid-of-${namespace}-${name}`,
        resourceVersion: String(version),
        generation: version,
        creationTimestamp: '2026-11-02T09:12:44Z',
        labels: {
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          'kubernetes.io/service-name': service,
        },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-11-02T09:12:44Z' },
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Service',
            name: service,
            uid: `uid-of-${service}`,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      addressType,
      endpoints,
      ports,
    };
    this.#slices.set(key, object);
    this.#happened(
      before === undefined ? { type: 'ADDED', version, object } : { type: 'MODIFIED', version, object, before },
    );
  }

  remove(namespace: string, name: string): void {
    const before = this.#slices.get(`${namespace}/${name}`);
    if (before === undefined) return;
    this.#slices.delete(`${namespace}/${name}`);
    const version = ++this.#version;
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    this.#happened({ type: 'DELETED', version, object, before });
  }

  /** Some other object of the cluster has changed. */
  tick(): void {
    this.#version++;
  }

  /** Forgets all events: what watches before now has expired. */
  compact(): void {
    this.tick();
    this.#events = [];
    this.#oldest = this.#version;
  }

  #happened(event: StoredEvent): void {
    this.#events.push(event);
    this.#listener?.(event);
  }
}
