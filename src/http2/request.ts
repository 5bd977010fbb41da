/** Request heads (RFC 9113 section 8.3.1). */
import { Finding } from '../fields.ts';
import { NO_BODY, NO_CONNECTION_OPTIONS, UNKNOWN } from './body-length.ts';
import { COLON, HOST, TARGET, TOKEN } from './chars.ts';
import type { RequestFault } from './fault.ts';
import { type FieldSection, NO_LENGTH } from './field-section.ts';
import { Http2Fields } from './fields.ts';

/** One request's head. Never changes, and serves every request of its connection that has the same. */
export class RequestHead {
  readonly method: string;
  /** `http` or `https`. */
  readonly scheme: string;
  /** Host and port as the client named them: `:authority`, or Host in its place. */
  readonly authority: string;
  /** `:path`: origin-form or `*`. */
  readonly target: string;
  /** Without pseudo-fields and Host; cookies as one field. */
  readonly fields: Http2Fields;
  /** Bytes of the body, NO_BODY or UNKNOWN. */
  readonly bodyLength: number;
  readonly connection = NO_CONNECTION_OPTIONS;
  readonly route = new Finding();
  /** What is to be answered instead of passing the request on, or null. */
  readonly fault: RequestFault | null;

  constructor(section: FieldSection, bodyLength: number, fault: RequestFault | null) {
    this.method = section.method ?? '';
    this.scheme = section.scheme ?? '';
    this.authority = section.authority ?? section.host ?? '';
    this.target = section.path ?? '';
    this.fields = new Http2Fields(section.flat, section.neverIndexed);
    this.bodyLength = bodyLength;
    this.fault = fault;
  }
}

export interface RequestLimits {
  readonly targetBytes: number;
  /** Bytes of a request body; 0: no limit. */
  readonly bodyBytes: number;
}

/** Null: malformed. */
export function requestHead(section: FieldSection, endsStream: boolean, limits: RequestLimits): RequestHead | null {
  const { method, path, contentLength } = section;
  if (section.isMalformed || section.status !== undefined) return null;
  if (section.isTooLarge) return new RequestHead(section, NO_BODY, 'headTooLarge');
  if (method === undefined || !isToken(method)) return null;
  const bodyLength = endsStream ? NO_BODY : contentLength === NO_LENGTH ? UNKNOWN : contentLength;
  if (method === 'CONNECT') {
    // RFC 9113 section 8.5: an authority and nothing else. No tunnel is offered.
    if (section.scheme !== undefined || path !== undefined || !isHost(section.authority ?? '')) return null;
    return new RequestHead(section, bodyLength, 'methodUnsupported');
  }
  if (!isTarget(path, method) || !isScheme(section.scheme) || !isAuthority(section)) return null;
  if (endsStream && contentLength > 0) return null;
  return new RequestHead(section, bodyLength, overLimit(path.length, contentLength, limits));
}

function overLimit(targetBytes: number, contentLength: number, limits: RequestLimits): RequestFault | null {
  if (targetBytes > limits.targetBytes) return 'targetTooLong';
  return limits.bodyBytes > 0 && contentLength > limits.bodyBytes ? 'bodyTooLarge' : null;
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

/** RFC 9113 section 8.3.1: begins with a slash; `*` belongs to OPTIONS. */
function isTarget(path: string | undefined, method: string): path is string {
  if (path === undefined || path === '') return false;
  if (path.charCodeAt(0) !== 0x2f) return path === '*' && method === 'OPTIONS';
  for (let i = 0; i < path.length; i++) if (TARGET[path.charCodeAt(i)] !== 1) return false;
  return true;
}

/** Only what can be forwarded. */
function isScheme(scheme: string | undefined): boolean {
  return scheme === 'http' || scheme === 'https';
}

/** `:authority` or Host must be there, neither may be empty, and they must not name two hosts. */
function isAuthority({ authority, host }: FieldSection): boolean {
  if (authority === undefined) return host !== undefined && isHost(host);
  return (
    isHost(authority) && (host === undefined || host === authority || host.toLowerCase() === authority.toLowerCase())
  );
}

/** IPv6 or a future kind of address in brackets, with an optional port (RFC 3986 section 3.2.2). */
const BRACKETED_HOST = /^\[(?:[0-9a-f:.]+|v[0-9a-f]+\.[\w\-.~!$&'()*+,;=:]+)\](?::\d{0,5})?$/i;

/** uri-host with an optional port (RFC 9110 section 7.2). */
function isHost(value: string): boolean {
  const { length } = value;
  if (length === 0) return false;
  for (let i = 0; i < length; i++) if (HOST[value.charCodeAt(i)] !== 1) return false;
  if (value.charCodeAt(0) === 0x5b) return BRACKETED_HOST.test(value);
  if (value.includes('[') || value.includes(']')) return false;
  const colon = value.indexOf(':');
  if (colon === -1) return true;
  if (colon === 0 || length - colon > 6) return false;
  for (let i = colon + 1; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code === COLON || code < 0x30 || code > 0x39) return false;
  }
  return true;
}
