/** What a backend is told of a client's certificate: an element of x-forwarded-client-cert, in Envoy's form. */
import type { X509Certificate } from 'node:crypto';
import { parseAltNames } from '../domain/alt-names.ts';

/** `Hash=…;Subject="CN=…";URI=…;DNS=…`: SHA-256 of the certificate, its subject by RFC 4514, and its alternative names of these kinds. */
export function clientCertElement(certificate: X509Certificate): string {
  const { fingerprint256, subject, subjectAltName } = certificate;
  const parts = [
    `Hash=${fingerprint256.replaceAll(':', '').toLowerCase()}`,
    `Subject="${escapeBytes(distinguishedName(subject ?? ''))}"`,
  ];
  const names = parseAltNames(subjectAltName ?? '');
  for (const told of ['URI', 'DNS']) {
    for (const { kind, value } of names) if (kind === told) parts.push(`${told}=${quoted(value)}`);
  }
  return parts.join(';');
}

/** Node tells one attribute a line, in the certificate's order and escaped already; RFC 4514 begins with the last. */
function distinguishedName(subject: string): string {
  return subject.split('\n').toReversed().join(',');
}

/** A value with a separator in it stands in quotes. */
function quoted(value: string): string {
  const safe = escapeBytes(value);
  return /[,;="]/.test(safe) ? `"${safe.replaceAll('"', '\\"')}"` : safe;
}

/** Control characters and what is not ASCII as `\XX`, as RFC 4514 allows: a field must not hold them. */
function escapeBytes(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (run) => {
    return [...Buffer.from(run)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}
