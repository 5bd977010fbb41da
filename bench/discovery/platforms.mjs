// @ts-check
// A process with an emulated Helios and an emulated Kubernetes, so that what they cost is not counted. Told over IPC what to change.
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';

const built = (/** @type {string} */ path) => import(new URL(`../../dist/demo/${path}`, import.meta.url).href);
const { HeliosMasterEmulator } = await built('helios/master.js');
const { KubernetesApiServer } = await built('kubernetes/api-server.js');

const [slices = 0, perSlice = 0, jobs = 0, tasks = 0, hosts = 0] = process.argv.slice(2, 7).map(Number);
const isZipped = process.argv[7] === 'zipped';
const PORTS = [{ name: 'http', protocol: 'TCP', port: 8080 }];

const api = new KubernetesApiServer();
/** @param {number} slice @param {number} size */
function put(slice, size) {
  const endpoints = Array.from({ length: size }, (_, i) => {
    const number = slice * 200 + i;
    return {
      addresses: [`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `worker-${number % 100}`,
      targetRef: { kind: 'Pod', namespace: 'bench', name: `pod-${number}`, uid: `uid-of-pod-${number}` },
      zone: 'eu-north-1a',
    };
  });
  api.objects.put({ namespace: 'bench', name: `bench-${slice}`, service: 'bench', endpoints, ports: PORTS });
}
for (let slice = 0; slice < slices; slice++) put(slice, perSlice);

const master = new HeliosMasterEmulator();
if (!isZipped) {
  // Every request as one that takes no compression.
  channel('http.server.request.start').subscribe(
    (/** @type {any} */ { request }) => delete request.headers['accept-encoding'],
  );
}
const ids = Array.from({ length: jobs }, (_, job) => {
  const id = master.cluster.createJob({ name: `job-${job}`, version: '1', ports: { http: { internalPort: 8080 } } });
  for (let task = 0; task < tasks; task++) {
    master.cluster.deploy(id, `host-${(job * 7 + task * 53) % hosts}.lon`, { http: 20_000 + job });
  }
  return id;
});

process.send?.({ kubernetes: await api.listen(), helios: await master.listen() });
for (;;) {
  const [what] = await once(process, 'message');
  if (what === 'kubernetes') put(7, perSlice - 1);
  if (what === 'kubernetes back') put(7, perSlice);
  if (what === 'helios') master.cluster.change(ids[7], `host-${49 % hosts}.lon`, { state: 'STOPPED' });
  if (what === 'helios back') master.cluster.change(ids[7], `host-${49 % hosts}.lon`, { state: 'RUNNING' });
  if (what === 'silence one') api.silence(1);
  if (what === 'silence') api.silence();
  if (what === 'freeze') api.freeze();
  process.send?.({ at: performance.timeOrigin + performance.now() });
}
