/**
 * Certificates that fooled those who parse and verify by themselves, shown to our verifier of chains.
 *
 * CVE-2026-33891 (degenerate numbers), CVE-2026-33894 (a field too many in an RSA signature, as in CVE-2022-24771),
 * CVE-2026-33895 (S above the order of Ed25519), CVE-2026-33896 (no basicConstraints at all), CVE-2025-12816 (one
 * encoding, two readings), CVE-2025-66030 (object identifiers cut to 32 bits), CVE-2025-66031 (structures without end).
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ServerChainVerifier } from '../../src/trust/index.ts';
import type { CertificateVerdict } from '../../src/trust/index.ts';
import {
  alternativeNames,
  basicConstraints,
  der,
  derAuthority,
  derCertificate,
  derServer,
  extendedKeyUsage,
  extension,
  keyUsage,
  newKey,
  octets,
  oid,
  sequence,
  SERVER_AUTH,
  serverExtensions,
  text,
} from '../support/der-certificates.ts';
import type { DerIdentity } from '../support/der-certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';

class TodaysClock extends ManualClock {
  override wallTime(): number {
    return Date.now();
  }
}

const accepted = { accepted: true };
const root = derAuthority({ subject: 'root' });

function verdictOf(chain: readonly (DerIdentity | Uint8Array)[], ca: DerIdentity = root): Promise<CertificateVerdict> {
  const bytes = chain.map((one) => (one instanceof Uint8Array ? one : one.der));
  return new ServerChainVerifier({ ca: ca.pem }, { clock: new TodaysClock() }).verify({
    chain: bytes,
    host: 'localhost',
  });
}

describe('a forged signature', () => {
  const weak = derAuthority({ subject: 'an authority with exponent 3', key: newKey('rsa-e3') });
  const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'), der(0x05));
  const digest = (tbs: Uint8Array): Buffer => createHash('sha256').update(tbs).digest();

  /** A number whose cube begins with these octets, out of 256: what is behind them is whatever it is. */
  function cubeRoot(begins: Uint8Array): Buffer {
    const free = BigInt(8 * (256 - begins.length));
    const wanted = BigInt(`0x${Buffer.from(begins).toString('hex')}`) << free;
    let low = 0n;
    let high = 1n << 700n;
    while (low < high) {
      const middle = (low + high) >> 1n;
      if (middle ** 3n < wanted) low = middle + 1n;
      else high = middle;
    }
    const cube = low ** 3n;
    expect(cube >> free).toBe(wanted >> free);
    return Buffer.from(low.toString(16).padStart(512, '0'), 'hex');
  }

  const padding = Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(8, 255), Buffer.alloc(1)]);

  it.each<[string, (tbs: Uint8Array) => Buffer]>([
    ['with garbage behind the digest', (tbs) => Buffer.concat([padding, sequence(SHA256, octets(digest(tbs)))])],
    [
      'with a field too many (CVE-2026-33894)',
      (tbs) => {
        const head = Buffer.concat([SHA256, octets(digest(tbs))]);
        // The rest of the modulus is one more octet string.
        const inner = 256 - padding.length - 4;
        const rest = inner - head.length - 4;
        const field = Buffer.from([0x04, 0x82, rest >> 8, rest & 0xff]);
        return Buffer.concat([padding, Buffer.from([0x30, 0x82, inner >> 8, inner & 0xff]), head, field]);
      },
    ],
  ])('of RSA %s is wrong', async (_what, begins) => {
    const forged = derServer(weak, { signed: (tbs) => cubeRoot(begins(tbs)) });
    expect(await verdictOf([forged], weak)).toMatchObject({ accepted: false, code: 'ERR_CERT_INVALID' });
    expect(await verdictOf([derServer(weak)], weak)).toEqual(accepted);
  });

  it('of Ed25519 with S above the order is wrong (CVE-2026-33895)', async () => {
    const authority = derAuthority({ subject: 'an authority of Ed25519', key: newKey('ed25519') });
    const leaf = derServer(authority);
    const order = (1n << 252n) + 27742317777372353535851937790883648493n;
    const changed = Buffer.from(leaf.der);
    const s = changed.subarray(changed.length - 32);
    const number = BigInt(`0x${Buffer.from(s).reverse().toString('hex')}`) + order;
    Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse().copy(s);
    expect(await verdictOf([changed], authority)).toMatchObject({ accepted: false, code: 'ERR_CERT_INVALID' });
    expect(await verdictOf([leaf], authority)).toEqual(accepted);
  });
});

describe('a leaf that signs others', () => {
  it.each<[string, readonly Buffer[] | undefined]>([
    ['without any extension (CVE-2026-33896)', undefined],
    ['without basicConstraints', serverExtensions().slice(1)],
    ['with key usage alone', [keyUsage(0x84)]],
    ['that says it is none', serverExtensions()],
    ['with basicConstraints under another name', [extension('2.5.29.10', sequence(der(0x01, [0xff])))]],
  ])('%s is no authority', async (_what, extensions) => {
    const leaf = derCertificate({ issuer: root, ...(extensions === undefined ? {} : { extensions }) });
    expect(await verdictOf([derServer(leaf), leaf])).toMatchObject({ accepted: false, code: 'ERR_CERT_INVALID' });
  });
});

describe('an object identifier that ends like another (CVE-2025-66030)', () => {
  const above = (arc: number): string => String(2 ** 32 + arc);

  it('is no known extension', async () => {
    const critical = extension(`2.5.29.${above(19)}`, sequence(der(0x01, [0xff])), true);
    expect(await verdictOf([derServer(root, { extensions: [...serverExtensions(), critical] })])).toMatchObject({
      accepted: false,
      reason: 'a certificate of its chain has a critical extension that is not known here',
    });
    const constraints = extension(`2.5.29.${above(19)}`, sequence(der(0x01, [0xff])));
    const authority = derCertificate({ issuer: root, extensions: [constraints, keyUsage(0x04)] });
    expect(await verdictOf([derServer(authority), authority])).toMatchObject({ accepted: false });
    const names = extension(`2.5.29.${above(17)}`, sequence(text(0x82, 'localhost')));
    expect(await verdictOf([derServer(root, { extensions: [names] })])).toMatchObject({ code: 'ERR_CERT_NAME' });
  });

  it('is no known purpose', async () => {
    const purpose = extendedKeyUsage(SERVER_AUTH.replace(/1$/, above(1)));
    const leaf = derServer(root, { extensions: [alternativeNames('localhost'), purpose] });
    expect(await verdictOf([leaf])).toMatchObject({ code: 'ERR_CERT_PURPOSE' });
  });
});

describe('one encoding with two readings (CVE-2025-12816)', () => {
  const leaf = derServer(root).der;
  const content = leaf.subarray(4);

  it.each<[string, Buffer]>([
    ['of indefinite length', Buffer.concat([Buffer.from([0x30, 0x80]), content, Buffer.alloc(2)])],
    [
      'with a length longer than need be',
      Buffer.concat([Buffer.from([0x30, 0x83, 0, content.length >> 8, content.length & 0xff]), content]),
    ],
    ['with something behind it', Buffer.concat([leaf, leaf])],
    ['behind something', Buffer.concat([der(0x05), leaf])],
  ])('%s is not read', async (_what, bytes) => {
    expect(leaf[1]).toBe(0x82);
    expect(await verdictOf([bytes])).toMatchObject({
      code: 'ERR_CERT_INVALID',
      reason: 'its certificate cannot be read',
    });
  });

  it.each<[string, readonly Buffer[]]>([
    ['two lists of names', [alternativeNames('localhost'), alternativeNames('other.example')]],
    ['constraints twice, yes and no', [alternativeNames('localhost'), basicConstraints(false), basicConstraints(true)]],
    ['an extension in an extension', [extension('2.5.29.17', octets(sequence(text(0x82, 'localhost'))))]],
    [
      'a list of names with something behind it',
      [extension('2.5.29.17', Buffer.concat([sequence(text(0x82, 'localhost')), der(0x05)]))],
    ],
    ['a name with a zero in it', [extension('2.5.29.17', sequence(text(0x82, 'localhost\0.evil.example')))]],
  ])('%s is not taken for one', async (_what, extensions) => {
    expect(await verdictOf([derServer(root, { extensions })])).toMatchObject({ accepted: false });
  });
});

describe('degenerate numbers (CVE-2026-33891)', () => {
  const rsa = (modulus: readonly number[], exponent: readonly number[]): Buffer =>
    sequence(
      sequence(oid('1.2.840.113549.1.1.1'), der(0x05)),
      der(0x03, [0], sequence(der(0x02, modulus), der(0x02, exponent))),
    );
  const big = [0, ...Array<number>(256).fill(0xfb)];

  it.each<[string, Buffer]>([
    ['a modulus of zero', rsa([0], [1, 0, 1])],
    ['a modulus of one', rsa([1], [1, 0, 1])],
    ['a negative modulus', rsa(Array<number>(256).fill(0xfb), [1, 0, 1])],
    ['an exponent of zero', rsa(big, [0])],
    ['a large exponent', rsa(big, big)],
    ['a modulus of 32,768 bits', rsa([0, ...Array<number>(4_096).fill(0xfb)], [1, 0, 1])],
  ])('%s ends at once', async (what, spki) => {
    const authority = derAuthority({ subject: 'degenerate', issuer: root, spki });
    const below = derServer({ ...authority, key: newKey('rsa2048') });
    const started = performance.now();
    expect(await verdictOf([below, authority])).toMatchObject({ accepted: false });
    // What is signed by nobody's key proves nobody either; a negative one is not told apart, and verifies nothing.
    const verdict = await verdictOf([derServer(root, { spki })]);
    expect(verdict.accepted && !what.startsWith('a negative')).toBe(false);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('structures without end (CVE-2025-66031)', () => {
  it.each([0x30, 0x31, 0x24, 0xa0, 0x7f])('of tag %i are a verdict', async (tag) => {
    let deep: Buffer = Buffer.alloc(0);
    while (deep.length < 14_000) deep = der(tag, deep);
    const bomb = derServer(root, { extensions: [...serverExtensions(), extension('2.5.29.35', deep)] });
    for (const chain of [[deep], [bomb], [bomb, bomb]]) {
      expect(await verdictOf(chain)).toMatchObject({ accepted: false });
    }
  });
});
