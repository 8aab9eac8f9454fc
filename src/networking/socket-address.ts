/**
 * The addresses of Node sockets in our form.
 *
 * Owns the translation. An IPv4 peer of a socket that serves both families shows as the IPv4 address that it is
 * (RFC 4291 section 2.5.5.2 maps it into IPv6), so that limits per address and logs see one address per peer.
 *
 * @module
 */
import type { AddressInfo, Server, Socket } from 'node:net';
import type { IpAddress, SocketAddress } from '../common/index.ts';
import { peerOf } from './platform.ts';

/** An address that is no longer known, as of a socket that closed before it was asked. */
export const UNKNOWN_ADDRESS: IpAddress = { family: 'ipv4', host: '0.0.0.0', port: 0 };

/** The address of a literal without brackets. IPv4-mapped IPv6 becomes IPv4. */
export function ipAddress(host: string, port: number): IpAddress {
  if (!host.includes(':')) return { family: 'ipv4', host, port };
  const mapped = MAPPED.exec(host);
  return mapped === null ? { family: 'ipv6', host, port } : { family: 'ipv4', host: mapped[1] as string, port };
}

/** Where a socket's peer is. */
export function remoteAddressOf(socket: Socket): SocketAddress {
  const peer = peerOf(socket);
  return peer === undefined ? UNKNOWN_ADDRESS : ipAddress(peer.host, peer.port);
}

/** Whether every socket that is accepted at a bound address has this very address. */
export function isOneAddress(address: SocketAddress): boolean {
  if (address.family === 'unix') return true;
  return address.family === 'ipv4' ? address.host !== '0.0.0.0' : !SEVERAL.test(address.host);
}

/** Where this side of a socket is. */
export function localAddressOf(socket: Socket): SocketAddress {
  const host = socket.localAddress;
  return host === undefined ? UNKNOWN_ADDRESS : ipAddress(host, socket.localPort ?? 0);
}

/** Where a server listens. */
export function listeningAddressOf(server: Server): SocketAddress {
  const address: AddressInfo | string | null = server.address();
  if (address === null) return UNKNOWN_ADDRESS;
  if (typeof address === 'string') return { family: 'unix', path: address };
  return address.family === 'IPv6'
    ? { family: 'ipv6', host: address.address, port: address.port }
    : { family: 'ipv4', host: address.address, port: address.port };
}

/** All of a host's, one that is mapped into IPv6, or one that has a zone besides. */
const SEVERAL = /^(?:::$|::ffff:|fe[89ab])/i;
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
