// @ts-check
import { fileURLToPath } from 'node:url';
import { grpcMessage, validateHttp2 } from '../h2load.mjs';
import { run } from '../processes.mjs';
import { eachTarget } from './variants.mjs';

const program = fileURLToPath(new URL('../stream-load.mjs', import.meta.url));
const CONNECTIONS = 8;
const STREAMS = 16;
const BYTES = 100;
const message = grpcMessage('x'.repeat(BYTES - 5));

/** @type {import('../types.ts').Cell} */
export const grpcStream = {
  name: 'grpc-stream',
  question: `What does a message of ${BYTES} bytes and its echo cost in a bidirectional gRPC stream? HTTP/2 without TLS on both sides, ${CONNECTIONS} connections with ${STREAMS} streams each. A "request" is a message and its echo.`,
  baselines: ['haproxy'],
  variants: eachTarget({ front: 'h2c', back: 'h2c' }),
  validate: validateHttp2(
    { path: '/bench.Echo/Chat', message, connections: CONNECTIONS, streams: STREAMS },
    () => message,
  ),
  load: async (port, seconds, cores) => {
    const args = [program, port, seconds, CONNECTIONS, STREAMS].map(String);
    const out = await run('taskset', ['-c', cores, process.execPath, ...args]);
    const { messages, microseconds, failed } = JSON.parse(out);
    return { requests: messages, seconds: microseconds / 1e6, bytes: messages * BYTES, failed, failures: { failed } };
  },
};
