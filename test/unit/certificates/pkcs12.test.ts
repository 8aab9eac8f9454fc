import { createSecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { openDevelopmentCa, writePkcs12 } from '../../../src/certificates/index.ts';
import { handshake } from './support.ts';

describe('PKCS#12 (RFC 7292)', () => {
  it.each([
    ['ecdsa-p256', 'open sesame'],
    ['rsa-2048', 'pässwörd €'],
    ['ecdsa-p256', '🔑'],
    ['ecdsa-p256', 'x'.repeat(200)],
  ] as const)('with a key of type %s and passphrase %j serves TLS', async (keyType, passphrase) => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const { pkcs12 } = await ca.issue({ keyType, pkcs12: { passphrase, friendlyName: 'Entwicklung ü' } });
    const result = await handshake({ pfx: Buffer.from(pkcs12!), passphrase }, ca.certificatePem, 'localhost');
    expect(result).toEqual({ error: '', shown: 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1' });
  });

  it('does not open with another passphrase, nor when a byte is changed', async () => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const { pkcs12 } = await ca.issue({ pkcs12: { passphrase: 'open' } });
    const pfx = Buffer.from(pkcs12!);
    expect(() => createSecureContext({ pfx, passphrase: 'Open' })).toThrow(/mac verify failure/);
    const changed = Buffer.from(pfx);
    changed[300] = changed[300]! ^ 1;
    expect(() => createSecureContext({ pfx: changed, passphrase: 'open' })).toThrow();
  });

  it('hides the key and not the certificate', async () => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const { certPem, keyPem } = await ca.issue();
    const bytes = Buffer.from(await writePkcs12({ certPem, keyPem, passphrase: 'open' }));
    const scalar = Buffer.from(keyPem.replace(/-----[^-]+-----|\s/g, ''), 'base64').subarray(36, 68);
    expect(bytes.includes(scalar)).toBe(false);
    expect(bytes.includes(Buffer.from(certPem.replace(/-----[^-]+-----|\s/g, ''), 'base64'))).toBe(true);
    expect(bytes.includes(Buffer.from(ca.certificatePem.replace(/-----[^-]+-----|\s/g, ''), 'base64'))).toBe(false);
  });
});
