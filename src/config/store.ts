/** Where the fleet's state lives: a file, or a Redis in one of its forms. */
import { z } from 'zod';
import { EndpointAddress, type HostPort } from './address.ts';

export interface FileStoreAddress {
  readonly kind: 'file';
  /** As written. */
  readonly path: string;
}

export interface RedisStoreAddress {
  /** The scheme: `redis`, `rediss`, `redis+sentinel` or `redis+cluster`. */
  readonly kind: string;
  readonly topology: 'single' | 'sentinel' | 'cluster';
  readonly nodes: readonly HostPort[];
  /** Among sentinels. */
  readonly primary?: string;
  readonly database: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
  /** Replicas of the primary that must have a change before it counts as safe. Default: 1 where there is a failover, else 0. */
  readonly acks: number;
  /** File of the authorities that its certificate is verified against, as written; absent: the runtime's. */
  readonly ca?: string;
}

const FORMS = `must be ${[
  'file:PATH',
  'redis://HOST:6379/0',
  'rediss://HOST:6379/0',
  'redis+sentinel://HOST:26379,HOST:26379/NAME or redis+cluster://HOST:6379,HOST:6379',
].join(', ')}`;
const TOPOLOGIES = { '': 'single', '+sentinel': 'sentinel', '+cluster': 'cluster' } as const;
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;

const OPTIONS = ['db', 'tls', 'ca', 'acks'];

const URL_PARTS =
  /^(redis(s?)(|\+sentinel|\+cluster)):\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?([^/?@]+)(?:\/([^/?]*))?(?:\?(.*))?$/;

/** Addresses are never told in messages: they may hold a password. */
export const StoreAddress = z.string().transform((text, context): FileStoreAddress | RedisStoreAddress => {
  if (/^file:./.test(text)) return { kind: 'file', path: text.slice('file:'.length) };
  const parsed = parseRedis(text);
  if (typeof parsed !== 'string') return parsed;
  context.issues.push({ code: 'custom', message: parsed, input: '' });
  return z.NEVER;
});

/** The address, or what is wrong with it. */
function parseRedis(text: string): RedisStoreAddress | string {
  const parts = URL_PARTS.exec(text);
  if (parts === null) return FORMS;
  const [, kind = '', secure, carrier, user, secret, hosts = '', path = '', query] = parts;
  const topology = TOPOLOGIES[carrier as keyof typeof TOPOLOGIES];
  const nodes = hosts.split(',').map((host) => nodeOf(host, DEFAULT_PORTS[topology]));
  const bad = nodes.findIndex((node) => node === undefined);
  if (bad !== -1) return `must name hosts as HOST or HOST:PORT, separated by commas (number ${bad + 1} is not)`;
  if (topology === 'single' && nodes.length > 1)
    return 'must name one host; several need redis+sentinel:// or redis+cluster://';
  const options = new URLSearchParams(query);
  const unknown = [...options.keys()].find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) return `knows the options ${OPTIONS.join(', ')}, not ${unknown}`;
  const db = topology === 'single' && path !== '' ? path : (options.get('db') ?? '0');
  if (!/^\d{1,5}$/.test(db)) return 'must have a number for its database';
  if (topology === 'sentinel' && path === '')
    return "must end in the primary's name, such as redis+sentinel://HOST:26379/mymaster";
  if (topology === 'cluster' && (path !== '' || db !== '0')) return 'must not name a database: a cluster has only 0';
  const tls = options.get('tls') ?? (secure === 's' ? 'true' : 'false');
  if (tls !== 'true' && tls !== 'false') return 'must have true or false for tls';
  const ca = options.get('ca') ?? undefined;
  if (ca !== undefined && (ca === '' || tls === 'false')) return 'must have a file for ca, and TLS for which it is';
  const acks = options.get('acks') ?? (topology === 'single' ? '0' : '1');
  if (!/^\d{1,2}$/.test(acks)) return 'must have a number of replicas for acks';
  try {
    return {
      kind,
      topology,
      nodes: nodes as HostPort[],
      database: Number(db),
      tls: tls === 'true',
      acks: Number(acks),
      ...(ca !== undefined && { ca }),
      ...(topology === 'sentinel' && { primary: decodeURIComponent(path) }),
      ...(user && { username: decodeURIComponent(user) }),
      ...(secret && { password: decodeURIComponent(secret) }),
    };
  } catch {
    return 'must have user, password and name percent-encoded';
  }
}

function nodeOf(text: string, port: number): HostPort | undefined {
  const whole = /:\d+$/.test(text.replace(/^\[[^\]]*\]/, '')) ? text : `${text}:${port}`;
  const parsed = EndpointAddress.safeParse(whole);
  return parsed.success ? parsed.data : undefined;
}

/** For messages: never with user or password. */
export function placeOfStore(
  store: { readonly kind: 'file'; readonly path: string } | Omit<RedisStoreAddress, 'ca'>,
): string {
  if (!('nodes' in store)) return `file:${store.path}`;
  const hosts = store.nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  return `${store.kind}://${hosts}/${store.primary ?? store.database}`;
}
