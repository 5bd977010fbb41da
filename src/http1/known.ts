/**
 * Field names that framing and proxying look at, as small numbers found while a head is scanned, so that later steps test bits
 * instead of comparing strings.
 */
const OTHER = 0;
export const HOST_FIELD = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const CONNECTION = 4;
export const KEEP_ALIVE = 5;
export const PROXY_CONNECTION = 6;
export const TE = 7;
export const TRAILER = 8;
export const UPGRADE = 9;
export const EXPECT = 10;
export const FORWARDED = 11;
export const X_FORWARDED_FOR = 12;
export const X_FORWARDED_PROTO = 13;
export const X_FORWARDED_HOST = 14;
export const X_FORWARDED_PORT = 15;
export const VIA = 16;
export const HTTP2_SETTINGS = 17;
export const PROXY_AUTHORIZATION = 18;
export const PROXY_AUTHENTICATE = 19;
export const X_FORWARDED_CLIENT_CERT = 20;
/** Numbers in use; a set of them fits the bits of a small integer. */
export const KNOWN = 21;

const NAMES: readonly (readonly [string, number])[] = [
  ['host', HOST_FIELD],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['connection', CONNECTION],
  ['keep-alive', KEEP_ALIVE],
  ['proxy-connection', PROXY_CONNECTION],
  ['te', TE],
  ['trailer', TRAILER],
  ['upgrade', UPGRADE],
  ['expect', EXPECT],
  ['forwarded', FORWARDED],
  ['x-forwarded-for', X_FORWARDED_FOR],
  ['x-forwarded-proto', X_FORWARDED_PROTO],
  ['x-forwarded-host', X_FORWARDED_HOST],
  ['x-forwarded-port', X_FORWARDED_PORT],
  ['via', VIA],
  ['http2-settings', HTTP2_SETTINGS],
  ['proxy-authorization', PROXY_AUTHORIZATION],
  ['proxy-authenticate', PROXY_AUTHENTICATE],
  ['x-forwarded-client-cert', X_FORWARDED_CLIENT_CERT],
];

interface Known {
  readonly letters: Uint8Array;
  readonly id: number;
}

const LONGEST = 23;
const BY_LENGTH: readonly (readonly Known[])[] = Array.from({ length: LONGEST + 1 }, (_, length) =>
  NAMES.filter(([name]) => name.length === length).map(([name, id]) => ({ letters: Buffer.from(name), id })),
);

/** The number of the field name at bytes[start, end), without regard to case. The name must be a token. */
export function knownName(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST) return OTHER;
  const candidates = BY_LENGTH[length] as readonly Known[];
  for (let i = 0; i < candidates.length; i++) {
    const { letters, id } = candidates[i] as Known;
    let j = 0;
    // Among token characters bit 5 tells upper case from lower; the pairs that are no letters do not occur in these names.
    while (j < length && ((bytes[start + j] as number) | 0x20) === letters[j]) j++;
    if (j === length) return id;
  }
  return OTHER;
}
