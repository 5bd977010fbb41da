// A worker that serves nothing but speaks the seam. It writes what it is told to FAKE_LOG, a JSON line each with its pid, and misbehaves as FAKE says.
import { appendFileSync } from 'node:fs';

const { FAKE_LOG = '', FAKE = '' } = process.env;
let generation = 0;

process.on('message', (message) => {
  appendFileSync(FAKE_LOG, `${JSON.stringify({ pid: process.pid, ...message })}\n`);
  switch (message.kind) {
    case 'table': {
      generation = message.generation;
      const failure =
        FAKE === 'cannot listen' ? { address: message.listeners[0].address, message: 'EADDRINUSE' } : null;
      process.send({ kind: 'listening', generation, failure });
      break;
    }
    case 'weights':
      if (FAKE === 'lags behind' && message.revision > 1) break;
      process.send({ kind: 'applied', generation, revision: message.revision });
      break;
    case 'flush':
      if (FAKE === 'counts nothing') break;
      process.send({
        kind: 'beat',
        reports: [
          {
            kind: 'counts',
            generation,
            flush: message.flush,
            cells: Uint32Array.of(2),
            values: Float64Array.of(1),
            connections: [{ http1: 2, h2: 1 }],
          },
        ],
      });
      break;
    case 'ping':
      process.send({ kind: 'pong' });
      break;
    case 'drain':
      if (FAKE !== 'never ends') process.exit(0);
  }
});
if (FAKE === 'dies young') process.exit(3);
process.send({ kind: 'hello' });
