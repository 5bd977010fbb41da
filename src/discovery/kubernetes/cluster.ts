/** How an API server is reached, and with which credentials: read anew from their files, since tokens and certificates are renewed there. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ClusterSource } from '../../domain/source.ts';
import { type ClientTls, HttpClient } from '../http-client.ts';
import { parseKubeconfig, type TextOrFile } from './kubeconfig.ts';

export interface Access {
  readonly client: HttpClient;
  /** For messages. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Credentials {
  readonly server: string;
  readonly tls: ClientTls;
  readonly token: string | null;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Projected tokens are renewed in their file long before they end. */
const REREAD_MS = 60_000;

export interface ClusterTools {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: () => number;
  /** Where a pod finds its own credentials; for tests. */
  readonly serviceAccount?: string;
}

export class Cluster {
  readonly #source: ClusterSource;
  readonly #tools: ClusterTools;
  #access: Access | undefined;
  #credentials = '';
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(source: ClusterSource, tools: ClusterTools) {
    this.#source = source;
    this.#tools = tools;
  }

  /** @throws Error in one sentence when there are no usable credentials */
  async access(): Promise<Access> {
    const nowMs = this.#tools.clock();
    if (this.#access !== undefined && nowMs - this.#readAtMs < REREAD_MS) return this.#access;
    const credentials = await readCredentials(this.#source, this.#tools);
    this.#readAtMs = nowMs;
    const text = JSON.stringify(credentials);
    if (this.#access === undefined || text !== this.#credentials) {
      const { server, tls, token } = credentials;
      this.#credentials = text;
      this.#access = {
        client: new HttpClient(server, tls),
        server,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
      };
    }
    return this.#access;
  }

  /** They were refused: read them before the next request. */
  forget(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.#access?.client.close();
  }
}

async function readCredentials(source: ClusterSource, { env, serviceAccount }: ClusterTools): Promise<Credentials> {
  if (source === 'ambient') return readAmbient(env, serviceAccount ?? SERVICE_ACCOUNT);
  if ('api' in source) return { server: source.api, tls: {}, token: null };
  return readKubeconfig(source.kubeconfig, source.context);
}

/** In a pod its service account; elsewhere what kubectl would use. */
async function readAmbient(env: ClusterTools['env'], folder: string): Promise<Credentials> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (host === undefined) {
    const file = env['KUBECONFIG']?.split(delimiter).find((path) => path !== '');
    return readKubeconfig(file ?? join(homedir(), '.kube/config'), null);
  }
  const authority = host.includes(':') ? `[${host}]` : host;
  const [token, ca] = await Promise.all([
    read({ file: join(folder, 'token') }),
    read({ file: join(folder, 'ca.crt') }),
  ]);
  return {
    server: `https://${authority}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    tls: { ca },
    token: token.trim(),
  };
}

async function readKubeconfig(file: string, context: string | null): Promise<Credentials> {
  const config = parseKubeconfig(await read({ file }), file, context);
  const [ca, certificate, key, token] = await Promise.all(
    [config.ca, config.certificate, config.key, config.token].map((part) =>
      part === null ? Promise.resolve(null) : read(part),
    ),
  );
  return {
    server: config.server,
    tls: {
      insecure: config.insecure,
      ...(ca == null ? {} : { ca }),
      ...(certificate == null ? {} : { certificate }),
      ...(key == null ? {} : { key }),
      ...(config.serverName === null ? {} : { serverName: config.serverName }),
    },
    token: token?.trim() ?? null,
  };
}

async function read(part: TextOrFile): Promise<string> {
  if ('text' in part) return part.text;
  try {
    return await readFile(part.file, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${part.file}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}
