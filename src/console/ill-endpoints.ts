/** Endpoints of a side that should serve and do not: what comes or goes as planned is not ill. */
import type { SideView } from '../control/control.ts';

export function illOf({ ailing }: SideView): number {
  return ailing.filter(({ state }) => state !== 'draining' && state !== 'starting').length;
}
