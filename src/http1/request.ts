/** Request heads (RFC 9112 sections 3 and 5). */
import { Finding } from '../fields.ts';
import { CR, HOST, LF, SP, TARGET, TOKEN } from './chars.ts';
import type { RequestFault } from './fault.ts';
import { Http1Fields } from './fields.ts';
import { type ConnectionOptions, connectionOptions, requestBodyLength } from './framing.ts';
import { HOST_FIELD } from './known.ts';
import { latin1 } from './latin1.ts';
import { RepeatedHead } from './repeated.ts';

export interface HeadLimits {
  /** Bytes of a head: request line, fields and the empty line. */
  readonly headBytes: number;
  /** Field lines of a head. */
  readonly fields: number;
  readonly targetBytes: number;
}

/** `HTTP/1.` */
const VERSION = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e] as const;

/** One request's head. Made once a connection and filled anew for each request. */
export class RequestHead {
  method = '';
  /** What the backend is asked for: origin-form or `*`, as it came but for the scheme and host of an absolute-form. */
  target = '';
  /** Host and port as the client named them: of an absolute-form target, else of the Host field; '' in HTTP/1.0 without either. */
  authority = '';
  minorVersion = 1;
  /** Bytes of the body, NO_BODY or CHUNKED. */
  bodyLength = 0;
  /** Whether the client wants the connection kept (RFC 9112 section 9.3). */
  keepAlive = true;
  connection: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: null };
  readonly fields: Http1Fields;
  readonly route = new Finding();
  readonly #limits: HeadLimits;
  /** The head that all of the above was read from, if it was valid. */
  readonly #last = new RepeatedHead();

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.fields = new Http1Fields(limits.fields);
  }

  /** Where the head at `at` ends if it is the last one once more, as clients that keep their connection often send it; else -1. */
  repeatedUntil(bytes: Buffer, at: number, end: number): number {
    return this.#last.until(bytes, at, end);
  }

  /** Parses the head at bytes[at, end), `end` being behind the empty line. Returns what is wrong, or null. */
  parse(bytes: Buffer, at: number, end: number): RequestFault | null {
    this.#last.keep('');
    this.route.clear();
    const fault = this.#parse(bytes, at, end);
    if (fault === null) this.#last.keep(this.fields.text);
    return fault;
  }

  #parse(bytes: Buffer, at: number, end: number): RequestFault | null {
    const fields = this.fields;
    let p = at;
    while (TOKEN[bytes[p] as number] === 1) p++;
    if (p === at || bytes[p] !== SP) return 'badRequest';
    const methodEnd = p++;
    const targetStart = p;
    while (TARGET[bytes[p] as number] === 1) p++;
    const targetEnd = p;
    if (targetEnd === targetStart || bytes[p++] !== SP) return 'badRequest';
    if (targetEnd - targetStart > this.#limits.targetBytes) return 'targetTooLong';
    const version = parseVersion(bytes, p);
    if (typeof version !== 'number') return version;
    p += 10;
    const fault = fields.scan(bytes, p, end, at);
    if (fault !== null) return fault === 'tooMany' ? 'headTooLarge' : 'badRequest';
    const text = latin1(bytes, at, end);
    fields.text = text;
    this.method = text.substring(0, methodEnd - at);
    this.target = text.substring(targetStart - at, targetEnd - at);
    this.minorVersion = version;
    return this.#interpret();
  }

  #interpret(): RequestFault | null {
    const fields = this.fields;
    if (this.method === 'CONNECT') return 'methodUnsupported';
    if (fields.isRepeated(HOST_FIELD)) return 'badRequest';
    const hasHost = fields.has(HOST_FIELD);
    if (!hasHost && this.minorVersion === 1) return 'badRequest';
    const host = hasHost ? fields.known(HOST_FIELD) : '';
    if (hasHost && !isHost(host)) return 'badRequest';
    this.authority = host;
    if (!this.#resolveTarget(hasHost)) return 'badRequest';
    const bodyLength = requestBodyLength(fields, this.minorVersion);
    if (typeof bodyLength !== 'number') return bodyLength;
    this.bodyLength = bodyLength;
    const connection = connectionOptions(fields);
    // An Upgrade in HTTP/1.0 must be ignored (RFC 9110 section 7.8).
    this.connection = this.minorVersion === 0 && connection.upgrade ? { ...connection, upgrade: false } : connection;
    this.keepAlive = !connection.close && (this.minorVersion === 1 || connection.keepAlive);
    return null;
  }

  /**
   * Origin-form stays as it is. Of an absolute-form the path is kept, and its host counts (RFC 9112 section 3.2.2); a Host field that
   * says something else is a way to be read differently by two parties, and refused. Asterisk-form belongs to OPTIONS alone.
   */
  #resolveTarget(hasHost: boolean): boolean {
    const target = this.target;
    if (target.charCodeAt(0) === 0x2f) return true;
    if (target === '*') return this.method === 'OPTIONS';
    const absolute = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
    if (absolute === null) return false;
    const authority = absolute[1] as string;
    const rest = absolute[2] as string;
    if (!isHost(authority)) return false;
    if (hasHost && authority.toLowerCase() !== this.authority.toLowerCase()) return false;
    this.authority = authority;
    if (rest === '' && this.method === 'OPTIONS') this.target = '*';
    else this.target = rest.startsWith('/') ? rest : `/${rest}`;
    return true;
  }
}

/** Minor version behind the target; only HTTP/1.0 and HTTP/1.1 are spoken here. Any other well-formed version is named as such. */
function parseVersion(bytes: Buffer, at: number): number | RequestFault {
  for (let i = 0; i < VERSION.length; i++) {
    if (bytes[at + i] !== VERSION[i]) return isOtherVersion(bytes, at) ? 'versionUnsupported' : 'badRequest';
  }
  const minor = (bytes[at + 7] as number) - 0x30;
  if (bytes[at + 8] !== CR || bytes[at + 9] !== LF) return 'badRequest';
  if (minor === 0 || minor === 1) return minor;
  return minor > 1 && minor <= 9 ? 'versionUnsupported' : 'badRequest';
}

function isOtherVersion(bytes: Buffer, at: number): boolean {
  return /^HTTP\/\d\.\d\r\n/.test(latin1(bytes, at, Math.min(at + 10, bytes.length)));
}

/** IPv6 or a future kind of address in brackets, with an optional port (RFC 3986 section 3.2.2). */
const BRACKETED_HOST = /^\[(?:[0-9a-f:.]+|v[0-9a-f]+\.[\w\-.~!$&'()*+,;=:]+)\](?::\d{0,5})?$/i;

/** uri-host with an optional port (RFC 9110 section 7.2); must not be empty, since no target here is without an authority. */
function isHost(value: string): boolean {
  const length = value.length;
  if (length === 0) return false;
  for (let i = 0; i < length; i++) if (HOST[value.charCodeAt(i)] !== 1) return false;
  if (value.charCodeAt(0) === 0x5b) return BRACKETED_HOST.test(value);
  const colon = value.indexOf(':');
  if (colon === -1) return value.indexOf('[') === -1 && value.indexOf(']') === -1;
  if (colon === 0) return false;
  for (let i = colon + 1; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return value.indexOf('[') === -1 && value.indexOf(']') === -1 && length - colon <= 6;
}

/** What is wrong with the line at bytes[at, lineEnd), CRLF behind it, that no request can begin with: the head need not be awaited. */
export function firstLineFault(bytes: Buffer, at: number, lineEnd: number): RequestFault | null {
  const parts = latin1(bytes, at, lineEnd).split(' ');
  if (parts.length !== 3) return 'badRequest';
  const version = parseVersion(bytes, lineEnd - (parts[2] as string).length);
  return typeof version === 'number' ? null : version;
}
