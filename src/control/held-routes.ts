/**
 * Routes that this replica alone serves from old, because it found their new side dead. It says nothing to the others but its vote; it ends
 * when somebody writes the route, whether that is the fleet's rollback or a person's word.
 */
import type { State } from '../domain/state.ts';
import { lowered, type Pin } from './local-rollbacks.ts';

interface Held extends Pin {
  /** Of the route when it was held. */
  readonly revision: number;
}

export class HeldRoutes {
  readonly #onChange: () => void;
  #held: ReadonlyMap<string, Held> = new Map();
  #last: { readonly state: State; readonly held: ReadonlyMap<string, Held>; readonly lowered: State } | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  hold(route: string, held: Held): void {
    this.#held = new Map([...this.#held, [route, held]]);
    this.#onChange();
  }

  /** Whether the route is held at what the state shows of it. */
  has(route: string, state: State | undefined): boolean {
    const held = this.#held.get(route);
    return held !== undefined && state?.routes.get(route)?.revision === held.revision;
  }

  /** What is wrong while a route is held, in a sentence; else null. */
  alarm(state: State | undefined): string | null {
    const routes = [...this.#held.keys()].filter((route) => this.has(route, state));
    if (routes.length === 0) return null;
    const names = routes.map((route) => `"${route}"`).join(', ');
    return `This replica alone serves ${names} from old: it cannot reach the new side`;
  }

  /** The state with the held routes at old; the same one as long as nothing changes. */
  apply(state: State): State {
    if (this.#held.size === 0) return state;
    if (this.#last?.state !== state || this.#last.held !== this.#held) {
      const valid = new Map([...this.#held].filter(([route]) => this.has(route, state)));
      this.#held = valid;
      this.#last = { state, held: valid, lowered: lowered(state, valid, 'on this replica alone') };
    }
    return this.#last.lowered;
  }
}
