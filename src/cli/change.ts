/** How a change is told: what was, what is, who serves it, and how to take it back. */
import type { Applied, Replica, Route, Status } from './api.ts';
import type { Client } from './client.ts';
import type { Context } from './context.ts';
import { percent, plain, table } from './text.ts';

const RAMP: ReadonlySet<string> = new Set(['ramping', 'paused', 'held']);

/** @param undo whether `crossfade undo` would take it back */
export function changeLines(before: readonly Route[], after: readonly Route[], undo: boolean): string[] {
  const known = new Map(before.map((route) => [route.name, route]));
  const rows = after.map((route) => {
    const previous = known.get(route.name) ?? route;
    const weight = previous.weight === route.weight ? '' : `${percent(previous.weight)} -> `;
    // A weight by hand ends a ramp, which is easily overlooked.
    const ramp = RAMP.has(previous.state) && route.state === 'steady' ? '   its ramp has ended' : '';
    const frozen = previous.frozen === route.frozen ? '' : route.frozen ? '   frozen' : '   no longer frozen';
    if (previous.revision === route.revision) {
      return [route.name, `${percent(route.weight)} new`, `rev ${route.revision}`, 'nothing to change'];
    }
    const revisions = `rev ${previous.revision} -> ${route.revision}`;
    const end = undo ? [`undo: crossfade undo ${route.revision}`] : [];
    return [
      route.name,
      `${weight}${percent(route.weight)} new${frozen}${ramp}`,
      revisions,
      appliedText(route.applied),
      ...end,
    ];
  });
  const names = table(rows.map(([name = '']) => [name]));
  const width = Math.max(0, ...names.map((name) => name.length));
  return table(
    rows.map(([, ...rest]) => rest),
    [],
    '   ',
  ).map((line, i) => `${(names[i] as string).padEnd(width)}  ${line}`);
}

export function appliedText({ replicas, of, ms }: Applied): string {
  return ms === null ? `${replicas}/${of} applied so far` : `${replicas}/${of} applied in ${ms} ms`;
}

/** `up`, or what is wrong with it. */
export function storeText({ up, disputed = false, reason }: Status['store']): string {
  if (up) return 'up';
  return `${disputed ? 'DISPUTED' : 'DOWN'}: ${reason ?? 'unknown reason'}`;
}

/** Says so on stderr when --wait ran out before all replicas served the change, and which ones it was. */
export async function warnOfLaggards(
  context: Context,
  call: Client,
  waitMs: number | undefined,
  routes: readonly Route[],
): Promise<void> {
  const behind = routes.find(({ applied }) => applied.replicas < applied.of);
  if (waitMs === undefined || behind === undefined) return;
  const { replicas: serving, of } = behind.applied;
  const { replicas } = await call<Status>('/v1/status');
  const names = laggards(replicas, behind.revision);
  const known = names.length === 0 ? 'all of them do by now' : `behind: ${names.join(', ')}`;
  context.io.err(
    plain(
      `crossfade: after ${waitMs} ms only ${serving} of ${of} replicas serve revision ${behind.revision}; ${known}`,
    ),
  );
}

/** Replicas that do not serve the revision yet, with what they serve. */
export function laggards(replicas: readonly Replica[], revision: number): string[] {
  return replicas
    .filter((replica) => replica.revision < revision)
    .map(({ id, revision: serves }) => `${id} (${serves < 0 ? 'serves nothing of it' : `revision ${serves}`})`);
}
