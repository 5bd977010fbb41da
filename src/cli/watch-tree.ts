/** What `crossfade watch` shows: a tree a route, those that need somebody first and in full. */
import type { Ramp, Route, Status } from './api.ts';
import { storeText } from './change.ts';
import { gateText } from './commands/ramp.ts';
import { type Line, type Span, type Tone, toned, wrapped } from './paint.ts';
import type { SideRate } from './rates.ts';
import { count, duration, percent, plural } from './text.ts';

export interface Sight {
  readonly status: Status;
  readonly routes: readonly Route[];
  /** Requests a second since the last looks; undefined: not known yet. */
  readonly rates: ReadonlyMap<string, { readonly old: SideRate; readonly new: SideRate }>;
  readonly now: number;
}

/** Of what it is shown on. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

const WEIGHT_BAR = 30;
const HOLD_BAR = 20;

const STATES: Readonly<Record<string, { readonly sign: string; readonly tone: Tone; readonly rank: number }>> = {
  rolledBack: { sign: '✖', tone: 'bad', rank: 0 },
  held: { sign: '◌', tone: 'warn', rank: 1 },
  paused: { sign: '॥', tone: 'warn', rank: 2 },
  ramping: { sign: '▶', tone: 'good', rank: 3 },
  steady: { sign: '●', tone: 'dim', rank: 4 },
  completed: { sign: '✔', tone: 'good', rank: 5 },
};
const UNKNOWN = { sign: '?', tone: 'warn', rank: 0 } as const;

/** No more lines than there are rows: what does not fit is counted. What is said in words takes the lines that it needs, the rest may be longer than the columns. */
export function treeOf(sight: Sight, { rows, columns }: Size): Line[] {
  const head = headOf(sight.status, columns);
  const routes = sight.routes.toSorted((a, b) => urgency(a) - urgency(b));
  const trees = routes.map((route) => routeTree(route, sight, columns));
  const whole = trees.reduce((sum, tree) => sum + tree.length, 0);
  // Too many for the screen: what nobody has to act on takes a line each.
  const lines =
    head.length + whole <= rows
      ? trees
      : trees.map((tree, i) => (isCalm(routes[i] as Route) ? tree.slice(0, 1) : tree));
  return [...head, ...fitting(lines, rows - head.length)];
}

function fitting(trees: readonly (readonly Line[])[], rows: number): Line[] {
  const lines: Line[] = [];
  for (const [i, tree] of trees.entries()) {
    const isLast = i === trees.length - 1;
    if (lines.length + tree.length + (isLast ? 0 : 1) > rows) {
      return [
        ...lines,
        [toned('dim', `… and ${plural(trees.length - i, 'more route')}: name one, or crossfade status`)],
      ];
    }
    lines.push(...tree);
  }
  return lines;
}

function urgency(route: Route): number {
  return (route.evidence.verdict === 'breach' ? -10 : 0) + (STATES[route.state] ?? UNKNOWN).rank;
}

function isCalm(route: Route): boolean {
  return urgency(route) >= 4;
}

function headOf({ fleet, revision, applied, store, alarm, ready, notReady }: Status, columns: number): Line[] {
  const agree = applied.replicas === applied.of;
  const first: Line = [
    `fleet ${fleet}   revision ${revision}   `,
    store.up || applied.of < 2
      ? toned(agree ? 'good' : 'warn', `${agree ? '✔' : '⚠'} ${applied.replicas}/${applied.of} applied`)
      : toned('warn', `⚠ ${applied.of} replicas when last seen`),
    '   ',
    store.up ? toned('good', `✔ store ${store.kind}`) : toned('bad', `✖ store ${storeText(store)}`),
  ];
  return [
    first,
    ...(ready ? [] : wrapped([], toned('bad', `✖ NOT READY: ${notReady ?? 'unknown reason'}`), '  ', columns)),
    ...(alarm ?? '')
      .split('\n')
      .flatMap((text) => (text === '' ? [] : wrapped([], toned('bad', `⚠ ALARM: ${text}`), '  ', columns))),
  ];
}

function routeTree(route: Route, { rates, now }: Sight, columns: number): Line[] {
  const { name, weight, state, frozen, reason, evidence, ramp } = route;
  const { sign, tone } = STATES[state] ?? UNKNOWN;
  const known = rates.get(name);
  const width = Math.max(route.old.backend.length, route.new.backend.length);
  return [
    [
      toned(tone, `${sign} `),
      toned('strong', name),
      `  ${bar(weight / 100, WEIGHT_BAR)} ${percent(weight)} new   `,
      toned(tone, `${state}${frozen ? ', frozen' : ''}`),
    ],
    branch(...sideLine('old', route.old, known?.old, width)),
    branch(...sideLine('new', route.new, known?.new, width)),
    ...wrapped(
      branch(toned(verdictTone(evidence.verdict), evidence.verdict), ': '),
      evidence.reason,
      '  │    ',
      columns,
    ),
    ...(ramp === null ? [] : rampLines(ramp, state, now, columns)),
    ...wrapped(['  └─ '], toned('dim', reason), '     ', columns),
  ];
}

function branch(...spans: Span[]): Line {
  return ['  ├─ ', ...spans];
}

function verdictTone(verdict: string): Tone {
  return verdict === 'breach' ? 'bad' : verdict === 'healthy' ? 'good' : 'dim';
}

function sideLine(
  side: string,
  { backend, requests, faults, endpoints }: Route['old'],
  rate: SideRate | undefined,
  width: number,
): Span[] {
  const flow = rate === undefined ? '' : `${count(Math.round(rate.requests))}/s`;
  const failing = rate !== undefined && rate.faults > 0;
  const failed = `${count(faults)} of ${count(requests)} failed`;
  const now = failing ? ` (${rate.faults < 1 ? rate.faults.toFixed(1) : count(Math.round(rate.faults))}/s now)` : '';
  const lack = endpoints.length === 0;
  return [
    `${side} ${backend.padEnd(width)}  ${flow.padStart(8)}   `,
    failing ? toned('bad', failed + now) : failed,
    '   ',
    lack ? toned('bad', 'NO ENDPOINT') : plural(endpoints.length, 'endpoint'),
  ];
}

function rampLines(ramp: Ramp, state: string, now: number, columns: number): Line[] {
  const at = ramp.next?.at ?? null;
  const due =
    state === 'ramping' && at !== null && ramp.next !== null
      ? `, then ${percent(ramp.next.weight)} ${inTime(at - now)}`
      : '';
  const steps = ramp.steps.map(({ weight, hold, gate }, i): Line => {
    const step = i + 1;
    const mark = step < ramp.step ? '✔' : step === ramp.step ? '▶' : ' ';
    const plan = `  │  ${mark} ${percent(weight).padStart(8)}  ${duration(hold).padStart(6)}  ${gateText(gate)}`;
    if (step !== ramp.step || state !== 'ramping' || hold === 0) return [plan];
    const share = Math.min(1, Math.max(0, (now - ramp.since) / hold));
    return [toned('strong', plan), `   ${bar(share, HOLD_BAR)} ${Math.round(share * 100)}%`];
  });
  const { waiting } = ramp;
  const wait: Line[] =
    waiting === null
      ? []
      : wrapped(['  │  '], toned('warn', `⚠ waits for ${waiting.for}: ${waiting.reason}`), '  │    ', columns);
  return [[`  ├─ ramp ${ramp.template ?? 'by hand'}: step ${ramp.step} of ${ramp.of}${due}`], ...steps, ...wait];
}

function inTime(ms: number): string {
  return ms <= 0 ? 'as soon as its gate passes' : `in ${duration(Math.ceil(ms / 1000) * 1000)}`;
}

function bar(share: number, width: number): string {
  // What is not nothing is never shown as nothing, nor what is not all as all.
  const filled = Math.round(share * width);
  const shown = share > 0 && share < 1 ? Math.min(width - 1, Math.max(1, filled)) : filled;
  return `[${'█'.repeat(shown)}${'░'.repeat(width - shown)}]`;
}
