import { createHmac, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  cipherSuiteById,
  cipherSuites,
  NamedGroup,
  nodeCryptoProvider as crypto,
  SignatureScheme as Scheme,
} from '../../../src/crypto/index.ts';

const fixture = (name: string): string => readFileSync(path.join(import.meta.dirname, 'fixtures', name), 'utf8');
const certificate = (name: string): Uint8Array => new X509Certificate(fixture(`${name}.cert.pem`)).raw;
const NONCE = Buffer.alloc(12, 3);

describe('cipher suites', () => {
  it.each([0x1301, 0x1302, 0x1303])('RFC 8446 appendix B.4: %i', (id) => {
    expect(cipherSuiteById(id)?.id).toBe(id);
  });

  it('others there are not', () => expect(cipherSuiteById(0x1304)).toBeUndefined());

  it.each(cipherSuites)(
    '$name opens what it sealed, and nothing else (RFC 5116 section 2.2)',
    ({ aead, keyLength }) => {
      const key = crypto.createAead(aead, Buffer.alloc(keyLength, 7));
      const associated = Buffer.from('header');
      for (const length of [0, 1, 15, 16, 1_200]) {
        const plaintext = Buffer.alloc(length, 5);
        const sealed = Buffer.alloc(length + 20);
        expect(key.seal(NONCE, associated, plaintext, sealed, 4)).toBe(length + 16);
        const good = sealed.subarray(4);
        expect(Buffer.from(key.open(NONCE, associated, good) as Uint8Array).equals(plaintext)).toBe(true);
        for (const at of [0, good.length - 1]) {
          const bad = Buffer.from(good);
          bad[at] = (bad[at] as number) ^ 1;
          expect(key.open(NONCE, associated, bad)).toBeUndefined();
        }
        expect(key.open(Buffer.alloc(12, 4), associated, good)).toBeUndefined();
        expect(key.open(NONCE, Buffer.from('heade'), good)).toBeUndefined();
      }
      for (const length of [0, 1, 15]) expect(key.open(NONCE, associated, Buffer.alloc(length))).toBeUndefined();
    },
  );

  it.each(cipherSuites)('$name masks many headers as it masks one', ({ aead, keyLength }) => {
    const protection = crypto.createHeaderProtection(aead, Buffer.alloc(keyLength, 9));
    const samples = Buffer.from(Array.from({ length: 16 * 64 }, (_, index) => (index * 31) & 0xff));
    const together = new Uint8Array(5 * 64);
    protection.masks(samples, together);
    for (let index = 0; index < 64; index += 1) {
      const alone = new Uint8Array(5);
      protection.masks(samples.subarray(index * 16, index * 16 + 16), alone);
      expect(alone).toEqual(together.slice(index * 5, index * 5 + 5));
    }
  });
});

describe('hashes', () => {
  it('of a transcript go on after each digest', () => {
    const transcript = crypto.createTranscriptHash('sha384');
    transcript.update(Buffer.from('one'));
    expect(transcript.digest()).toEqual(crypto.hash('sha384', Buffer.from('one')));
    transcript.update(Buffer.from('two'));
    expect(transcript.digest()).toEqual(crypto.hash('sha384', Buffer.from('onetwo')));
    expect(transcript.digest()).toEqual(crypto.hash('sha384', Buffer.from('onetwo')));
  });

  it('are compared, whatever their lengths', () => {
    expect(crypto.equal(Buffer.from('ab'), Buffer.from('ab'))).toBe(true);
    expect(crypto.equal(Buffer.from('ab'), Buffer.from('ac'))).toBe(false);
    expect(crypto.equal(Buffer.from('ab'), Buffer.from('abc'))).toBe(false);
  });
});

describe('key agreement', () => {
  const counting = (): { fill(target: Uint8Array): Uint8Array } => {
    let next = 1;
    return {
      fill(target) {
        for (let index = 0; index < target.length; index += 1) target[index] = (next++ * 7) & 0x7f;
        return target;
      },
    };
  };

  it.each(crypto.groups)('group %i: both sides have one secret', (group) => {
    const client = crypto.generateKeyAgreement(group);
    expect(client.group).toBe(group);
    const answer = crypto.answerKeyAgreement(group, client.share);
    expect(Buffer.from(client.agree(answer?.share as Uint8Array) as Uint8Array)).toEqual(
      Buffer.from(answer?.secret as Uint8Array),
    );
    expect(crypto.generateKeyAgreement(group).share).not.toEqual(client.share);
  });

  it.each([NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1])('group %i comes from a seed', (group) => {
    const one = crypto.generateKeyAgreement(group, counting());
    const other = crypto.generateKeyAgreement(group, counting());
    expect(one.share).toEqual(other.share);
  });

  it('RFC 8446 section 4.2.8.2: only uncompressed points on the curve', () => {
    for (const [group, length] of [
      [NamedGroup.secp256r1, 65],
      [NamedGroup.secp384r1, 97],
    ] as const) {
      const own = crypto.generateKeyAgreement(group);
      const good = crypto.generateKeyAgreement(group).share;
      expect(good.length).toBe(length);
      expect(own.agree(good)).toBeDefined();
      const compressed = Buffer.concat([Buffer.from([2]), good.subarray(1, (length + 1) / 2)]);
      const hybrid = Buffer.from(good);
      hybrid[0] = 6;
      const outside = Buffer.from(good);
      outside[length - 1] = (outside[length - 1] as number) ^ 1;
      for (const bad of [new Uint8Array(0), compressed, hybrid, outside, Buffer.alloc(length), Buffer.from([0])]) {
        expect(own.agree(bad)).toBeUndefined();
        expect(crypto.answerKeyAgreement(group, bad)).toBeUndefined();
      }
    }
  });

  it.each(['sha256', 'sha384'] as const)('RFC 2104: HMAC-%s of keys and texts of all lengths', (hash) => {
    for (const keyLength of [0, 1, 31, 32, 48, 64, 65, 128, 129, 32]) {
      for (const length of [0, 1, 63, 64, 255, 256, 257, 1_000, 5]) {
        const key = Buffer.alloc(keyLength, keyLength + 1);
        const data = Buffer.alloc(length, 255 - length);
        const expected = createHmac(hash, key).update(data).digest('hex');
        expect(Buffer.from(crypto.hmac(hash, key, data)).toString('hex')).toBe(expected);
      }
    }
  });

  it('x25519 keys are made without end: Node 20 could stop where one was exported after it was made', () => {
    const shares = new Set<string>();
    for (let count = 0; count < 5_000; count += 1) {
      shares.add(Buffer.from(crypto.generateKeyAgreement(NamedGroup.x25519).share).toString('latin1'));
    }
    expect(shares.size).toBe(5_000);
  });

  it('RFC 8446 section 7.4.2: no x25519 secret of zeros, no share of another length', () => {
    const own = crypto.generateKeyAgreement(NamedGroup.x25519);
    for (const bad of [
      Buffer.alloc(32),
      Buffer.from([1, ...Buffer.alloc(31)]),
      Buffer.alloc(31, 9),
      Buffer.alloc(33, 9),
    ]) {
      expect(own.agree(bad)).toBeUndefined();
    }
  });

  it('refuses groups that there are not', () => {
    expect(() => crypto.generateKeyAgreement(0x0100)).toThrow(TypeError);
    expect(() => crypto.answerKeyAgreement(0x0100, new Uint8Array(1))).toThrow(TypeError);
  });

  it('with ML-KEM refuses what is malformed, and a seed', () => {
    const group = NamedGroup.x25519MlKem768;
    expect(() => crypto.answerKeyAgreement(group, new Uint8Array(1216), counting())).toThrow(TypeError);
    expect(() => crypto.generateKeyAgreement(group, counting())).toThrow(TypeError);
    if (!crypto.groups.includes(group)) {
      expect(() => crypto.generateKeyAgreement(group)).toThrow(TypeError);
      expect(() => crypto.answerKeyAgreement(group, new Uint8Array(1216))).toThrow(TypeError);
      return;
    }
    const own = crypto.generateKeyAgreement(group);
    expect(own.share.length).toBe(1216);
    const answer = crypto.answerKeyAgreement(group, own.share);
    expect(answer?.share.length).toBe(1120);
    expect(answer?.secret.length).toBe(64);
    for (const length of [0, 31, 32, 1119, 1121]) expect(own.agree(new Uint8Array(length))).toBeUndefined();
    // FIPS 203 section 7.2: coefficients below the modulus.
    for (const bad of [new Uint8Array(10), new Uint8Array(1215), Buffer.alloc(1216, 0xff)]) {
      expect(crypto.answerKeyAgreement(group, bad)).toBeUndefined();
    }
  });
});

describe('signatures (RFC 8446 section 4.2.3)', () => {
  const kinds: [string, number[]][] = [
    ['p256', [Scheme.ecdsaSecp256r1Sha256]],
    ['p384', [Scheme.ecdsaSecp384r1Sha384]],
    ['ed25519', [Scheme.ed25519]],
    ['rsa', [Scheme.rsaPssRsaeSha256, Scheme.rsaPssRsaeSha384, Scheme.rsaPssRsaeSha512]],
    ['rsa-pss', [Scheme.rsaPssPssSha256, Scheme.rsaPssPssSha384, Scheme.rsaPssPssSha512]],
    ['rsa-pss-sha384', [Scheme.rsaPssPssSha384]],
  ];

  it.each(kinds)('%s', (name, schemes) => {
    const signing = crypto.importSigningKey(fixture(`${name}.key.pem`));
    const verifying = crypto.importCertificateKey(certificate(name));
    expect(signing.schemes).toEqual(schemes);
    expect(verifying?.schemes).toEqual(schemes);
    const data = Buffer.from('what is signed');
    for (const scheme of schemes) {
      const signature = signing.sign(scheme, data);
      expect(verifying?.verify(scheme, data, signature)).toBe(true);
      expect(verifying?.verify(scheme, Buffer.from('another'), signature)).toBe(false);
      expect(verifying?.verify(scheme, data, signature.subarray(1))).toBe(false);
      expect(verifying?.verify(scheme, data, new Uint8Array(0))).toBe(false);
    }
    const foreign = name === 'ed25519' ? Scheme.ecdsaSecp256r1Sha256 : Scheme.ed25519;
    expect(verifying?.verify(foreign, data, signing.sign(schemes[0] as number, data))).toBe(false);
    expect(() => signing.sign(foreign, data)).toThrow(TypeError);
  });

  it('RFC 8017 section 8.1.2: a signature of RSA is as long as the modulus, leading zeros included', () => {
    const signing = crypto.importSigningKey(fixture('rsa.key.pem'));
    const verifying = crypto.importCertificateKey(certificate('rsa'));
    const data = Buffer.from('what is signed');
    let signature = signing.sign(Scheme.rsaPssRsaeSha256, data);
    // The salt is another each time: one in 256 begins with a zero.
    while (signature[0] !== 0) signature = signing.sign(Scheme.rsaPssRsaeSha256, data);
    expect(verifying?.verify(Scheme.rsaPssRsaeSha256, data, signature)).toBe(true);
    expect(verifying?.verify(Scheme.rsaPssRsaeSha256, data, signature.subarray(1))).toBe(false);
  });

  it.each(['p521', 'rsa1024'])('%s signs nothing here', (name) => {
    expect(() => crypto.importSigningKey(fixture(`${name}.key.pem`))).toThrow(/kind or size/);
    expect(crypto.importCertificateKey(certificate(name))).toBeUndefined();
  });

  it('take keys as PEM bytes and as PKCS#8, and certificates that are none for none', () => {
    const pem = fixture('p256.key.pem');
    const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
    expect(crypto.importSigningKey(Buffer.from(pem)).schemes).toEqual([Scheme.ecdsaSecp256r1Sha256]);
    expect(crypto.importSigningKey(der).schemes).toEqual([Scheme.ecdsaSecp256r1Sha256]);
    expect(() => crypto.importSigningKey('nothing')).toThrow();
    expect(crypto.importCertificateKey(Buffer.from('nothing'))).toBeUndefined();
  });

  it('take an encrypted key with its passphrase', () => {
    const key = createPrivateKey(fixture('p256.key.pem'));
    const pem = key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open' });
    expect(crypto.importSigningKey(pem.toString(), 'open').schemes.length).toBe(1);
    expect(() => crypto.importSigningKey(pem.toString(), 'shut')).toThrow();
  });
});
