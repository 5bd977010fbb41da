// @ts-check
// What the HTTP/2 cells share: one request, sent by h2load as fast as answers come, or by the open-loop generator at a rate.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CERTIFICATE } from './certificate.mjs';
import { run } from './processes.mjs';

const openLoop = fileURLToPath(new URL('open-loop-cli.mjs', import.meta.url));
const VALIDATION_REQUESTS = 20;

/**
 * @typedef {object} Request
 * @property {'http' | 'https'} [scheme] default http: HTTP/2 without TLS, by prior knowledge
 * @property {string} path
 * @property {Buffer | null} message sent by POST as gRPC and echoed; null: a GET
 * @property {number} connections
 * @property {number} streams of each connection at a time
 */

/** @param {Request} request @param {number} port */
const urlOf = ({ scheme = 'http', path }, port) => `${scheme}://127.0.0.1:${port}${path}`;

/** @param {string} text of a message @returns {Buffer} framed as gRPC does: not compressed, then the length */
export function grpcMessage(text) {
  const message = Buffer.alloc(5 + text.length);
  message.writeUInt32BE(text.length, 1);
  message.write(text, 5, 'latin1');
  return message;
}

/**
 * @param {Request} request
 * @returns {import('./types.ts').Cell['load']}
 */
export function h2load(request) {
  const { message, connections, streams } = request;
  return async (port, seconds, cores) => {
    const folder = await mkdtemp(join(tmpdir(), 'crossfade-h2load-'));
    try {
      const body = join(folder, 'message');
      await writeFile(body, message ?? '');
      const grpc = ['-d', body, '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
      const settings = ['-t1', `-c${connections}`, `-m${streams}`, `-D${seconds}`, '-N30'];
      const args = [...settings, ...(message === null ? [] : grpc), urlOf(request, port)];
      return countsOf(await run('taskset', ['-c', cores, 'h2load', ...args]));
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}

/**
 * h2load's own report. Requests that it leaves unanswered when its time is over are none of the proxy's failures.
 * @param {string} out
 */
function countsOf(out) {
  const number = (/** @type {RegExp} */ pattern) => {
    const found = pattern.exec(out)?.[1];
    if (found === undefined) throw new Error(`h2load reports otherwise than expected: ${out.slice(-500)}`);
    return Number(found);
  };
  const succeeded = number(/(\d+) succeeded/);
  const failures = {
    failed: number(/(\d+) failed/),
    errored: number(/(\d+) errored/),
    timeout: number(/(\d+) timeout/),
  };
  const status = number(/(\d+) 3xx/) + number(/(\d+) 4xx/) + number(/(\d+) 5xx/);
  const unit = /finished in [\d.]+(us|ms|s)/.exec(out)?.[1];
  const perUnit = unit === 's' ? 1 : unit === 'ms' ? 1e-3 : 1e-6;
  return {
    requests: succeeded,
    seconds: number(/finished in ([\d.]+)/) * perUnit,
    bytes: number(/\((\d+)\) total/),
    // `failed` holds `errored`, too.
    failed: failures.failed + failures.timeout + status,
    failures: { ...failures, status },
  };
}

/**
 * @param {Request} request a gRPC call
 * @returns {NonNullable<import('./types.ts').Cell['latency']>}
 */
export function grpcLatency(request) {
  return async (port, rate, seconds, cores) => {
    const { message, connections, streams } = request;
    const settings = ['--rate', String(rate), '--duration', `${seconds}s`, '--warm-up', '1s', '--grpc'];
    const lanes = ['--connections', String(connections * streams), '--sessions', String(connections)];
    const what = ['--body-bytes', String((message?.length ?? 5) - 5)];
    const client = ['env', `NODE_EXTRA_CA_CERTS=${CERTIFICATE}`, process.execPath, openLoop, urlOf(request, port)];
    const out = await run('taskset', ['-c', cores, ...client, ...settings, ...lanes, ...what], [0, 1]);
    const { failed, answers, lagUs, answeredPerSecond } = JSON.parse(out);
    return { rate, achieved: answeredPerSecond, failed, latencyUs: answers.latencyUs, lagUs };
  };
}

/**
 * Asks some times over fresh connections by Node's own client: status, body, trailers and that every side has answered.
 * @param {Request} request
 * @param {(side: string) => Buffer} bodyOf the body that this side answers with
 * @returns {import('./types.ts').Cell['validate']}
 */
export function validateHttp2(request, bodyOf) {
  return async (port, sides) => {
    const seen = new Set();
    for (let i = 0; i < VALIDATION_REQUESTS || (seen.size < sides.length && i < 10 * VALIDATION_REQUESTS); i += 1) {
      const { status, side, body, grpcStatus } = await ask(port, request);
      if (status !== 200) throw new Error(`answers ${status} to ${request.path}: ${body.toString('latin1', 0, 200)}`);
      if (!body.equals(bodyOf(side)))
        throw new Error(`answers another body than its origin sent: ${body.toString('latin1', 0, 200)}`);
      if (request.message !== null && grpcStatus !== '0')
        throw new Error(`loses the trailers: grpc-status ${grpcStatus}`);
      seen.add(side);
    }
    const missing = sides.filter((side) => !seen.has(side));
    if (missing.length > 0) throw new Error(`never answers from the ${missing.join(' and ')} origin`);
  };
}

/**
 * @param {number} port
 * @param {Request} request
 * @returns {Promise<{ status: number, side: string, body: Buffer, grpcStatus: string }>}
 */
function ask(port, request) {
  const { message, path } = request;
  const session = http2.connect(urlOf({ ...request, path: '' }, port), { ca: readFileSync(CERTIFICATE) });
  const grpc = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
  return new Promise((resolve, reject) => {
    const fail = (/** @type {Error} */ error) => {
      session.destroy();
      reject(error);
    };
    session.on('error', fail);
    const stream = session.request(
      { ':path': path, ...(message === null ? {} : grpc) },
      { endStream: message === null },
    );
    if (message !== null) stream.end(message);
    /** @type {Buffer[]} */
    const parts = [];
    let status = 0;
    let side = '';
    let grpcStatus = 'missing';
    stream.setTimeout(30_000, () => fail(new Error(`no answer to ${path} within 30 s`)));
    stream.on('response', (fields) => {
      status = fields[':status'] ?? 0;
      side = String(fields['x-side'] ?? '');
    });
    stream.on('trailers', (fields) => (grpcStatus = String(fields['grpc-status'])));
    stream.on('data', (bytes) => parts.push(bytes));
    stream.on('error', fail);
    stream.on('end', () => {
      session.close();
      resolve({ status, side, body: Buffer.concat(parts), grpcStatus });
    });
  });
}
