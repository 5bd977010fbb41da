import { isIP, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';

/** An address in its parts; an IPv6 host stands without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/** Whether the lower-case text is an IPv4 address or a host name; a name that ends in a number is neither. */
function isHost(text: string): boolean {
  return isIPv4(text) || (HOST_NAME.test(text) && !/(?:^|\.)\d+$/.test(text));
}

/** `host:port` or `[IPv6]:port`; undefined when it is neither. */
function parseHostPort(text: string): HostPort | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const [, ipv6, name] = parts;
  const host = (ipv6 ?? name ?? '').toLowerCase();
  const port = Number(parts[3]);
  const valid = ipv6 === undefined ? isHost(host) : isIPv6(host);
  return valid && port <= 65_535 ? { host, port } : undefined;
}

/** Where to listen; port 0 takes a free one. */
export const ListenAddress = z.string().transform((address, context) => {
  const parts = parseHostPort(address);
  if (parts !== undefined) return { address, ...parts };
  context.issues.push({
    code: 'custom',
    message: 'must be host:port, such as 127.0.0.1:8080 or [::1]:8080',
    input: address,
  });
  return z.NEVER;
});

/** Where to connect to. */
export const EndpointAddress = z.string().transform((address, context) => {
  const parts = parseHostPort(address);
  if (parts !== undefined && parts.port > 0) return parts;
  context.issues.push({
    code: 'custom',
    message: 'must be host:port, such as 10.0.0.7:8080 or [::1]:80',
    input: address,
  });
  return z.NEVER;
});

const DNS_PORT = 53;

/** A name server by IP address, with or without a port. */
export const NameServer = z.string().transform((address, context) => {
  const parts = isIP(address) === 0 ? parseHostPort(address) : { host: address, port: DNS_PORT };
  if (parts !== undefined && isIP(parts.host) !== 0 && parts.port > 0) return parts;
  context.issues.push({
    code: 'custom',
    message: 'must be an IP address, such as 10.0.0.2 or 10.0.0.2:53',
    input: address,
  });
  return z.NEVER;
});

/** The name that a certificate is asked for and proven against. */
export const ServerName = z.string().toLowerCase().refine(isHost, { error: 'must be a host name' });

/** A host as clients name it, in lower case without port; `*.` in front stands for one or more labels. */
export const HostPattern = z
  .string()
  .toLowerCase()
  .refine((host) => isHost(host.replace(/^\*\./, '')) || isBracketed(host), {
    error: 'must be a host name without port, such as api.example.com or *.example.com',
  });

function isBracketed(host: string): boolean {
  return host.startsWith('[') && host.endsWith(']') && isIPv6(host.slice(1, -1));
}

/** One address or a CIDR block. */
export const Network = z
  .string()
  .refine(isNetwork, { error: 'must be an address or a CIDR block, such as 10.0.0.0/8' });

function isNetwork(text: string): boolean {
  const parts = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text);
  const version = isIP(parts?.[1] ?? '');
  return version !== 0 && Number(parts?.[2] ?? 0) <= (version === 4 ? 32 : 128);
}

/** Whether only this machine can reach the host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
