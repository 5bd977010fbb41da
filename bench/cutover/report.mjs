// @ts-check
import { markdownTable, thousands } from '../markdown.mjs';
import { milliseconds } from '../quantities.mjs';
import { splitInterval } from './split-interval.mjs';

const CONFIDENCE = 0.999;

/**
 * @typedef {import('./walk.mjs').Step} Step
 * @typedef {import('../tally.mjs').Tally} Tally
 * @typedef {ReturnType<Tally['toJSON']>} TallyJson
 *
 * @typedef {object} Findings
 * @property {string} target
 * @property {readonly Tally[]} open all phases of the open loop
 * @property {readonly TallyJson[]} closed all phases of the closed loop; empty when it was off
 * @property {readonly Step[]} steps empty without an admin API
 * @property {string} newSide
 * @property {string | null} broke why the ramp ended early
 */

/**
 * How a step's answers fell on the sides. Answers that name no side (the proxy's own errors) are not counted.
 * @param {Step} step
 * @param {string} newSide
 */
function splitOf({ held, weight }, newSide) {
  let all = 0;
  for (const [side, answers] of held.sides) if (side !== '') all += answers.total();
  const toNew = held.sides.get(newSide)?.total() ?? 0;
  const [lowest, highest] = splitInterval(all, weight / 100, CONFIDENCE);
  return { all, toNew, lowest, highest, inside: toNew >= lowest && toNew <= highest };
}

/**
 * Everything that should make a pipeline stop, a sentence each; empty: all is well.
 * @param {Findings} findings
 * @returns {string[]}
 */
export function complaints({ open, closed, steps, newSide, broke }) {
  const failed = [...open.map((tally) => tally.failed()), ...closed.map((tally) => tally.failed)].reduce(
    (a, b) => a + b,
    0,
  );
  const named = steps.some((step) => splitOf(step, newSide).all > 0);
  return [
    ...(broke === null ? [] : [`The ramp ended early: ${broke}`]),
    ...(failed === 0 ? [] : [`${thousands(failed)} requests failed.`]),
    ...(steps.length === 0 || named
      ? []
      : ['No response names its side: see --side-header. The split was not checked.']),
    ...steps.flatMap((step) => stepComplaints(step, newSide)),
  ];
}

/**
 * @param {Step} step
 * @param {string} newSide
 */
function stepComplaints(step, newSide) {
  const { weight, moved, applied } = step;
  const { all, toNew, lowest, highest, inside } = splitOf(step, newSide);
  const out = `At ${weight} % ${thousands(toNew)} of ${thousands(all)} answers came from ${newSide}: outside ${thousands(lowest)} to ${thousands(highest)}.`;
  return [
    ...(moved === null ? [] : [`At ${weight} % somebody moved the route: ${moved}.`]),
    ...(applied.replicas === applied.of
      ? []
      : [`At ${weight} % only ${applied.replicas} of ${applied.of} replicas applied the change.`]),
    ...(inside || moved !== null ? [] : [out]),
  ];
}

/** @param {TallyJson[]} tallies */
function failureSentence(tallies) {
  /** @type {Map<string, number>} */
  const kinds = new Map();
  const add = (/** @type {string} */ kind, /** @type {number} */ n) => kinds.set(kind, (kinds.get(kind) ?? 0) + n);
  let answered = 0;
  for (const { failures, answers } of tallies) {
    answered += answers.total;
    for (const [code, n] of Object.entries(failures)) add(code, n);
    for (const [status, n] of Object.entries(answers.statuses)) if (Number(status) >= 400) add(`status ${status}`, n);
  }
  const failed = [...kinds.values()].reduce((a, b) => a + b, 0);
  const detail = [...kinds].map(([kind, n]) => `${thousands(n)} ${kind}`).join(', ');
  return `**${thousands(failed)} failed**${detail === '' ? '' : ` (${detail})`}, ${thousands(answered)} answered`;
}

/**
 * A row for each phase and side.
 * @param {readonly TallyJson[]} phases
 */
function latencyRows(phases) {
  return phases
    .filter(({ answers, failed }) => answers.total > 0 || failed > 0)
    .flatMap((phase) => [
      ...Object.entries(phase.sides).map(([side, answers]) => ({
        phase: phase.name,
        side: side || '(none)',
        ...answers,
      })),
      ...Object.entries(phase.failures).map(([code, n]) => ({
        phase: phase.name,
        side: `no answer: ${code}`,
        total: n,
        errors: n,
        latencyUs: null,
      })),
    ]);
}

/** @param {readonly TallyJson[]} phases */
function latencyTable(phases) {
  return markdownTable(
    [
      { title: 'weight', of: (row) => row.phase },
      { title: 'side', of: (row) => row.side },
      { title: 'errors', of: (row) => row.errors },
      { title: 'requests', of: (row) => thousands(row.total) },
      { title: 'error rate', of: (row) => `${((row.errors / row.total) * 100).toFixed(3)} %` },
      { title: 'p50 ms', of: (row) => milliseconds(row.latencyUs?.p50 ?? null) },
      { title: 'p99 ms', of: (row) => milliseconds(row.latencyUs?.p99 ?? null) },
      { title: 'p99.9 ms', of: (row) => milliseconds(row.latencyUs?.p999 ?? null) },
      { title: 'largest ms', of: (row) => milliseconds(row.latencyUs?.max ?? null) },
    ],
    latencyRows(phases),
  );
}

/** @param {number | null} value */
const ms = (value) => (value === null ? '–' : value.toFixed(1));

/**
 * @param {readonly Step[]} steps
 * @param {string} newSide
 */
function stepTable(steps, newSide) {
  const split = (/** @type {Step} */ step) => splitOf(step, newSide);
  return markdownTable(
    [
      { title: 'weight', of: ({ weight }) => `${weight} %` },
      { title: `from ${newSide}`, of: (step) => thousands(split(step).toNew) },
      { title: 'of', of: (step) => thousands(split(step).all) },
      { title: 'share', of: (step) => `${((split(step).toNew / split(step).all) * 100).toFixed(3)} %` },
      {
        title: `${CONFIDENCE * 100} % interval`,
        of: (step) => `${thousands(split(step).lowest)} to ${thousands(split(step).highest)}`,
      },
      { title: 'inside', of: (step) => (split(step).inside ? 'yes' : '**no**') },
      { title: 'replicas', of: ({ applied }) => `${applied.replicas}/${applied.of}` },
      { title: 'served by all workers, ms', of: ({ applied }) => ms(applied.ms) },
      { title: 'API answered, ms', of: ({ answeredMs }) => ms(answeredMs) },
      { title: 'first answer of the side let in, ms', of: ({ firstMs }) => ms(firstMs) },
    ],
    steps,
  );
}

/**
 * The whole run as Markdown, failed requests first.
 * @param {Findings} findings
 */
export function report(findings) {
  const { target, closed, steps, newSide } = findings;
  const open = findings.open.map((tally) => tally.toJSON());
  const wrong = complaints(findings);
  const latest = Math.max(...findings.open.filter(({ due }) => due > 0).map(({ lag }) => lag.quantile(0.99)));
  return [
    `# Cutover under load: ${target}`,
    `- open loop: ${failureSentence(open)}`,
    ...(closed.length === 0 ? [] : [`- closed loop: ${failureSentence([...closed])}`]),
    wrong.length === 0
      ? '- verdict: all is well'
      : `- verdict: **NOT well**\n${wrong.map((line) => `  - ${line}`).join('\n')}`,
    ...(steps.length === 0 ? [] : ['\n## Weights\n', stepTable(steps, newSide)]),
    '\n## Open loop: latency from the intended send time\n',
    latencyTable(open),
    `\nThe generator itself was late by at most ${milliseconds(latest)} ms (p99 of its worst phase); that is part of the latencies.`,
    ...(closed.length === 0 ? [] : ['\n## Closed loop: latency from the real send time\n', latencyTable(closed)]),
    '',
  ].join('\n');
}
