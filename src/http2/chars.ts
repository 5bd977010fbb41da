/** Which bytes may stand where, as tables of 256. */

function table(allowed: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte) ? 1 : 0));
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isLower = (byte: number): boolean => byte >= 0x61 && byte <= 0x7a;
const isUpper = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;
const isOneOf = (byte: number, characters: string): boolean => characters.includes(String.fromCharCode(byte));

/** tchar of RFC 9110 section 5.6.2: methods. */
export const TOKEN = table((b) => isDigit(b) || isLower(b) || isUpper(b) || isOneOf(b, "!#$%&'*+-.^_`|~"));

/** Field names: a token without upper case (RFC 9113 section 8.2.1). */
export const LOWER_TOKEN = table((b) => TOKEN[b] === 1 && !isUpper(b));

/** Within a field value: field-vchar, SP and HTAB (RFC 9110 section 5.5). No CR, LF, NUL or other control. */
export const VALUE = table((b) => b === 0x09 || (b >= 0x20 && b !== 0x7f));

/** Within `:path`: visible ASCII. A fragment is never sent (RFC 9113 section 8.3.1), so `#` is refused. */
export const TARGET = table((b) => b > 0x20 && b < 0x7f && b !== 0x23);

/** Within `:authority` and Host (RFC 3986 section 3.2: reg-name, IP literal and port); userinfo's `@` is refused. */
export const HOST = table((b) => isDigit(b) || isLower(b) || isUpper(b) || isOneOf(b, "-._~%!$&'()*+,;=:[]"));

export const HTAB = 0x09;
export const SP = 0x20;
export const COLON = 0x3a;
