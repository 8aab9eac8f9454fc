import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadDerWriter } from '../../../src/certificates/asn1.ts';
import { derMembers, derValues, hasExtension } from '../../../src/certificates/der-reader.ts';
import { nameScope, parseSubjectNames } from '../../../src/certificates/names.ts';
import type { NameScopeName } from '../../../src/certificates/names.ts';
import { nameConstraintsDer, writeCaCertificate, writeLeafCertificate } from '../../../src/certificates/x509-writer.ts';
import { DAY, NEW_YEAR } from './support.ts';

const ca = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

async function caCertificate(scope: NameScopeName = 'loopback', start = NEW_YEAR): Promise<X509Certificate> {
  const raw = writeCaCertificate(await loadDerWriter(), {
    notBefore: start,
    notAfter: start + 730 * DAY,
    publicKey: ca.publicKey,
    signingKey: ca.privateKey,
    scope: nameScope(scope),
  });
  return new X509Certificate(raw);
}

async function leafCertificate(
  key: KeyObject,
  options: { names?: string[]; clientAuth?: boolean; notAfter?: number } = {},
): Promise<X509Certificate> {
  const raw = writeLeafCertificate(await loadDerWriter(), {
    notBefore: NEW_YEAR,
    notAfter: options.notAfter ?? NEW_YEAR + 90 * DAY,
    publicKey: key,
    signingKey: ca.privateKey,
    issuerKey: ca.publicKey,
    names: parseSubjectNames(options.names ?? ['localhost', '127.0.0.1', '::1']),
    clientAuth: options.clientAuth ?? false,
  });
  return new X509Certificate(raw);
}

/** identifier in hexadecimal → [critical, value in hexadecimal] */
function extensions(certificate: X509Certificate): Map<string, [boolean, string]> {
  const tbs = derMembers(certificate.raw)[0]!;
  const list = derValues(tbs.content).find((member) => member.tag === 0xa3)!;
  return new Map(
    derMembers(list.content).map((extension) => {
      const parts = derValues(extension.content);
      return [hex(parts[0]!.content), [parts.length === 3, hex(parts[parts.length - 1]!.content)]];
    }),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** id-ce, RFC 5280 section 4.2.1 */
const ce = (number: number): string => `551d${number.toString(16).padStart(2, '0')}`;

describe('the CA certificate (RFC 5280 section 4)', () => {
  it('is self-signed by its own key, and by no other', async () => {
    const certificate = await caCertificate();
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.verify(other.publicKey)).toBe(false);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.subject).toBe(certificate.issuer);
    expect(certificate.ca).toBe(true);
  });

  it('has the critical extensions with exactly their values (sections 4.2.1.3, 4.2.1.9)', async () => {
    const found = extensions(await caCertificate());
    expect(found.get(ce(19))).toEqual([true, '30060101ff020100']);
    expect(found.get(ce(15))).toEqual([true, '03020106']);
    expect(found.get(ce(30))![0]).toBe(true);
    expect(found.get(ce(37))).toEqual([false, '301406082b0601050507030106082b06010505070302']);
    expect([...found.keys()].sort()).toEqual([ce(14), ce(15), ce(19), ce(30), ce(35), ce(37)]);
  });

  it('has the key identifier of RFC 7093 section 2 method 1, in both identifiers', async () => {
    const found = extensions(await caCertificate());
    const point = ca.publicKey.export({ format: 'der', type: 'spki' }).subarray(-65);
    const keyId = createHash('sha256').update(point).digest('hex').slice(0, 40);
    expect(found.get(ce(14))).toEqual([false, `0414${keyId}`]);
    expect(found.get(ce(35))).toEqual([false, `30168014${keyId}`]);
  });

  it.each(['loopback', 'private'] as const)('has the name constraints that scope %s keeps as bytes', async (scope) => {
    const written = nameConstraintsDer(await loadDerWriter(), nameScope(scope));
    expect(hex(nameScope(scope).extension)).toBe(hex(written));
    const certificate = await caCertificate(scope);
    expect(hasExtension(certificate.raw, nameScope(scope).extension)).toBe(true);
    expect(hasExtension(certificate.raw, nameScope(scope === 'private' ? 'loopback' : 'private').extension)).toBe(
      false,
    );
  });

  it('says what it permits in words that OpenSSL reads back', async () => {
    const decoded = (await caCertificate()).toLegacyObject();
    expect(decoded.subject).toMatchObject({ O: 'hface-ts' });
    expect(decoded.subject.CN).toMatch(/^hface-ts development CA [0-9a-f]{8}$/);
    // GeneralSubtree with dNSName localhost, iPAddress 127.0.0.0/8, ::1/128.
    const value = extensions(await caCertificate()).get(ce(30))![1];
    expect(value).toContain(`8209${hex(Buffer.from('localhost'))}`);
    expect(value).toContain('87087f000000ff000000');
    expect(value).toContain(`8720${'0'.repeat(31)}1${'f'.repeat(32)}`);
  });

  it('writes times until 2049 as UTCTime and later ones as GeneralizedTime (section 4.1.2.5)', async () => {
    const early = await caCertificate('loopback', Date.UTC(2047, 11, 31));
    expect(early.validTo).toBe('Dec 30 00:00:00 2049 GMT');
    const late = await caCertificate('loopback', Date.UTC(2049, 11, 31, 23, 59, 59, 999));
    expect(late.validFrom).toBe('Dec 31 23:59:59 2049 GMT');
    expect(late.validTo).toBe('Dec 31 23:59:59 2051 GMT');
    expect(hex(late.raw)).toContain(
      `170d${hex(Buffer.from('491231235959Z'))}180f${hex(Buffer.from('20511231235959Z'))}`,
    );
  });
});

describe('a leaf (RFC 5280 section 4)', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

  it.each([
    ['ECDSA P-256', other],
    ['RSA 2048', rsa],
  ])('with a key of type %s is issued by the CA', async (_type, pair) => {
    const [authority, certificate] = [await caCertificate(), await leafCertificate(pair.publicKey)];
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(pair.privateKey)).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it('names hosts and addresses in subjectAltName only (section 4.2.1.6)', async () => {
    const certificate = await leafCertificate(other.publicKey, { names: ['localhost', '127.0.0.1', '[::1]'] });
    expect(certificate.checkHost('localhost', { subject: 'never' })).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.subject).toBe('O=hface-ts\nCN=hface-ts development certificate');
    expect(certificate.checkIP('127.0.0.2')).toBeUndefined();
  });

  it('has digitalSignature critical, serverAuth, and clientAuth on request (sections 4.2.1.3, 4.2.1.12)', async () => {
    const found = extensions(await leafCertificate(other.publicKey));
    expect(found.get(ce(15))).toEqual([true, '03020780']);
    expect(found.get(ce(19))).toEqual([true, '3000']);
    expect((await leafCertificate(other.publicKey)).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    const both = await leafCertificate(other.publicKey, { clientAuth: true });
    expect(both.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it("has the issuer's key identifier as its authority key identifier (section 4.2.1.1)", async () => {
    const [issuer, found] = [extensions(await caCertificate()), extensions(await leafCertificate(other.publicKey))];
    expect(found.get(ce(35))![1]).toBe(`30168014${issuer.get(ce(14))![1].slice(4)}`);
    expect(found.get(ce(14))).not.toEqual(issuer.get(ce(14)));
  });

  it('has a positive serial number of 128 bits, each time another (section 4.1.2.2)', async () => {
    const serials = new Set<string>();
    for (let i = 0; i < 20; i += 1) serials.add((await leafCertificate(other.publicKey)).serialNumber);
    expect(serials.size).toBe(20);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });
});

describe('the DER reader', () => {
  it('ends where a value does not fit (X.690 section 8.1.3)', () => {
    expect(derValues(Uint8Array.of())).toEqual([]);
    expect(derValues(Uint8Array.of(0x30))).toEqual([]);
    expect(derValues(Uint8Array.of(0x30, 0x05, 0x01))).toEqual([]);
    expect(derValues(Uint8Array.of(0x30, 0x85, 1, 1, 1, 1, 1))).toEqual([]);
    expect(
      derValues(Uint8Array.of(0x05, 0x00, 0x30, 0x81, 0x01, 0x07)).map((value) => [value.tag, hex(value.content)]),
    ).toEqual([
      [0x05, ''],
      [0x30, '07'],
    ]);
    expect(hasExtension(Uint8Array.of(0x30, 0x00), Uint8Array.of())).toBe(false);
    expect(hasExtension(Uint8Array.of(0x30, 0x02, 0x30, 0x00), Uint8Array.of())).toBe(false);
  });

  it('does not take the bytes of an extension for one when they stand elsewhere', async () => {
    const der = await loadDerWriter();
    const { extension } = nameScope('loopback');
    const decoy = der.encode(
      der.sequence(
        der.sequence(der.octetString(extension), der.tagged(3, der.sequence(der.sequence(der.octetString(extension))))),
      ),
    );
    expect(hasExtension(decoy, extension)).toBe(false);
    const real = der.encode(der.sequence(der.sequence(der.tagged(3, der.sequence(der.fromDer(extension))))));
    expect(hasExtension(real, extension)).toBe(true);
  });
});
