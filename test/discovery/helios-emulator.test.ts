/** The emulated master answers to the byte as the sample that Helios' own classes have written. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HeliosMasterEmulator } from '../../src/demo/helios/master.ts';

const sample = readFileSync(new URL('helios-sample.txt', import.meta.url), 'utf8').trim();
const ID = 'search-api:1.4.2:1a4651602fd93ae076d6d2c186ab0c176e31a830';
const HOSTS = ['h1.example.net', 'h2.example.net', 'h3.example.net'];

let master: HeliosMasterEmulator;
let url: string;

beforeEach(async () => {
  master = new HeliosMasterEmulator();
  url = `http://127.0.0.1:${await master.listen()}`;
  master.cluster.createJob({
    name: 'search-api',
    version: '1.4.2',
    hash: ID.split(':')[2] as string,
    ports: { http: { internalPort: 8080 } },
    registration: { 'search-api/http': ['http'] },
    gracePeriod: 10,
    healthCheck: { path: '/healthz', port: 'http' },
  });
  for (const [i, host] of HOSTS.entries()) master.cluster.deploy(ID, host, { http: 20_017 + i });
  master.cluster.setHost('h3.example.net', false);
});
afterEach(() => master.close());

const get = async (path: string, headers = {}): Promise<Response> => fetch(url + path, { headers });
const post = async (path: string, body: unknown): Promise<string> =>
  (await fetch(url + path, { method: 'POST', body: JSON.stringify(body) })).text();

test('jobs, their status, hosts and their statuses', async () => {
  const jobs = await (await get('/jobs')).text();
  const status = await (await get(`/jobs/${ID}/status`)).text();
  const statuses = await post('/hosts/statuses', HOSTS);
  const hosts = await (await get('/hosts')).text();
  expect(
    `{"GET /jobs":${jobs},"GET /jobs/{id}/status":${status},"POST /hosts/statuses":${statuses},"GET /hosts":${hosts}}`,
  ).toBe(sample);
});

test('a health check has its type twice', async () => {
  expect(await (await get(`/jobs/${ID}`)).text()).toContain(
    '"healthCheck":{"type":"http","path":"/healthz","port":"http","type":"http"}',
  );
});

test('statuses of hosts that are up leave out the others; unknown ids are left out; ids must be full', async () => {
  expect(Object.keys(JSON.parse(await post('/hosts/statuses?status=UP', HOSTS)) as object)).toEqual(HOSTS.slice(0, 2));
  expect(await post('/jobs/statuses', [`none:1:${'0'.repeat(40)}`])).toBe('{}');
  expect((await get('/jobs/search-api:1.4.2/status')).status).toBe(400);
  const unknown = await get(`/jobs/none:1:${'0'.repeat(40)}/status`);
  expect([unknown.status, await unknown.text()]).toEqual([404, '']);
});

describe('the version', () => {
  test.each([
    [{}, 200, 'MISSING'],
    [{ 'helios-version': '0.9.1' }, 200, 'COMPATIBLE'],
    [{ 'helios-version': '1.0.0' }, 426, 'INCOMPATIBLE'],
    [{ 'helios-version': 'new' }, 400, 'INVALID'],
  ])('%o is answered with %i', async (headers, status, word) => {
    const answer = await get('/jobs', headers);
    expect([answer.status, answer.headers.get('helios-version-status')]).toEqual([status, word]);
    expect(answer.headers.get('helios-server-version')).toBe('0.9.283');
  });

  test('is told as plain text', async () => {
    const answer = await get('/version');
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['text/plain', '0.9.283']);
  });
});
