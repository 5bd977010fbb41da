/** How an API server is found and who it is told that we are: against a server with TLS, tokens and client certificates. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { KubernetesApiServer } from '../../src/demo/kubernetes/api-server.ts';
import { Cluster, type ClusterTools } from '../../src/discovery/kubernetes/cluster.ts';
import { parseKubeconfig } from '../../src/discovery/kubernetes/kubeconfig.ts';
import { createKubernetesDiscovery } from '../../src/discovery/kubernetes/source.ts';
import type { ClusterSource } from '../../src/domain/source.ts';
import { until } from '../supervisor/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'crossfade-cluster-'));
const at = (name: string): string => join(folder, name);
const pem = (name: string): string => readFileSync(at(name), 'utf8');
const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

beforeAll(() => {
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=kubernetes', '-days', '2');
  writeFileSync(at('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:kubernetes.default.svc\n');
  for (const name of ['server', 'client']) {
    openssl('req', ...ec, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}/O=crossfade`);
    const extensions = name === 'server' ? ['-extfile', 'server.ext'] : [];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      ...extensions,
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

let server: KubernetesApiServer;
afterEach(() => server.close());

async function serve(options: { clients?: true } = {}): Promise<number> {
  server = new KubernetesApiServer({
    tls: { certificate: pem('server.crt'), key: pem('server.key'), ...(options.clients ? { ca: pem('ca.crt') } : {}) },
  });
  const endpoints = [{ addresses: ['10.1.0.1'], conditions: { ready: true } }];
  server.objects.put({
    namespace: 'search',
    name: 'a',
    service: 'search',
    endpoints,
    ports: [{ name: 'http', port: 80 }],
  });
  return server.listen();
}

function discover(cluster: ClusterSource, more: Partial<ClusterTools> = {}) {
  const tools = { clock: () => performance.now(), random: () => 0.5, env: {}, ...more };
  const source = {
    kind: 'kubernetes',
    namespace: 'search',
    service: 'search',
    port: 'http',
    lookMs: 0,
    cluster,
  } as const;
  const discovery = createKubernetesDiscovery(source, new Cluster(cluster, tools), tools, {
    leastWatchS: 240,
    silentMs: 80_000,
    longestAwayMs: () => 200,
  });
  onTestFinished(() => discovery.close());
  return discovery;
}

function kubeconfig(port: number, user: object): string {
  const file = at(`config-${port}`);
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': 'ca.crt' } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u', namespace: 'default' } },
      { name: 'nobody', context: { cluster: 'c' } },
    ],
    'current-context': 'here',
  });
  writeFileSync(file, text);
  return file;
}

describe('a pod', () => {
  test('takes its service account, and reads the token again when it is refused', async () => {
    const port = await serve();
    server.tokens.add('second');
    mkdirSync(at('account'), { recursive: true });
    writeFileSync(at('account/ca.crt'), pem('ca.crt'));
    writeFileSync(at('account/token'), 'first\n');
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) };
    const discovery = discover('ambient', { env, serviceAccount: at('account') });
    await until('refusal', () => discovery.health.alarm?.includes('answered 401: Unauthorized'));
    writeFileSync(at('account/token'), 'second\n');
    await until('endpoints', () => discovery.endpoints.length === 1);
    expect(discovery.health.alarm).toBeNull();
  });
});

describe('a kubeconfig', () => {
  test('with a token', async () => {
    const file = kubeconfig(await serve(), { token: 't0ken' });
    server.tokens.add('t0ken');
    const discovery = discover({ kubeconfig: file, context: null });
    await until('endpoints', () => discovery.endpoints.length === 1);
    const other = discover({ kubeconfig: file, context: 'nobody' });
    await until('refusal', () => other.health.alarm?.includes('answered 401'));
  });

  test('with a client certificate in a file or in the text; without one the connection is refused', async () => {
    const port = await serve({ clients: true });
    const file = kubeconfig(port, {
      'client-certificate': 'client.crt',
      'client-key-data': Buffer.from(pem('client.key')).toString('base64'),
    });
    const discovery = discover({ kubeconfig: file, context: null });
    await until('endpoints', () => discovery.endpoints.length === 1);
    const other = discover({ kubeconfig: file, context: 'nobody' });
    await until('refusal', () => other.health.alarm);
    expect(other.endpoints).toEqual([]);
  });

  test('is found by KUBECONFIG; one that cannot be read is an alarm', async () => {
    const file = kubeconfig(await serve(), {});
    const discovery = discover('ambient', { env: { KUBECONFIG: file } });
    await until('endpoints', () => discovery.endpoints.length === 1);
    const lost = discover('ambient', { env: { KUBECONFIG: '/no/such/file' } });
    await until('alarm', () => lost.health.alarm === 'Kubernetes API cannot read /no/such/file: ENOENT');
  });

  test.each([
    ['{}', '/k has no current-context'],
    ['current-context: a', '/k has no context "a"'],
    ['{current-context: a, contexts: [{name: a, context: {cluster: b}}]}', '/k has no cluster "b"'],
    [
      '{current-context: a, contexts: [{name: a, context: {cluster: b}}], clusters: [{name: b, cluster: {}}]}',
      '/k: cluster b has no server',
    ],
    [
      '{current-context: a, contexts: [{name: a, context: {cluster: b, user: u}}], clusters: [{name: b, cluster: {server: "https://s"}}], users: [{name: u, user: {exec: {}}}]}',
      '/k: exec cannot be used here; use a token or a client certificate',
    ],
    ['{ token: "secret', '/k is not YAML'],
  ])('%s is refused in one sentence', (text, message) => {
    server = new KubernetesApiServer();
    expect(() => parseKubeconfig(text, '/k', null)).toThrow(message);
  });
});
