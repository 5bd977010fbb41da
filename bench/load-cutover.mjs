// @ts-check
// `npm run load:cutover`: a constant load and a closed loop against a live proxy while its route walks up a ramp.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AdminClient } from './cutover/admin-client.mjs';
import { startClosedLoop } from './cutover/closed-loop.mjs';
import { startDemo } from './cutover/demo.mjs';
import { complaints, report } from './cutover/report.mjs';
import { walkRamp } from './cutover/walk.mjs';
import { OpenLoop } from './open-loop.mjs';
import { duration } from './quantities.mjs';

const USAGE = `usage: npm run load:cutover -- [--target URL [--admin URL --route NAME]] [--steps 1,5,10,50,100] [--hold 5s]
       [--rate 500] [--connections 64] [--timeout 10s] [--closed 4] [--closed-rate N] [--header 'name: value']…
       [--side-header x-side] [--new-side new] [--token T] [--report FILE] [--grpc [--sessions 8]]
Without --target: a Crossfade and two origins of its own. With --target but no --admin: the load alone, for as long as all steps.
--rate         requests a second of the open loop: a fixed schedule, latency from the intended send time
--closed       connections of the closed loop (autocannon); 0: none. --closed-rate limits it
--grpc         unary calls over HTTP/2 instead, by prior knowledge, to the target's path /service/method: --connections of them at a time on
               --sessions connections; a grpc-status other than 0 is a failed request. The closed loop stays off
--side-header  response header that names the side, and --new-side its value on the new one
--token        for the admin API; default CROSSFADE_TOKEN
The route goes back to the weight it had. Exit status 1 when a request failed, the split left its 99.9 % interval, or the ramp did.
`;
const LONGEST_MS = 86_400_000;
/** Before the first change: whatever is compiled or connected at first use should not stand in the first step's latency. */
const WARM_UP_MS = 1000;

/** @param {string} line */
const progress = (line) => void process.stderr.write(`${line}\n`);

function parse() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      admin: { type: 'string' },
      route: { type: 'string' },
      token: { type: 'string', default: process.env['CROSSFADE_TOKEN'] ?? '' },
      steps: { type: 'string', default: '1,5,10,50,100' },
      hold: { type: 'string', default: '5s' },
      rate: { type: 'string', default: '500' },
      connections: { type: 'string', default: '64' },
      timeout: { type: 'string', default: '10s' },
      closed: { type: 'string', default: '4' },
      'closed-rate': { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      'side-header': { type: 'string', default: 'x-side' },
      'new-side': { type: 'string', default: 'new' },
      report: { type: 'string' },
      grpc: { type: 'boolean', default: false },
      sessions: { type: 'string', default: '8' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if ((values.admin === undefined) !== (values.route === undefined)) throw new Error('--admin and --route go together');
  if (values.admin !== undefined && values.target === undefined) throw new Error('--admin needs a --target');
  return {
    ...values,
    weights: values.steps.split(',').map((text) => numberOf('--steps', text, 100)),
    holdMs: duration(values.hold),
    timeoutMs: duration(values.timeout),
    requestsPerSecond: numberOf('--rate', values.rate, 1e6),
    closedConnections: values.grpc ? 0 : numberOf('--closed', values.closed, 10_000),
    sessionCount: numberOf('--sessions', values.sessions, 1000),
    closedRate: values['closed-rate'] === undefined ? null : numberOf('--closed-rate', values['closed-rate'], 1e6),
    headers: Object.fromEntries(values.header.map(fieldOf)),
  };
}

/**
 * @param {string} option
 * @param {string} text
 * @param {number} most
 */
function numberOf(option, text, most) {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0 && number <= most))
    throw new Error(`${option}: ${text} is no number from 0 to ${most}`);
  return number;
}

/** @param {string} text */
function fieldOf(text) {
  const colon = text.indexOf(':');
  if (colon < 1) throw new Error(`--header: ${text} is no "name: value"`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

/** @typedef {ReturnType<typeof parse>} Settings */

/**
 * Puts the load on and walks the ramp.
 * @param {Settings} settings
 * @param {{ target: string, admin?: string | undefined, route?: string | undefined }} place
 * @param {AbortSignal} signal
 * @returns {Promise<import('./cutover/report.mjs').Findings>}
 */
async function drive(settings, { target, admin, route }, signal) {
  const {
    closedConnections,
    closedRate,
    headers,
    weights,
    holdMs,
    'side-header': sideHeader,
    'new-side': newSide,
  } = settings;
  const { requestsPerSecond: rate, timeoutMs, grpc, sessionCount: sessions } = settings;
  const connections = numberOf('--connections', settings.connections, 10_000);
  const durationMs = LONGEST_MS;
  const lanes = { connections, timeoutMs, grpc, sessions };
  const open = new OpenLoop({ url: target, rate, durationMs, ...lanes, headers, sideHeader });
  const closed =
    closedConnections === 0
      ? null
      : await startClosedLoop({ url: target, connections: closedConnections, rate: closedRate, headers, sideHeader });
  const running = open.run();
  const startPhase = (/** @type {string} */ name) => {
    closed?.startPhase(name);
    return open.startPhase(name);
  };
  /** @type {import('./cutover/walk.mjs').Step[]} */
  const steps = [];
  let broke = null;
  try {
    await sleep(WARM_UP_MS, undefined, { signal });
    if (admin === undefined || route === undefined) {
      startPhase('load');
      await sleep(holdMs * weights.length, undefined, { signal });
    } else {
      const client = new AdminClient(admin, route, settings.token || undefined);
      await walkRamp({ admin: client, weights, holdMs, newSide, startPhase, progress, signal }, steps);
    }
  } catch (error) {
    broke = signal.aborted ? 'interrupted' : String(error instanceof Error ? error.message : error);
  }
  open.stop();
  const closedTallies = (await closed?.stop()) ?? [];
  return { target, open: await running, closed: closedTallies, steps, newSide, broke };
}

/** @param {Settings} settings */
async function main(settings) {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const { target, admin, route } = settings;
  const demo = target === undefined ? await startDemo(settings.grpc ? 'h2c' : 'http1') : null;
  try {
    const findings = await drive(settings, demo ?? { target: target ?? '', admin, route }, interrupt.signal);
    const text = report(findings);
    process.stdout.write(text);
    if (settings.report !== undefined) writeFileSync(settings.report, text);
    process.exitCode = complaints(findings).length === 0 ? 0 : 1;
  } finally {
    await demo?.stop();
  }
}

/** @type {Settings | null} */
let settings = null;
try {
  settings = parse();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 64;
}
if (settings?.help) process.stdout.write(USAGE);
else if (settings !== null) await main(settings);
