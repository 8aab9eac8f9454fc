/**
 * Chains that a peer makes to cost work, or to be taken for another's: bombs for whoever checks chains over QUIC.
 *
 * RFC 5280 section 6; x509-limbo's pathological cases.
 */
import { describe, expect, it } from 'vitest';
import { ServerChainVerifier } from '../../src/trust/index.ts';
import type { CertificateVerdict, ChainVerifierOptions } from '../../src/trust/index.ts';
import {
  alternativeNames,
  basicConstraints,
  derAuthority,
  derCertificate,
  derServer,
  dnsConstraints,
  extension,
  newKey,
  octets,
  serverExtensions,
} from '../support/der-certificates.ts';
import type { DerIdentity } from '../support/der-certificates.ts';
import { tripsLimit } from '../support/limits.ts';
import { ManualClock } from '../support/manual-clock.ts';

class TodaysClock extends ManualClock {
  override wallTime(): number {
    return Date.now();
  }
}

const root = derAuthority({ subject: 'root' });
const TOO_LARGE = {
  accepted: false,
  code: 'ERR_CERT_INVALID',
  alert: 42,
  reason: 'its chain is larger than can be checked',
};

function verdictOf(
  chain: readonly DerIdentity[],
  limits: ChainVerifierOptions['limits'] = {},
  ca: DerIdentity = root,
): Promise<CertificateVerdict> {
  const verifier = new ServerChainVerifier({ ca: ca.pem }, { clock: new TodaysClock(), limits });
  return verifier.verify({ chain: chain.map((one) => one.der), host: 'localhost' });
}

/** Authorities that issue each other in circles, each name with several certificates. */
function circles(names: number, each: number, end: DerIdentity): DerIdentity[] {
  const keys = Array.from({ length: names }, () => newKey());
  const subjects = keys.map((_key, index) => `circle ${String(index)}`);
  return keys.flatMap((key, index) => {
    const above = (index + 1) % names;
    const issuer = { ...end, subject: subjects[above] as string, key: keys[above] as (typeof keys)[0] };
    return Array.from({ length: each }, () => derAuthority({ subject: subjects[index] as string, key, issuer }));
  });
}

describe('a chain', () => {
  it('of too many certificates is not read', async () => {
    tripsLimit('chainLimits.maxCertificates');
    const leaf = derServer(root);
    const strangers = Array.from({ length: 16 }, () => root);
    expect(await verdictOf([leaf, ...strangers])).toEqual({ ...TOO_LARGE, cause: undefined });
    expect(await verdictOf([leaf, ...strangers.slice(1)])).toEqual({ accepted: true });
    expect(await verdictOf([leaf, root], { maxCertificates: 1 })).toMatchObject(TOO_LARGE);
  });

  it('with a large certificate is not read', async () => {
    tripsLimit('chainLimits.maxCertificateBytes');
    const filling = extension('1.2.3.4', octets(Buffer.alloc(40_000)));
    const large = derServer(root, { extensions: [...serverExtensions(), filling] });
    expect(await verdictOf([large])).toMatchObject(TOO_LARGE);
    expect(await verdictOf([derServer(root), large])).toMatchObject(TOO_LARGE);
    const more = { maxCertificateBytes: 50_000, maxChainBytes: 50_000 };
    expect(await verdictOf([large], more)).toEqual({ accepted: true });
  });

  it('of many octets together is not read', async () => {
    tripsLimit('chainLimits.maxChainBytes');
    const filling = extension('1.2.3.4', octets(Buffer.alloc(9_000)));
    const large = derServer(root, { extensions: [...serverExtensions(), filling] });
    const others = Array.from({ length: 3 }, () => derServer(root, { extensions: [filling] }));
    expect(await verdictOf([large, ...others])).toMatchObject(TOO_LARGE);
    expect(await verdictOf([large, ...others.slice(1)])).toEqual({ accepted: true });
    expect(await verdictOf([large, ...others], { maxChainBytes: 50_000 })).toEqual({ accepted: true });
  });

  it.each([
    [2, 7],
    [3, 4],
    [7, 2],
    [1, 14],
  ])('of %i authorities in a circle, %i certificates each, is given up', async (names, each) => {
    tripsLimit('chainLimits.maxSignatureChecks');
    const ring = circles(names, each, root);
    const bottom = ring[0] as DerIdentity;
    // One of them is issued by the authority, so that none is left out before the search; its signature is wrong.
    const lure = derAuthority({ subject: bottom.subject, key: bottom.key, issuer: root, signature: Buffer.alloc(70) });
    const verdict = await verdictOf([derServer(bottom), ...ring, lure]);
    expect(verdict).toMatchObject({ accepted: false });
  });

  it('that needs more signatures than are checked is refused, and one that does not is not', async () => {
    const crowd = Array.from({ length: 12 }, () => derAuthority({ subject: 'crowd', issuer: root }));
    const leaf = derServer(crowd[11] as DerIdentity);
    expect(await verdictOf([leaf, ...crowd])).toEqual({ accepted: true });
    expect(await verdictOf([leaf, ...crowd], { maxSignatureChecks: 6 })).toMatchObject(TOO_LARGE);
  });

  it('with many names under many constraints is refused before they are compared', async () => {
    tripsLimit('chainLimits.maxNameComparisons');
    const names = Array.from({ length: 600 }, (_value, index) => `n${String(index)}.example`);
    const constrained = derAuthority({ extensions: [basicConstraints(true), dnsConstraints({ excluded: names })] });
    const leaf = derCertificate({ issuer: constrained, extensions: [alternativeNames('localhost', ...names)] });
    expect(await verdictOf([leaf], {}, constrained)).toMatchObject(TOO_LARGE);
    const few = derServer(constrained);
    expect(await verdictOf([few], {}, constrained)).toEqual({ accepted: true });
    expect(await verdictOf([few], { maxNameComparisons: 100 }, constrained)).toMatchObject(TOO_LARGE);
  });

  it('of octets changed one by one is a verdict each time, and never a wrong one', async () => {
    const leaf = derServer(root);
    const verifier = new ServerChainVerifier({ ca: root.pem }, { clock: new TodaysClock() });
    for (let at = 0; at < leaf.der.length; at += 1) {
      const changed = Buffer.from(leaf.der);
      changed[at] = (changed[at] as number) ^ 0x55;
      expect(await verifier.verify({ chain: [changed], host: 'localhost' })).toMatchObject({ accepted: false });
      const cut = leaf.der.subarray(0, at);
      expect(await verifier.verify({ chain: [cut], host: 'localhost' })).toMatchObject({ accepted: false });
    }
  });

  it('of structures within structures is a verdict', async () => {
    let deep = Buffer.alloc(0);
    for (let depth = 0; depth < 5_000; depth += 1) {
      const { length } = deep;
      deep = Buffer.concat([Buffer.from([0x30, 0x82, length >> 8, length & 0xff]), deep]);
    }
    const bomb = derServer(root, { extensions: [...serverExtensions(), extension('2.5.29.32', deep)] });
    const verifier = new ServerChainVerifier({ ca: root.pem }, { clock: new TodaysClock() });
    for (const chain of [[deep], [bomb.der]]) {
      expect(await verifier.verify({ chain, host: 'localhost' })).toMatchObject({ code: 'ERR_CERT_INVALID' });
    }
  });
});
