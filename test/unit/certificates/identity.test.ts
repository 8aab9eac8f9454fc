import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadDerWriter } from '../../../src/certificates/asn1.ts';
import { checkIdentity, openDevelopmentCa, readIdentity, readPemFile } from '../../../src/certificates/index.ts';
import type { IdentityInput, IssuedIdentity } from '../../../src/certificates/index.ts';
import { parseSubjectNames } from '../../../src/certificates/names.ts';
import { certificatePem, writeLeafCertificate } from '../../../src/certificates/x509-writer.ts';
import { ConfigurationError } from '../../../src/common/index.ts';
import { configurationError, DAY, handshake, NEW_YEAR, temporaryFolder, testClock } from './support.ts';

const { now } = testClock();
let one: IssuedIdentity;
let two: IssuedIdentity;

beforeAll(async () => {
  const ca = await openDevelopmentCa({ ephemeral: true, now });
  one = await ca.issue();
  two = await ca.issue({ keyType: 'rsa-2048' });
});

/** The error of {@link checkIdentity}. */
function refusal(input: Partial<IdentityInput>): ConfigurationError {
  try {
    checkIdentity({ cert: one.certPem, key: one.keyPem, certName: 'c.pem', keyName: 'k.pem', now, ...input });
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function encrypted(pem: string, type: 'pkcs8' | 'sec1'): string {
  return createPrivateKey(pem).export({
    type,
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open sesame',
  }) as string;
}

function der(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

async function certificateFor(key: KeyObject): Promise<string> {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const raw = writeLeafCertificate(await loadDerWriter(), {
    notBefore: NEW_YEAR - DAY,
    notAfter: NEW_YEAR + DAY,
    publicKey: key,
    signingKey: issuer.privateKey,
    issuerKey: issuer.publicKey,
    names: parseSubjectNames(['localhost']),
    clientAuth: false,
  });
  return certificatePem(raw);
}

describe('an identity that is in order', () => {
  it('is returned as PEM texts, from strings and from bytes', () => {
    const expected = { cert: one.certPem, key: one.keyPem };
    expect(checkIdentity({ cert: one.certPem, key: one.keyPem, now })).toEqual(expected);
    expect(checkIdentity({ cert: Buffer.from(one.certPem), key: Buffer.from(one.keyPem), now })).toEqual(expected);
  });

  it('may be RSA, a chain, one text for both, have a byte order mark and text around the blocks', () => {
    const chain = `\ufeffSubject: somebody\n${two.certPem}\nthe CA:\n${two.caPem}`;
    expect(checkIdentity({ cert: chain, key: two.keyPem, now }).cert).toBe(chain.slice(1));
    const both = one.keyPem + one.certPem;
    expect(checkIdentity({ cert: both, key: both, now })).toEqual({ cert: both, key: both });
  });

  it.each([
    ['ed25519', () => generateKeyPairSync('ed25519')],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' })],
    ['RSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
  ])('may have a key of type %s', async (_type, generate) => {
    const { privateKey, publicKey } = generate();
    const input = {
      cert: await certificateFor(publicKey),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    };
    expect(checkIdentity({ ...input, now })).toEqual(input);
  });

  it.each(['pkcs8', 'sec1'] as const)('may have an encrypted key (%s), which then serves TLS', async (type) => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const { certPem, keyPem } = await ca.issue();
    const identity = checkIdentity({ cert: certPem, key: encrypted(keyPem, type), passphrase: 'open sesame' });
    expect(identity.passphrase).toBe('open sesame');
    expect((await handshake(identity, ca.certificatePem, 'localhost')).error).toBe('');
  });
});

describe('an identity that cannot serve', () => {
  it.each<[string, () => Partial<IdentityInput>, string, string]>([
    ['an empty certificate', () => ({ cert: '' }), 'ERR_IDENTITY_FORMAT', 'c.pem is empty'],
    ['an empty key', () => ({ key: new Uint8Array(0) }), 'ERR_IDENTITY_FORMAT', 'k.pem is empty'],
    ['blank text', () => ({ key: ' \n\n' }), 'ERR_IDENTITY_FORMAT', 'k.pem is empty'],
    ['some text', () => ({ cert: 'hello' }), 'ERR_IDENTITY_FORMAT', 'c.pem is no PEM: it has no -----BEGIN line'],
    [
      'a DER certificate',
      () => ({ cert: der(one.certPem) }),
      'ERR_IDENTITY_FORMAT',
      'c.pem is DER (binary), where PEM is wanted',
    ],
    [
      'a DER key',
      () => ({ key: der(one.keyPem) }),
      'ERR_IDENTITY_FORMAT',
      'k.pem is DER (binary), where PEM is wanted',
    ],
    [
      'UTF-16',
      () => ({ cert: Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(one.certPem, 'utf16le')]) }),
      'ERR_IDENTITY_FORMAT',
      'c.pem is UTF-16 text, where PEM must be ASCII',
    ],
    [
      'the two swapped',
      () => ({ cert: one.keyPem, key: one.certPem }),
      'ERR_IDENTITY_FORMAT',
      'c.pem holds the key and k.pem the certificate',
    ],
    [
      'the key twice',
      () => ({ cert: one.keyPem }),
      'ERR_IDENTITY_FORMAT',
      'c.pem holds a private key and no certificate',
    ],
    [
      'the certificate twice',
      () => ({ key: one.certPem }),
      'ERR_IDENTITY_FORMAT',
      'k.pem holds a CERTIFICATE, no private key',
    ],
    [
      'a request in place of the certificate',
      () => ({ cert: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n' }),
      'ERR_IDENTITY_FORMAT',
      'c.pem holds a CERTIFICATE REQUEST, no certificate',
    ],
    [
      'a key of OpenSSH',
      () => ({ key: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n' }),
      'ERR_IDENTITY_FORMAT',
      'k.pem is a key in the format of OpenSSH',
    ],
    [
      'a certificate cut off',
      () => ({ cert: one.certPem.slice(0, 300) }),
      'ERR_IDENTITY_FORMAT',
      'c.pem is cut off: its last block has no END line',
    ],
    [
      'a chain cut off',
      () => ({ cert: one.certPem + one.caPem.slice(0, 300) }),
      'ERR_IDENTITY_FORMAT',
      'c.pem is cut off: its last block has no END line',
    ],
    [
      'a key cut off',
      () => ({ key: one.keyPem.slice(0, 100) }),
      'ERR_IDENTITY_FORMAT',
      'k.pem is cut off: its last block has no END line',
    ],
    [
      'a damaged certificate',
      () => ({ cert: one.certPem.replace(/\n.{64}\n/, '\n') }),
      'ERR_IDENTITY_FORMAT',
      'c.pem cannot be read: ',
    ],
    [
      'a damaged certificate in the chain',
      () => ({ cert: one.certPem + one.caPem.replace(/\n.{64}\n/, '\n') }),
      'ERR_IDENTITY_FORMAT',
      'certificate 2 in c.pem cannot be read: ',
    ],
    [
      'a damaged key',
      () => ({ key: one.keyPem.replace(/\n.{64}\n/, '\n') }),
      'ERR_IDENTITY_FORMAT',
      'k.pem cannot be read: ',
    ],
    [
      'an encrypted key',
      () => ({ key: encrypted(one.keyPem, 'pkcs8') }),
      'ERR_IDENTITY_PASSPHRASE',
      'k.pem is encrypted, and there is no passphrase',
    ],
    [
      'an encrypted key of the old form',
      () => ({ key: encrypted(one.keyPem, 'sec1'), passphrase: '' }),
      'ERR_IDENTITY_PASSPHRASE',
      'k.pem is encrypted, and there is no passphrase',
    ],
    [
      'a wrong passphrase',
      () => ({ key: encrypted(one.keyPem, 'pkcs8'), passphrase: 'open' }),
      'ERR_IDENTITY_PASSPHRASE',
      'the passphrase does not open k.pem',
    ],
    [
      'a wrong passphrase of the old form',
      () => ({ key: encrypted(one.keyPem, 'sec1'), passphrase: 'open' }),
      'ERR_IDENTITY_PASSPHRASE',
      'the passphrase does not open k.pem',
    ],
    [
      "another certificate's key",
      () => ({ key: two.keyPem }),
      'ERR_IDENTITY_MISMATCH',
      'k.pem does not belong to c.pem',
    ],
    [
      'the chain in the wrong order',
      () => ({ cert: one.caPem + one.certPem }),
      'ERR_IDENTITY_MISMATCH',
      'k.pem belongs to certificate 2 in c.pem, which must be the first',
    ],
    [
      'an expired certificate',
      () => ({ now: () => NEW_YEAR + 90 * DAY + 1000 }),
      'ERR_IDENTITY_EXPIRED',
      'c.pem has expired on 2027-04-01',
    ],
    [
      'a certificate of the future',
      () => ({ now: () => NEW_YEAR - DAY }),
      'ERR_IDENTITY_NOT_YET_VALID',
      'c.pem is valid from 2026-12-31 on',
    ],
    [
      'an agreement key',
      () => ({ key: generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) }),
      'ERR_IDENTITY_REFUSED',
      'k.pem is a key of type x25519, which TLS cannot use',
    ],
  ])('is refused: %s', (_what, input, code, message) => {
    const error = refusal(input());
    expect(error.code).toBe(code);
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.hint).toMatch(/^\S/);
    expect(`${error.message}${error.hint ?? ''}`).not.toMatch(/\n/);
  });

  it('is refused: PKCS#12, with the command that converts it', async () => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const { pkcs12 } = await ca.issue({ pkcs12: { passphrase: 'open' } });
    const error = refusal({ cert: pkcs12!, certName: 'my file.p12' });
    expect(error.message).toBe('my file.p12 is PKCS#12, where PEM is wanted');
    expect(error.hint).toBe('openssl pkcs12 -in "my file.p12" -nodes -out both.pem, then give both.pem twice');
  });

  it('is refused: an expired certificate further up the chain', async () => {
    const clock = testClock();
    const old = await openDevelopmentCa({ ephemeral: true, now: clock.now });
    const later = clock.now() + 800 * DAY;
    const fresh = await (await openDevelopmentCa({ ephemeral: true, now: () => later })).issue();
    const error = refusal({ cert: fresh.certPem + old.certificatePem, key: fresh.keyPem, now: () => later });
    expect(error.message).toBe('certificate 2 in c.pem has expired on 2028-12-31');
  });

  it('is refused: a key too short for TLS', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const error = refusal({ cert: await certificateFor(publicKey), key });
    expect(error.code).toBe('ERR_IDENTITY_REFUSED');
    expect(error.message).toMatch(/^TLS refuses c\.pem: .*key too small/);
    expect(error.hint).toContain('ECDSA P-256');
  });

  it('names the two when there are no paths', () => {
    expect(() => checkIdentity({ cert: one.certPem, key: two.keyPem, now })).toThrow(
      'the key does not belong to the certificate',
    );
  });
});

describe('reading identity files', () => {
  it('gives the identity', async () => {
    const folder = await temporaryFolder();
    const [certFile, keyFile, both] = [join(folder, 'c.pem'), join(folder, 'k.pem'), join(folder, 'both.pem')];
    await writeFile(certFile, one.certPem);
    await writeFile(keyFile, one.keyPem);
    await writeFile(both, one.certPem + one.keyPem);
    expect(await readIdentity({ certFile, keyFile, now })).toEqual({ cert: one.certPem, key: one.keyPem });
    const { cert } = await readIdentity({ certFile: both, keyFile: both, now });
    expect(new X509Certificate(cert).fingerprint256).toBe(one.fingerprint256);
  });

  it('says which file is missing, a folder, or too large', async () => {
    const folder = await temporaryFolder();
    const certFile = join(folder, 'c.pem');
    await writeFile(certFile, one.certPem);
    await mkdir(join(folder, 'dir'));
    const missing = await configurationError(readIdentity({ certFile, keyFile: join(folder, 'k.pem') }));
    expect([missing.code, missing.message]).toEqual([
      'ERR_IDENTITY_FILE',
      `there is no key file ${join(folder, 'k.pem')}`,
    ]);
    const below = await configurationError(readIdentity({ certFile: join(certFile, 'x'), keyFile: certFile }));
    expect(below.message).toBe(`there is no certificate file ${join(certFile, 'x')}`);
    const dir = await configurationError(readIdentity({ certFile: join(folder, 'dir'), keyFile: certFile }));
    expect(dir.message).toBe(`${join(folder, 'dir')} is a folder, not a certificate file`);
    await writeFile(join(folder, 'big'), Buffer.alloc(1_048_577));
    const big = await configurationError(readPemFile(join(folder, 'big'), 'CA'));
    expect(big.message).toBe(`${join(folder, 'big')} is larger than 1 MiB, too large for a CA`);
    await writeFile(join(folder, 'big'), Buffer.alloc(1_048_576));
    expect(await readPemFile(join(folder, 'big'), 'CA')).toHaveLength(1_048_576);
  });

  it('judges what it has read, with the path in the message', async () => {
    const folder = await temporaryFolder();
    const certFile = join(folder, 'c.pem');
    await writeFile(certFile, one.keyPem);
    const keyFile = join(folder, 'k.pem');
    await writeFile(keyFile, one.certPem);
    const error = await configurationError(readIdentity({ certFile, keyFile, now }));
    expect(error.message).toBe(`${certFile} holds the key and ${keyFile} the certificate`);
    expect(error.hint).toBe('swap the two');
  });
});
