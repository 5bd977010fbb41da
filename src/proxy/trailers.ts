/** Trailers on their way through. What belongs to one hop was left out when they were read. */
import { type Fields, FlatFields } from '../fields.ts';

/**
 * Without the fields of these lower-case names: what Connection names is dropped from trailers as from the head (RFC 9110 section 7.6.1).
 * Null when nothing is left.
 */
export function trailersWithout(trailers: Fields | null, dropped: readonly string[] | null): Fields | null {
  if (trailers === null || dropped === null) return trailers;
  const flat: string[] = [];
  trailers.visit((name, value) => {
    if (!dropped.includes(name.toLowerCase())) flat.push(name, value);
  });
  return flat.length > 0 ? new FlatFields(flat) : null;
}
