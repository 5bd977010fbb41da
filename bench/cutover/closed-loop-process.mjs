// @ts-check
// autocannon in a process of its own, so that it does not hold up the open loop's schedule. Told by messages: `{ phase }` begins to
// count under another name, `{ stop: true }` ends and answers with the tallies. `node closed-loop-process.mjs SETTINGS-AS-JSON`
import autocannon from 'autocannon';
import { Tally } from '../tally.mjs';

/** @type {import('./closed-loop.mjs').ClosedLoopSettings} */
const { url, connections, rate, headers: sent, sideHeader } = JSON.parse(process.argv[2] ?? '{}');
const A_DAY_S = 86_400;

let tally = new Tally('warm-up');
const tallies = [tally];

/**
 * Counts what this client does. autocannon's own count misses requests: when the server closes the connection it connects anew and
 * forgets what it had asked; and it sends on after `Connection: close`, where no answer is no failure of the server.
 * @param {import('node:events').EventEmitter} client
 */
function count(client) {
  let waiting = false;
  let closing = false;
  let side = '';
  const lost = (/** @type {string} */ code) => {
    if (waiting && !closing) tally.fail(code);
    waiting = false;
  };
  client.on('request', () => {
    // Without an answer to the one before: the connection was closed, or 10 s have passed.
    if (waiting) {
      lost('NO_ANSWER');
      closing = false;
    }
    tally.sent += 1;
    waiting = true;
  });
  client.on('headers', (/** @type {{ headers: string[] }} */ { headers }) => {
    side = fieldOf(headers, sideHeader);
    closing = fieldOf(headers, 'connection').toLowerCase() === 'close';
  });
  client.on('response', (/** @type {number} */ status, /** @type {number} */ _bytes, /** @type {number} */ ms) => {
    waiting = false;
    tally.answer(status, side, ms * 1000);
  });
  client.on('connError', (/** @type {NodeJS.ErrnoException} */ error) => lost(error.code ?? error.message));
}

/**
 * @param {readonly string[]} headers names and values in turn
 * @param {string} name
 */
function fieldOf(headers, name) {
  const index = headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name.toLowerCase());
  return index === -1 ? '' : (headers[index + 1] ?? '');
}

void autocannon({
  url,
  connections,
  headers: sent,
  duration: A_DAY_S,
  // Its correction for coordinated omission is wrong. It does none without a rate, and then refuses to be told so.
  ...(rate === null ? {} : { overallRate: rate, ignoreCoordinatedOmission: true }),
  setupClient: count,
});

process.on('message', (/** @type {{ phase?: string, stop?: boolean }} */ { phase, stop }) => {
  if (phase !== undefined) {
    tally = new Tally(phase);
    tallies.push(tally);
  }
  if (stop)
    process.send?.(
      tallies.map((each) => each.toJSON()),
      () => process.exit(),
    );
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
