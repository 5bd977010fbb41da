// @ts-check
// `npm run faults`: the faults of the store as long as they last in life, 20 s each, with the times that things took.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build, install } from '../../.ci/prepare.mjs';
import { bringTools } from '../../.ci/tools.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
install();
build();
bringTools();
const env = { CROSSFADE_OUTAGE_MS: '20000', ...process.env };
const args = ['node_modules/vitest/vitest.mjs', 'run', '--silent=false', 'test/faults', ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1;
