/**
 * Header and trailer fields as both protocols and the proxy see them. Names are compared without regard to case; a name may occur
 * more than once. Values are one character a byte (latin1), as they came, without surrounding blanks.
 */
export interface Fields {
  /** The first value of the lower-case name, or undefined. */
  get(name: string): string | undefined;
  /** Calls back with every field in order; the name as it was written. */
  visit(fn: (name: string, value: string) => void): void;
  /** Null: they are not expected to come again. */
  readonly sent: Rendering | null;
}

/**
 * A head as it was last written for the other side, kept with the fields that it was made of: as long as those come again, and what else it
 * depends on is the same, it need not be made again.
 */
export class Rendering {
  #form: unknown = null;
  #added: unknown = null;
  #variant: unknown = null;

  /** Text or block, as it was kept; null: there is none. @param added what was added to the head, by identity @param variant whatever else it depends on, by identity */
  of(added: unknown, variant: unknown): unknown {
    return added === this.#added && variant === this.#variant ? this.#form : null;
  }

  keep(added: unknown, variant: unknown, form: unknown): void {
    this.#added = added;
    this.#variant = variant;
    this.#form = form;
  }

  /** Another head comes. */
  clear(): void {
    this.#form = null;
  }
}

/** What was found out about a head, such as its route, kept with it as long as the same comes again: what that depends on besides stays the same for long. */
export class Finding {
  /** That it holds good for, by identity; null: nothing was found out. */
  by: object | null = null;
  value = 0;

  /** Another head comes. */
  clear(): void {
    this.by = null;
  }

  keep(by: object, value: number): void {
    this.by = by;
    this.value = value;
  }
}

/** Lower-case names of fields that belong to one hop (RFC 9110 section 7.6.1). */
export const HOP_BY_HOP_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authorization',
  'proxy-authenticate',
]);

/** Lower-case names of fields that tell a backend where a request came from; written anew by the proxy. */
export const FORWARDING_NAMES: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-client-cert',
  'via',
]);

/** Fields as a flat array of names and values: what HTTP/2 decodes to, what the proxy itself writes, and trailers. */
export class FlatFields implements Fields {
  readonly flat: readonly string[];
  readonly sent: Rendering | null = null;

  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  get(name: string): string | undefined {
    for (let i = 0; i < this.flat.length; i += 2) {
      const candidate = this.flat[i] as string;
      if (candidate.length === name.length && candidate.toLowerCase() === name) return this.flat[i + 1];
    }
    return undefined;
  }

  visit(fn: (name: string, value: string) => void): void {
    for (let i = 0; i < this.flat.length; i += 2) fn(this.flat[i] as string, this.flat[i + 1] as string);
  }
}
