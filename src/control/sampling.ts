/** Looks at one endpoint from where the proxy stands: does it take a connection, which protocols does it speak, what does it answer. */
import http, { type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import https from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Sample } from '../domain/doctor.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import { healthRequest } from '../health/grpc-probe.ts';
import type { BackendSpec } from '../seam.ts';

const TIMEOUT_MS = 3_000;
const SAMPLES = 5;

/** A request as a route takes it. */
export interface SampleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** `grpc.health.v1.Health/Check`: the one call that any gRPC server may be asked without doing anything. */
export interface SampleCall {
  /** Asked about. */
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Null, or why not, in words. */
export function refusesConnection({ host, port }: Endpoint): Promise<string | null> {
  const socket = connectTcp({ host, port });
  return new Promise<string | null>((resolve) => {
    socket.setTimeout(TIMEOUT_MS, () => resolve(`did not answer within ${TIMEOUT_MS} ms`));
    socket.once('connect', () => resolve(null));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  }).finally(() => socket.destroy());
}

function tlsOptions({ host, name = host }: Endpoint, { tls }: BackendSpec): ConnectionOptions {
  const serverName = tls?.serverName ?? (isIP(name) === 0 ? name : undefined);
  return {
    rejectUnauthorized: tls?.insecure !== true,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
  };
}

/** `expiresAt`: milliseconds since 1970. */
export function shakeHands(
  endpoint: Endpoint,
  backend: BackendSpec,
): Promise<{ refused: string | null; expiresAt: number | null }> {
  const { host, port } = endpoint;
  const socket = connectTls({ host, port, ...tlsOptions(endpoint, backend) });
  return new Promise<{ refused: string | null; expiresAt: number | null }>((resolve) => {
    const refused = (words: string): void => resolve({ refused: words, expiresAt: null });
    socket.setTimeout(TIMEOUT_MS, () => refused(`did not answer within ${TIMEOUT_MS} ms`));
    socket.once('error', (error) => refused(error.message));
    socket.once('secureConnect', () => {
      resolve({ refused: null, expiresAt: Date.parse(socket.getPeerCertificate().valid_to) || null });
    });
  }).finally(() => socket.destroy());
}

export function speaksHttp2(endpoint: Endpoint, backend: BackendSpec): Promise<boolean> {
  const session = connectHttp2(originOf(endpoint, backend), tlsOptions(endpoint, backend));
  return new Promise<boolean>((resolve) => {
    session.setTimeout(TIMEOUT_MS, () => resolve(false));
    session.once('remoteSettings', () => resolve(true));
    session.once('error', () => resolve(false));
    session.once('close', () => resolve(false));
  }).finally(() => session.destroy());
}

/** @throws Error in words when there is no HTTP/1.1 answer */
export async function sampleHttp1(endpoint: Endpoint, backend: BackendSpec, request: SampleRequest): Promise<Sample> {
  const agent =
    backend.tls === undefined
      ? new http.Agent({ keepAlive: true })
      : new https.Agent({ keepAlive: true, ...tlsOptions(endpoint, backend) });
  try {
    // The first one connects, and is not timed.
    const first = await ask(endpoint, backend, request, agent);
    const times: number[] = [];
    for (let i = 0; i < SAMPLES; i++) times.push((await ask(endpoint, backend, request, agent)).ms);
    times.sort((a, b) => a - b);
    const { statusCode = 0, headers } = first.response;
    return {
      status: statusCode,
      fields: Object.keys(headers).sort(),
      contentType: headers['content-type'] ?? null,
      latencyMs: times[SAMPLES >> 1] as number,
    };
  } finally {
    agent.destroy();
  }
}

/** @throws Error in words when there is no answer by HTTP/2 */
export async function sampleGrpc(endpoint: Endpoint, backend: BackendSpec, call: SampleCall): Promise<Sample> {
  const session = connectHttp2(originOf(endpoint, backend), tlsOptions(endpoint, backend));
  const broken = new Promise<never>((_, reject) => session.once('error', reject));
  try {
    // The first one connects, and is not timed.
    const first = await Promise.race([callHealth(session, call), broken]);
    const times: number[] = [];
    for (let i = 0; i < SAMPLES; i++) times.push((await Promise.race([callHealth(session, call), broken])).ms);
    times.sort((a, b) => a - b);
    const { fields } = first;
    return {
      status: Number(fields[':status'] ?? 0),
      fields: Object.keys(fields)
        .filter((name) => !name.startsWith(':') && !name.startsWith('grpc-'))
        .sort(),
      contentType: typeof fields['content-type'] === 'string' ? fields['content-type'] : null,
      latencyMs: times[SAMPLES >> 1] as number,
      grpcStatus: Number(fields['grpc-status'] ?? -1),
    };
  } finally {
    session.destroy();
  }
}

/** @returns the fields of the head and of the trailers, in one */
function callHealth(
  session: ClientHttp2Session,
  { service, headers }: SampleCall,
): Promise<{ fields: Record<string, unknown>; ms: number }> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ...headers,
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let fields: Record<string, unknown> = {};
    const take = (told: object): void => void (fields = { ...fields, ...told });
    stream.on('response', take).on('trailers', take).on('error', reject);
    stream.setTimeout(TIMEOUT_MS, () => stream.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    stream.resume().once('end', () => resolve({ fields, ms: performance.now() - startMs }));
    stream.end(healthRequest(service));
  });
}

function originOf({ host, port }: Endpoint, { tls }: BackendSpec): string {
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function ask(
  { host, port }: Endpoint,
  { tls }: BackendSpec,
  { method, path, headers }: SampleRequest,
  agent: http.Agent,
): Promise<{ response: IncomingMessage; ms: number }> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const request = (tls === undefined ? http : https).request(
      { host, port, method, path, headers, agent, timeout: TIMEOUT_MS },
      (response) => {
        const ms = performance.now() - startMs;
        response.resume().once('end', () => resolve({ response, ms }));
        response.once('error', reject);
      },
    );
    request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.once('error', reject).end();
  });
}
