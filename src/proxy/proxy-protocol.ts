/**
 * The PROXY protocol, versions 1 and 2 (HAProxy, proxy-protocol.txt, sections 2.1 and 2.2): what a load balancer in front says about a
 * connection before the client's first byte. It cannot be mistaken for HTTP: version 1's line has no request target where one must be,
 * version 2 begins with an empty line and a NUL.
 */
import { isIPv4, isIPv6 } from 'node:net';

export type ProxyHeader =
  /** The bytes are the client's own. */
  | { readonly kind: 'none' }
  /** So far they may be one; ask again with more. */
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed' }
  /** @param source address of the client; null: the peer speaks for itself (LOCAL, UNKNOWN, or a family without addresses) */
  | { readonly kind: 'header'; readonly length: number; readonly source: string | null };

const V1_START = Buffer.from('PROXY ', 'latin1');
const V1_FAMILIES = ['TCP4', 'TCP6', 'UNKNOWN'];
/** Longest line of version 1, CRLF included. */
const V1_BYTES = 107;
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;
/** Of the address block with its extensions: more than any sender's, far less than the 64 KiB that the length could say. */
const V2_MOST_BYTES = 2048;
const LOCAL = 0x20;
const PROXIED = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;

const NONE: ProxyHeader = { kind: 'none' };
const MORE: ProxyHeader = { kind: 'more' };
const MALFORMED: ProxyHeader = { kind: 'malformed' };

/** @param bytes all that has come so far */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, V1_START)) return bytes.length < V1_START.length ? MORE : parseVersion1(bytes);
  if (begins(bytes, V2_START)) return bytes.length < V2_HEAD_BYTES ? MORE : parseVersion2(bytes);
  return NONE;
}

/** Whether as many bytes as there are agree with the beginning. */
function begins(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return length > 0 && bytes.compare(start, 0, length, 0, length) === 0;
}

function parseVersion1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_BYTES).indexOf('\r\n', 0, 'latin1');
  const words = bytes.toString('latin1', V1_START.length, end === -1 ? bytes.length : end).split(' ');
  const family = (words[0] as string).replace(/\r$/, '');
  const isCut = end === -1 && words.length === 1;
  if (!V1_FAMILIES.some((name) => (isCut ? name.startsWith(family) : name === family))) {
    // An HTTP request with the method PROXY, which is a token like any other.
    return /^(?:\/|\*|http)/i.test(family) ? NONE : MALFORMED;
  }
  if (end === -1) return bytes.length < V1_BYTES ? MORE : MALFORMED;
  const length = end + 2;
  if (family === 'UNKNOWN') return { kind: 'header', length, source: null };
  const [, source = '', destination = '', ...ports] = words;
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  if (!isAddress(source) || !isAddress(destination) || ports.length !== 2 || !ports.every(isPort)) return MALFORMED;
  return { kind: 'header', length, source };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

function parseVersion2(bytes: Buffer): ProxyHeader {
  const command = bytes[12] as number;
  const family = bytes[13] as number;
  const blockBytes = bytes.readUInt16BE(14);
  if ((command !== LOCAL && command !== PROXIED) || blockBytes > V2_MOST_BYTES) return MALFORMED;
  const length = V2_HEAD_BYTES + blockBytes;
  if (bytes.length < length) return MORE;
  if (command === LOCAL) return { kind: 'header', length, source: null };
  if (family === TCP4) return blockBytes < 12 ? MALFORMED : { kind: 'header', length, source: ipv4(bytes) };
  if (family === TCP6) return blockBytes < 36 ? MALFORMED : { kind: 'header', length, source: ipv6(bytes) };
  return { kind: 'header', length, source: null };
}

function ipv4(bytes: Buffer): string {
  return [...bytes.subarray(V2_HEAD_BYTES, V2_HEAD_BYTES + 4)].join('.');
}

/** In the form of RFC 5952, by way of the URL parser, which knows its rules of shortening. */
function ipv6(bytes: Buffer): string {
  const groups: string[] = [];
  for (let i = 0; i < 8; i++) groups.push(bytes.readUInt16BE(V2_HEAD_BYTES + 2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
