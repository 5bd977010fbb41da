// @ts-check
// What the HTTP/1.1 cells share: one request, sent by wrk as fast as answers come, or by the open-loop generator at a rate.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { fileURLToPath } from 'node:url';
import { CERTIFICATE } from './certificate.mjs';
import { run } from './processes.mjs';

const script = fileURLToPath(new URL('wrk.lua', import.meta.url));
const openLoop = fileURLToPath(new URL('open-loop-cli.mjs', import.meta.url));
const CONNECTIONS = 64;
const VALIDATION_REQUESTS = 20;

/**
 * @typedef {object} Request
 * @property {'http' | 'https'} [scheme] default http
 * @property {string} method
 * @property {string} path
 * @property {number} bodyBytes
 * @property {number} [connections] default 64
 * @property {number} [users] who ask in turn, each by its number in `x-user`; default: nobody says who it is
 */

/**
 * @param {Request} request
 * @param {number} port
 */
const urlOf = ({ scheme = 'http', path }, port) => `${scheme}://127.0.0.1:${port}${path}`;

/**
 * @param {Request} request
 * @returns {import('./types.ts').Cell['load']}
 */
export function wrkLoad(request) {
  const { method, bodyBytes, connections = CONNECTIONS, users = 0 } = request;
  return async (port, seconds, cores) => {
    const url = urlOf(request, port);
    const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, url];
    const out = await run('taskset', ['-c', cores, ...wrk, '--', method, String(bodyBytes), String(users)]);
    const counts = JSON.parse(out.slice(out.lastIndexOf('\n{')));
    const { connect, read, write, status, timeout } = counts;
    return {
      requests: counts.requests,
      seconds: counts.microseconds / 1e6,
      bytes: counts.bytes,
      failed: connect + read + write + status + timeout,
      failures: { connect, read, write, status, timeout },
    };
  };
}

/**
 * @param {Request} request
 * @returns {NonNullable<import('./types.ts').Cell['latency']>}
 */
export function openLoopLatency(request) {
  const { method, bodyBytes, connections = CONNECTIONS } = request;
  return async (port, rate, seconds, cores) => {
    const url = urlOf(request, port);
    const settings = [
      '--rate',
      String(rate),
      '--duration',
      `${seconds}s`,
      '--warm-up',
      '1s',
      '--connections',
      String(connections),
    ];
    const what = ['--method', method, '--body-bytes', String(bodyBytes)];
    const client = ['env', `NODE_EXTRA_CA_CERTS=${CERTIFICATE}`, process.execPath, openLoop, url];
    const out = await run('taskset', ['-c', cores, ...client, ...settings, ...what], [0, 1]);
    const { failed, answers, lagUs, answeredPerSecond } = JSON.parse(out);
    return { rate, achieved: answeredPerSecond, failed, latencyUs: answers.latencyUs, lagUs };
  };
}

/**
 * Asks some times over fresh connections: status, body and that every side has answered.
 * @param {Request} request
 * @param {(side: string) => string} bodyOf the body that this side answers with
 * @returns {import('./types.ts').Cell['validate']}
 */
export function validateHttp1(request, bodyOf) {
  return async (port, sides) => {
    const seen = new Set();
    for (let i = 0; i < VALIDATION_REQUESTS || (seen.size < sides.length && i < 10 * VALIDATION_REQUESTS); i += 1) {
      const { status, side, body } = await ask(port, request, i);
      if (status !== 200)
        throw new Error(`answers ${status} to ${request.method} ${request.path}: ${body.slice(0, 200)}`);
      if (body !== bodyOf(side)) throw new Error(`answers another body than its origin sent: ${body.slice(0, 200)}`);
      seen.add(side);
    }
    const missing = sides.filter((side) => !seen.has(side));
    if (missing.length > 0) throw new Error(`never answers from the ${missing.join(' and ')} origin`);
  };
}

/**
 * @param {number} port
 * @param {Request} request
 * @param {number} user
 * @returns {Promise<{ status: number, side: string, body: string }>}
 */
function ask(port, { scheme, method, path, bodyBytes, users = 0 }, user) {
  const headers = users > 0 ? { 'x-user': String(user) } : {};
  const options = { host: '127.0.0.1', port, method, path, headers, agent: false, timeout: 30_000 };
  return new Promise((resolve, reject) => {
    const onResponse = (/** @type {http.IncomingMessage} */ response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, side: String(response.headers['x-side'] ?? ''), body });
      });
      response.on('error', reject);
    };
    const call =
      scheme === 'https'
        ? https.request({ ...options, ca: readFileSync(CERTIFICATE) }, onResponse)
        : http.request(options, onResponse);
    call.on('timeout', () => call.destroy(new Error(`no answer to ${method} ${path} within 30 s`)));
    call.on('error', reject);
    call.end('x'.repeat(bodyBytes));
  });
}
