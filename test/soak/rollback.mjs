// @ts-check
// `npm run soak -- rollback [--minutes 60] [--kills 10] [--rate 150]`: an hour of what rollback-soak.mjs does. Exit code 1 when anything was taken back.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, install } from '../../.ci/prepare.mjs';
import { soakRollback } from './rollback-soak.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '60' },
    kills: { type: 'string', default: '10' },
    rate: { type: 'string', default: '150' },
  },
});
if (positionals.join() !== 'rollback') {
  console.error('usage: npm run soak -- rollback [--minutes 60] [--kills 10] [--rate 150]');
  process.exit(64);
}
process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
install();
build();
const [ms, kills] = [Number(values.minutes) * 60_000, Number(values.kills)];
const { rollbacks, elsewhere, requests, failed, said } = await soakRollback({
  ms,
  kills,
  turns: 6,
  rate: Number(values.rate),
  log: (line) => console.log(`${new Date().toISOString()}  ${line}`),
});
const count = (/** @type {number} */ value) => value.toLocaleString('en-US');
console.log(
  `${Math.round(ms / 1000)} s, ${count(requests)} requests (${count(failed)} failed), ${kills} kills: ${rollbacks.length} rollbacks; ${said}`,
);
for (const line of [...rollbacks, ...elsewhere]) console.log(`  ${line}`);
process.exitCode = rollbacks.length === 0 && elsewhere.length === 0 ? 0 : 1;
