// @ts-check
// What the HTTP/1.1 cells share: one request, sent by wrk as fast as answers come, or by the open-loop generator at a rate.
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { run } from './processes.mjs';

const script = fileURLToPath(new URL('wrk.lua', import.meta.url));
const openLoop = fileURLToPath(new URL('open-loop-cli.mjs', import.meta.url));
const CONNECTIONS = '64';
const VALIDATION_REQUESTS = 20;

/** @typedef {{ method: string, path: string, bodyBytes: number }} Request */

/**
 * @param {Request} request
 * @returns {import('./types.ts').Cell['load']}
 */
export function wrkLoad({ method, path, bodyBytes }) {
  return async (port, seconds, cores) => {
    const url = `http://127.0.0.1:${port}${path}`;
    const wrk = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', '5s', '-s', script, url];
    const out = await run('taskset', ['-c', cores, ...wrk, '--', method, String(bodyBytes)]);
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
export function openLoopLatency({ method, path, bodyBytes }) {
  return async (port, rate, seconds, cores) => {
    const url = `http://127.0.0.1:${port}${path}`;
    const settings = [
      '--rate',
      String(rate),
      '--duration',
      `${seconds}s`,
      '--warm-up',
      '1s',
      '--connections',
      CONNECTIONS,
    ];
    const request = ['--method', method, '--body-bytes', String(bodyBytes)];
    const out = await run('taskset', ['-c', cores, process.execPath, openLoop, url, ...settings, ...request], [0, 1]);
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
      const { status, side, body } = await ask(port, request);
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
 * @returns {Promise<{ status: number, side: string, body: string }>}
 */
function ask(port, { method, path, bodyBytes }) {
  return new Promise((resolve, reject) => {
    const call = http.request({ host: '127.0.0.1', port, method, path, agent: false, timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, side: String(response.headers['x-side'] ?? ''), body });
      });
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`no answer to ${method} ${path} within 10 s`)));
    call.on('error', reject);
    call.end('x'.repeat(bodyBytes));
  });
}
