/** Certificates and keys that the file names: read, and proven to serve before anything is changed. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { hostNames } from '../domain/alt-names.ts';
import { type Finding, formatKey, type KeyPath } from './problem.ts';
import { list, mapping } from './raw.ts';
import { StoreAddress } from './store.ts';

export interface Certificates {
  /** PEM texts by absolute path. */
  readonly texts: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
  /** What can be served but will not be believed. */
  readonly warnings: readonly Finding[];
}

type PemFiles = Partial<Record<'ca' | 'certificate' | 'key', string>>;

/** @param nowMs milliseconds since 1970 */
export async function readCertificates(root: unknown, folder: string, nowMs: number): Promise<Certificates> {
  const { admin, listeners, backends, store } = mapping(root);
  const places: [KeyPath, unknown][] = [
    [['admin', 'prometheus'], mapping(admin).prometheus],
    ...list(listeners).flatMap((listener, i): [KeyPath, unknown][] => {
      const { tls, clientCertificate } = mapping(listener);
      const own = certificatesOf(listener).map(({ path, files }): [KeyPath, unknown] => [
        ['listeners', i, 'tls', ...path],
        files,
      ]);
      return tls === undefined ? own : [...own, [['listeners', i, 'clientCertificate'], clientCertificate]];
    }),
    ...Object.entries(mapping(backends)).flatMap(([name, backend]): [KeyPath, unknown][] => [
      [['backends', name, 'tls'], mapping(backend).tls],
      [['backends', name, 'discovery', 'helios', 'tls'], mapping(mapping(mapping(backend).discovery).helios).tls],
    ]),
  ];
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [path, tls] of places) {
    const pem: PemFiles = {};
    for (const key of ['ca', 'certificate', 'key'] as const) {
      const file = mapping(tls)[key];
      if (typeof file !== 'string' || file === '') continue;
      try {
        pem[key] = await readFile(resolve(folder, file), 'utf8');
        texts.set(resolve(folder, file), pem[key]);
      } catch (error) {
        findings.push({ path: [...path, key], message: `cannot be read: ${(error as Error).message}` });
      }
    }
    const faults = prove(pem).map(([key, message]) => ({ path: [...path, key], message }));
    findings.push(...faults);
    if (faults.length === 0) warnings.push(...whenNotValid(path, pem, nowMs));
  }
  for (const [i, listener] of list(listeners).entries()) {
    if (findings.length === 0) findings.push(...checkNames(['listeners', i, 'tls'], listener, folder, texts));
  }
  findings.push(...(await readStoreCa(store, folder, texts)));
  return { texts, findings, warnings };
}

/** A listener's certificates: one, or a list. */
function certificatesOf(listener: unknown): { path: KeyPath; files: Readonly<Record<string, unknown>> }[] {
  const { tls } = mapping(listener);
  if (!Array.isArray(tls)) return [{ path: [], files: mapping(tls) }];
  return tls.map((files, i) => ({ path: [i], files: mapping(files) }));
}

/** Each name has one certificate, and each but the default has a name by which it can be asked for. */
function checkNames(path: KeyPath, listener: unknown, folder: string, texts: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  const taken = new Map<string, number>();
  for (const [i, { path: within, files }] of certificatesOf(listener).entries()) {
    const text = typeof files.certificate === 'string' ? texts.get(resolve(folder, files.certificate)) : undefined;
    if (text === undefined) continue;
    const at = [...path, ...within, 'certificate'];
    const names = hostNames(new X509Certificate(text).subjectAltName ?? '');
    const claimed = names.find((name) => taken.has(name));
    if (claimed !== undefined) {
      const first = formatKey([...path, taken.get(claimed) as number]);
      findings.push({ path: at, message: `is for ${claimed}, as is that of ${first}` });
    } else if (names.length === 0 && i > 0) {
      findings.push({
        path: at,
        message: 'has no DNS name in its subjectAltName, so that no client would be shown it',
      });
    }
    for (const name of names) if (!taken.has(name)) taken.set(name, i);
  }
  return findings;
}

async function readStoreCa(store: unknown, folder: string, texts: Map<string, string>): Promise<Finding[]> {
  const address = StoreAddress.safeParse(store);
  if (!address.success || !('ca' in address.data) || address.data.ca === undefined) return [];
  const file = resolve(folder, address.data.ca);
  try {
    const ca = await readFile(file, 'utf8');
    texts.set(file, ca);
    return prove({ ca }).map(([, message]) => ({ path: ['store'], message: `ca ${message}` }));
  } catch (error) {
    return [{ path: ['store'], message: `ca cannot be read: ${(error as Error).message}` }];
  }
}

/** Tries each text alone first, so that the blame falls on the right key. */
function prove({ ca, certificate, key }: PemFiles): [keyof PemFiles, string][] {
  const faults: [keyof PemFiles, string][] = [];
  const attempt = (at: keyof PemFiles, what: string, use: () => void) => {
    try {
      use();
    } catch (error) {
      faults.push([at, `${what} (${(error as Error).message})`]);
    }
  };
  if (ca !== undefined) attempt('ca', 'is not a PEM certificate', () => readAuthorities(ca));
  if (certificate !== undefined) {
    attempt('certificate', 'is not a PEM certificate', () => {
      createSecureContext({ cert: certificate });
      return new X509Certificate(certificate);
    });
  }
  if (key !== undefined) {
    attempt('key', 'is not a PEM private key, or it needs a passphrase', () => {
      if (key === '') throw new Error('the file is empty');
      createSecureContext({ key });
    });
  }
  if (faults.length === 0 && certificate !== undefined && key !== undefined) {
    attempt('key', 'does not belong to the certificate', () => createSecureContext({ cert: certificate, key }));
  }
  return faults;
}

function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}

/** That it has ended keeps nobody from serving by it: what else is served would be lost, too. */
function whenNotValid(path: KeyPath, pem: PemFiles, nowMs: number): Finding[] {
  return (['ca', 'certificate'] as const).flatMap((key): Finding[] => {
    const text = pem[key];
    if (text === undefined) return [];
    const { validFrom, validTo } = new X509Certificate(text);
    if (Date.parse(validTo) < nowMs) return [{ path: [...path, key], message: `expired on ${day(validTo)}` }];
    if (Date.parse(validFrom) > nowMs)
      return [{ path: [...path, key], message: `is not valid before ${day(validFrom)}` }];
    return [];
  });
}

/** The runtime takes a text without any certificate for authorities and trusts nobody; so each is looked at. */
function readAuthorities(ca: string): void {
  const blocks = ca.match(/-----BEGIN [^-]+-----[^-]*(?:-----END [^-]+-----)?/g) ?? [ca];
  for (const block of blocks) createSecureContext({ ca: new X509Certificate(block).toString() });
}
