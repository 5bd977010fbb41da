// @ts-check
import { costTable } from './cost-table.mjs';
import { latencyTable } from './latency-table.mjs';
import { LOAD_CORES, ORIGIN_CORES, PROXY_CORES } from './machine.mjs';

/**
 * A cell's answer as Markdown.
 * @param {import('./types.ts').CellResult} cell
 */
export function cellReport(cell) {
  const measured = cell.variants.some(({ rounds }) => rounds.length > 0);
  const notes = cell.variants.flatMap(({ label, skipped, broken, notes: said }) => [
    ...(skipped === null ? [] : [`- ${label} ${broken ? 'FAILED' : 'skipped'}: ${skipped}`]),
    ...said.map((note) => `- ${label}: ${note}`),
  ]);
  const parts = [
    `### ${cell.name}`,
    cell.question,
    measured ? costTable(cell) : '',
    latencyTable(cell),
    notes.join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Load average above which the cores are not the bench's own. */
const BUSY = 0.5;

/**
 * What every figure below rests on.
 * @param {ReturnType<typeof import('./machine.mjs').describeMachine>} machine
 * @param {import('./types.ts').Plan} plan
 */
export function preamble(machine, plan) {
  const resolution = 1 / plan.seconds;
  const others =
    machine.loadAverage > BUSY
      ? `\n**Other work ran at the start (load average ${machine.loadAverage.toFixed(1)}): latencies and requests/s mean little.**`
      : '';
  return (
    [
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, Node ${machine.node}, wrk ${machine.wrk}, h2load ${machine.h2load ?? 'missing'}.`,
      `Proxy alone on core ${PROXY_CORES}, load on core ${LOAD_CORES}, origins on core ${ORIGIN_CORES}; ${plan.rounds} rounds of ${plan.seconds} s, turn and turn about; medians;`,
      `spread is half of largest less smallest. CPU from /proc/PID/stat of all processes, in steps of 10 ms: ${resolution.toFixed(1)} percent of a full`,
      'core here. Ratios are medians of the ratios within a round. "core busy" well below 100 percent: load or origin was the limit.',
    ].join('\n') + others
  );
}
