import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Ramp, Route, RouteList, Status } from '../api.ts';
import type { Client } from '../client.ts';
import { type Context, routePath, wholeNumber } from '../context.ts';
import { count, duration, percent, plain } from '../text.ts';
import { gateText } from './ramp.ts';

const POLL_MS = 500;
const BAR = 40;

interface Options {
  readonly once?: boolean;
  readonly times?: number;
}

export function addWatch(program: Command, context: Context): void {
  program
    .command('watch')
    .description('routes and their ramps, live; without a terminal a line for each change')
    .argument('[route]', 'only this one')
    .option('--once', 'show it once')
    .addOption(new Option('--times <n>', 'look so many times').argParser(wholeNumber(1)).hideHelp())
    .addHelpText('after', '\nExamples:\n  crossfade watch search\n  crossfade watch | tee ramp.log')
    .action(
      async (name: string | undefined, { once = false, times = once ? 1 : Number.POSITIVE_INFINITY }: Options) => {
        const call = context.client();
        const told = new Map<string, string>();
        for (let looked = 1; ; looked++) {
          const [status, routes] = await Promise.all([call<Status>('/v1/status'), routesOf(call, name)]);
          show(context, status, routes, told, once);
          if (looked >= times) return;
          await sleep(POLL_MS);
        }
      },
    );
}

async function routesOf(call: Client, name: string | undefined): Promise<readonly Route[]> {
  return name === undefined ? (await call<RouteList>('/v1/routes')).routes : [await call<Route>(routePath(name))];
}

function show(
  context: Context,
  status: Status,
  routes: readonly Route[],
  told: Map<string, string>,
  once: boolean,
): void {
  const { io } = context;
  const { output } = context.options();
  if (output !== 'json' && (once || io.draw !== undefined)) {
    const lines = [headline(status), ...routes.flatMap((route) => routeTree(route, Date.now()))].map(plain);
    if (io.draw === undefined || once) for (const line of lines) io.out(line);
    else io.draw(lines);
    return;
  }
  for (const route of routes) {
    const line = routeLine(route);
    if (told.get(route.name) === line) continue;
    told.set(route.name, line);
    io.out(output === 'json' ? JSON.stringify(route) : plain(`${new Date().toISOString()}  ${line}`));
  }
}

function headline({ fleet, revision, applied, store, alarm }: Status): string {
  const down = store.up ? '' : `   store DOWN: ${store.reason ?? 'unknown reason'}`;
  return `fleet ${fleet}   revision ${revision}   ${applied.replicas}/${applied.of} applied${down}${alarm === null ? '' : '   ALARM'}`;
}

const SIGNS: Readonly<Record<string, string>> = {
  steady: '●',
  ramping: '▶',
  paused: '॥',
  held: '◌',
  rolledBack: '✖',
  completed: '✔',
};

/** As a tree, the way `kubectl argo rollouts get rollout -w` shows one. */
function routeTree(route: Route, now: number): string[] {
  const { name, weight, state, frozen, reason, evidence, ramp } = route;
  const steps = ramp === null ? [] : stepLines(ramp, state, now);
  return [
    `${SIGNS[state] ?? '?'} ${name}  ${bar(weight)} ${percent(weight)} new   ${state}${frozen ? ', frozen' : ''}`,
    `  ├─ old ${route.old.backend}: ${count(route.old.requests)} requests, ${count(route.old.faults)} faults, ${route.old.endpoints.length} endpoints`,
    `  ├─ new ${route.new.backend}: ${count(route.new.requests)} requests, ${count(route.new.faults)} faults, ${route.new.endpoints.length} endpoints`,
    `  ├─ ${evidence.verdict}: ${evidence.reason}`,
    ...steps,
    `  └─ ${reason}`,
  ];
}

function stepLines(ramp: Ramp, state: string, now: number): string[] {
  const head = `  ├─ ramp ${ramp.template ?? 'by hand'}: step ${ramp.step} of ${ramp.of}`;
  const waiting = ramp.waiting === null ? [] : [`  │  waits for ${ramp.waiting.for}: ${ramp.waiting.reason}`];
  const steps = ramp.steps.map(({ weight, hold, gate }, i) => {
    const at = i + 1;
    const mark = at < ramp.step ? '✔' : at === ramp.step ? '▶' : ' ';
    const held = at === ramp.step && state === 'ramping' ? `   ${progress(now - ramp.since, hold)}` : '';
    return `  │  ${mark} ${percent(weight).padStart(8)}  ${duration(hold).padStart(6)}  ${gateText(gate)}${held}`;
  });
  return [head, ...steps, ...waiting];
}

function progress(passedMs: number, holdMs: number): string {
  if (holdMs === 0) return '';
  const share = Math.min(1, Math.max(0, passedMs / holdMs));
  const filled = Math.round(share * 20);
  return `[${'█'.repeat(filled)}${'░'.repeat(20 - filled)}] ${Math.round(share * 100)}%`;
}

function bar(weight: number): string {
  const filled = Math.round((weight / 100) * BAR);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
}

function routeLine({ name, weight, state, frozen, revision, ramp, evidence }: Route): string {
  const step = ramp === null ? '' : `  step ${ramp.step}/${ramp.of}`;
  const waiting = ramp?.waiting ? `  waits for ${ramp.waiting.for}` : '';
  return `${name}  ${percent(weight)} new  ${state}${frozen ? ', frozen' : ''}  rev ${revision}${step}${waiting}  ${evidence.verdict}`;
}
