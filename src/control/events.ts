import type { ControlEvent } from './control.ts';

type Omitting<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** An event before it has its number and time. */
export type NewEvent = Omitting<ControlEvent, 'id' | 'at'>;

/** How many events are remembered for those who come late. */
const REMEMBERED = 1000;

/** What happened, in order, to whoever listens; the last 1,000 are remembered. */
export class Events {
  readonly #clock: () => number;
  readonly #ring: ControlEvent[] = [];
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  #lastId = 0;

  /** @param clock milliseconds since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  emit(event: NewEvent): void {
    const stamped: ControlEvent = { id: ++this.#lastId, at: this.#clock(), ...event };
    this.#ring.push(stamped);
    if (this.#ring.length > REMEMBERED) this.#ring.shift();
    for (const listener of this.#listeners) listener(stamped);
  }

  subscribe(listener: (event: ControlEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  since(id: number): ControlEvent[] {
    return this.#ring.filter((event) => event.id > id);
  }
}
