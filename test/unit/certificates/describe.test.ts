import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadDerWriter } from '../../../src/certificates/asn1.ts';
import type { Asn1 } from '../../../src/certificates/asn1.ts';
import { describeCertificate, openDevelopmentCa } from '../../../src/certificates/index.ts';
import { certificatePem } from '../../../src/certificates/x509-writer.ts';
import { ConfigurationError } from '../../../src/common/index.ts';
import { DAY, NEW_YEAR, testClock } from './support.ts';

describe('describing a certificate', () => {
  it('gives the facts of a leaf and of a CA', async () => {
    const { now } = testClock();
    const ca = await openDevelopmentCa({ ephemeral: true, now });
    const leaf = await ca.issue({ names: ['a.localhost', '*.b.localhost', '127.0.0.1', '::1'] });
    const facts = describeCertificate(`text before\n${leaf.keyPem}${leaf.certPem}`);
    const caFacts = describeCertificate(ca.certificatePem);
    expect(facts).toEqual({
      subject: 'O=hface-ts, CN=hface-ts development certificate',
      issuer: caFacts.subject,
      names: ['a.localhost', '*.b.localhost', '127.0.0.1', '::1'],
      notBefore: NEW_YEAR - 3_600_000,
      notAfter: NEW_YEAR + 90 * DAY,
      serialNumber: facts.serialNumber,
      fingerprint256: leaf.fingerprint256,
      key: 'ECDSA prime256v1',
      ca: false,
    });
    expect(caFacts).toMatchObject({ ca: true, names: [], issuer: caFacts.subject, fingerprint256: ca.fingerprint256 });
    expect(facts.serialNumber).toMatch(/^[0-9A-F]{32}$/);
  });

  it('says that there is no certificate, or that it is damaged', async () => {
    const { keyPem, certPem } = await (await openDevelopmentCa({ ephemeral: true })).issue();
    expect(() => describeCertificate('')).toThrow('there is no certificate in this text');
    expect(() => describeCertificate(keyPem)).toThrow(ConfigurationError);
    expect(() => describeCertificate(certPem.replace(/\n.{64}\n/, '\n'))).toThrow('the certificate cannot be read');
  });

  it('escapes control characters, and takes no part of a name for another name', async () => {
    const facts = describeCertificate(await hostileCertificate());
    expect(facts.subject).not.toMatch(/[\u0000-\u001f]/);
    expect(facts.subject).toMatch(/^CN=evil.*\[2J$/);
    expect(facts.names).toEqual(['a, DNS:b.localhost', 'c\\x1b"d', 'last.localhost', '10.0.0.1']);
  });
});

/** A certificate whose names try to pass for other names, and to steer a terminal. */
async function hostileCertificate(): Promise<string> {
  const der = await loadDerWriter();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const algorithm = der.sequence(der.oid('1.3.101.112'));
  const name = der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.utf8String('evil\u001b[2J'))));
  const dns = (text: string): Asn1 => der.taggedBytes(2, Buffer.from(text, 'latin1'));
  const names = der.sequence(
    dns('a, DNS:b.localhost'),
    dns('c\u001b"d'),
    der.taggedBytes(6, Buffer.from('https://x.example/, DNS:e')),
    dns('last.localhost'),
    der.taggedBytes(7, Uint8Array.of(10, 0, 0, 1)),
  );
  const tbs = der.sequence(
    der.tagged(0, der.integer(2)),
    der.integer(1),
    algorithm,
    name,
    der.sequence(der.time(NEW_YEAR), der.time(NEW_YEAR + DAY)),
    name,
    der.fromDer(publicKey.export({ format: 'der', type: 'spki' })),
    der.tagged(3, der.sequence(der.sequence(der.oid('2.5.29.17'), der.octetString(names)))),
  );
  const signature = sign(null, der.encode(tbs), privateKey);
  return certificatePem(der.encode(der.sequence(tbs, algorithm, der.bitString(signature))));
}
