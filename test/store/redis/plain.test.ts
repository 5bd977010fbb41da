import { afterAll, beforeAll } from 'vitest';
import { storeContract } from '../contract.ts';
import { addressOf, underTest } from './open.ts';
import { RedisServer } from './servers.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => RedisServer.disposeAll());

storeContract(
  'one Redis',
  underTest(() => addressOf(server.port)),
);
