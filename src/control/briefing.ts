/** What workers have to know, as messages: all of it for one that says hello, afterwards what changes. */
import type { State } from '../domain/state.ts';
import type { DownMessage, RouteBounds, TableMessage } from '../seam.ts';
import type { KnownBackends } from './known-backends.ts';
import { allWeights, changedWeights, indexRoutes, type RouteIndex } from './syncer.ts';

/** Tables whose late evidence is still understood. */
const TABLES = 4;

/** What workers go by when they tally for the judge. */
export type Bounds = Omit<RouteBounds, 'route'>;

export class Briefing {
  readonly #backends: KnownBackends;
  #table: TableMessage | undefined;
  #index: RouteIndex = { generation: 0, byName: new Map() };
  /** Names of the last tables' routes, by generation. */
  readonly #names = new Map<number, readonly string[]>();
  /** By route. */
  readonly #bounds = new Map<string, Bounds>();
  #state: State | undefined;

  constructor(backends: KnownBackends) {
    this.#backends = backends;
  }

  /** Of the newest table; 0 before the first. */
  get generation(): number {
    return this.#index.generation;
  }

  /** Of the table's routes, by index; none of a table that is forgotten. */
  namesOf(generation: number): readonly string[] {
    return this.#names.get(generation) ?? [];
  }

  /** Workers are to serve by this table from now on. */
  install(table: TableMessage): void {
    const { generation } = table;
    this.#table = table;
    this.#index = indexRoutes(table);
    this.#names.set(
      generation,
      table.routes.map(({ name }) => name),
    );
    this.#names.delete(generation - TABLES);
  }

  renewTicketKeys(ticketKeys: TableMessage['ticketKeys']): DownMessage {
    if (this.#table !== undefined) this.#table = { ...this.#table, ticketKeys };
    return { kind: 'ticketKeys', ticketKeys };
  }

  /** Workers are to serve this state from now on. */
  show(state: State): DownMessage[] {
    const before = this.#state;
    this.#state = state;
    return before === undefined ? this.everything() : [changedWeights(this.#index, before, state)];
  }

  bind(route: string, bounds: Bounds): DownMessage {
    this.#bounds.set(route, bounds);
    return this.#boundsOf([route]);
  }

  /** Nothing while no state is known, so that a worker does not even listen. */
  everything(): DownMessage[] {
    const table = this.#table;
    const state = this.#state;
    if (table === undefined || state === undefined) return [];
    const backends = [...table.backends.keys()];
    const endpoints = backends.map((backend) =>
      this.endpoints(backend, { removed: [], added: this.#backends.endpoints(backend) }),
    );
    const health = backends.map((backend) => this.health(backend));
    return [table, ...endpoints, ...health, this.#boundsOf([...this.#bounds.keys()]), allWeights(this.#index, state)];
  }

  /** @param backend its index in the table */
  endpoints(
    backend: number,
    { removed, added }: Pick<Extract<DownMessage, { kind: 'endpoints' }>, 'removed' | 'added'>,
  ): DownMessage {
    return { kind: 'endpoints', generation: this.generation, backend, removed, added };
  }

  health(backend: number): DownMessage {
    return { kind: 'health', generation: this.generation, backend, ...this.#backends.exceptions(backend) };
  }

  #boundsOf(names: readonly string[]): DownMessage {
    const routes = names.flatMap((name): RouteBounds[] => {
      const route = this.#index.byName.get(name);
      const bounds = this.#bounds.get(name);
      return route === undefined || bounds === undefined ? [] : [{ route, ...bounds }];
    });
    return { kind: 'bounds', generation: this.generation, routes };
  }
}
