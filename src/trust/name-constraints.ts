/**
 * Name constraints: what an authority may issue for (RFC 5280 section 4.2.1.10).
 *
 * Owns the comparison of each constraint of a path with each name below it. The library compares too, but it leaves out
 * the constraints of the last authority and adds up those of several instead of keeping to each (limbo:
 * rfc5280::nc::permitted-dns-mismatch, ::restrictive-permits-in-intermediates-widens); what either refuses is refused.
 *
 * Invariants: a constraint that is malformed or of a form that is not known here refuses every name of its kind.
 *
 * @module
 */
import type { AltName, GeneralSubtree, NameConstraints, RelativeDistinguishedNames } from 'pkijs';
import type { ReadCertificate } from './chain-library.ts';
import { extensionOf, Extension } from './certificate-extensions.ts';

/** The choices of GeneralName (RFC 5280 section 4.2.1.6). */
const Form = { email: 1, dns: 2, directory: 4, uri: 6, address: 7 } as const;

/** One name of a certificate, or one base of a constraint. */
interface Name {
  readonly form: number;
  /** Text, octets or a distinguished name, as the form has it. */
  readonly value: unknown;
}

/** How many comparisons all constraints and names together may cause. */
export function nameComparisons(certificates: readonly ReadCertificate[]): number {
  let names = 0;
  let constraints = 0;
  for (const certificate of certificates) {
    names += namesOf(certificate).length;
    const { permitted, excluded } = constraintsOf(certificate);
    constraints += permitted.length + excluded.length;
  }
  return names * constraints;
}

/** The first constraint of a path that is broken, by OpenSSL's name. @param path - leaf first */
export function brokenConstraint(path: readonly ReadCertificate[]): string | undefined {
  for (const [above, authority] of path.entries()) {
    if (above === 0) continue;
    const { permitted, excluded } = constraintsOf(authority);
    if (permitted.length + excluded.length === 0) continue;
    for (const [index, certificate] of path.slice(0, above).entries()) {
      // Section 6.1.3 (b): one that is self-issued, and not the leaf, may have any name.
      if (index > 0 && certificate.subject === certificate.issuer) continue;
      for (const name of namesOf(certificate)) {
        const mine = permitted.filter(({ base }) => base.type === name.form);
        if (mine.length > 0 && !mine.some((subtree) => isWithin(name, subtree, false))) return 'PERMITTED_VIOLATION';
        const others = excluded.filter(({ base }) => base.type === name.form);
        if (others.some((subtree) => isWithin(name, subtree, true))) return 'EXCLUDED_VIOLATION';
      }
    }
  }
  return undefined;
}

function constraintsOf(certificate: ReadCertificate): {
  readonly permitted: readonly GeneralSubtree[];
  readonly excluded: readonly GeneralSubtree[];
} {
  const value = extensionOf(certificate, Extension.nameConstraints)?.parsedValue as NameConstraints | undefined;
  return { permitted: value?.permittedSubtrees ?? [], excluded: value?.excludedSubtrees ?? [] };
}

/** The names that constraints are about: the subject, those of subjectAltName, addresses of the subject without it. */
function namesOf(certificate: ReadCertificate): Name[] {
  const { subject } = certificate.content;
  const alternative = extensionOf(certificate, Extension.subjectAltName)?.parsedValue as AltName | undefined;
  const names: Name[] = (alternative?.altNames ?? []).map(({ type, value }) => ({
    form: type,
    value: value as unknown,
  }));
  if (subject.typesAndValues.length > 0) names.push({ form: Form.directory, value: subject });
  if (alternative !== undefined) return names;
  for (const { type, value } of subject.typesAndValues) {
    if (type === EMAIL_ADDRESS) names.push({ form: Form.email, value: value.valueBlock.value });
  }
  return names;
}

/** PKCS #9 emailAddress. */
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/**
 * Whether a name is within a subtree.
 *
 * @param onDoubt - the answer where it cannot be told: what refuses
 */
function isWithin(name: Name, { base, minimum, maximum }: GeneralSubtree, onDoubt: boolean): boolean {
  // Section 4.2.1.10: minimum is zero and maximum absent.
  if (minimum !== 0 || maximum !== undefined) return onDoubt;
  switch (name.form) {
    case Form.dns:
      return isDomainWithin(textOf(name.value), textOf(base.value), onDoubt);
    case Form.email:
      return isMailWithin(textOf(name.value), textOf(base.value), onDoubt);
    case Form.uri:
      return isUriWithin(textOf(name.value), textOf(base.value), onDoubt);
    case Form.address:
      return isAddressWithin(octetsOf(name.value), octetsOf(base.value), onDoubt);
    case Form.directory:
      return isDirectoryWithin(name.value as RelativeDistinguishedNames, base.value as RelativeDistinguishedNames);
    default:
      return onDoubt;
  }
}

const DOMAIN = /^(?:[\w-]{1,63}\.)*[\w-]{1,63}$/;
const isDomain = (text: string): boolean => text.length <= 253 && DOMAIN.test(text);

function isDomainWithin(name: string, base: string, onDoubt: boolean): boolean {
  if (base === '') return true;
  const dotted = base.startsWith('.');
  if (!isDomain(dotted ? base.slice(1) : base)) return onDoubt;
  const wildcard = name.startsWith('*.');
  const plain = wildcard ? name.slice(2) : name;
  if (!isDomain(plain)) return onDoubt;
  const suffix = dotted ? base : `.${base}`;
  // A wildcard may stand for what is excluded, and stands for what is permitted only when all of it is.
  if (wildcard) return `.${plain}`.endsWith(suffix) || (onDoubt && suffix.endsWith(`.${plain}`));
  return (!dotted && name === base) || name.endsWith(suffix);
}

function isMailWithin(name: string, base: string, onDoubt: boolean): boolean {
  const at = name.lastIndexOf('@');
  if (at < 1 || !isDomain(name.slice(at + 1))) return onDoubt;
  if (base.includes('@')) return name === base;
  return isHostWithin(name.slice(at + 1), base, onDoubt);
}

function isUriWithin(name: string, base: string, onDoubt: boolean): boolean {
  const host = URL.canParse(name) ? new URL(name).hostname : '';
  // Section 4.2.1.10: a URI without a host name is refused.
  return isDomain(host) ? isHostWithin(host, base, onDoubt) : onDoubt;
}

/** One host, or all below a domain that begins with a dot. */
function isHostWithin(host: string, base: string, onDoubt: boolean): boolean {
  const dotted = base.startsWith('.');
  if (!isDomain(dotted ? base.slice(1) : base)) return onDoubt;
  return dotted ? host.endsWith(base) : host === base;
}

function isAddressWithin(name: Uint8Array, base: Uint8Array, onDoubt: boolean): boolean {
  const size = base.length / 2;
  if ((size !== 4 && size !== 16) || !isMask(base.subarray(size))) return onDoubt;
  if (name.length !== 4 && name.length !== 16) return onDoubt;
  return name.length === size && name.every((byte, at) => ((byte ^ (base[at] ?? 0)) & (base[size + at] ?? 0)) === 0);
}

/** Ones, and zeros behind them (RFC 4632 section 3.1). */
function isMask(bytes: Uint8Array): boolean {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits);
}

function isDirectoryWithin(name: RelativeDistinguishedNames, base: RelativeDistinguishedNames): boolean {
  const parts = name.typesAndValues;
  return base.typesAndValues.every((part, at) => parts[at]?.isEqual(part) === true);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '\0';
}

function octetsOf(value: unknown): Uint8Array {
  const block = (value as { readonly valueBlock?: { readonly valueHexView?: Uint8Array } } | undefined)?.valueBlock;
  return block?.valueHexView ?? new Uint8Array(0);
}
