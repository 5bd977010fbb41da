/** Where this codec and llhttp may part, as data. Anything else is a failure of the campaign. */

/** What both parties made of the message at which they part. */
export interface Parting<Ours, Theirs> {
  readonly ours: Ours | null;
  readonly theirs: Theirs | null;
  /** What both made of the message before it. */
  readonly before: Ours | null;
  readonly beforeTheirs: Theirs | null;
  /** llhttp's error, if any. */
  readonly error: string | null;
  /** What was sent from this message on, one character a byte. */
  readonly text: string;
}

export interface Divergence<Ours, Theirs> {
  readonly name: string;
  /** The section by which this codec is right. */
  readonly rfc: string;
  readonly covers: (parting: Parting<Ours, Theirs>) => boolean;
}

export type Verdict =
  | { readonly kind: 'same' }
  /** A message that llhttp takes and this codec refuses. */
  | { readonly kind: 'refused'; readonly name: string }
  /** A message that this codec takes and llhttp refuses, or frames otherwise. */
  | { readonly kind: 'diverged'; readonly name: string }
  | { readonly kind: 'failed'; readonly what: string };

export const SAME: Verdict = { kind: 'same' };

export function failed(what: string): Verdict {
  return { kind: 'failed', what };
}

/** The verdict on a refusal: it must stand in the list. */
export function refusal<Ours, Theirs>(
  list: readonly Divergence<Ours, Theirs>[],
  parting: Parting<Ours, Theirs>,
): Verdict {
  const known = list.find((divergence) => divergence.covers(parting));
  return known === undefined
    ? failed(`refuses what llhttp takes: ${JSON.stringify(parting)}`)
    : { kind: 'refused', name: known.name };
}

/** The verdict on something that llhttp sees otherwise: it must stand in the list. */
export function difference<Ours, Theirs>(
  list: readonly Divergence<Ours, Theirs>[],
  parting: Parting<Ours, Theirs>,
  what: string,
): Verdict {
  const known = list.find((divergence) => divergence.covers(parting));
  return known === undefined ? failed(`${what}: ${JSON.stringify(parting)}`) : { kind: 'diverged', name: known.name };
}

/** Whether one is the beginning of the other: two parties that stopped at different places of one body. */
export function isPrefixRelated(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

export function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, i) => item === other[i]);
}

/** All values of a field in a flat list, by lower-case name. */
export function values(fields: readonly string[], name: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i]?.toLowerCase() === name) found.push(fields[i + 1] ?? '');
  return found;
}
