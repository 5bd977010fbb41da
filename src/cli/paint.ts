/** Lines with tones. A tone only repeats what a sign or a word says already. */
import { plain } from './text.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'strong' | 'dim';

export type Span = string | { readonly text: string; readonly tone: Tone };

export type Line = readonly Span[];

/** Select Graphic Rendition (ECMA-48 section 8.3.117). */
const SGR: Readonly<Record<Tone, number>> = { good: 32, warn: 33, bad: 31, strong: 1, dim: 2 };

export function toned(tone: Tone, text: string): Span {
  return { text, tone };
}

/** Without tones, whole. */
export function unpainted(line: Line): string {
  return line.map((span) => plain(textOf(span))).join('');
}

/** @param columns what is longer is cut, so that no line takes two rows */
export function painted(line: Line, columns: number, colour: boolean): string {
  let left = columns;
  let out = '';
  for (const span of line) {
    const text = plain(textOf(span)).slice(0, left);
    left -= text.length;
    out += colour && typeof span !== 'string' && text !== '' ? `\x1b[${SGR[span.tone]}m${text}\x1b[0m` : text;
  }
  return out;
}

function textOf(span: Span): string {
  return typeof span === 'string' ? span : span.text;
}
