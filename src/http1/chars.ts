/** Which bytes may stand where, as tables of 256. */

function table(allowed: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte) ? 1 : 0));
}

const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
const isOneOf = (byte: number, characters: string): boolean => characters.includes(String.fromCharCode(byte));

/** tchar of RFC 9110 section 5.6.2: methods and field names. */
export const TOKEN = table((byte) => isAlphanumeric(byte) || isOneOf(byte, "!#$%&'*+-.^_`|~"));

/** Within a field value: field-vchar, SP and HTAB (RFC 9110 section 5.5). No CR, LF, NUL or other control. */
export const VALUE = table((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

/** Within a request target: visible ASCII. A fragment is never sent (RFC 9112 section 3.2), so `#` is refused. */
export const TARGET = table((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23);

/** Within a Host value (RFC 3986 section 3.2: reg-name, IP literal and port); userinfo's `@` is refused (RFC 9110 section 4.2.4). */
export const HOST = table((byte) => isAlphanumeric(byte) || isOneOf(byte, "-._~%!$&'()*+,;=:[]"));

/** Value of a hexadecimal digit plus one, 0 for anything else. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? 0 : digit + 1;
});

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const QUOTE = 0x22;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const BACKSLASH = 0x5c;
