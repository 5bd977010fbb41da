/** One sample backend as a process of its own: `node backend.js SIDE HOST PORT http1|h2`. It ends with the process that started it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createGreeter } from './greeter.ts';

const [side = '', host = '127.0.0.1', port = '0', protocol = 'http1'] = process.argv.slice(2);

/** Longer than the proxy keeps an idle connection, so that it is the proxy that closes. */
const KEEP_ALIVE_MS = 75_000;
const LONGEST_SLEEP_MS = 60_000;

const site = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  const url = new URL(request.url ?? '/', 'http://backend');
  const status = /^\/status\/([2-5]\d\d)$/.exec(url.pathname)?.[1];
  if (status !== undefined) answer(response, Number(status), { side, status: Number(status) });
  else if (url.pathname === '/slow') sleep(Number(url.searchParams.get('ms')), response);
  else if (url.pathname === '/echo') void echo(request, response);
  else answer(response, 200, { side });
});

function answer(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function sleep(ms: number, response: ServerResponse): void {
  const sleepMs = Math.min(Math.max(ms || 0, 0), LONGEST_SLEEP_MS);
  setTimeout(() => answer(response, 200, { side, sleptMs: sleepMs }), sleepMs);
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of request) bytes += (chunk as Buffer).length;
  } catch {
    // The client left; there is nobody to answer.
    return;
  }
  const { method, url, headers } = request;
  answer(response, 200, { side, method, url, headers, bodyBytes: bytes });
}

// A terminal's Ctrl-C, and whoever ends a whole process group, reaches every process; the proxy still has requests to finish here.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));
// Let go while this was still being loaded.
if (!process.connected) process.exit(0);
const server = protocol === 'h2' ? createGreeter(side) : site;
server.once('error', (error) => {
  process.send?.({ failure: error.message }, () => process.exit(1));
});
server.listen({ host, port: Number(port) }, () => process.send?.({ failure: null }));
