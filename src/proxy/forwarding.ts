/** What a backend is told about the client: X-Forwarded-*, Forwarded (RFC 7239) and Via (RFC 9110 section 7.6.3). */
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Peer, RequestView } from './halves.ts';

const VIA_NAME = '1.1 crossfade';

/** Addresses and CIDR blocks of proxies whose word is believed. */
export class TrustedProxies {
  readonly #blocks = new BlockList();
  readonly #isEmpty: boolean;

  constructor(blocks: readonly string[]) {
    this.#isEmpty = blocks.length === 0;
    for (const block of blocks) {
      const [address = '', bits] = block.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#blocks.addAddress(address, family);
      else this.#blocks.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string): boolean {
    return !this.#isEmpty && isIP(address) !== 0 && this.#blocks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** An IPv4 address that came over an IPv6 socket (`::ffff:10.0.0.7`), as the IPv4 address it is. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * The address that the request came from: the peer's, or behind trusted proxies the last one in X-Forwarded-For that is none of them.
 */
export function clientAddress(peer: Peer, request: RequestView, trusted: TrustedProxies): string {
  if (!peer.isTrusted) return peer.address;
  const hops = all(request, 'x-forwarded-for').split(',');
  let address = peer.address;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = plainAddress((hops[i] as string).trim());
    if (isIP(hop) === 0) break;
    address = hop;
    if (!trusted.has(hop)) break;
  }
  return address;
}

/** The lines for a peer that is not trusted, but for the authority: the same for all requests of a connection. */
export function connectionLines(peer: Peer): string {
  return (
    `x-forwarded-for: ${peer.address}\r\nx-forwarded-proto: ${peer.scheme}\r\nvia: ${VIA_NAME}\r\n` +
    `forwarded: for=${nodeName(peer.address)};proto=${peer.scheme}`
  );
}

/** @param prefix from `connectionLines` */
export function forwardingLines(prefix: string, peer: Peer, request: RequestView): string {
  if (peer.isTrusted) return extendedLines(peer, request);
  const { authority } = request;
  // Only HTTP/1.0 has requests that name no host.
  return authority === '' ? `${prefix}\r\n` : `${prefix};host="${authority}"\r\nx-forwarded-host: ${authority}\r\n`;
}

/** A trusted peer's fields are kept and this hop is added to them. */
function extendedLines(peer: Peer, request: RequestView): string {
  const fields = request.fields;
  const proto = fields.get('x-forwarded-proto') ?? peer.scheme;
  const host = fields.get('x-forwarded-host') ?? request.authority;
  const port = fields.get('x-forwarded-port');
  const named = request.authority === '' ? '' : `;host="${request.authority}"`;
  return (
    `x-forwarded-for: ${append(all(request, 'x-forwarded-for'), peer.address)}\r\n` +
    `x-forwarded-proto: ${proto}\r\n` +
    (host === '' ? '' : `x-forwarded-host: ${host}\r\n`) +
    (port === undefined ? '' : `x-forwarded-port: ${port}\r\n`) +
    `forwarded: ${append(all(request, 'forwarded'), `for=${nodeName(peer.address)};proto=${peer.scheme}${named}`)}\r\n` +
    `via: ${append(all(request, 'via'), VIA_NAME)}\r\n`
  );
}

/** RFC 7239 section 6: an IPv6 address stands in brackets and quotes. */
function nodeName(address: string): string {
  return isIPv6(address) ? `"[${address}]"` : address;
}

function append(list: string, item: string): string {
  return list === '' ? item : `${list}, ${item}`;
}

/** All values of a list field as one. */
function all(request: RequestView, name: string): string {
  let list = '';
  request.fields.visit((candidate, value) => {
    if (candidate.toLowerCase() === name && value !== '') list = append(list, value);
  });
  return list;
}
