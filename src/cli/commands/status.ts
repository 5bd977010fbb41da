import type { Command } from 'commander';
import type { Route, Routes, Status } from '../api.ts';
import { appliedText, storeText } from '../change.ts';
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
        ...fleetLines(status),
        ...routeLines(routes),
      ]);
    });
}

function replicaLines({ fleet, revision, applied, store, workers, ready, notReady, alarm, version }: Status): string[] {
  const able = workers.filter((worker) => worker.ready).length;
  const parts = [
    `fleet ${fleet}`,
    `revision ${revision}`,
    // Replicas hear of each other by the store.
    store.up || applied.of < 2 ? appliedText(applied) : `${applied.of} replicas when last seen`,
    `store ${store.kind} ${storeText(store)}`,
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
function fleetLines({ replicas, store, stateAgeMs }: Status): string[] {
  if (replicas.length < 2) return [];
  const rows = replicas.map(({ id, address, revision, applied, seenMs }) => [
    id,
    address ?? '-',
    revision < 0 ? '-' : String(revision),
    store.up ? (applied ? 'yes' : 'NO') : 'unknown',
    `${count(seenMs)} ms ago`,
  ]);
  const lines = table([['REPLICA', 'ADMIN', 'REV', 'CURRENT', 'SEEN'], ...rows], [2]);
  if (store.up) return lines;
  return [
    `The fleet as it was last seen ${count(stateAgeMs)} ms ago: by the store, replicas hear of each other`,
    ...lines,
  ];
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
