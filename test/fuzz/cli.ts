/** `npm run fuzz -- --cases 100000 --seed 1`: cases of each subject: HTTP/1.1 compared with llhttp, HTTP/2 with itself cut otherwise. Exit code 1 when anything failed. */
import { parseArgs } from 'node:util';
import { campaign, type Subject } from './campaign.ts';
import { framesSubject } from './frames-subject.ts';
import { requestSubject, responseSubject } from './subjects.ts';

function wholeNumber(name: string, value: string): number {
  if (!/^\d{1,10}$/.test(value)) throw new Error(`--${name} must be a whole number, not '${value}'`);
  return Number(value);
}

async function run(subject: Subject, cases: number, seed: number): Promise<boolean> {
  const begunMs = performance.now();
  const { met, failures, grownBytes } = await campaign(subject, cases, seed);
  const seconds = (performance.now() - begunMs) / 1000;
  console.log(
    `${subject.name}: ${cases} cases from seed ${seed} in ${seconds.toFixed(1)} s (${Math.round(cases / seconds)} cases/s)`,
  );
  for (const [entry, times] of [...met].sort((a, b) => b[1] - a[1])) console.log(`  ${times} ${entry}`);
  for (const { seed: at, what, bytes } of failures) {
    console.log(
      `  FAILED ${what}\n    again: npm run fuzz -- --subject ${subject.name} --cases 1 --seed ${at}\n    bytes: ${bytes}`,
    );
  }
  console.log(`  ${failures.length} failures; memory in use grew by ${Math.round(grownBytes / 1024)} KiB`);
  return failures.length === 0;
}

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    subject: { type: 'string', default: 'requests,responses,http2,http2-client' },
  },
});
const subjects = [requestSubject(), responseSubject(), framesSubject('server'), framesSubject('client')].filter(
  ({ name }) => values.subject.split(',').includes(name),
);
let isClean = subjects.length > 0;
for (const subject of subjects) {
  isClean = (await run(subject, wholeNumber('cases', values.cases), wholeNumber('seed', values.seed))) && isClean;
}
process.exitCode = isClean ? 0 : 1;
