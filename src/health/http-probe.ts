import { type RequestOptions, request } from 'node:http';
import { request as requestTls } from 'node:https';
import type { CheckKind } from '../domain/health-policy.ts';
import type { ProbeResult } from './check.ts';
import type { ProbeTarget } from './probe.ts';
import { authorityOf, tlsOptions } from './probe-tls.ts';

type HttpCheck = Extract<CheckKind, { kind: 'http' }>;

/** GET on a connection of its own; the status decides, and the body is not read. Rejects when there is no answer, or when `late` fires. */
export function probeHttp(target: ProbeTarget, check: HttpCheck, late: AbortSignal): Promise<ProbeResult> {
  const { host, port, tls } = target;
  const options: RequestOptions = {
    host,
    port,
    path: check.path,
    agent: false,
    signal: late,
    headers: { host: check.host ?? authorityOf(target), 'user-agent': 'crossfade-health', connection: 'close' },
  };
  return new Promise((resolve, reject) => {
    const asked = tls === null ? request(options) : requestTls({ ...options, ...tlsOptions(tls) });
    asked.once('response', (response) => {
      resolve(judge(response.statusCode ?? 0, check.statuses));
      response.on('error', () => undefined).destroy();
    });
    asked.on('error', reject).end();
  });
}

function judge(status: number, statuses: readonly number[] | null): ProbeResult {
  const ok = statuses === null ? status >= 200 && status < 400 : statuses.includes(status);
  return ok ? { ok } : { ok, reason: `status ${status}` };
}
