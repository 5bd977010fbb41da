/** How a change is told: what was, what is, who serves it, and how to take it back. */
import type { Applied, Route } from './api.ts';
import type { Context } from './context.ts';
import { percent, table } from './text.ts';

/** @param undo whether `crossfade undo` would take it back */
export function changeLines(before: readonly Route[], after: readonly Route[], undo: boolean): string[] {
  const known = new Map(before.map((route) => [route.name, route]));
  const rows = after.map((route) => {
    const previous = known.get(route.name) ?? route;
    const weight = previous.weight === route.weight ? '' : `${percent(previous.weight)} -> `;
    const frozen = previous.frozen === route.frozen ? '' : route.frozen ? '   frozen' : '   no longer frozen';
    if (previous.revision === route.revision) {
      return [route.name, `${percent(route.weight)} new`, `rev ${route.revision}`, 'nothing to change'];
    }
    const revisions = `rev ${previous.revision} -> ${route.revision}`;
    const end = undo ? [`undo: crossfade undo ${route.revision}`] : [];
    return [
      route.name,
      `${weight}${percent(route.weight)} new${frozen}`,
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

/** Says so on stderr when --wait ran out before all replicas served the change. */
export function warnOfLaggards(context: Context, waitMs: number | undefined, routes: readonly Route[]): void {
  const behind = routes.find(({ applied }) => applied.replicas < applied.of);
  if (waitMs === undefined || behind === undefined) return;
  const { replicas, of } = behind.applied;
  context.io.err(`crossfade: after ${waitMs} ms only ${replicas} of ${of} replicas serve revision ${behind.revision}`);
}
