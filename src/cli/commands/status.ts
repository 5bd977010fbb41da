import type { Command } from 'commander';
import type { Replica, Route, Routes, Status } from '../api.ts';
import { appliedText } from '../change.ts';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';
import { count, percent, plain, plural, table } from '../text.ts';

export function addStatus(program: Command, context: Context): void {
  program
    .command('status')
    .description('where the replica and its routes are')
    .addHelpText('after', examples(['crossfade status'], ['crossfade status -o json --admin http://10.0.0.5:9900']))
    .action(async () => {
      const call = context.client();
      const [status, { routes }] = await Promise.all([call<Status>('/v1/status'), call<Routes>('/v1/routes')]);
      context.print({ ...status, routes }, () => [
        ...replicaLines(status),
        ...fleetLines(status.replicas),
        ...routeLines(routes),
      ]);
    });
}

function replicaLines({ fleet, revision, applied, store, workers, ready, notReady, alarm, version }: Status): string[] {
  const able = workers.filter((worker) => worker.ready).length;
  const parts = [
    `fleet ${fleet}`,
    `revision ${revision}`,
    appliedText(applied),
    `store ${store.kind} ${store.up ? 'up' : `DOWN: ${store.reason ?? 'unknown reason'}`}`,
    `${able}/${plural(workers.length, 'worker')}`,
    `crossfade ${version}`,
  ];
  return [
    parts.join('   '),
    ...(ready ? [] : [`NOT READY: ${notReady ?? 'unknown reason'}`]),
    ...(alarm === null ? [] : alarm.split('\n').map((line) => `ALARM: ${line}`)),
  ].map(plain);
}

/** Of a fleet of one nothing is left to say. */
function fleetLines(replicas: readonly Replica[]): string[] {
  if (replicas.length < 2) return [];
  const rows = replicas.map(({ id, address, revision, applied, seenMs }) => [
    id,
    address ?? '-',
    revision < 0 ? '-' : String(revision),
    applied ? 'yes' : 'NO',
    `${count(seenMs)} ms ago`,
  ]);
  return table([['REPLICA', 'ADMIN', 'REV', 'CURRENT', 'SEEN'], ...rows], [2]);
}

const HEAD = [
  'ROUTE',
  'NEW',
  'STATE',
  'REV',
  'OLD REQUESTS',
  'FAULTS',
  'NEW REQUESTS',
  'FAULTS',
  'ENDPOINTS OLD',
  'NEW',
];
const NUMBERS = [1, 3, 4, 5, 6, 7, 8, 9];

function routeLines(routes: readonly Route[]): string[] {
  const rows = routes.map((route) => [
    route.name,
    percent(route.weight),
    route.frozen ? `${route.state}, frozen` : route.state,
    String(route.revision),
    count(route.old.requests),
    count(route.old.faults),
    count(route.new.requests),
    count(route.new.faults),
    String(route.old.endpoints.length),
    String(route.new.endpoints.length),
  ]);
  return table([HEAD, ...rows], NUMBERS);
}
