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

/**
 * A text in as many lines as it needs.
 * @param begin of the first line
 * @param later what the others begin with
 * @param columns that a line may take; a word that is longer has a line of its own
 */
export function wrapped(begin: Line, text: Span, later: string, columns: number): Line[] {
  const same = (part: string): Span => (typeof text === 'string' ? part : { ...text, text: part });
  const lines: Line[] = [];
  let start = begin;
  let held = '';
  for (const word of plain(textOf(text)).split(' ')) {
    if (held !== '' && unpainted(start).length + held.length + 1 + word.length > columns) {
      lines.push([...start, same(held)]);
      start = [later];
      held = word;
    } else {
      held = held === '' ? word : `${held} ${word}`;
    }
  }
  return [...lines, [...start, same(held)]];
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
