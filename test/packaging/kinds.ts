/** The Kubernetes kinds of the chart, as strict as an API server is with `fieldValidation: Strict`: of each the fields that the chart uses. */
import { z } from 'zod';

const labels = z.record(z.string(), z.string());
const metadata = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/),
  namespace: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  labels: labels.optional(),
  annotations: labels.optional(),
});
const selector = z.strictObject({ matchLabels: labels });
const port = z.int().min(1).max(65_535);
const quantity = z.string().regex(/^\d+(m|Ki|Mi|Gi)?$/);
const resources = z
  .record(z.enum(['cpu', 'memory']), quantity)
  .or(z.partialRecord(z.enum(['cpu', 'memory']), quantity));

const exec = z.strictObject({ command: z.array(z.string()).min(1) });
const probe = z
  .strictObject({
    exec: exec.optional(),
    httpGet: z.strictObject({ path: z.string(), port: z.union([port, z.string()]) }).optional(),
    periodSeconds: z.int().min(1),
    failureThreshold: z.int().min(1),
    timeoutSeconds: z.int().min(1),
  })
  .refine((each) => (each.exec === undefined) !== (each.httpGet === undefined));

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  args: z.array(z.string()),
  envFrom: z.array(z.strictObject({ secretRef: z.strictObject({ name: z.string() }) })).optional(),
  ports: z.array(z.strictObject({ name: z.string().max(15), containerPort: port, protocol: z.literal('TCP') })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.strictObject({ preStop: z.strictObject({ exec }) }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  resources: z.strictObject({ requests: resources, limits: resources }),
  volumeMounts: z.array(
    z.strictObject({ name: z.string(), mountPath: z.string().startsWith('/'), readOnly: z.boolean().optional() }),
  ),
});

const pod = z.strictObject({
  serviceAccountName: z.string(),
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().min(1),
    runAsGroup: z.int().min(1),
    fsGroup: z.int().min(1),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  containers: z.array(container).length(1),
  volumes: z.array(
    z.strictObject({
      name: z.string(),
      configMap: z.strictObject({ name: z.string() }).optional(),
      emptyDir: z.strictObject({}).optional(),
    }),
  ),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: z.int().min(1),
        topologyKey: z.string(),
        whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
        labelSelector: selector,
      }),
    )
    .optional(),
});

const networkPorts = z.array(z.strictObject({ protocol: z.enum(['TCP', 'UDP']), port, endPort: port.optional() }));

function kind<K extends string, T extends z.ZodType>(apiVersion: string, name: K, spec: T) {
  return z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(name), metadata, spec });
}

export const KINDS = z.union([
  kind(
    'apps/v1',
    'Deployment',
    z.strictObject({
      replicas: z.int().optional(),
      strategy: z.strictObject({
        type: z.literal('RollingUpdate'),
        rollingUpdate: z.strictObject({ maxSurge: z.int().min(1), maxUnavailable: z.literal(0) }),
      }),
      selector,
      template: z.strictObject({ metadata: z.strictObject({ labels, annotations: labels }), spec: pod }),
    }),
  ),
  kind(
    'v1',
    'Service',
    z.strictObject({
      type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
      selector: labels,
      ports: z.array(z.strictObject({ name: z.string(), port, targetPort: z.string(), protocol: z.literal('TCP') })),
    }),
  ),
  kind('policy/v1', 'PodDisruptionBudget', z.strictObject({ maxUnavailable: z.int().or(z.string()), selector })),
  kind(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    z.strictObject({
      podSelector: selector,
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
      ingress: z.array(z.strictObject({ ports: networkPorts, from: z.array(z.looseObject({})).optional() })),
      egress: z.array(z.strictObject({ ports: networkPorts, to: z.array(z.looseObject({})).optional() })),
    }),
  ),
  kind(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    z.strictObject({
      scaleTargetRef: z.strictObject({ apiVersion: z.string(), kind: z.string(), name: z.string() }),
      minReplicas: z.int().min(1),
      maxReplicas: z.int().min(1),
      metrics: z.array(
        z.strictObject({
          type: z.literal('Resource'),
          resource: z.strictObject({
            name: z.literal('cpu'),
            target: z.strictObject({ type: z.literal('Utilization'), averageUtilization: z.int() }),
          }),
        }),
      ),
    }),
  ),
  kind(
    'monitoring.coreos.com/v1',
    'ServiceMonitor',
    z.strictObject({
      selector,
      endpoints: z.array(z.strictObject({ port: z.string(), path: z.string(), interval: z.string() })),
    }),
  ),
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata,
    data: z.strictObject({ 'crossfade.yaml': z.string() }),
  }),
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ServiceAccount'),
    metadata,
    automountServiceAccountToken: z.literal(false),
  }),
  z.strictObject({
    apiVersion: z.literal('rbac.authorization.k8s.io/v1'),
    kind: z.literal('Role'),
    metadata,
    rules: z.array(
      z.strictObject({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
    ),
  }),
  z.strictObject({
    apiVersion: z.literal('rbac.authorization.k8s.io/v1'),
    kind: z.literal('RoleBinding'),
    metadata,
    roleRef: z.strictObject({ apiGroup: z.string(), kind: z.literal('Role'), name: z.string() }),
    subjects: z.array(z.strictObject({ kind: z.literal('ServiceAccount'), name: z.string(), namespace: z.string() })),
  }),
]);

export type Manifest = z.output<typeof KINDS>;
