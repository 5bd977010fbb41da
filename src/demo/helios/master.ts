/** As much of a Helios master's HTTP API (0.9) as its readers meet, and faults on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { closeAtOnce, listenOn } from '../listening.ts';
import { HeliosCluster } from './cluster.ts';
import { write } from './descriptors.ts';

/** `blank`: 200 and no byte; `empty`: 200 and an empty map. */
export type MasterFault =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'truncated' | 'blank' | 'empty' };

const SERVER = { snapshot: false, major: 0, minor: 9, patch: 283 };
const VERSION = `${SERVER.major}.${SERVER.minor}.${SERVER.patch}`;
const LEAST_ZIPPED = 256;
const FULL_ID = /^[^:]+:[^:]+:[0-9a-f]{40}$/;

export class HeliosMasterEmulator {
  readonly cluster = new HeliosCluster();
  /** Null: none. */
  fault: MasterFault | null = null;
  /** Method, path and query of each request, and the version that it was sent with. */
  readonly asked: { readonly line: string; readonly version: string | undefined }[] = [];
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  /** While it listens; afterwards the last one. */
  port = 0;

  /** @returns its port */
  async listen(port = 0, host = '127.0.0.1'): Promise<number> {
    this.port = await listenOn(this.#server, port, host);
    return this.port;
  }

  /** Nobody listens any more, until `listen`, and every connection is cut. */
  close(): Promise<void> {
    return closeAtOnce(this.#server);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const version = request.headers['helios-version'] as string | undefined;
    this.asked.push({ line: `${method} ${url}`, version });
    const body = await text(request).catch(() => '');
    const known = /^(\d+)\.\d+\.\d+/.exec(version ?? VERSION);
    response.setHeader('Helios-Server-Version', VERSION);
    response.setHeader('Helios-Version-Status', statusOf(version, known?.[1]));
    if (known === null) return end(response, 400, `Helios client version format is illegal: ${version}`);
    if (known[1] !== '0') {
      return end(
        response,
        426,
        `Your client version [${version}] is incompatible with the server version [${VERSION}]`,
      );
    }
    const answer = this.#answer(method, new URL(url, 'http://master'), body);
    const { fault } = this;
    if (fault?.kind === 'slow') setTimeout(() => send(response, answer), fault.ms).unref();
    else if (fault?.kind === 'status') end(response, fault.status, 'fault on demand');
    else if (fault?.kind === 'blank') send(response, { status: 200, json: '' });
    else if (fault?.kind === 'empty') send(response, { status: 200, json: '{}' });
    else if (fault?.kind === 'truncated')
      send(response, { ...answer, json: answer.json.slice(0, answer.json.length / 2) });
    else send(response, answer);
  }

  #answer(method: string, { pathname, searchParams }: URL, body: string): Answer {
    const [first = '', second, third, fourth] = pathname.slice(1).split('/').map(decodeURIComponent);
    const { cluster } = this;
    switch (`${method} /${first}${second === undefined ? '' : '/'}`) {
      case 'GET /jobs':
        return found(cluster.jobs(searchParams.get('q') ?? ''));
      case 'GET /jobs/':
        if (!FULL_ID.test(second ?? '')) return { status: 400, json: '' };
        return found(third === 'status' ? cluster.jobStatus(second ?? '') : cluster.job(second ?? ''));
      case 'POST /jobs/': {
        const ids = JSON.parse(body) as string[];
        if (!ids.every((id) => FULL_ID.test(id))) return { status: 400, json: '' };
        return found(mapOf(ids, (id) => cluster.jobStatus(id)));
      }
      case 'GET /hosts':
        return found(cluster.hosts(searchParams.get('namePattern') ?? ''));
      case 'GET /hosts/':
        if (third === 'status') return found(cluster.hostStatus(second ?? '', searchParams.get('status')));
        return found(this.#deployment(second ?? '', fourth ?? ''));
      case 'POST /hosts/':
        return found(
          mapOf(JSON.parse(body) as string[], (host) => cluster.hostStatus(host, searchParams.get('status'))),
        );
      case 'GET /masters':
        return found([`127.0.0.1:${this.port}`]);
      case 'GET /version':
        return { status: 200, json: VERSION, type: 'text/plain' };
      case 'GET /version/':
        return found({
          status: statusOf(searchParams.get('client') ?? undefined, '0'),
          serverVersion: SERVER,
          recommendedVersion: VERSION,
        });
      default:
        return { status: 404, json: '' };
    }
  }

  #deployment(host: string, id: string): object | undefined {
    const status = this.cluster.hostStatus(host, null) as { jobs: Record<string, object> } | undefined;
    return status?.jobs[id];
  }
}

interface Answer {
  readonly status: number;
  readonly json: string;
  readonly type?: string;
}

/** What is not known is a 404 without a body. */
function found(value: object | undefined): Answer {
  return value === undefined ? { status: 404, json: '' } : { status: 200, json: write(value) };
}

/** Unknown keys are left out. */
function mapOf(keys: readonly string[], describe: (key: string) => object | undefined): object {
  return Object.fromEntries(keys.map((key) => [key, describe(key)]).filter(([, value]) => value !== undefined));
}

function statusOf(version: string | undefined, major: string | undefined): string {
  if (version === undefined) return 'MISSING';
  if (major === undefined) return 'INVALID';
  return version === VERSION ? 'EQUAL' : major === '0' ? 'COMPATIBLE' : 'INCOMPATIBLE';
}

function end(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(message);
}

/** Compressed where the reader takes it, as Dropwizard does from 256 bytes on. */
function send(response: ServerResponse, { status, json, type = 'application/json' }: Answer): void {
  const accepts = /\bgzip\b/.test(response.req.headers['accept-encoding'] ?? '');
  const isZipped = accepts && json.length >= LEAST_ZIPPED;
  const body = isZipped ? gzipSync(json) : Buffer.from(json);
  const encoding = isZipped ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {};
  response.writeHead(status, { 'content-type': type, 'content-length': body.length, ...encoding }).end(body);
}
