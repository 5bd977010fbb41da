// @ts-check
// Loaded before Crossfade (--import): requests are counted nowhere and judged by nobody. No configuration can do this; it shows what both cost.
import { classifyGrpc, classifyStatus } from '../dist/domain/outcome.js';
import { Observation } from '../dist/proxy/observation.js';

/** What the exchange goes on by. */
const ANSWERS = new Map([
  ['attemptByStatus', classifyStatus],
  ['attemptByGrpc', classifyGrpc],
]);

const observation = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (Observation.prototype));
for (const name of Object.getOwnPropertyNames(observation)) {
  if (name !== 'constructor') observation[name] = ANSWERS.get(name) ?? (() => undefined);
}
