/** How things are written on a terminal: no colour, nothing that a terminal would act on. */

/** Control and formatting characters come from outside (reasons, names) and could forge or hide lines. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\u{FFFD}');
}

/** Rows with their columns aligned, two spaces apart or `gap`. Columns in `right` are aligned right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = [], gap = '  '): string[] {
  const cells = rows.map((row) => row.map(plain));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const pad = (cell: string, column: number) => {
    const width = widths[column] as number;
    return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
  };
  return cells.map((row) => row.map(pad).join(gap).trimEnd());
}

/** 9120 as 9,120. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function percent(value: number): string {
  return `${value}%`;
}

/** Milliseconds since 1970 as `2026-01-02 03:04:05Z`. */
export function time(at: number): string {
  return new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

/** `1 route`, `2 routes`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Milliseconds as `90s`, `5m`, `1h30m`; what has no whole seconds as `1500ms`. */
export function duration(ms: number): string {
  if (ms % 1000 !== 0) return `${ms}ms`;
  const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms / 1000) % 60];
  const parts = [hours > 0 ? `${hours}h` : '', minutes > 0 ? `${minutes}m` : '', seconds > 0 ? `${seconds}s` : ''];
  return parts.join('') || '0s';
}
