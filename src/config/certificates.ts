/** Certificates and keys that the file names: read, and proven to serve before anything is changed. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Finding, KeyPath } from './problem.ts';
import { list, mapping } from './raw.ts';
import { StoreAddress } from './store.ts';

export interface Certificates {
  /** PEM texts by absolute path. */
  readonly texts: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
}

type PemFiles = Partial<Record<'ca' | 'certificate' | 'key', string>>;

export async function readCertificates(root: unknown, folder: string): Promise<Certificates> {
  const { admin, listeners, backends, store } = mapping(root);
  const places: [KeyPath, unknown][] = [
    [['admin', 'prometheus'], mapping(admin).prometheus],
    ...list(listeners).map((listener, i): [KeyPath, unknown] => [['listeners', i, 'tls'], mapping(listener).tls]),
    ...Object.entries(mapping(backends)).flatMap(([name, backend]): [KeyPath, unknown][] => [
      [['backends', name, 'tls'], mapping(backend).tls],
      [['backends', name, 'discovery', 'helios', 'tls'], mapping(mapping(mapping(backend).discovery).helios).tls],
    ]),
  ];
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
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
    findings.push(...prove(pem).map(([key, message]) => ({ path: [...path, key], message })));
  }
  findings.push(...(await readStoreCa(store, folder, texts)));
  return { texts, findings };
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

/** The runtime takes a text without any certificate for authorities and trusts nobody; so each is looked at. */
function readAuthorities(ca: string): void {
  const blocks = ca.match(/-----BEGIN [^-]+-----[^-]*(?:-----END [^-]+-----)?/g) ?? [ca];
  for (const block of blocks) createSecureContext({ ca: new X509Certificate(block).toString() });
}
