/** HTTP/1 heads, chunks and trailers as strings of one character a byte, ready to be written as latin1. */
import { type Fields, FORWARDING_NAMES, HOP_BY_HOP_NAMES } from '../fields.ts';
import { Http1Fields } from './fields.ts';
import {
  CONNECTION,
  CONTENT_LENGTH,
  FORWARDED,
  HTTP2_SETTINGS,
  KEEP_ALIVE,
  PROXY_AUTHENTICATE,
  PROXY_AUTHORIZATION,
  PROXY_CONNECTION,
  TE,
  TRANSFER_ENCODING,
  UPGRADE,
  VIA,
  X_FORWARDED_CLIENT_CERT,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
} from './known.ts';

/** Names as bits with which `fieldLines` leaves fields out. */
export const HOP_BY_HOP =
  (1 << CONNECTION) |
  (1 << KEEP_ALIVE) |
  (1 << PROXY_CONNECTION) |
  (1 << TE) |
  (1 << TRANSFER_ENCODING) |
  (1 << UPGRADE) |
  (1 << HTTP2_SETTINGS) |
  (1 << PROXY_AUTHORIZATION) |
  (1 << PROXY_AUTHENTICATE);

/** What tells a backend where a request came from; written anew by the proxy. */
export const FORWARDING =
  (1 << FORWARDED) |
  (1 << X_FORWARDED_FOR) |
  (1 << X_FORWARDED_PROTO) |
  (1 << X_FORWARDED_HOST) |
  (1 << X_FORWARDED_PORT) |
  (1 << X_FORWARDED_CLIENT_CERT) |
  (1 << VIA);

export const LENGTH = 1 << CONTENT_LENGTH;

/**
 * Field lines of any Fields, CRLF behind each: those of HTTP/1 are copied in one piece where nothing is dropped.
 * @param dropped bits of known names, made of HOP_BY_HOP, FORWARDING and LENGTH
 * @param droppedNames lower-case names to leave out besides, or null
 */
export function fieldLines(fields: Fields, dropped: number, droppedNames: readonly string[] | null): string {
  if (fields instanceof Http1Fields) return fields.lines(dropped, droppedNames);
  let lines = '';
  fields.visit((name, value) => {
    const lower = name.toLowerCase();
    if (lower.charCodeAt(0) === 0x3a) return;
    if ((dropped & HOP_BY_HOP) !== 0 && HOP_BY_HOP_NAMES.has(lower)) return;
    if ((dropped & FORWARDING) !== 0 && FORWARDING_NAMES.has(lower)) return;
    if ((dropped & LENGTH) !== 0 && lower === 'content-length') return;
    if (droppedNames?.includes(lower) === true) return;
    lines += `${name}: ${value}\r\n`;
  });
  return lines;
}

/** Size line of a chunk (RFC 9112 section 7.1). */
export function chunkHead(length: number): string {
  return `${length.toString(16)}\r\n`;
}

export const CHUNK_TAIL = '\r\n';

/** Last chunk and trailer section. */
export function lastChunk(trailers: Fields | null): string {
  return trailers === null ? '0\r\n\r\n' : `0\r\n${fieldLines(trailers, 0, null)}\r\n`;
}
