/** Requests to what knows endpoints: a Helios master, a Kubernetes API server. Errors are words that hold nothing of a body. */
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';

export interface ClientTls {
  /** PEM texts. Without `ca` the runtime's authorities. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly insecure?: boolean;
}

export interface ClientRequest {
  readonly method?: 'GET' | 'POST';
  /** With the query, from the root of the client's base. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
  /** For the response's head, and for the whole of a response that is read as one. */
  readonly timeoutMs: number;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** More is not read: it is no answer to what is asked for here. */
export const MOST_BYTES = 256 * 1024 * 1024;

export class HttpClient {
  readonly #base: URL;
  readonly #agent: http.Agent;

  /** @param base scheme, authority and a path that stands in front of all others */
  constructor(base: string, tls: ClientTls) {
    this.#base = new URL(base);
    this.#agent =
      this.#base.protocol === 'https:'
        ? new https.Agent({
            keepAlive: true,
            rejectUnauthorized: tls.insecure !== true,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
            ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
          })
        : new http.Agent({ keepAlive: true });
  }

  /** The whole response. @throws Error in words, such as "refuses connections" */
  async send(request: ClientRequest, over: AbortSignal): Promise<ClientResponse> {
    return this.#inTime(request, over, async (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) throw new Error(`sent more than ${MOST_BYTES} bytes`);
        chunks.push(chunk);
      }
      return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
    });
  }

  /** The response once its head is there; its body is the caller's to read or to destroy. @throws as `send` */
  stream(request: ClientRequest, over: AbortSignal): Promise<IncomingMessage> {
    return this.#inTime(request, over, (response) => Promise.resolve(response));
  }

  /** What `read` makes of the response, unless the time or the signal ends it before. */
  async #inTime<T>(
    wanted: ClientRequest,
    over: AbortSignal,
    read: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const request = this.#request(wanted);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      request.destroy(new Error('too late'));
    }, wanted.timeoutMs);
    const end = (): void => void request.destroy(new Error('not wanted any more'));
    over.addEventListener('abort', end);
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve).on('error', reject);
      });
      return await read(response);
    } catch (error) {
      throw isLate ? new Error(`did not answer within ${wanted.timeoutMs} ms`) : inWords(error);
    } finally {
      clearTimeout(timer);
      over.removeEventListener('abort', end);
    }
  }

  #request({ method = 'GET', path, headers, body }: ClientRequest): http.ClientRequest {
    const { protocol, hostname, port, pathname } = this.#base;
    const request = (protocol === 'https:' ? https : http).request({
      agent: this.#agent,
      method,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? undefined : Number(port),
      path: pathname.replace(/\/$/, '') + path,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    });
    // A peer that vanished without a word is noticed by the kernel.
    request.once('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    return request.end(body);
  }

  /** Connections that are not in use end. */
  close(): void {
    this.#agent.destroy();
  }
}

const KEEP_ALIVE_MS = 10_000;

const WORDS = new Map([
  ['ECONNREFUSED', 'refuses connections'],
  ['ECONNRESET', 'reset the connection'],
  ['EPIPE', 'closed the connection'],
  ['ENOTFOUND', 'has a name that DNS does not know'],
  ['EAI_AGAIN', 'has a name that DNS gives no answer for'],
  ['ETIMEDOUT', 'cannot be reached'],
  ['EHOSTUNREACH', 'cannot be reached'],
  ['ENETUNREACH', 'cannot be reached'],
]);

function inWords(error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new Error(WORDS.get(code) ?? `cannot be asked: ${message}`);
}
