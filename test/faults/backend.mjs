// @ts-check
// A backend of the scenarios: PORT NAME FILE [MODE]. Writes the id of each request to FILE before it answers; SIGTERM drains, as in a pod.
// `closing` and `large` are its ways from the start; from SIGUSR2 on it is `refusing`, `unavailable`, `cutting` or `hung`.
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';

const LARGE = Buffer.alloc(10 * 2 ** 20, 'x');

const [port, name, file, mode] = process.argv.slice(2);
const seen = openSync(String(file), 'a');
let isIll = false;
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    writeSync(seen, `${String(request.method)} ${String(request.headers['x-id'])}\n`);
    if (isIll) answerIll(request, response);
    else if (mode === 'large') response.end(LARGE);
    else response.end(name);
    // Without a word about it in the answer, as servers do whose idle time is over.
    if (mode === 'closing') setImmediate(() => request.socket.end());
  });
});

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
function answerIll(request, response) {
  if (mode === 'unavailable') {
    response.statusCode = 503;
    response.end(name);
  } else if (mode === 'cutting') {
    response.setHeader('content-length', 1000);
    response.write('half');
    setTimeout(() => request.socket.resetAndDestroy(), 5);
  }
}

server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
process.on('SIGUSR2', () => {
  isIll = true;
  if (mode !== 'refusing') return;
  server.close();
  server.closeAllConnections();
});
