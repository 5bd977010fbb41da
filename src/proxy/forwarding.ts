/** What a backend is told about the client: X-Forwarded-* with Envoy's X-Forwarded-Client-Cert, Forwarded (RFC 7239) and Via (RFC 9110 section 7.6.3). */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { AddedFields } from './added-fields.ts';
import type { Peer, RequestView } from './halves.ts';

/** Received-protocol and name of Via. */
export type Via = '1.1 crossfade' | '2.0 crossfade';

const CLIENT_CERT = 'x-forwarded-client-cert';

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

/** What requests of one client connection tell about where they come from. */
export class Forwarding {
  readonly #peer: Peer;
  readonly #via: Via;
  /** Clients hardly ever change the authority on a connection, so the last request's fields are mostly the next one's too. */
  #authority: string | null = null;
  #last: AddedFields | null = null;

  constructor(peer: Peer, via: Via) {
    this.#peer = peer;
    this.#via = via;
  }

  /** The fields to be added to the request, in the place of those that it has of these names. */
  of(request: RequestView): AddedFields {
    if (this.#peer.isTrusted) return this.#extended(request);
    if (this.#last !== null && this.#authority === request.authority) return this.#last;
    this.#authority = request.authority;
    this.#last = this.#own(request.authority);
    return this.#last;
  }

  /** A peer that is not trusted: nothing that it says about others is passed on. */
  #own(authority: string): AddedFields {
    const { address, scheme, certificate } = this.#peer;
    const flat = ['x-forwarded-for', address, 'x-forwarded-proto', scheme, 'via', this.#via];
    if (certificate !== null) flat.push(CLIENT_CERT, certificate);
    const element = `for=${nodeName(address)};proto=${scheme}`;
    // Only HTTP/1.0 has requests that name no host.
    if (authority === '') flat.push('forwarded', element);
    else flat.push('forwarded', `${element};host="${authority}"`, 'x-forwarded-host', authority);
    return new AddedFields(flat);
  }

  /** A trusted peer's fields are kept and this hop is added to them. */
  #extended(request: RequestView): AddedFields {
    const { fields, authority } = request;
    const { address, scheme, certificate } = this.#peer;
    const host = fields.get('x-forwarded-host') ?? authority;
    const port = fields.get('x-forwarded-port');
    const named = authority === '' ? '' : `;host="${authority}"`;
    const element = `for=${nodeName(address)};proto=${scheme}${named}`;
    const flat = ['x-forwarded-for', append(all(request, 'x-forwarded-for'), address)];
    flat.push('x-forwarded-proto', fields.get('x-forwarded-proto') ?? scheme);
    if (host !== '') flat.push('x-forwarded-host', host);
    if (port !== undefined) flat.push('x-forwarded-port', port);
    flat.push('forwarded', append(all(request, 'forwarded'), element));
    flat.push('via', append(all(request, 'via'), this.#via));
    const told = all(request, CLIENT_CERT);
    if (certificate !== null) flat.push(CLIENT_CERT, append(told, certificate));
    else if (told !== '') flat.push(CLIENT_CERT, told);
    return new AddedFields(flat);
  }
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
