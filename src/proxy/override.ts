/** The operators' header that sends one request to a chosen side. From anyone else it is stripped. */
import { timingSafeEqual } from 'node:crypto';
import { NEW, OLD, type SideIndex } from '../domain/route.ts';

export interface OverrideHeader {
  /** Lower case. */
  readonly name: string;
  readonly secret: string;
}

/**
 * `old` or `new`, a separator (one of `: ; ,` or blanks) and the secret, as in `x-crossfade-side: new:SECRET`. Undefined when the value says no
 * side or not the secret.
 */
export function overrideSide(value: string, override: OverrideHeader): SideIndex | undefined {
  const parts = /^(old|new)\s*[:;,\s]\s*(.+)$/i.exec(value);
  if (parts === null) return undefined;
  const given = Buffer.from(parts[2] as string, 'latin1');
  const secret = Buffer.from(override.secret, 'utf8');
  if (given.length !== secret.length || !timingSafeEqual(given, secret)) return undefined;
  return (parts[1] as string).toLowerCase() === 'new' ? NEW : OLD;
}
