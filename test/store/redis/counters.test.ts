import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EVIDENCE_MS } from '../../../src/store/counters.ts';
import { RedisCounters } from '../../../src/store/redis-counters.ts';
import { RedisLink } from '../../../src/store/redis-link.ts';
import { countersContract } from '../counters-contract.ts';
import { addressOf } from './open.ts';
import { RedisServer } from './servers.ts';

let server: RedisServer;
const links: RedisLink[] = [];
beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(() => Promise.all(links.splice(0).map((link) => link.close())));
afterAll(() => RedisServer.disposeAll());

function countersOf(fleet: string, bucketMs: number): RedisCounters {
  const link = new RedisLink(addressOf(server.port), {
    prefix: `crossfade:{${fleet}}:`,
    id: randomUUID(),
    onHint() {},
  });
  links.push(link);
  return new RedisCounters(link, bucketMs);
}

countersContract('Redis', async (bucketMs) => {
  const fleet = randomUUID();
  return () => countersOf(fleet, bucketMs);
});

test('evidence expires by itself', async () => {
  await countersOf('expiring', 1_000).addCounts('search', 1, { n: 1 });
  const ttl = Number(await server.cli('pttl', 'crossfade:{expiring}:evidence:search'));
  expect(ttl).toBeGreaterThan(EVIDENCE_MS - 60_000);
  expect(ttl).toBeLessThanOrEqual(EVIDENCE_MS);
});
