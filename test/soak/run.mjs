// @ts-check
// `npm run soak`: an hour, or `--minutes N`, of mixed traffic with a weight change each second and a fault each 20 s; `--period 50`: ms between two
// requests of each habit instead of 5. `npm run soak -- rollback`: see rollback-soak.mjs.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, install } from '../../.ci/prepare.mjs';
import { bringTools } from '../../.ci/tools.mjs';

function soak() {
  process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '60' }, period: { type: 'string', default: '5' } },
  });
  install();
  build();
  bringTools();
  const env = { ...process.env, CROSSFADE_SOAK_MINUTES: values.minutes, CROSSFADE_SOAK_PERIOD_MS: values.period };
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--silent=false', 'test/soak/soak.test.ts'];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1;
}

if (process.argv[2] === 'rollback') await import('./rollback.mjs');
else soak();
