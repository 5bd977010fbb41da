/**
 * Both emulated platforms and what runs on them, as a process of its own: `node platforms.js SPEC` with the spec as JSON. It ends with the
 * process that started it.
 */
import type { EmulatorsSpec, Stage } from './emulators.ts';
import { HeliosMasterEmulator } from './helios/master.ts';
import { HeliosService } from './helios/service.ts';
import { KubernetesApiServer } from './kubernetes/api-server.ts';
import { KubernetesService } from './kubernetes/service.ts';
import { type Platforms, rehearse } from './rehearsal.ts';

const FIRST_VERSION = '1.4.2';

async function start({ helios, kubernetes }: EmulatorsSpec): Promise<Platforms> {
  const master = new HeliosMasterEmulator();
  await master.listen(helios.port, helios.host);
  const job = new HeliosService(master.cluster, helios.job, helios.portName);
  await job.start(FIRST_VERSION, helios.hosts);
  const api = new KubernetesApiServer();
  await api.listen(kubernetes.port, kubernetes.host);
  const names = { namespace: kubernetes.namespace, service: kubernetes.service, port: kubernetes.portName };
  const service = new KubernetesService(api.objects, names, kubernetes.podPort);
  await service.start(kubernetes.pods);
  return { master, job, hosts: helios.hosts, api, service };
}

// Signals may reach the whole group; the proxy still has requests to finish here.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));
try {
  const spec = JSON.parse(process.argv[2] ?? '{}') as EmulatorsSpec;
  const platforms = await start(spec);
  process.on('message', (stage: Stage) => {
    rehearse(platforms, stage, (line) => process.stdout.write(`${line}\n`)).catch((error: unknown) => {
      process.stdout.write(`The rehearsal ends: ${(error as Error).message}\n`);
    });
  });
  process.send?.({ failure: null });
} catch (error) {
  process.send?.({ failure: (error as Error).message }, () => process.exit(1));
}
