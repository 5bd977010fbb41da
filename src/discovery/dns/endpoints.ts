/** From DNS records to endpoints. */
import { isIP } from 'node:net';
import type { Endpoint } from '../../domain/snapshot.ts';
import type { DnsSource } from '../../domain/source.ts';
import type { Resolver, SrvAnswer, SrvRecord } from './resolver.ts';

export interface Found {
  readonly endpoints: readonly Endpoint[];
  /** How long that holds. */
  readonly ttlMs: number;
  /** What is wrong with a part of it; null: nothing. */
  readonly alarm: string | null;
}

/** @throws Error in one sentence when DNS does not answer */
export function findEndpoints(resolver: Resolver, { name, type, port }: DnsSource): Promise<Found> {
  return type === 'SRV' ? bySrv(resolver, name) : byAddress(resolver, name, type, port ?? 0);
}

async function byAddress(resolver: Resolver, name: string, type: 'A' | 'AAAA', port: number): Promise<Found> {
  const { records, ttlMs } = await resolver.addresses(name, type);
  return { endpoints: records.map((host) => ({ host, port, name: bare(name) })), ttlMs, alarm: null };
}

/**
 * Of the most preferred priority that has an address only (RFC 2782): the others are for when all of its targets are gone. Whether one is
 * well is not asked here: DNS names it. Weights are not read: within a priority all are alike, as everywhere, and the less loaded is taken.
 */
async function bySrv(resolver: Resolver, name: string): Promise<Found> {
  const answer = await resolver.srv(name);
  // A single "." says that there is decidedly no such service.
  const records = answer.records.filter(({ target }) => bare(target) !== '');
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  const endpoints: Endpoint[] = [];
  const missing: string[] = [];
  let { ttlMs } = answer;
  for (const priority of priorities) {
    for (const record of records.filter((each) => each.priority === priority)) {
      const found = await targetAddresses(resolver, record, answer);
      ttlMs = Math.min(ttlMs, found.ttlMs);
      if (found.addresses.length === 0) missing.push(record.target);
      for (const host of found.addresses) {
        const target = bare(record.target);
        endpoints.push({ host, port: record.port, ...(host === target ? {} : { name: target }) });
      }
    }
    if (endpoints.length > 0) break;
  }
  const alarm = missing.length === 0 ? null : `DNS SRV ${name}: ${missing.join(', ')} has no address`;
  return { endpoints, ttlMs, alarm };
}

async function targetAddresses(
  resolver: Resolver,
  { target }: SrvRecord,
  answer: SrvAnswer,
): Promise<{ addresses: readonly string[]; ttlMs: number }> {
  const name = bare(target);
  // Consul and others put the address itself where a name belongs.
  if (isIP(name) !== 0) return { addresses: [name], ttlMs: answer.ttlMs };
  const known = answer.addresses.get(name.toLowerCase());
  if (known !== undefined) return { addresses: known, ttlMs: answer.ttlMs };
  // With its root's dot, so that no search domain is tried behind it.
  const ipv4 = await resolver.addresses(`${name}.`, 'A');
  const found = ipv4.records.length > 0 ? ipv4 : await resolver.addresses(`${name}.`, 'AAAA');
  return { addresses: found.records, ttlMs: found.ttlMs };
}

function bare(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
