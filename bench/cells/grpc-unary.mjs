// @ts-check
import { grpcLatency, grpcMessage, h2load, validateHttp2 } from '../h2load.mjs';
import { eachTarget } from './variants.mjs';

const CONNECTIONS = 8;
const message = grpcMessage('x'.repeat(95));

/**
 * @param {number} streams of each connection at a time
 * @returns {import('../types.ts').Cell}
 */
function unary(streams) {
  const request = { path: '/bench.Echo/Say', message, connections: CONNECTIONS, streams };
  return {
    name: `grpc-${CONNECTIONS}x${streams}`,
    question: `What does a unary gRPC call cost? HTTP/2 without TLS on both sides, ${CONNECTIONS} connections with ${streams} calls each at a time, messages of 100 bytes.`,
    tool: 'h2load',
    baselines: ['haproxy', 'nginx', 'caddy'],
    variants: eachTarget({ front: 'h2c', back: 'h2c' }),
    validate: validateHttp2(request, () => message),
    load: h2load(request),
    latency: grpcLatency(request),
    flood: { origin: 'h2c', load: grpcLatency(request) },
  };
}

export const grpcUnary = [unary(1), unary(16), unary(64)];
