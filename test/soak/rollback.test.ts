/** The short form of `npm run soak -- rollback`. */
import { expect, test } from 'vitest';
import { soakRollback } from './rollback-soak.mjs';

test('nothing is taken back while both sides fail together and a replica and Redis are killed', async () => {
  const log: string[] = [];
  const { rollbacks, elsewhere, requests, failed, said } = await soakRollback({
    ms: 12_000,
    kills: 2,
    turns: 3,
    rate: 100,
    log: (line) => log.push(line),
  });
  expect({ rollbacks, elsewhere }).toEqual({ rollbacks: [], elsewhere: [] });
  expect(said).toMatch(/^weight 10; /);
  // What failed, and who was killed, so that it is known to have been a test.
  expect(failed).toBeGreaterThan(0.05 * requests);
  expect(log.filter((line) => line.startsWith('kill'))).toEqual(['kill 1 of 2: replica 1', 'kill 2 of 2: Redis']);
}, 120_000);
