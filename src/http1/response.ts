/** Response heads (RFC 9112 section 4 and 5). */
import { CR, LF, SP, VALUE } from './chars.ts';
import { Http1Fields } from './fields.ts';
import { type ConnectionOptions, connectionOptions, responseBodyLength } from './framing.ts';
import { latin1 } from './latin1.ts';
import { RepeatedHead } from './repeated.ts';

/** `HTTP/1.` */
const VERSION = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e] as const;

/** One response's head. Filled anew for each response of a connection, or kept for those that have the same. */
export class ResponseHead {
  status = 0;
  /** Without meaning, but passed on as it came. */
  reason = '';
  minorVersion = 1;
  /** Bytes of the body, NO_BODY, CHUNKED or UNTIL_CLOSE. */
  bodyLength = 0;
  /** Whether the backend keeps the connection for another request. */
  keepAlive = true;
  connection: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, nominated: null };
  readonly fields: Http1Fields;
  /** The head that all of the above was read from, if it was valid. */
  readonly #last = new RepeatedHead();
  #answersHead = false;

  constructor(fieldLimit: number) {
    this.fields = new Http1Fields(fieldLimit);
  }

  /** Where the head at `at` ends if it is the last one once more; else -1. */
  repeatedUntil(bytes: Buffer, at: number, end: number, answersHead: boolean): number {
    return answersHead === this.#answersHead ? this.#last.until(bytes, at, end) : -1;
  }

  /** Parses the head at bytes[at, end), `end` being behind the empty line. False when it is not valid or its body's end cannot be told. */
  parse(bytes: Buffer, at: number, end: number, answersHead: boolean): boolean {
    this.#last.keep('');
    this.#answersHead = answersHead;
    const isValid = this.#parse(bytes, at, end, answersHead);
    if (isValid) this.#last.keep(this.fields.text);
    return isValid;
  }

  #parse(bytes: Buffer, at: number, end: number, answersHead: boolean): boolean {
    for (let i = 0; i < VERSION.length; i++) if (bytes[at + i] !== VERSION[i]) return false;
    const minor = (bytes[at + 7] as number) - 0x30;
    if ((minor !== 0 && minor !== 1) || bytes[at + 8] !== SP) return false;
    const status = parseStatus(bytes, at + 9);
    // HTTP/1.0 has no interim responses (RFC 9110 section 15.2).
    if (status < 100 || (status < 200 && minor === 0)) return false;
    let p = at + 12;
    // The blank behind the status may be missing with an empty reason, as in llhttp; the reason has the characters of a value.
    if (bytes[p] === SP) p++;
    else if (bytes[p] !== CR) return false;
    const reasonStart = p;
    while (VALUE[bytes[p] as number] === 1) p++;
    const reasonEnd = p;
    if (bytes[p] !== CR || bytes[p + 1] !== LF) return false;
    const fields = this.fields;
    if (fields.scan(bytes, p + 2, end, at) !== null) return false;
    const text = latin1(bytes, at, end);
    fields.text = text;
    this.status = status;
    this.reason = text.substring(reasonStart - at, reasonEnd - at);
    this.minorVersion = minor;
    const length = responseBodyLength(fields, minor, status, answersHead);
    if (length === undefined) return false;
    this.bodyLength = length;
    const connection = connectionOptions(fields);
    this.connection = connection;
    this.keepAlive = !connection.close && (minor === 1 || connection.keepAlive);
    return true;
  }
}

function parseStatus(bytes: Buffer, at: number): number {
  let status = 0;
  for (let i = 0; i < 3; i++) {
    const digit = (bytes[at + i] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return 0;
    status = status * 10 + digit;
  }
  return status;
}
