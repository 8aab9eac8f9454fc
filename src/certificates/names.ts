/**
 * The names of a certificate, and the names that a development CA may sign.
 *
 * Owns the reading of subjectAltName entries (RFC 5280 section 4.2.1.6) and the scopes that become name constraints
 * (section 4.2.1.10). A scope is fixed when the CA is made: who steals the CA's key can sign nothing outside it, on any
 * machine that trusts the CA. Hence the narrow default:
 *
 * - `loopback`: `localhost` and names below it, 127.0.0.0/8, ::1. These reach this machine only (RFC 6761 section 6.3).
 * - `private`: besides, names and addresses that reach other machines of the same network: `local` (RFC 6762), `test`
 *   (RFC 6761 section 6.2), `internal`, `home.arpa` (RFC 8375), 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918),
 *   169.254.0.0/16, fc00::/7, fe80::/10. Only when asked for, since there another machine may be who is impersonated.
 *
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { ConfigurationError } from '../common/index.ts';
import { NAME_CODE, printable } from './messages.ts';

/** One entry of subjectAltName. */
export type SubjectName =
  | { readonly kind: 'dns'; readonly text: string }
  | { readonly kind: 'ip'; readonly text: string; readonly bytes: Uint8Array };

/** Which names a development CA may sign. */
export type NameScopeName = 'loopback' | 'private';

/** The permitted subtrees of a CA. */
export interface NameScope {
  readonly name: NameScopeName;
  /** Each name stands for itself and all names below it. */
  readonly domains: readonly string[];
  readonly networks: readonly Network[];
  /**
   * The DER of the name constraints extension that these make. Kept beside them, so that a CA can be known again without
   * loading what writes ASN.1, and because it may never change: a CA without these bytes is not taken for ours.
   */
  readonly extension: Uint8Array;
}

/** An address block. */
export interface Network {
  /** `127.0.0.0/8` */
  readonly text: string;
  readonly address: Uint8Array;
  readonly mask: Uint8Array;
}

/** What a certificate of a development server is for unless told otherwise. */
export const DEFAULT_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/**
 * Reads names as a user writes them: host names (also in Unicode), `*.app.localhost`, IPv4 and IPv6 literals with or
 * without brackets. Duplicates are dropped, the order is kept.
 *
 * @throws ConfigurationError for what is neither, for none and for more than 100
 */
export function parseSubjectNames(names: readonly string[]): SubjectName[] {
  const found = new Map<string, SubjectName>();
  for (const name of names) {
    const parsed = parseSubjectName(name);
    found.set(parsed.text, parsed);
  }
  if (found.size === 0) throw badName('a certificate needs at least one name');
  if (found.size > MAX_NAMES)
    throw badName(`${String(found.size)} names are more than the ${String(MAX_NAMES)} of one certificate`);
  return [...found.values()];
}

/** One name; see {@link parseSubjectNames}. */
export function parseSubjectName(name: string): SubjectName {
  const literal = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  if (isIPv4(literal)) return { kind: 'ip', text: literal, bytes: ipv4Bytes(literal) };
  if (literal.includes(':')) return parseIpv6(name, literal);
  return { kind: 'dns', text: parseDnsName(name) };
}

/** The scope of that name. */
export function nameScope(name: NameScopeName): NameScope {
  return name === 'private' ? PRIVATE_SCOPE : LOOPBACK_SCOPE;
}

/** Whether the scope permits the name (RFC 5280 section 4.2.1.10: the suffix for host names, the block for addresses). */
export function isWithinScope(scope: NameScope, name: SubjectName): boolean {
  if (name.kind === 'dns') {
    return scope.domains.some((domain) => name.text === domain || name.text.endsWith(`.${domain}`));
  }
  return scope.networks.some((network) => contains(network, name.bytes));
}

/** The scope as one line for people: `localhost, *.localhost, 127.0.0.0/8, ::1/128`. */
export function describeScope(scope: NameScope): string[] {
  const domains = scope.domains.flatMap((domain) =>
    domain === 'localhost' ? [domain, `*.${domain}`] : [`*.${domain}`],
  );
  return [...domains, ...scope.networks.map((network) => network.text)];
}

function parseIpv6(name: string, literal: string): SubjectName {
  if (literal.includes('%'))
    throw badName(`"${printable(name)}": a certificate cannot hold a zone; leave out what follows %`);
  if (!isIPv6(literal)) throw badName(`"${printable(name)}" is neither a host name nor an IP address`);
  const bytes = ipv6Bytes(literal);
  return { kind: 'ip', text: ipv6Text(bytes), bytes };
}

function parseDnsName(name: string): string {
  const refuse = (why: string): ConfigurationError => badName(`"${printable(name)}" ${why}`);
  const wildcard = name.startsWith('*.');
  const plain = (wildcard ? name.slice(2) : name).replace(/\.$/, '');
  // A URL host parser reads "127.1" and "0x7f000001" as addresses; in a certificate they would match nothing.
  const ascii = isAsciiName(plain) ? plain.toLowerCase() : domainToASCII(plain);
  const labels = ascii.split('.');
  if (ascii === '' || ascii.length > MAX_DNS_LENGTH || !labels.every(isLabel))
    throw refuse('is neither a host name nor an IP address');
  if (isDigits(labels[labels.length - 1] as string)) throw refuse('is neither a host name nor an IP address');
  if (wildcard && labels.length < 2) {
    throw refuse(
      'is ignored by clients, which want two labels behind the asterisk; write a name such as *.app.localhost',
    );
  }
  return wildcard ? `*.${ascii}` : ascii;
}

function isAsciiName(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7e) return false;
  return true;
}

/** Letters, digits and hyphens (RFC 1123 section 2.1), the underscore too, as resolvers take it. */
function isLabel(label: string): boolean {
  return label.length <= 63 && /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label);
}

function isDigits(label: string): boolean {
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(label);
}

function ipv4Bytes(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number);
}

/** The bytes of a literal that `isIPv6` has accepted. */
function ipv6Bytes(text: string): Uint8Array {
  const [left = '', right] = text.split('::');
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return [...ipv4Bytes(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The canonical text, RFC 5952. */
function ipv6Text(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < 16; i += 2) parts.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16));
  return new URL(`http://[${parts.join(':')}]/`).hostname.slice(1, -1);
}

function contains(network: Network, address: Uint8Array): boolean {
  if (network.address.length !== address.length) return false;
  return network.address.every((byte, i) => byte === ((address[i] as number) & (network.mask[i] as number)));
}

function network(text: string): Network {
  const [literal = '', length = '0'] = text.split('/');
  const address = isIPv4(literal) ? ipv4Bytes(literal) : ipv6Bytes(literal);
  const mask = new Uint8Array(address.length);
  for (let bit = 0; bit < Number(length); bit += 1) mask[bit >> 3] = (mask[bit >> 3] as number) | (0x80 >> (bit & 7));
  return { text, address, mask };
}

function hex(...parts: string[]): Uint8Array {
  return new Uint8Array(Buffer.from(parts.join(''), 'hex'));
}

function badName(message: string): ConfigurationError {
  return new ConfigurationError(message, {
    code: NAME_CODE,
    hint: 'write host names and addresses, such as localhost, app.localhost, 127.0.0.1, ::1',
  });
}

const MAX_NAMES = 100;
const MAX_DNS_LENGTH = 253;

const LOOPBACK_NETWORKS = ['127.0.0.0/8', '::1/128'];
const PRIVATE_NETWORKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'];

const LOOPBACK_SCOPE: NameScope = {
  name: 'loopback',
  domains: ['localhost'],
  networks: LOOPBACK_NETWORKS.map(network),
  extension: hex(
    '304b0603551d1e0101ff0441303fa03d300b82096c6f63616c686f7374300a87087f000000ff000000302287200000000000000000000000',
    '0000000001ffffffffffffffffffffffffffffffff',
  ),
};

const PRIVATE_SCOPE: NameScope = {
  name: 'private',
  domains: ['localhost', 'local', 'test', 'internal', 'home.arpa'],
  networks: [...LOOPBACK_NETWORKS, ...PRIVATE_NETWORKS].map(network),
  extension: hex(
    '3081f00603551d1e0101ff0481e53081e2a081df300b82096c6f63616c686f7374300782056c6f63616c3006820474657374300a8208',
    '696e7465726e616c300b8209686f6d652e61727061300a87087f000000ff0000003022872000000000000000000000000000000001ff',
    'ffffffffffffffffffffffffffffff300a87080a000000ff000000300a8708ac100000fff00000300a8708c0a80000ffff0000300a87',
    '08a9fe0000ffff000030228720fc000000000000000000000000000000fe00000000000000000000000000000030228720fe80000000',
    '0000000000000000000000ffc00000000000000000000000000000',
  ),
};
