/** ioredis as the store needs it: nothing waits in a queue for a server that is away, and a lost connection is tried again soon. */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from './redis-address.ts';

export type RedisClient = Redis | Cluster;

const CONNECT_MS = 1_000;
/** Of a socket that was given up: a frozen peer never closes its half. */
const LINGER_MS = 50;
const LONGEST_RETRY_MS = 400;

/** Connects at once, and again whenever the connection is lost, until `disconnect`. Errors are told to `onError`. */
export function connectRedis(address: RedisAddress, onError: (error: Error) => void): RedisClient {
  const client = address.topology === 'cluster' ? clusterClient(address) : nodeClient(address);
  client.on('error', onError);
  return client;
}

function nodeClient(address: RedisAddress): Redis {
  const options = nodeOptions(address);
  if (address.topology === 'single') return new Redis({ ...options, ...address.nodes[0], db: address.database });
  return new Redis({
    ...options,
    sentinels: [...address.nodes],
    name: address.primary,
    db: address.database,
    enableTLSForSentinelMode: address.tls,
    sentinelCommandTimeout: CONNECT_MS,
    sentinelRetryStrategy: retryAfter,
    failoverDetector: true,
    ...(options.tls === undefined ? {} : { sentinelTLS: options.tls }),
  });
}

function clusterClient(address: RedisAddress): Cluster {
  return new Cluster([...address.nodes], {
    redisOptions: nodeOptions(address),
    enableOfflineQueue: false,
    clusterRetryStrategy: retryAfter,
    slotsRefreshTimeout: CONNECT_MS,
    // Where a slot went is learnt from redirections; this is for nodes that left without one.
    slotsRefreshInterval: 2_000,
    // Certificates name hosts, so names are left as they are.
    dnsLookup: (host, callback) => callback(null, host),
  });
}

/** Options of ioredis that hold for a node alone and for each of a cluster; replies in the shapes that its types promise. */
type NodeOptions = Omit<RedisOptions, 'replyMapping'>;

function nodeOptions({ username, password, tls, ca }: RedisAddress): NodeOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: ca === undefined ? {} : { ca } } : {}),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: LINGER_MS,
    retryStrategy: retryAfter,
    // Both happen by themselves in ioredis, and whom they fail nobody hears: the process would end.
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    // A primary that has become a replica.
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  };
}

function retryAfter(times: number): number {
  return Math.min(50 * 2 ** Math.min(times - 1, 10), LONGEST_RETRY_MS);
}
