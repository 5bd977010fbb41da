/**
 * Whose turn it is to have a stream. A browser opens six connections to a server of HTTP/1.1, for all pages together, and each stream keeps
 * one: a seventh page would not even load. So pages tell each other of theirs, and those that asked longest ago go without.
 */

/** Two connections are left for everything else. */
const MOST = 4;
const CHANNEL = 'crossfade-streams';

interface Asked {
  readonly page: number;
  /** When it asked, in milliseconds since 1970 of the one browser that they share; null: it needs none any more. */
  readonly since: number | null;
  /** The others have to say what they have. */
  readonly isNew: boolean;
}

export class Turns {
  readonly #page = Math.random();
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #others = new Map<number, number>();
  readonly #onTurn: (isOurs: boolean) => void;
  #since: number | null = null;

  /** @param onTurn told whenever it may have changed, while there is need of one */
  constructor(onTurn: (isOurs: boolean) => void) {
    this.#onTurn = onTurn;
    this.#channel.addEventListener('message', ({ data }: MessageEvent<Asked>) => this.#hear(data));
  }

  /** The page that asked last is the first to have one. */
  ask(): void {
    this.#since = Date.now();
    this.#tell(true);
    this.#onTurn(this.isOurs);
  }

  leave(): void {
    this.#since = null;
    this.#tell(false);
  }

  close(): void {
    this.leave();
    this.#channel.close();
  }

  get isOurs(): boolean {
    const { length } = [...this.#others].filter(([page, since]) => this.#isBefore(page, since));
    return this.#since !== null && length < MOST;
  }

  #isBefore(page: number, since: number): boolean {
    const own = this.#since ?? 0;
    return since === own ? page > this.#page : since > own;
  }

  #tell(isNew: boolean): void {
    this.#channel.postMessage({ page: this.#page, since: this.#since, isNew } satisfies Asked);
  }

  #hear({ page, since, isNew }: Asked): void {
    if (since === null) this.#others.delete(page);
    else this.#others.set(page, since);
    if (this.#since === null) return;
    if (isNew) this.#tell(false);
    this.#onTurn(this.isOurs);
  }
}
