/** One active check of one endpoint. */

import type { CheckPolicy } from '../domain/health-policy.ts';
import type { ProbeResult } from './check.ts';
import { probeGrpc } from './grpc-probe.ts';
import { probeHttp } from './http-probe.ts';
import { probeTcp } from './tcp-probe.ts';

/** What is checked, as requests reach it. PEM texts; certificates are verified unless `insecure`. */
export interface ProbeTarget {
  /** IP literal or host name. */
  readonly host: string;
  readonly port: number;
  readonly tls: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly insecure: boolean;
  } | null;
}

/** Never rejects: whatever goes wrong is the result. Lasts at most the policy's time-out. */
export async function probe(target: ProbeTarget, { ask, timeoutMs }: CheckPolicy): Promise<ProbeResult> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    switch (ask.kind) {
      case 'http':
        return await probeHttp(target, ask, late);
      case 'grpc':
        return await probeGrpc(target, ask, late);
      case 'tcp':
        return await probeTcp(target, late);
    }
  } catch (error) {
    const reason = late.aborted ? `no answer within ${timeoutMs} ms` : (error as Error).message;
    return { ok: false, reason };
  }
}
