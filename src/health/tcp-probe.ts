import { once } from 'node:events';
import { connect } from 'node:net';
import type { ProbeResult } from './check.ts';
import type { ProbeTarget } from './probe.ts';

/** A connection that can be made is enough. Rejects when none can, or when `late` fires. */
export async function probeTcp({ host, port }: ProbeTarget, late: AbortSignal): Promise<ProbeResult> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: late });
    return { ok: true };
  } finally {
    // What becomes of it now is of no interest, but must not end the process.
    socket.on('error', () => undefined).destroy();
  }
}
