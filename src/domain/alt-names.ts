/** Whom a certificate is for, in its extension subjectAltName (RFC 5280 section 4.2.1.6). */

export interface AltName {
  /** As OpenSSL names them: `DNS`, `URI`, `IP Address`, … */
  readonly kind: string;
  readonly value: string;
}

/** Reads the text that node:crypto makes of the extension: `DNS:a.example, URI:spiffe://b`, with values that hold separators as JSON strings. */
export function parseAltNames(text: string): AltName[] {
  return [...text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)].map(([, kind = '', written = '']) => {
    return { kind, value: written.startsWith('"') ? (JSON.parse(written) as string) : written };
  });
}

/** Names that a certificate can be chosen by, in lower case; `*.` in front stands for one label. */
export function hostNames(text: string): string[] {
  const names = parseAltNames(text).flatMap(({ kind, value }) => (kind === 'DNS' ? [value.toLowerCase()] : []));
  return [...new Set(names)];
}
