/** The admin plane on a real socket in front of control in memory. */
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Access } from '../../src/admin/access.ts';
import type { PrometheusOrigin } from '../../src/admin/routes/prometheus.ts';
import { createAdmin } from '../../src/admin/server.ts';
import type { createLogger } from '../../src/telemetry/log.ts';
import type { FakeControl } from './fake-control.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body read as JSON. */
  json(): unknown;
}

interface Sent {
  /** Sent as JSON unless it is a text. */
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
}

export interface Admin {
  readonly url: string;
  readonly port: number;
  send(method: string, path: string, sent?: Sent): Promise<Answer>;
  close(): Promise<void>;
}

/** Without tokens; others put theirs in place. */
export const OPEN: Access = { tokens: [], openMetrics: false };

export interface StartOptions {
  /** May change what it returns while the server runs. */
  readonly access?: () => Access;
  /** As it is told to the server, whatever it listens on. */
  readonly address?: string;
  readonly logger?: ReturnType<typeof createLogger>;
  readonly prometheus?: PrometheusOrigin;
}

export async function startAdmin(control: FakeControl, options: StartOptions = {}): Promise<Admin> {
  const { access = () => OPEN, address = '127.0.0.1:0', ...rest } = options;
  const app = createAdmin(control, { version: '0.1.0', address, access, ...rest });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { url, port, send: (method, path, sent = {}) => send(port, method, path, sent), close: () => app.close() };
}

/** Not fetch: it sends neither a Host nor an Origin of the test's choosing. */
function send(port: number, method: string, path: string, { body, headers = {} }: Sent): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, agent: false, headers: { ...type, ...headers } } as const;
    const request = httpRequest(options, (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: received,
          json: () => JSON.parse(received) as unknown,
        }),
      );
    });
    request.on('error', reject);
    request.end(text);
  });
}
