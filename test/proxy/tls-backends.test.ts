/** What backends over TLS learn of the proxy, by each protocol: its certificate, and by which name it asks. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ask, connect, GET, plane } from './scene.ts';
import { certificate, securedBackend } from './secured-backends.ts';

const pem = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
const OWN = { certificate: pem('client.crt'), key: pem('client.key') };

describe.each([
  ['http1', 'http1', '1.1'],
  ['h2', 'h2', '2.0'],
  ['auto', 'both', '2.0'],
  ['auto', 'http1', '1.1'],
] as const)('a backend of protocol %s that speaks %s and asks for certificates', (protocol, spoken, version) => {
  async function proxyTo(tls: object) {
    const origin = await securedBackend(spoken, 0, { requestCert: true, ca: pem('clients-ca.crt') });
    const spec = { ca: certificate, insecure: false, ...tls };
    const backends = ['old', 'new'].map((name) => ({ name, connections: 0, protocol, tls: spec }));
    return { origin, proxy: await plane({ old: [origin.port], table: { backends } }) };
  }

  test('is shown the one configured, and asked by the name set', async () => {
    const { origin, proxy } = await proxyTo({ ...OWN, serverName: 'localhost' });
    const client = await connect(proxy);
    for (let i = 0; i < 2; i++) expect((await ask(client, GET)).body).toBe(`${version} GET 0`);
    expect(origin.seen.clients).toEqual(['svc-ä asks for localhost']);
  });

  test('refuses the proxy without one, which is a 502', async () => {
    const { origin, proxy } = await proxyTo({});
    expect((await ask(await connect(proxy), GET)).status).toBe(502);
    expect(origin.seen.versions).toEqual([]);
  });
});
