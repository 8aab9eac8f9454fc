/**
 * The search for a path from a leaf to an authority.
 *
 * Owns what the library is given to search, and the check of what it found. The library decides (RFC 5280 section 6):
 * signatures, dates, authorities, names that chain, policies, name constraints. Certificates that can lead nowhere are
 * left out before, for the library gives up at the first end that is dead, and follows circles until it is stopped.
 *
 * Invariants: a path that the library refuses is never accepted. One that it accepts is walked once more: it begins with
 * the leaf itself, ends with an authority itself, and each of its certificates is signed by the next; so nothing rests
 * on how the library tells certificates apart.
 *
 * @module
 */
import type { Certificate, CertificateChainValidationEngine } from 'pkijs';
import type { ChainLibrary, ReadCertificate } from './chain-library.ts';
import type { SignatureChecks } from './signature-checks.ts';

/** What is searched. */
export interface PathQuestion {
  readonly library: ChainLibrary;
  readonly leaf: ReadCertificate;
  /** What else the peer showed. */
  readonly intermediates: readonly ReadCertificate[];
  readonly anchors: readonly ReadCertificate[];
  readonly at: Date;
  readonly checks: SignatureChecks;
  readonly signal: AbortSignal | undefined;
}

/** The path, leaf first and authority last; or why there is none, by OpenSSL's name. */
export type PathAnswer = { readonly path: readonly ReadCertificate[] } | { readonly pathError: string };

/** The numbers of the library's own verdicts that say more than that there is no path. */
const LIBRARY_ERRORS: ReadonlyMap<number, string> = new Map([
  [3, 'INVALID_CA'],
  [4, 'INVALID_CA'],
  [6, 'UNHANDLED_CRITICAL_EXTENSION'],
  [14, 'INVALID_CA'],
  [41, 'PERMITTED_VIOLATION'],
  [42, 'EXCLUDED_VIOLATION'],
]);

/** Searches. Never rejects. */
export async function findPath(question: PathQuestion): Promise<PathAnswer> {
  const { at } = question;
  const fault = dateFault([question.leaf], at);
  if (fault !== undefined) return { pathError: fault };
  // What is outlived leads to no path, but where there is another it does not stand in its way (limbo:
  // pathological::multiple-chains-expired-intermediate).
  const valid = (certificate: ReadCertificate): boolean => dateFault([certificate], at) === undefined;
  const answer = await search({
    ...question,
    intermediates: question.intermediates.filter(valid),
    anchors: question.anchors.filter((anchor) => valid(anchor) && isRoot(anchor)),
  });
  if ('path' in answer || answer.pathError !== NO_PATH) return answer;
  const outlived = dateFault(relevant(question), at);
  return outlived === undefined ? answer : { pathError: outlived };
}

const NO_PATH = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';

async function search(question: PathQuestion): Promise<PathAnswer> {
  const { library, leaf, anchors, checks, signal } = question;
  const intermediates = live(question);
  const known = new Map<Certificate, ReadCertificate>();
  for (const certificate of [...anchors, ...intermediates, leaf]) {
    checks.add(certificate);
    known.set(certificate.content, certificate);
  }
  const seen = { misnamed: false };
  const engine: CertificateChainValidationEngine = new library.pkijs.CertificateChainValidationEngine({
    trustedCerts: anchors.map(({ content }) => content),
    certs: [...intermediates, leaf].map(({ content }) => content),
    checkDate: question.at,
    findIssuer: async (certificate, self, crypto) => {
      if (signal?.aborted === true || checks.exhausted) return [];
      const issuers = await engine.defaultFindIssuer(certificate, self, crypto);
      if (issuers.length === 0) seen.misnamed ||= isNamed(known.get(certificate), known.values());
      // An authority ends the path: nothing is gained behind it.
      const trusted = issuers.filter((issuer) => self.trustedCerts.includes(issuer));
      return trusted.length > 0 ? trusted : issuers;
    },
  });
  const { result, resultCode, certificatePath = [] } = await engine.verify({}, checks.engine);
  if (result) {
    const path = certificatePath.map((certificate) => known.get(certificate));
    if (isWhole(path) && leadsUp(path, question)) return { path };
    return { pathError: checks.exhausted ? 'CERT_CHAIN_TOO_LONG' : NO_PATH };
  }
  if (checks.exhausted) return { pathError: 'CERT_CHAIN_TOO_LONG' };
  const named = LIBRARY_ERRORS.get(resultCode);
  if (named !== undefined) return { pathError: named };
  if (checks.metWeak) return { pathError: 'CA_MD_TOO_WEAK' };
  if (seen.misnamed) return { pathError: 'CERT_SIGNATURE_FAILURE' };
  return { pathError: isSelfIssued(leaf) ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : NO_PATH };
}

/** The certificates that a chain of names joins to an authority, each once. */
function live({ leaf, intermediates, anchors }: PathQuestion): ReadCertificate[] {
  // The library looks for the leaf behind all others; one that is an authority stands before them.
  if (anchors.includes(leaf)) return [];
  const ends = new Set(anchors.map(({ subject }) => subject));
  const seen: ReadCertificate[] = [...anchors, leaf];
  const distinct = intermediates.filter((certificate) => {
    const twin = seen.some((other) => sameBytes(other.content.tbsView, certificate.content.tbsView));
    if (!twin) seen.push(certificate);
    return !twin;
  });
  const found = new Set<ReadCertificate>();
  for (let grown = true; grown;) {
    grown = false;
    for (const certificate of distinct) {
      if (found.has(certificate) || !ends.has(certificate.issuer)) continue;
      found.add(certificate);
      ends.add(certificate.subject);
      grown = true;
    }
  }
  return distinct.filter((certificate) => found.has(certificate));
}

/** Whether somebody is there who by all names should be the issuer: then it is the signature that is wrong. */
function isNamed(certificate: ReadCertificate | undefined, others: Iterable<ReadCertificate>): boolean {
  for (const other of others) {
    if (certificate !== undefined && other !== certificate && certificate.x509.checkIssued(other.x509)) return true;
  }
  return false;
}

function isWhole(path: readonly (ReadCertificate | undefined)[]): path is readonly ReadCertificate[] {
  return path.length >= 2 && path.every((certificate) => certificate !== undefined);
}

/** Walks the path once more. */
function leadsUp(path: readonly ReadCertificate[], { leaf, anchors, checks }: PathQuestion): boolean {
  const anchor = path[path.length - 1] as ReadCertificate;
  if (path[0] !== leaf || !anchors.includes(anchor)) return false;
  // A leaf that is an authority itself stands twice: the library wants two.
  if (anchor === leaf) return path.length === 2;
  if (new Set(path).size !== path.length) return false;
  return path.every((certificate, index) => {
    const issuer = path[index + 1];
    return (
      issuer === undefined || (certificate.x509.checkIssued(issuer.x509) && checks.verify(certificate, issuer.x509))
    );
  });
}

/**
 * Whether an authority stands for itself. As in OpenSSL, one that was issued by another is not trusted by being named:
 * whoever takes an intermediate for a root would not see that it was revoked or replaced.
 */
function isRoot({ x509 }: ReadCertificate): boolean {
  return x509.checkIssued(x509);
}

/** What is outlived, or not valid yet, by OpenSSL's name. */
function dateFault(certificates: readonly ReadCertificate[], at: Date): string | undefined {
  const faults = certificates.map(({ content: { notBefore, notAfter } }) => {
    if (notAfter.value.getTime() < at.getTime()) return 'CERT_HAS_EXPIRED';
    return notBefore.value.getTime() > at.getTime() ? 'CERT_NOT_YET_VALID' : undefined;
  });
  return faults.find((fault) => fault !== undefined);
}

/** What the names say belongs to the leaf: its issuers, and theirs. */
function relevant({ leaf, intermediates, anchors }: PathQuestion): ReadCertificate[] {
  const found = new Set<ReadCertificate>([leaf]);
  for (const below of found) {
    for (const above of [...intermediates, ...anchors]) if (below.issuer === above.subject) found.add(above);
  }
  return [...found];
}

function isSelfIssued({ subject, issuer }: ReadCertificate): boolean {
  return subject === issuer;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
