import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { State } from '../../../src/domain/state.ts';
import type { RedisAddress } from '../../../src/store/redis-address.ts';
import { openRedisStore } from '../../../src/store/redis-store.ts';
import type { Store } from '../../../src/store/store.ts';
import type { StoreUnderTest } from '../contract.ts';
import { TLS_CA } from './servers.ts';

export function addressOf(port: number, more: Partial<RedisAddress> = {}): RedisAddress {
  return { topology: 'single', nodes: [{ host: '127.0.0.1', port }], database: 0, tls: false, ...more };
}

export const ca = (): string => readFileSync(TLS_CA, 'utf8');

export function openAt(address: RedisAddress, fleet: string, known?: State, acks = 0): Store {
  return openRedisStore(address, { acks, fleet, clock: Date.now, randomId: randomUUID, known });
}

/** A fleet of its own for each test, on servers that all share. */
export function underTest(address: () => RedisAddress): () => Promise<StoreUnderTest> {
  return async () => {
    const fleet = randomUUID();
    let store = openAt(address(), fleet);
    return {
      store,
      reopen: async () => {
        await store.close();
        store = openAt(address(), fleet);
        return store;
      },
      dispose: () => store.close(),
    };
  };
}
