/** Numbers and times as people read them. */

const NONE = '–';

/** Three digits, then k and M: 9.4, 820, 1.9k, 2e12. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond < 10) return perSecond.toFixed(1);
  if (perSecond < 1_000) return perSecond.toFixed(0);
  if (perSecond < 10_000) return `${(perSecond / 1_000).toFixed(1)}k`;
  if (perSecond < 1_000_000) return `${(perSecond / 1_000).toFixed(0)}k`;
  if (perSecond < 1e9) return `${(perSecond / 1_000_000).toFixed(1)}M`;
  return perSecond.toExponential(0).replace('e+', 'e');
}

/** With as many decimals as tell something: 0.02, 4.1, 62. */
export function percent(value: number): string {
  if (value === 0 || value === 100) return `${value}%`;
  // What is not all must not look like all, and what is something not like nothing.
  if (value < 0.01) return '<0.01%';
  if (value > 99.99) return '>99.99%';
  if (value < 1) return `${value.toFixed(2)}%`;
  return value < 10 || value > 99 ? `${value.toFixed(1)}%` : `${value.toFixed(value % 1 < 0.05 ? 0 : 1)}%`;
}

/** A configured weight, to its last decimal. */
export function weight(value: number): string {
  return `${Number(value.toFixed(4))}%`;
}

/** Share of a count in another; a dash of none. */
export function ratio(part: number, whole: number): string {
  return whole === 0 ? NONE : percent((100 * part) / whole);
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 endpoint`, `2 endpoints`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function milliseconds(value: number | null): string {
  if (value === null) return NONE;
  if (value === 0) return '0 ms';
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
}

/** How long, in its two largest units: 12 s, 4:05, 3 h 20 min, 2 d 4 h. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  const hours = Math.floor(seconds / 3_600);
  if (hours < 24) return `${hours} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How old something is that should be fresh: 0.4 s, 12 s, 4:05. */
export function age(ms: number): string {
  return ms < 9_950 ? `${(Math.max(0, ms) / 1_000).toFixed(1)} s` : span(ms);
}

/** The time of day, of another day with its date. */
export function clock(at: number, now: number): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString('en-GB');
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.toLocaleDateString('en-CA')} ${time}`;
}
