/** Where a message's body ends (RFC 9112 section 6.3), and what its Connection field says. */
import type { RequestFault } from './fault.ts';
import type { Http1Fields } from './fields.ts';
import { CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING } from './known.ts';

/** Body lengths: bytes, or one of these. */
export const NO_BODY = 0;
export const CHUNKED = -1;
/** Responses only: the body ends with the connection. */
export const UNTIL_CLOSE = -2;

const MAX_LENGTH_DIGITS = 15;

/**
 * Length of a request's body. Stricter than the RFC where leniency lets two parties read two lengths: one Content-Length, digits only;
 * Transfer-Encoding exactly `chunked`, once, in HTTP/1.1 only and never beside Content-Length. No tab behind either: it is white space
 * (RFC 9110 section 5.5), but llhttp takes it for a part of the value and reads another body.
 */
export function requestBodyLength(fields: Http1Fields, minorVersion: number): number | RequestFault {
  if (fields.has(TRANSFER_ENCODING)) {
    if (minorVersion === 0 || fields.has(CONTENT_LENGTH) || fields.isRepeated(TRANSFER_ENCODING)) return 'badRequest';
    const coding = fields.known(TRANSFER_ENCODING).toLowerCase();
    if (coding === 'chunked') return fields.hasTabBehind(TRANSFER_ENCODING) ? 'badRequest' : CHUNKED;
    return /^[^,]+,(.*,)?[ \t]*chunked$/.test(coding) && !/chunked.*chunked/.test(coding)
      ? 'transferCodingUnknown'
      : 'badRequest';
  }
  if (!fields.has(CONTENT_LENGTH)) return NO_BODY;
  if (fields.isRepeated(CONTENT_LENGTH) || fields.hasTabBehind(CONTENT_LENGTH)) return 'badRequest';
  return parseLength(fields.known(CONTENT_LENGTH)) ?? 'badRequest';
}

/** Length of a response's body, or undefined when it cannot be told for certain. */
export function responseBodyLength(
  fields: Http1Fields,
  minorVersion: number,
  status: number,
  answersHead: boolean,
): number | undefined {
  const bodyless = answersHead || status < 200 || status === 204 || status === 304;
  if (fields.has(TRANSFER_ENCODING)) {
    if (minorVersion === 0 || fields.has(CONTENT_LENGTH) || fields.isRepeated(TRANSFER_ENCODING)) return undefined;
    if (fields.known(TRANSFER_ENCODING).toLowerCase() !== 'chunked') return undefined;
    if (fields.hasTabBehind(TRANSFER_ENCODING)) return undefined;
    return bodyless ? NO_BODY : CHUNKED;
  }
  if (!fields.has(CONTENT_LENGTH)) return bodyless ? NO_BODY : UNTIL_CLOSE;
  if (fields.isRepeated(CONTENT_LENGTH) || fields.hasTabBehind(CONTENT_LENGTH)) return undefined;
  const length = parseLength(fields.known(CONTENT_LENGTH));
  return bodyless && length !== undefined ? NO_BODY : length;
}

function parseLength(value: string): number | undefined {
  if (value.length === 0 || value.length > MAX_LENGTH_DIGITS) return undefined;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return length;
}

/** What the Connection fields of a message ask for (RFC 9110 section 7.6.1). */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Lower-case names of other fields that are meant for this hop only; null: none. */
  readonly nominated: readonly string[] | null;
}

const NOTHING: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: null };
const CLOSE: ConnectionOptions = { ...NOTHING, close: true };
const KEPT_ALIVE: ConnectionOptions = { ...NOTHING, keepAlive: true };

export function connectionOptions(fields: Http1Fields): ConnectionOptions {
  if (!fields.has(CONNECTION)) return NOTHING;
  if (!fields.isRepeated(CONNECTION)) {
    const value = fields.known(CONNECTION).toLowerCase();
    if (value === 'keep-alive') return KEPT_ALIVE;
    if (value === 'close') return CLOSE;
  }
  return parseOptions(fields);
}

/**
 * Options with a meaning of their own, and fields that must not be lost between the hops whatever a sender says: without its
 * Content-Length a forwarded body would be read as the next request.
 */
const NOT_NOMINATED: ReadonlySet<string> = new Set([
  '',
  'close',
  'keep-alive',
  'upgrade',
  'host',
  'content-length',
  'transfer-encoding',
]);

function parseOptions(fields: Http1Fields): ConnectionOptions {
  const options = new Set<string>();
  fields.visit((name, value) => {
    if (name.toLowerCase() !== 'connection') return;
    for (const option of value.split(',')) options.add(option.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase());
  });
  const nominated = [...options].filter((option) => !NOT_NOMINATED.has(option));
  return {
    close: options.has('close'),
    keepAlive: options.has('keep-alive'),
    upgrade: options.has('upgrade'),
    nominated: nominated.length > 0 ? nominated : null,
  };
}
