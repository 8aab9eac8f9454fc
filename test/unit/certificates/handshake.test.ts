import { describe, expect, it } from 'vitest';
import { openDevelopmentCa } from '../../../src/certificates/index.ts';
import { authorityOf, forgedLeaf, handshake, temporaryFolder } from './support.ts';

describe('a client that trusts the development CA', () => {
  it.each([
    ['localhost', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
  ])('accepts the default certificate for %s', async (host, address) => {
    const ca = await openDevelopmentCa({ directory: await temporaryFolder() });
    const { certPem, keyPem } = await ca.leaf();
    const result = await handshake({ cert: certPem, key: keyPem }, ca.certificatePem, host, address);
    expect(result.error).toBe('');
    expect(result.shown).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  });

  it('accepts an RSA certificate, one for addresses only, and one of a private network', async () => {
    const ca = await openDevelopmentCa({ directory: await temporaryFolder(), privateNetworks: true });
    for (const options of [
      { keyType: 'rsa-2048', names: ['a.localhost'] },
      { names: ['127.0.0.1'] },
      { names: ['127.0.0.1', '192.168.7.7', 'nas.local'] },
    ] as const) {
      const { certPem, keyPem } = await ca.issue(options);
      const host = options.names[0];
      expect(await handshake({ cert: certPem, key: keyPem }, ca.certificatePem, host)).toMatchObject({ error: '' });
    }
  });

  it.each([
    ['example.com', ['example.com']],
    ['localhost', ['localhost', 'example.com']],
    ['127.0.0.1', ['127.0.0.1', '8.8.8.8']],
    ['127.0.0.1', ['127.0.0.1', '2001:db8::1']],
    ['localhost', ['localhost', '192.168.1.1']],
    ['localhost', ['localhost', 'printer.local']],
  ])(
    'refuses a certificate for %s that the stolen key has signed for %j (RFC 5280 section 4.2.1.10)',
    async (host, names) => {
      const directory = await temporaryFolder();
      const ca = await openDevelopmentCa({ directory });
      const forged = await forgedLeaf(await authorityOf(directory), names, Date.now());
      const result = await handshake(forged, ca.certificatePem, host);
      expect(result.error).toMatch(/permitted subtree violation/);
    },
  );

  it('refuses a certificate for another host, and one of another CA', async () => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const stranger = await openDevelopmentCa({ ephemeral: true });
    const { certPem: cert, keyPem: key } = await ca.issue({ names: ['a.localhost'] });
    expect((await handshake({ cert, key }, ca.certificatePem, 'a.localhost')).error).toBe('');
    expect((await handshake({ cert, key }, ca.certificatePem, 'b.localhost')).error).toMatch(
      /ERR_TLS_CERT_ALTNAME_INVALID/,
    );
    expect((await handshake({ cert, key }, stranger.certificatePem, 'a.localhost')).error).toMatch(/unable to/);
  });
});
