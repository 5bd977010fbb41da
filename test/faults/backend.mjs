// @ts-check
// A backend of the scenarios: PORT NAME FILE [closing]. Writes the id of each request to FILE before it answers; SIGTERM drains, as in a pod.
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, name, file, mode] = process.argv.slice(2);
const seen = openSync(String(file), 'a');
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    writeSync(seen, `${String(request.method)} ${String(request.headers['x-id'])}\n`);
    response.end(name);
    // Without a word about it in the answer, as servers do whose idle time is over.
    if (mode === 'closing') setImmediate(() => request.socket.end());
  });
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
