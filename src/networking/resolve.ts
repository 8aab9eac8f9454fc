/**
 * Names to addresses.
 *
 * Owns the call of the system's resolver (`getaddrinfo`, so that hosts file and system settings count) and the answer
 * for `localhost`, which never leaves the machine (RFC 6761 section 6.3).
 *
 * @module
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { NetworkError } from '../common/index.ts';
import type { IpAddress } from '../common/index.ts';
import { ipAddress } from './socket-address.ts';
import { errnoOf, systemError } from './system-errors.ts';

/** Finds a host's addresses. @throws NetworkError (phase `resolve`) */
export type Resolver = (host: string, port: number) => Promise<readonly IpAddress[]>;

/** Whether a name means this machine: `localhost` and what ends in `.localhost`. */
export function isLocalhost(host: string): boolean {
  const name = (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost');
}

/** {@link Resolver} by the system. */
export function systemResolver(host: string, port: number): Promise<readonly IpAddress[]> {
  if (isIP(host) !== 0) return Promise.resolve([literalAddress(host, port)]);
  if (isLocalhost(host)) return Promise.resolve([literalAddress('::1', port), literalAddress('127.0.0.1', port)]);
  return new Promise((resolve, reject) => {
    lookup(host, { all: true, verbatim: true }, (error, addresses) => {
      if (error !== null) {
        reject(resolveError(host, error));
        return;
      }
      if (addresses.length === 0) reject(resolveError(host, { code: 'ENODATA' }));
      else resolve(addresses.map((found) => ipAddress(found.address, port)));
    });
  });
}

/** A literal as it stands: a mapped IPv6 literal is connected to as the caller wrote it. */
function literalAddress(host: string, port: number): IpAddress {
  return { family: host.includes(':') ? 'ipv6' : 'ipv4', host, port };
}

function resolveError(host: string, error: unknown): NetworkError {
  const doing = `cannot resolve ${host}`;
  if (errnoOf(error) !== '') return systemError('resolve', doing, error);
  return new NetworkError(`${doing}: ${error instanceof Error ? error.message : String(error)}`, {
    code: 'ERR_NAME_NOT_FOUND',
    phase: 'resolve',
    cause: error,
  });
}
