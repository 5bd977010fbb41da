/**
 * A whole migration in two minutes: an operator who raises the weight step by step, clients who ask all the time, and what happens to platforms
 * meanwhile: hosts die, jobs are rolled, pods are replaced, a watch breaks, all lie silent, a master is away.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Clients } from './clients.ts';
import type { Stage } from './emulators.ts';
import type { HeliosMasterEmulator } from './helios/master.ts';
import type { HeliosService } from './helios/service.ts';
import type { KubernetesApiServer } from './kubernetes/api-server.ts';
import type { KubernetesService } from './kubernetes/service.ts';

export interface Platforms {
  readonly master: HeliosMasterEmulator;
  readonly job: HeliosService;
  readonly hosts: readonly string[];
  readonly api: KubernetesApiServer;
  readonly service: KubernetesService;
}

interface Step {
  readonly says: string;
  readonly run: () => Promise<unknown> | void;
}

const AWAY_MS = 60_000;
const PAUSE_MS = 2_000;

/** @param print where the story is told, a line a step */
export async function rehearse(platforms: Platforms, stage: Stage, print: (line: string) => void): Promise<void> {
  const clients = new Clients(stage.proxy);
  try {
    for (const { says, run } of story(platforms, stage)) {
      const before = clients.tally();
      await run();
      await sleep(PAUSE_MS);
      print(`${says.padEnd(78)} ${clients.since(before)}`);
    }
  } finally {
    await clients.stop();
  }
  const { requests, failed } = clients.tally();
  print(
    `The migration is done: ${requests} requests, ${failed} failed. Everything runs on: crossfade status, crossfade history`,
  );
}

function story({ master, job, hosts, api, service }: Platforms, { admin, route }: Stage): Step[] {
  const weigh = (weight: number, reason: string): Step => ({
    says: `operator    ${route} at ${weight}% (${reason})`,
    run: () => setWeight(admin, route, weight, reason),
  });
  const lost = hosts.at(-1) ?? '';
  return [
    weigh(0, 'everything runs on Helios'),
    weigh(5, 'a first look'),
    { says: `Helios      host ${lost} dies; its task is shown as RUNNING on`, run: () => job.lose(lost) },
    { says: 'Helios      the job is rolled to another version, host after host', run: () => job.roll('1.5.0') },
    weigh(25, 'as good as before'),
    { says: 'Kubernetes  a rollout replaces every pod', run: () => service.rollOut() },
    { says: 'Kubernetes  and another one', run: () => service.rollOut() },
    {
      says: 'Kubernetes  the watch is cut, and has expired when it is taken up again',
      run() {
        api.objects.compact();
        api.cut();
      },
    },
    {
      says: 'Kubernetes  all watches lie silent, and a rollout replaces every pod meanwhile',
      run() {
        api.silence();
        return service.rollOut();
      },
    },
    weigh(50, 'half'),
    { says: `both        API server and master are away for ${AWAY_MS / 1_000} s`, run: () => away(master, api) },
    weigh(100, 'all of it'),
  ];
}

async function away(master: HeliosMasterEmulator, api: KubernetesApiServer): Promise<void> {
  const [masterPort, apiPort] = [master.port, api.port];
  await Promise.all([master.close(), api.close()]);
  await sleep(AWAY_MS);
  await Promise.all([master.listen(masterPort), api.listen(apiPort)]);
}

/** As an operator would, by the admin API. */
async function setWeight(admin: string, route: string, weight: number, reason: string): Promise<void> {
  const url = `${admin}/v1/routes/${encodeURIComponent(route)}`;
  const { revision } = (await (await fetch(url)).json()) as { revision: number };
  const response = await fetch(`${url}/weight`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'if-match': `"${revision}"` },
    body: JSON.stringify({ weight, reason, wait: 5_000 }),
  });
  if (!response.ok) throw new Error(`the admin API answered ${response.status}: ${await response.text()}`);
}
