/**
 * The authorities of a verifier, ready to be looked up by name.
 *
 * Owns the cutting of PEM into certificates and an index by subject, made at the first chain. An entry that cannot be
 * read counts for nothing, as in OpenSSL; authorities that a user names were read before, by {@link readAuthorities}.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { comparableName } from './chain-library.ts';
import { defaultRoots } from './roots.ts';

/** Authorities by name. */
export class TrustAnchors {
  readonly #authorities: readonly string[] | undefined;
  #bySubject: ReadonlyMap<string, readonly X509Certificate[]> | undefined;

  /** @param authorities - PEM, any number of certificates in each; `undefined`: those that Node trusts by itself */
  constructor(authorities: readonly string[] | undefined) {
    this.#authorities = authorities;
    this.#bySubject = undefined;
  }

  /** The authorities of those names, each once. @param names - as {@link comparableName} makes them */
  named(names: Iterable<string>): readonly X509Certificate[] {
    this.#bySubject ??= indexOf(this.#authorities);
    const found: X509Certificate[] = [];
    for (const name of new Set(names)) found.push(...(this.#bySubject.get(name) ?? []));
    return found;
  }
}

/** That of Node's own list, which is long and the same for all. */
let defaultIndex:
  { readonly roots: string; readonly index: ReadonlyMap<string, readonly X509Certificate[]> } | undefined;

function indexOf(authorities: readonly string[] | undefined): ReadonlyMap<string, readonly X509Certificate[]> {
  if (authorities !== undefined) return indexed(authorities.join('\n'));
  // Newer releases of Node let a process change its list.
  const roots = defaultRoots().join('\n');
  if (defaultIndex?.roots !== roots) defaultIndex = { roots, index: indexed(roots) };
  return defaultIndex.index;
}

function indexed(pem: string): ReadonlyMap<string, readonly X509Certificate[]> {
  const index = new Map<string, X509Certificate[]>();
  const known = new Set<string>();
  for (const certificate of certificatesOf(pem)) {
    if (known.has(certificate.fingerprint256)) continue;
    known.add(certificate.fingerprint256);
    const name = comparableName(certificate.subject);
    const others = index.get(name);
    if (others === undefined) index.set(name, [certificate]);
    else others.push(certificate);
  }
  return index;
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

function certificatesOf(pem: string): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (let start = pem.indexOf(BEGIN); start >= 0; start = pem.indexOf(BEGIN, start + BEGIN.length)) {
    const end = pem.indexOf(END, start);
    if (end < 0) break;
    try {
      certificates.push(new X509Certificate(pem.slice(start, end + END.length)));
    } catch {
      // Not one that can be read: nobody is trusted by it.
    }
  }
  return certificates;
}
