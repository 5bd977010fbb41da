import { isIP } from 'node:net';
import type { Endpoint } from '../../domain/snapshot.ts';

/** What /etc/resolv.conf says, as far as resolv.conf(5) is followed here. */
export interface ResolvConf {
  readonly servers: readonly Endpoint[];
  /** Domains that are tried behind a name. */
  readonly search: readonly string[];
  /** A name with at least as many dots is tried as it is first. */
  readonly ndots: number;
  /** For one server to answer. */
  readonly timeoutMs: number;
  /** Rounds through the servers. */
  readonly attempts: number;
}

const PORT = 53;
/** As resolv.conf(5): more are ignored. */
const MOST_SERVERS = 3;

export function parseResolvConf(text: string): ResolvConf {
  const servers: Endpoint[] = [];
  let search: readonly string[] = [];
  const options = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && isIP(withoutZone(values[0])) !== 0) {
      servers.push({ host: values[0] as string, port: PORT });
    } else if (keyword === 'search' || keyword === 'domain') search = values.map((name) => name.replace(/\.$/, ''));
    else if (keyword === 'options') {
      for (const option of values) {
        const [name = '', value] = option.split(':');
        options.set(name, Number(value));
      }
    }
  }
  return {
    servers: servers.length > 0 ? servers.slice(0, MOST_SERVERS) : [{ host: '127.0.0.1', port: PORT }],
    search,
    ndots: within(options.get('ndots'), 1, 0, 15),
    timeoutMs: within(options.get('timeout'), 2, 1, 30) * 1_000,
    attempts: within(options.get('attempts'), 2, 1, 5),
  };
}

function withoutZone(address = ''): string {
  return address.replace(/%.*/, '');
}

function within(value: number | undefined, preset: number, least: number, most: number): number {
  return value === undefined || !Number.isInteger(value) ? preset : Math.min(Math.max(value, least), most);
}

/** The names to ask for, in their order. A name that ends in a dot is meant as it is. */
export function candidates(name: string, { search, ndots }: Pick<ResolvConf, 'search' | 'ndots'>): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const found = search.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...found] : [...found, name];
}
