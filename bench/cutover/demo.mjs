// @ts-check
import { mkdtemp, rm } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateIn } from '../certificate.mjs';
import { startOrigins } from '../origins.mjs';
import { freePort } from '../processes.mjs';
import { crossfade } from '../targets/crossfade.mjs';

/**
 * A Crossfade of its own, with two origins, the route `bench` at 0 percent and as many workers as there are cores.
 * @param {import('../types.ts').Back} protocol of its clients and origins
 */
export async function startDemo(protocol) {
  if (crossfade.version() === null) throw new Error('dist/ is missing: run npm run build first, or name a --target');
  const directory = await mkdtemp(join(tmpdir(), 'crossfade-cutover-'));
  const origins = await startOrigins(null);
  const adminPort = await freePort();
  const cores = os.availableParallelism();
  const stopOrigins = async () => {
    await origins.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const proxy = await crossfade.start({
      port: await freePort(),
      origins: origins.ports[protocol],
      certificate: certificateIn(directory),
      directory,
      cores: `0-${cores - 1}`,
      options: { weight: 0, workers: cores, adminPort, front: protocol, back: protocol },
    });
    const stop = async () => {
      await proxy.stop();
      await stopOrigins();
    };
    const path = protocol === 'h2c' ? '/bench.Echo/Say' : '/';
    return {
      target: `http://127.0.0.1:${proxy.port}${path}`,
      admin: `http://127.0.0.1:${adminPort}`,
      route: 'bench',
      stop,
    };
  } catch (error) {
    await stopOrigins();
    throw error;
  }
}
