/** The contract again, on every other kind of Redis that an address can name. */
import { afterAll, beforeAll } from 'vitest';
import { storeContract } from '../contract.ts';
import { addressOf, ca, underTest } from './open.ts';
import { ClusterGroup, freePort, RedisServer, SentinelGroup, tlsArgs } from './servers.ts';

/** All that the store needs of Redis, and nothing else. */
const ACL = `on >s3cret ~crossfade:{* &crossfade:{* -@all
  +hget +hset +hmget +hgetall +hvals +hdel +exists +pexpire +xadd +xrange +xrevrange +publish +subscribe +time +evalsha +eval
  +ping +info +hello +select`.split(/\s+/);

let tls: RedisServer;
let acl: RedisServer;
let sentinels: SentinelGroup;
let cluster: ClusterGroup;

beforeAll(async () => {
  const port = await freePort();
  [tls, acl, sentinels, cluster] = await Promise.all([
    RedisServer.start(tlsArgs(port), port),
    RedisServer.start(['--user', 'default', 'off', '--user', 'crossfade', ...ACL]),
    SentinelGroup.start(),
    ClusterGroup.start(),
  ]);
});
afterAll(() => RedisServer.disposeAll());

storeContract(
  'Redis over TLS',
  underTest(() => addressOf(tls.port, { tls: true, ca: ca() })),
);
storeContract(
  'Redis with a user who may do nothing else',
  underTest(() => addressOf(acl.port, { username: 'crossfade', password: 's3cret' })),
);
storeContract(
  'a primary behind a sentinel',
  underTest(() => addressOf(sentinels.sentinel.port, { topology: 'sentinel', primary: 'main' })),
);
storeContract(
  'a Redis Cluster',
  underTest(() => addressOf((cluster.nodes[2] as RedisServer).port, { topology: 'cluster' })),
);
