/**
 * Which addresses an endpoint stands for when it is listened on.
 *
 * Owns the rules: a literal is itself, `localhost` is both loopback addresses whatever the machine's hosts file says
 * (RFC 6761 section 6.3), `*` is every address of both families, a name is what it resolves to.
 *
 * @module
 */
import { isIP } from 'node:net';
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

const LOOPBACK: readonly BindAddress[] = [
  { host: '127.0.0.1', optional: true },
  { host: '::1', optional: true },
];
