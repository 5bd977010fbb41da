/** Trailer sections (RFC 9113 section 8.1). */
import type { FieldSection } from './field-section.ts';
import { Http2Fields } from './fields.ts';

/** Null: malformed. */
export function trailersOf(section: FieldSection): Http2Fields | null {
  if (section.isMalformed || section.isTooLarge || section.hasPseudo || section.framesBody) return null;
  return new Http2Fields(section.flat, section.neverIndexed);
}
