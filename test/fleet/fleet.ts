/** Several replicas, each with processes of its own, on one Redis and in front of the same two servers. */
import type { RouteView, StatusView } from '../../src/control/control.ts';
import { Origins, Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';

export interface FleetOptions {
  readonly store: string;
  /** Default 3. */
  readonly replicas?: number;
  /** Of each; default 2. */
  readonly workers?: number;
  readonly fleet?: string;
  /** Lines of the configuration behind the route. */
  readonly routes?: string;
}

export class TestFleet {
  readonly replicas: readonly Replica[];
  readonly origins = new Origins();

  private constructor(replicas: readonly Replica[]) {
    this.replicas = replicas;
  }

  /** Configured, but not running. */
  static async prepare({
    store,
    replicas: size = 3,
    workers = 2,
    fleet: name = 'default',
    routes = '',
  }: FleetOptions): Promise<TestFleet> {
    const fleet = new TestFleet(Array.from({ length: size }, () => new Replica()));
    const backends = await fleet.origins.start();
    const yaml = yamlOf(backends, { head: `fleet: ${name}\nstateFile: last.json`, routes, workers });
    for (const replica of fleet.replicas) {
      replica.configure(yaml.replace('store: file:state.json', `store: ${store}`));
    }
    return fleet;
  }

  /** All serve, and know each other. */
  static async start(options: FleetOptions): Promise<TestFleet> {
    const fleet = await TestFleet.prepare(options);
    await Promise.all(fleet.replicas.map((replica) => replica.start()));
    await fleet.agreed();
    return fleet;
  }

  replica(index: number): Replica {
    return this.replicas[index % this.replicas.length] as Replica;
  }

  /** Every replica counts every other, and all serve the same. */
  async agreed(): Promise<StatusView[]> {
    return until('a fleet that agrees', async () => {
      const all = await this.statuses();
      const done = all.every(
        ({ applied, revision, store }) =>
          store.up && applied.of === all.length && applied.replicas === all.length && revision === all[0]?.revision,
      );
      return done ? all : undefined;
    });
  }

  statuses(): Promise<StatusView[]> {
    return Promise.all(this.replicas.map((replica) => replica.status()));
  }

  async dispose(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.dispose()));
    this.origins.stop();
  }
}

/** Lowers or raises; answers when all workers of all replicas serve it. */
export async function setWeight(
  replica: Replica,
  weight: number,
  { waitMs = 10_000, route = 'demo' } = {},
): Promise<Response> {
  const { revision }: RouteView = await replica.route(route);
  return fetch(`${replica.admin}/v1/routes/${route}/weight`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'if-match': `"${revision}"` },
    body: JSON.stringify({ weight, reason: 'test', wait: waitMs }),
  });
}
