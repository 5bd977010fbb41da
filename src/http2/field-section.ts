/** What a header block holds, sorted while it is decoded. One a connection, begun anew for each block. */
import { ENTRY_BYTES } from './dynamic-table.ts';
import {
  AUTHORITY,
  CONNECTION_SPECIFIC,
  CONTENT_LENGTH,
  COOKIE,
  HOP_BY_HOP,
  HOST_FIELD,
  METHOD,
  NOT_IN_TRAILERS,
  OTHER,
  PATH,
  SCHEME,
  STATUS,
  TE,
  UNKNOWN_PSEUDO,
} from './known.ts';

export interface FieldLimits {
  /** Names, values and 32 for each field (RFC 9113 section 6.5.2). */
  readonly headBytes: number;
  readonly fields: number;
}

/** Content-Length is absent. */
export const NO_LENGTH = -1;
const MAX_LENGTH_DIGITS = 15;

export class FieldSection {
  /** Pseudo-fields; undefined: absent. */
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  status: string | undefined;
  host: string | undefined;
  /** Names and values by turns, without pseudo-fields. A new array for each block. */
  flat: string[] = [];
  neverIndexed: string[] | null = null;
  contentLength = NO_LENGTH;
  /** Some field is there that RFC 9113 section 8 does not allow, whatever the message is. */
  isMalformed = false;
  hasPseudo = false;
  /** Over a limit: fields are missing. */
  isTooLarge = false;
  /** Whether trailers must not have one of the fields at all, as they would say where the body ends. */
  framesBody = false;
  #bytes = 0;
  #fields = 0;
  #cookie: string | undefined;
  #isTrailers = false;
  readonly #limits: FieldLimits;

  constructor(limits: FieldLimits) {
    this.#limits = limits;
  }

  begin(isTrailers: boolean): void {
    this.method = undefined;
    this.scheme = undefined;
    this.authority = undefined;
    this.path = undefined;
    this.status = undefined;
    this.host = undefined;
    this.flat = [];
    this.neverIndexed = null;
    this.contentLength = NO_LENGTH;
    this.isMalformed = false;
    this.hasPseudo = false;
    this.isTooLarge = false;
    this.framesBody = false;
    this.#bytes = 0;
    this.#fields = 0;
    this.#cookie = undefined;
    this.#isTrailers = isTrailers;
  }

  /** @param kind of known.ts */
  add(name: string, value: string, kind: number): void {
    this.#bytes += name.length + value.length + ENTRY_BYTES;
    if (this.#bytes > this.#limits.headBytes) {
      this.isTooLarge = true;
      return;
    }
    if (kind > OTHER && kind <= UNKNOWN_PSEUDO) {
      this.#pseudo(value, kind);
      return;
    }
    if (++this.#fields > this.#limits.fields) {
      this.isTooLarge = true;
      return;
    }
    if (kind === OTHER || this.#isKept(value, kind)) this.flat.push(name, value);
  }

  markNeverIndexed(name: string): void {
    if (this.neverIndexed === null) this.neverIndexed = [name];
    else if (!this.neverIndexed.includes(name)) this.neverIndexed.push(name);
  }

  /** All fields are in. RFC 9113 section 8.2.3: cookies that came in crumbs are one field again. */
  finish(): void {
    if (this.#cookie !== undefined) this.flat.push('cookie', this.#cookie);
  }

  #pseudo(value: string, kind: number): void {
    // RFC 9113 section 8.3: none behind a regular field, none twice, none that is unknown.
    if (this.#fields > 0) this.isMalformed = true;
    this.hasPseudo = true;
    switch (kind) {
      case METHOD:
        if (this.method !== undefined) this.isMalformed = true;
        this.method = value;
        break;
      case SCHEME:
        if (this.scheme !== undefined) this.isMalformed = true;
        this.scheme = value;
        break;
      case AUTHORITY:
        if (this.authority !== undefined) this.isMalformed = true;
        this.authority = value;
        break;
      case PATH:
        if (this.path !== undefined) this.isMalformed = true;
        this.path = value;
        break;
      case STATUS:
        if (this.status !== undefined) this.isMalformed = true;
        this.status = value;
        break;
      default:
        this.isMalformed = true;
    }
  }

  /** Whether a field that there are rules for stays among the others. */
  #isKept(value: string, kind: number): boolean {
    switch (kind) {
      case CONNECTION_SPECIFIC:
        this.isMalformed = true;
        return false;
      case TE:
        if (value !== 'trailers') this.isMalformed = true;
        return !this.#isTrailers;
      case CONTENT_LENGTH:
        this.framesBody = true;
        this.#length(value);
        return true;
      case COOKIE:
        this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`;
        return false;
      case HOST_FIELD:
        if (this.host !== undefined) this.isMalformed = true;
        this.host = value;
        return false;
      case HOP_BY_HOP:
        return false;
      case NOT_IN_TRAILERS:
        return !this.#isTrailers;
      default:
        // Characters that a name or a value must not have.
        this.isMalformed = true;
        return false;
    }
  }

  /** Stricter than RFC 9110 section 8.6 where leniency lets two parties read two lengths: once, digits only. */
  #length(value: string): void {
    let length = 0;
    for (let i = 0; i < value.length; i++) {
      const digit = value.charCodeAt(i) - 0x30;
      if (digit < 0 || digit > 9) this.isMalformed = true;
      length = length * 10 + digit;
    }
    if (value.length === 0 || value.length > MAX_LENGTH_DIGITS || this.contentLength !== NO_LENGTH) {
      this.isMalformed = true;
    }
    this.contentLength = length;
  }
}
