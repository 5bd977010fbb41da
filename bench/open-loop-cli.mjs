// @ts-check
// One open-loop run from the command line, and the process that the latency part of `npm run bench` pins to the load's core.
import { parseArgs } from 'node:util';
import { OpenLoop } from './open-loop.mjs';
import { duration, milliseconds } from './quantities.mjs';

const USAGE = `usage: node bench/open-loop-cli.mjs URL [--rate 100] [--duration 10s] [--warm-up 0s] [--connections 64]
       [--timeout 10s] [--method GET] [--body-bytes 0] [--side-header x-side] [--grpc [--sessions 8]]
--grpc sends unary calls over HTTP/2 to the URL's path, /service/method; --connections of them at a time on --sessions connections.
Prints exact counts and latencies from the intended send time as JSON. Exit status 1 when a request failed.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: 'string', default: '100' },
    duration: { type: 'string', default: '10s' },
    'warm-up': { type: 'string', default: '0s' },
    connections: { type: 'string', default: '64' },
    timeout: { type: 'string', default: '10s' },
    method: { type: 'string', default: 'GET' },
    'body-bytes': { type: 'string', default: '0' },
    grpc: { type: 'boolean', default: false },
    sessions: { type: 'string', default: '8' },
    'side-header': { type: 'string', default: 'x-side' },
    help: { type: 'boolean', short: 'h' },
  },
});
const [url] = positionals;

if (values.help || url === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 64;
} else {
  const warmUpMs = duration(values['warm-up']);
  const loop = new OpenLoop({
    url,
    rate: Number(values.rate),
    durationMs: warmUpMs + duration(values.duration),
    connections: Number(values.connections),
    timeoutMs: duration(values.timeout),
    grpc: values.grpc,
    sessions: Number(values.sessions),
    method: values.method,
    body: 'x'.repeat(Number(values['body-bytes'])),
    sideHeader: values['side-header'],
  });
  process.once('SIGINT', () => loop.stop());
  if (warmUpMs > 0) setTimeout(() => loop.startPhase('measured'), warmUpMs);
  const startedAt = performance.now();
  const tallies = await loop.run();
  const seconds = (performance.now() - startedAt) / 1000;
  const measured = tallies.at(-1);
  const failed = tallies.reduce((sum, tally) => sum + tally.failed(), 0);
  const answered = tallies.reduce((sum, tally) => sum + tally.answers.total(), 0);
  process.stdout.write(`${JSON.stringify({ ...measured?.toJSON(), answeredPerSecond: answered / seconds })}\n`);
  process.stderr.write(`${failed} failed; p99 ${milliseconds(measured?.answers.latency.quantile(0.99) ?? null)} ms\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
