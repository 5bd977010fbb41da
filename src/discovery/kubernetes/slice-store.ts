/** What is known of a service's slices, from lists and from watches that may tell the same thing twice, late, or in another order. Pure. */
import type { WatchEvent } from './api.ts';
import { type EndpointSlice, readSlice, type SliceView } from './slices.ts';

const SERVICE_LABEL = 'kubernetes.io/service-name';

interface Known {
  readonly version: string;
  /** Null: deleted, or handed to another service. */
  readonly view: SliceView | null;
}

export class SliceStore {
  readonly #service: string;
  readonly #port: string | number;
  /** By name; what is gone stays as such until the next list. */
  #known = new Map<string, Known>();
  /** The newest version that was heard of. */
  #newest = '0';

  constructor(service: string, port: string | number) {
    this.#service = service;
    this.#port = port;
  }

  get newest(): string {
    return this.#newest;
  }

  /** Of the slices that are there. */
  *views(): Generator<SliceView> {
    for (const { view } of this.#known.values()) if (view !== null) yield view;
  }

  /** All slices as of `version`. What a watch has told since then is kept. */
  list(slices: readonly EndpointSlice[], version: string): void {
    const before = this.#known;
    this.#known = new Map();
    for (const slice of slices) this.#take(slice);
    for (const [name, known] of before) {
      const listed = this.#known.get(name)?.version ?? version;
      if (isNewer(known.version, listed)) this.#known.set(name, known);
    }
    this.#heard(version);
  }

  /** All slices, whatever was known: it was of another past. */
  replace(slices: readonly EndpointSlice[], version: string): void {
    this.#known = new Map();
    for (const slice of slices) this.#take(slice);
    this.#newest = version;
  }

  #heard(version: string): void {
    if (isNewer(version, this.#newest)) this.#newest = version;
  }

  /** @returns whether it is news */
  apply({ type, object }: WatchEvent): boolean {
    const { name = '', resourceVersion = '' } = object.metadata ?? {};
    const known = this.#known.get(name);
    if (known !== undefined && !isNewer(resourceVersion, known.version)) return false;
    if (type === 'DELETED') this.#known.set(name, { version: resourceVersion, view: null });
    else this.#take(object);
    this.#heard(resourceVersion);
    return true;
  }

  #take(slice: EndpointSlice): void {
    const { name = '', labels, resourceVersion = '' } = slice.metadata ?? {};
    const isOurs = labels?.[SERVICE_LABEL] === this.#service;
    this.#known.set(name, { version: resourceVersion, view: isOurs ? readSlice(slice, this.#port) : null });
  }

  /** Whether there is something newer than what is known. @param version of the whole list */
  isBehind(versions: ReadonlyMap<string, string>, version: string): boolean {
    for (const [name, listed] of versions) {
      const known = this.#known.get(name);
      if (known === undefined || isNewer(listed, known.version)) return true;
    }
    for (const [name, { view, version: known }] of this.#known) {
      if (view !== null && !versions.has(name) && isNewer(version, known)) return true;
    }
    return false;
  }
}

/**
 * Resource versions of one kind are numbers that rise (KEP-5504); compared without reading them, since they may be larger than a number holds.
 * One that is no number is taken for newer than any other.
 */
export function isNewer(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return version !== than || version === '';
  return version.length === than.length ? version > than : version.length > than.length;
}
