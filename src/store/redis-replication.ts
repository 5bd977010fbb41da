/** Whether a change that has been made would outlive its primary. */
import type { AuditEntry } from '../domain/state.ts';
import type { RedisLink } from './redis-link.ts';

/** For replicas to have what the primary has acknowledged. */
const ACKS_MS = 300;

/** Waits until so many replicas of the primary have the change as are due; warns where they have not. It has been made in any case. */
export async function lackOfReplicas(link: RedisLink, entry: AuditEntry, acks: number): Promise<{ warning?: string }> {
  const have = await link.waitForReplicas(link.key('state'), acks, ACKS_MS).catch((error: Error) => error.message);
  if (typeof have === 'number' && have >= acks) return {};
  const count =
    typeof have === 'number'
      ? `${have} of ${acks} replicas had it after ${ACKS_MS} ms`
      : `its replicas could not be asked (${have})`;
  return { warning: `${link.place}: revision ${entry.revision} is written, but may be lost in a failover: ${count}` };
}
