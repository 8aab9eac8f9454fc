/**
 * Which addresses an endpoint stands for when it is listened on.
 *
 * Owns the rules: a literal is itself, `localhost` is both loopback addresses whatever the machine's hosts file says
 * (RFC 6761 section 6.3), `*` is every address of both families, a name is what it resolves to.
 *
 * @module
 */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Endpoint, IpAddress } from '../common/index.ts';
import type { Resolver } from './resolve.ts';
import { isLocalhost } from './resolve.ts';

/** One address to bind. */
export interface BindAddress {
  readonly host: string;
  /** Without it the listener opens all the same, as long as another address is left. */
  readonly optional: boolean;
}

/** The addresses of an endpoint, in the order in which they are bound. All get one port. */
export async function bindAddresses(endpoint: Endpoint, resolver: Resolver): Promise<readonly BindAddress[]> {
  const { host } = endpoint;
  if (isLocalhost(host)) return LOOPBACK;
  // One socket of the IPv6 wildcard serves IPv4 as well; a machine without IPv6 has only the other.
  if (host === '*' || host === '') return [{ host: '::', optional: true }];
  if (isIP(host) !== 0) return [{ host, optional: false }];
  const addresses: readonly IpAddress[] = await resolver(host, endpoint.port);
  return addresses.map((address) => ({ host: address.host, optional: false }));
}

/**
 * The same for UDP, where a socket is bound to one address, so that its answers leave from there: a wildcard is every
 * address of the machine's interfaces, as they are now.
 */
export async function bindUdpAddresses(endpoint: Endpoint, resolver: Resolver): Promise<readonly BindAddress[]> {
  const { host } = endpoint;
  if (host === '*' || host === '' || host === '::') return interfaceAddresses(['ipv4', 'ipv6']);
  if (host === '0.0.0.0') return interfaceAddresses(['ipv4']);
  return bindAddresses(endpoint, resolver);
}

function interfaceAddresses(families: readonly IpAddress['family'][]): readonly BindAddress[] {
  const found: BindAddress[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { family, address, scopeid } of addresses ?? []) {
      if (!families.includes(family === 'IPv6' ? 'ipv6' : 'ipv4')) continue;
      // RFC 4007 section 11: a link-local address says nothing without its zone.
      const zone = scopeid === undefined || scopeid === 0 || address.includes('%') ? '' : `%${name}`;
      found.push({ host: `${address}${zone}`, optional: true });
    }
  }
  return found.length === 0 ? LOOPBACK : found;
}

const LOOPBACK: readonly BindAddress[] = [
  { host: '127.0.0.1', optional: true },
  { host: '::1', optional: true },
];
