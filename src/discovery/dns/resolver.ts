/** Names to records with the time that they hold, which Node's own resolver does not tell for SRV. */
import { readFile } from 'node:fs/promises';
import type { DecodedPacket, Answer as DnsRecord, SrvData, StringAnswer } from 'dns-packet';
import type { Endpoint } from '../../domain/snapshot.ts';
import { askServer } from './exchange.ts';
import { candidates, parseResolvConf, type ResolvConf } from './resolv-conf.ts';

export type AddressType = 'A' | 'AAAA';

export interface SrvRecord {
  /** The lowest is preferred. */
  readonly priority: number;
  readonly port: number;
  readonly target: string;
}

/** `ttlMs` is the least of all records on the way. No records: the name has none of this type, for that long. */
export interface Answer<T> {
  readonly records: readonly T[];
  readonly ttlMs: number;
}

export interface SrvAnswer extends Answer<SrvRecord> {
  /** Addresses that came with the answer, by target in lower case. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
}

export interface Resolver {
  /** @throws Error in one sentence when no server gives an answer */
  srv(name: string): Promise<SrvAnswer>;
  /** @throws Error in one sentence when no server gives an answer */
  addresses(name: string, type: AddressType): Promise<Answer<string>>;
}

const RESOLV_CONF = '/etc/resolv.conf';
/** For a negative answer that does not say how long it holds. */
const NEGATIVE_MS = 5_000;
const NEGATIVE_MOST_MS = 30_000;

/** @param servers empty: those of /etc/resolv.conf, which is read anew each time, with its search domains */
export function createResolver(servers: readonly Endpoint[]): Resolver {
  const conf = async (): Promise<ResolvConf> => {
    const own = parseResolvConf(servers.length > 0 ? '' : await readFile(RESOLV_CONF, 'utf8'));
    return servers.length > 0 ? { ...own, servers } : own;
  };
  return {
    async srv(name) {
      const answer = await ask(name, 'SRV', await conf());
      const records = servicesOf(answer).map(({ priority = 0, port, target }) => ({ priority, port, target }));
      const addresses = new Map<string, string[]>();
      for (const { name: target, data } of addressesOf(answer.additionals, 'A', 'AAAA')) {
        const key = target.toLowerCase();
        addresses.set(key, [...(addresses.get(key) ?? []), data]);
      }
      return { records, addresses, ttlMs: ttlMs(answer, records.length > 0) };
    },
    async addresses(name, type) {
      const answer = await ask(name, type, await conf());
      const records = addressesOf(answer.answers, type).map(({ data }) => data);
      return { records, ttlMs: ttlMs(answer, records.length > 0) };
    },
  };
}

type AskedFor = AddressType | 'SRV';

/** Whatever their name: a chain of CNAME records leads to them. */
function addressesOf(records: readonly DnsRecord[] = [], ...types: readonly AskedFor[]): StringAnswer[] {
  return records.filter((record): record is StringAnswer => types.some((type) => type === record.type));
}

function servicesOf({ answers = [] }: DecodedPacket): SrvData[] {
  return answers.flatMap((record) => (record.type === 'SRV' ? [record.data] : []));
}

/** Of a negative answer: the lesser of the SOA's own time and its MINIMUM (RFC 2308 section 5). */
function ttlMs({ answers = [], authorities = [] }: DecodedPacket, found: boolean): number {
  if (found) return Math.min(...answers.map((record) => ('ttl' in record ? (record.ttl ?? 0) : 0))) * 1_000;
  for (const record of authorities) {
    if (record.type !== 'SOA') continue;
    return Math.min(Math.min(record.ttl ?? 0, record.data.minimum ?? 0) * 1_000, NEGATIVE_MOST_MS);
  }
  return NEGATIVE_MS;
}

/** The first candidate that has records; else the last negative answer. */
async function ask(name: string, type: AskedFor, conf: ResolvConf): Promise<DecodedPacket> {
  let negative: DecodedPacket | undefined;
  for (const candidate of candidates(name, conf)) {
    const answer = await askAny(candidate, type, conf);
    if (answer.answers?.some((record) => record.type === type)) return answer;
    negative = answer;
  }
  return negative as DecodedPacket;
}

async function askAny(name: string, type: AskedFor, conf: ResolvConf): Promise<DecodedPacket> {
  let last = '';
  for (let attempt = 0; attempt < conf.attempts; attempt++) {
    for (const server of conf.servers) {
      try {
        const answer = await askServer(server, name, type, conf.timeoutMs);
        const { rcode } = answer as { rcode?: string };
        if (rcode === 'NOERROR' || rcode === 'NXDOMAIN') return answer;
        last = `${server.host}:${server.port} answered ${rcode}`;
      } catch (error) {
        last = `${server.host}:${server.port} ${(error as Error).message}`;
      }
    }
  }
  throw new Error(`DNS ${type} ${name}: ${last}`);
}
