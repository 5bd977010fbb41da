/**
 * grpc.health.v1.Health/Check (grpc/doc/health-checking.md). Its two messages are one field each, so they are written and read here by hand,
 * over node:http2: a check each few seconds is not the data path.
 */
import { connect, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import type { CheckKind } from '../domain/health-policy.ts';
import type { ProbeResult } from './check.ts';
import type { ProbeTarget } from './probe.ts';
import { authorityOf, tlsOptions } from './probe-tls.ts';

type GrpcCheck = Extract<CheckKind, { kind: 'grpc' }>;

/** The head's fields and the trailers', in one. */
type Told = IncomingHttpHeaders & IncomingHttpStatusHeader;

const SERVING = 1;
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
/** In front of a message: not compressed, and its length. */
const PREFIX_BYTES = 5;
/** More than the answer can have. */
const ANSWER_BYTES = 1024;

/** Rejects when there is no answer, or when `late` fires. */
export function probeGrpc(target: ProbeTarget, { service }: GrpcCheck, late: AbortSignal): Promise<ProbeResult> {
  const { tls } = target;
  const url = `${tls === null ? 'http' : 'https'}://${authorityOf(target)}`;
  const session = connect(url, tls === null ? {} : tlsOptions(tls));
  return new Promise<ProbeResult>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request(
      {
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
        [constants.HTTP2_HEADER_USER_AGENT]: 'crossfade-health',
      },
      { signal: late },
    );
    const answer: Buffer[] = [];
    let bytes = 0;
    let told: Told = {};
    const onFields = (fields: Told): void => void (told = { ...told, ...fields });
    stream.on('response', onFields).on('trailers', onFields);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= ANSWER_BYTES) answer.push(chunk);
    });
    stream.on('error', reject).on('end', () => resolve(judge(told, Buffer.concat(answer))));
    stream.end(healthRequest(service));
  }).finally(() => session.destroy());
}

/** HealthCheckRequest { string service = 1; }, a length-prefixed message. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const field = name.length === 0 ? [] : [0x0a, ...varint(name.length), ...name];
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(field.length, 1);
  return Buffer.concat([prefix, Buffer.from(field)]);
}

/** Protocol buffers' base-128 numbers, the lowest seven bits first. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** HealthCheckResponse { ServingStatus status = 1; }: the tag 0x08 and the value, or nothing for 0. */
function judge(told: Told, answer: Buffer): ProbeResult {
  const grpcStatus = told['grpc-status'];
  if (told[':status'] !== 200) return { ok: false, reason: `status ${told[':status'] ?? 'missing'}` };
  if (grpcStatus !== '0') return { ok: false, reason: `gRPC status ${String(grpcStatus ?? 'missing')}` };
  const status = answer[PREFIX_BYTES] === 0x08 ? (answer[PREFIX_BYTES + 1] ?? 0) : 0;
  return status === SERVING ? { ok: true } : { ok: false, reason: STATUSES[status] ?? `serving status ${status}` };
}
