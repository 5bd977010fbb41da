/**
 * Field names that the rules of RFC 9113 section 8 look at, as small numbers. Each entry of a table carries its number, so that a field
 * that is only referred to is not looked at again.
 */
export const OTHER = 0;
export const METHOD = 1;
export const SCHEME = 2;
export const AUTHORITY = 3;
export const PATH = 4;
export const STATUS = 5;
/** Any other name with a colon in front. Numbers up to here are pseudo-fields. */
export const UNKNOWN_PSEUDO = 6;
/** Fields of one HTTP/1 connection: a message that has them is malformed (RFC 9113 section 8.2.2). */
export const CONNECTION_SPECIFIC = 7;
export const TE = 8;
export const CONTENT_LENGTH = 9;
export const COOKIE = 10;
export const HOST_FIELD = 11;
/** Dropped: meant for one hop, though HTTP/2 does not forbid them. */
export const HOP_BY_HOP = 12;
/** Fields that route a message or say where it came from: they mean nothing behind its body (RFC 9110 section 6.5.1). */
export const NOT_IN_TRAILERS = 13;

/** Added to a number when the name, or the value, has characters that it must not have (RFC 9113 section 8.2.1). */
export const MALFORMED_NAME = 0x100;
export const MALFORMED_VALUE = 0x200;

const KINDS: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':scheme', SCHEME],
  [':authority', AUTHORITY],
  [':path', PATH],
  [':status', STATUS],
  ['connection', CONNECTION_SPECIFIC],
  ['proxy-connection', CONNECTION_SPECIFIC],
  ['keep-alive', CONNECTION_SPECIFIC],
  ['transfer-encoding', CONNECTION_SPECIFIC],
  ['upgrade', CONNECTION_SPECIFIC],
  ['te', TE],
  ['content-length', CONTENT_LENGTH],
  ['cookie', COOKIE],
  ['host', HOST_FIELD],
  ['http2-settings', HOP_BY_HOP],
  ['proxy-authorization', HOP_BY_HOP],
  ['proxy-authenticate', HOP_BY_HOP],
  ['trailer', NOT_IN_TRAILERS],
  ['expect', NOT_IN_TRAILERS],
  ['forwarded', NOT_IN_TRAILERS],
  ['x-forwarded-for', NOT_IN_TRAILERS],
  ['x-forwarded-proto', NOT_IN_TRAILERS],
  ['x-forwarded-host', NOT_IN_TRAILERS],
  ['x-forwarded-port', NOT_IN_TRAILERS],
  ['x-forwarded-client-cert', NOT_IN_TRAILERS],
  ['via', NOT_IN_TRAILERS],
]);

/** Of a name whose characters have been looked at. */
export function kindOfName(name: string): number {
  return KINDS.get(name) ?? (name.charCodeAt(0) === 0x3a ? UNKNOWN_PSEUDO : OTHER);
}
