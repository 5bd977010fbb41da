/** A kubeconfig file, as kubectl reads it: which server, which authority, which credentials. */
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';

/** Paths are absolute; data are PEM texts. */
export interface Kubeconfig {
  readonly server: string;
  readonly ca: TextOrFile | null;
  readonly insecure: boolean;
  readonly serverName: string | null;
  /** Null: none are sent. */
  readonly token: TextOrFile | null;
  readonly certificate: TextOrFile | null;
  readonly key: TextOrFile | null;
}

export type TextOrFile = { readonly text: string } | { readonly file: string };

type Mapping = Readonly<Record<string, unknown>>;

/**
 * @param file where the text comes from; relative paths in it start from its folder
 * @param context null: the current one
 * @throws Error in one sentence that names what is missing or cannot be used
 */
export function parseKubeconfig(text: string, file: string, context: string | null): Kubeconfig {
  let root: Mapping;
  try {
    root = mapping(parse(text));
  } catch {
    // The parser's own words may quote a secret.
    throw new Error(`${file} is not YAML`);
  }
  const name = context ?? root['current-context'];
  if (typeof name !== 'string' || name === '') throw new Error(`${file} has no current-context`);
  const chosen = named(root, 'contexts', 'context', name, file);
  const cluster = named(root, 'clusters', 'cluster', textOf(chosen['cluster']), file);
  const user = textOf(chosen['user']) === '' ? {} : named(root, 'users', 'user', textOf(chosen['user']), file);
  if (textOf(cluster['server']) === '') throw new Error(`${file}: cluster ${textOf(chosen['cluster'])} has no server`);
  for (const [key, owner] of [
    ['exec', user],
    ['auth-provider', user],
    ['username', user],
    ['proxy-url', cluster],
  ] as const) {
    if (owner[key] !== undefined)
      throw new Error(`${file}: ${key} cannot be used here; use a token or a client certificate`);
  }
  const folder = dirname(file);
  return {
    server: textOf(cluster['server']),
    ca: textOrFile(cluster, 'certificate-authority', folder),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    serverName: textOf(cluster['tls-server-name']) || null,
    token: tokenOf(textOf(user['tokenFile']), textOf(user['token']), folder),
    certificate: textOrFile(user, 'client-certificate', folder),
    key: textOrFile(user, 'client-key', folder),
  };
}

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The file goes before the text. */
function tokenOf(file: string, text: string, folder: string): TextOrFile | null {
  if (file !== '') return { file: resolve(folder, file) };
  return text === '' ? null : { text };
}

function named(root: Mapping, list: string, key: string, name: string, file: string): Mapping {
  const entries = Array.isArray(root[list]) ? (root[list] as unknown[]) : [];
  const found = entries.map(mapping).find((entry) => entry['name'] === name);
  if (found === undefined) throw new Error(`${file} has no ${key} "${name}"`);
  return mapping(found[key]);
}

/** `KEY-data` in base64 goes before the file that `KEY` names. */
function textOrFile(owner: Mapping, key: string, folder: string): TextOrFile | null {
  const data = textOf(owner[`${key}-data`]);
  if (data !== '') return { text: Buffer.from(data, 'base64').toString('utf8') };
  const file = textOf(owner[key]);
  return file === '' ? null : { file: resolve(folder, file) };
}
