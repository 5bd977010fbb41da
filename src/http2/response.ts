/** Response heads (RFC 9113 section 8.3.2). */
import { NO_BODY, NO_CONNECTION_OPTIONS, UNKNOWN } from './body-length.ts';
import { type FieldSection, NO_LENGTH } from './field-section.ts';
import { Http2Fields } from './fields.ts';

/** One response's head. Never changes, and serves every response of its connection that has the same. */
export class ResponseHead {
  readonly status: number;
  /** HTTP/2 has none. */
  readonly reason = '';
  readonly fields: Http2Fields;
  /** Bytes of the body, NO_BODY or UNKNOWN. */
  readonly bodyLength: number;
  readonly connection = NO_CONNECTION_OPTIONS;

  constructor(status: number, fields: Http2Fields, bodyLength: number) {
    this.status = status;
    this.fields = fields;
    this.bodyLength = bodyLength;
  }
}

/** Null: malformed. */
export function responseHead(section: FieldSection, endsStream: boolean, answersHead: boolean): ResponseHead | null {
  if (section.isMalformed || section.isTooLarge || hasRequestPseudo(section)) return null;
  const status = parseStatus(section.status);
  // RFC 9113 section 8.6: there is no 101; section 8.1: an interim response does not end the stream.
  if (status < 100 || status === 101 || (status < 200 && endsStream)) return null;
  const { contentLength } = section;
  const isBodyless = answersHead || status < 200 || status === 204 || status === 304;
  if (endsStream && !isBodyless && contentLength > 0) return null;
  const unknownOr = contentLength === NO_LENGTH ? UNKNOWN : contentLength;
  return new ResponseHead(
    status,
    new Http2Fields(section.flat, section.neverIndexed),
    isBodyless || endsStream ? NO_BODY : unknownOr,
  );
}

function hasRequestPseudo({ method, scheme, authority, path }: FieldSection): boolean {
  return method !== undefined || scheme !== undefined || authority !== undefined || path !== undefined;
}

/** Three digits, else 0. */
function parseStatus(text: string | undefined): number {
  if (text === undefined || text.length !== 3) return 0;
  let status = 0;
  for (let i = 0; i < 3; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status;
}
