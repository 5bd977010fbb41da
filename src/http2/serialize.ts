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
