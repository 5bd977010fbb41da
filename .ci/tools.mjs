// @ts-check
// Programs that tests call and npm does not carry.
import { spawnSync } from 'node:child_process';

const TOOLS = [
  { program: 'promtool', debianPackage: 'prometheus', purpose: 'checks the text of /metrics' },
  { program: 'prometheus', debianPackage: 'prometheus', purpose: 'scrapes a fleet and answers the dashboard' },
  { program: 'chromium', debianPackage: 'chromium', purpose: 'opens the console' },
  { program: 'redis-server', debianPackage: 'redis-server', purpose: 'is the store of a fleet' },
  { program: 'redis-cli', debianPackage: 'redis-tools', purpose: 'asks Redis what the tests want to know' },
];

const PYTHON = '/usr/bin/python3';
/** Python packages of Debian, looked for by the module that they bring. */
const MODULES = [{ module: 'hpack', debianPackage: 'python3-hpack', purpose: 'is another HPACK to compare with' }];

function missingTools() {
  const modules = MODULES.filter(({ module }) => spawnSync(PYTHON, ['-c', `import ${module}`]).status !== 0);
  return [
    ...TOOLS.filter(({ program }) => spawnSync(program, ['--version']).error !== undefined),
    ...modules.map(({ module, ...rest }) => ({ program: `Python's ${module}`, ...rest })),
  ];
}

/** Installs what is missing where it can, and says so; where it cannot it says what to install, and the tests will name it. */
export function bringTools() {
  const missing = missingTools();
  if (missing.length === 0) return;
  for (const { program, debianPackage, purpose } of missing) {
    console.log(`missing: ${program} (Debian package ${debianPackage}), which ${purpose}`);
  }
  const packages = missing.map(({ debianPackage }) => debianPackage);
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error !== undefined) {
    console.log(`Install by hand: apt-get install ${packages.join(' ')}`);
    return;
  }
  console.log(`Installing ${packages.join(', ')} (apt-get)`);
  if (!aptGet('update') || !aptGet('install', '--yes', '--no-install-recommends', ...packages)) {
    console.log('apt-get failed; going on without');
  }
}

/** @param {string[]} args */
function aptGet(...args) {
  // Services that come with a package are not started in run level 1.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  return spawnSync('apt-get', ['--quiet=2', ...args], { env, stdio: ['ignore', 2, 2] }).status === 0;
}
