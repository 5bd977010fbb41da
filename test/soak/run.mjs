// @ts-check
// `npm run soak`: an hour, or `--minutes N`, of mixed traffic with a weight change each second and a fault each 20 s. `npm run soak -- rollback`:
// see rollback-soak.mjs.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, install } from '../../.ci/prepare.mjs';
import { bringTools } from '../../.ci/tools.mjs';

function soak() {
  process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
  install();
  build();
  bringTools();
  const env = { ...process.env, CROSSFADE_SOAK_MINUTES: values.minutes };
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--silent=false', 'test/soak'];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1;
}

if (process.argv[2] === 'rollback') await import('./rollback.mjs');
else soak();
