/**
 * The check of one chain, from DER to a verdict on its path.
 *
 * Owns the order: bounds, reading, the search for a path, the refusals on top. Hosts, pins and a user's own check are
 * the verifiers'. Every outcome is a value: whatever a chain holds, nothing is thrown.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import type { LimitValues } from '../common/index.ts';
import { extensionFault } from './certificate-extensions.ts';
import type { ReadCertificate } from './chain-library.ts';
import { loadChainLibrary, readCertificate } from './chain-library.ts';
import { brokenRule } from './chain-refusals.ts';
import type { CertificatePurpose } from './chain-refusals.ts';
import type { KnownPath } from './known-paths.ts';
import type { chainLimits } from './limits.ts';
import { nameComparisons } from './name-constraints.ts';
import { findPath } from './path-search.ts';
import { SignatureChecks } from './signature-checks.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** What is checked. */
export interface ChainQuestion {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly anchors: TrustAnchors;
  readonly purpose: CertificatePurpose;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly limits: LimitValues<typeof chainLimits>;
  readonly signal?: AbortSignal | undefined;
}

/** What came of it: the path; or why there is none, by OpenSSL's name or one like it. */
export type ChainAnswer = { readonly known: KnownPath } | { readonly pathError: string };

/**
 * Checks a chain.
 *
 * @throws what loading the library throws; nothing for any chain
 */
export async function checkChain(question: ChainQuestion): Promise<ChainAnswer> {
  const { chain, limits } = question;
  const fault = (pathError: string): ChainAnswer => ({ pathError });
  if (chain.length === 0) return fault('NO_CERTIFICATE');
  if (exceeds(chain, limits)) return fault('CERT_CHAIN_TOO_LONG');
  const library = await loadChainLibrary();
  try {
    const [leaf, ...intermediates] = chain.map((der) => readCertificate(library, x509Of(der)));
    if (leaf === undefined) return fault(UNREADABLE);
    const malformed = extensionFault(library, leaf);
    if (malformed !== undefined) return fault(malformed);
    const names = [leaf, ...intermediates].flatMap(({ subject, issuer }) => [subject, issuer]);
    const anchors = question.anchors.named(names).map((anchor): ReadCertificate => {
      return anchor.raw.equals(leaf.x509.raw) ? leaf : readCertificate(library, anchor);
    });
    if (nameComparisons([leaf, ...intermediates, ...anchors]) > limits.maxNameComparisons) {
      return fault('CERT_CHAIN_TOO_LONG');
    }
    const answer = await findPath({
      library,
      leaf,
      intermediates,
      anchors,
      at: new Date(question.time),
      checks: new SignatureChecks(library, limits.maxSignatureChecks),
      signal: question.signal,
    });
    if ('pathError' in answer) return fault(answer.pathError);
    const broken = brokenRule(library, answer.path, question.purpose);
    if (broken !== undefined) return fault(broken);
    return { known: knownPath([...new Set(answer.path)]) };
  } catch {
    // What either parser throws at: a chain of which one certificate cannot be read is not gone on with.
    return fault(UNREADABLE);
  }
}

function knownPath(path: readonly ReadCertificate[]): KnownPath {
  return {
    path: path.map(({ x509 }) => x509.raw),
    from: Math.max(...path.map(({ content }) => content.notBefore.value.getTime())),
    until: Math.min(...path.map(({ content }) => content.notAfter.value.getTime())),
  };
}

function exceeds(chain: readonly Uint8Array[], limits: ChainQuestion['limits']): boolean {
  if (chain.length > limits.maxCertificates) return true;
  if (chain.some((der) => der.length > limits.maxCertificateBytes)) return true;
  return chain.reduce((sum, der) => sum + der.length, 0) > limits.maxChainBytes;
}

/** OpenSSL passes over what stands behind a certificate. */
function x509Of(der: Uint8Array): X509Certificate {
  const certificate = new X509Certificate(der);
  if (!certificate.raw.equals(der)) throw new Error('not one certificate in DER');
  return certificate;
}

const UNREADABLE = 'UNREADABLE_CERTIFICATE';
