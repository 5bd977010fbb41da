/** Messages of either protocol as blocks of HTTP/2 (RFC 9113 section 8.2 and 8.3). */
import { type Fields, FORWARDING_NAMES, HOP_BY_HOP_NAMES } from '../fields.ts';
import { FieldBlock } from './field-block.ts';
import { Http2Fields } from './fields.ts';

const NOTHING: ReadonlySet<string> = new Set();
const NO_EXTRA: readonly string[] = [];

export interface RequestParts {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly fields: Fields;
}

/**
 * @param scheme of the connection that the request goes out on
 * @param authority for a request that names none
 * @param extra names and values by turns that take the place of what the request says about forwarding
 * @param droppedNames lower-case names to leave out besides, or null
 */
export function requestBlock(
  request: RequestParts,
  scheme: string,
  authority: string,
  extra: readonly string[],
  droppedNames: readonly string[] | null,
): FieldBlock {
  const { fields } = request;
  // One that names no authority depends on where it goes.
  const known = request.authority === '' ? null : sentBefore(fields, extra, droppedNames);
  if (known !== null && known.flat[3] === scheme) return known;
  const flat = [':method', request.method, ':scheme', scheme];
  flat.push(':authority', request.authority === '' ? authority : request.authority, ':path', request.target);
  append(flat, fields, FORWARDING_NAMES, droppedNames);
  if (wantsTrailers(fields)) flat.push('te', 'trailers');
  return keep(fields, flat, extra, droppedNames);
}

const TIMEOUT = 'grpc-timeout';
const ONLY_TIMEOUT: readonly string[] = [TIMEOUT];

/** The last call of one client: the next is often the same but for the time that is left, by which their fields are no longer the same objects. */
export class LastCall {
  #request: RequestParts | null = null;
  #block: FieldBlock | null = null;

  blockOf(request: RequestParts): FieldBlock | null {
    const last = this.#request;
    if (last === null || last.target !== request.target || last.authority !== request.authority) return null;
    if (last.method !== request.method || !isSameButTimeout(last.fields, request.fields)) return null;
    return this.#block;
  }

  keep(request: RequestParts, block: FieldBlock): void {
    this.#request = request;
    this.#block = block;
  }
}

function isSameButTimeout(a: Fields, b: Fields): boolean {
  if (!(a instanceof Http2Fields && b instanceof Http2Fields)) return false;
  const [x, y] = [a.flat, b.flat];
  if (x.length !== y.length || a.neverIndexed !== null || b.neverIndexed !== null) return false;
  for (let i = 0; i < x.length; i += 2) {
    if (x[i] !== y[i] || (x[i + 1] !== y[i + 1] && x[i] !== TIMEOUT)) return false;
  }
  return true;
}

/**
 * The head of a gRPC call with a deadline: all but `grpc-timeout` is made and encoded once for calls that are the same.
 * @param timeout that is left
 * @param last of calls with these extra fields
 */
export function callBlock(
  request: RequestParts,
  scheme: string,
  authority: string,
  extra: readonly string[],
  droppedNames: readonly string[] | null,
  timeout: string,
  last: LastCall,
): FieldBlock {
  const mayRepeat = droppedNames === null && request.authority !== '';
  let base = mayRepeat ? last.blockOf(request) : null;
  if (base === null || base.flat[3] !== scheme) {
    const dropped = droppedNames === null ? ONLY_TIMEOUT : [...droppedNames, TIMEOUT];
    base = requestBlock(request, scheme, authority, extra, dropped);
    if (mayRepeat) last.keep(request, base);
  }
  return new FieldBlock([TIMEOUT, timeout], null, base);
}

/** @param extra names and values by turns that the proxy adds */
export function responseBlock(
  status: number,
  fields: Fields,
  extra: readonly string[],
  droppedNames: readonly string[] | null,
): FieldBlock {
  const known = sentBefore(fields, extra, droppedNames);
  if (known !== null) return known;
  const flat = [':status', String(status)];
  append(flat, fields, NOTHING, droppedNames);
  // RFC 9110 section 8.6: not where there can be no content.
  if (status < 200 || status === 204) dropLength(flat);
  return keep(fields, flat, extra, droppedNames);
}

export function trailersBlock(fields: Fields): FieldBlock {
  const known = sentBefore(fields, NO_EXTRA, null);
  if (known !== null) return known;
  const flat: string[] = [];
  append(flat, fields, NOTHING, null);
  return keep(fields, flat, NO_EXTRA, null);
}

function sentBefore(
  fields: Fields,
  extra: readonly string[],
  droppedNames: readonly string[] | null,
): FieldBlock | null {
  const form = fields.sent === null ? null : fields.sent.of(extra, droppedNames);
  return form instanceof FieldBlock ? form : null;
}

function keep(
  fields: Fields,
  flat: string[],
  extra: readonly string[],
  droppedNames: readonly string[] | null,
): FieldBlock {
  for (let i = 0; i < extra.length; i++) flat.push(extra[i] as string);
  const block = new FieldBlock(flat, fields instanceof Http2Fields ? fields.neverIndexed : null);
  fields.sent?.keep(extra, droppedNames, block);
  return block;
}

function append(
  flat: string[],
  fields: Fields,
  dropped: ReadonlySet<string>,
  droppedNames: readonly string[] | null,
): void {
  fields.visit((name, value) => {
    const lower = name.toLowerCase();
    // Host is `:authority` here.
    if (lower === 'host' || HOP_BY_HOP_NAMES.has(lower) || dropped.has(lower)) return;
    if (droppedNames?.includes(lower) === true) return;
    flat.push(lower, value);
  });
}

function dropLength(flat: string[]): void {
  for (let i = flat.length - 2; i >= 2; i -= 2) if (flat[i] === 'content-length') flat.splice(i, 2);
}

/** RFC 9113 section 8.2.2: of TE only `trailers` may be said. */
function wantsTrailers(fields: Fields): boolean {
  const te = fields.get('te');
  return te !== undefined && (te === 'trailers' || /(?:^|,)\s*trailers\s*(?:,|$)/i.test(te));
}
