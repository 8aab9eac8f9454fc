import { X509Certificate } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeCertificate, openDevelopmentCa } from '../../../src/certificates/index.ts';
import type { DevelopmentCa, LeafOptions } from '../../../src/certificates/index.ts';
import { configurationError, DAY, noticeList, temporaryFolder, testClock } from './support.ts';

describe('issuing a leaf', () => {
  it('gives key, certificate and CA that belong together, for 90 days', async () => {
    const clock = testClock();
    const ca = await openDevelopmentCa({ ephemeral: true, now: clock.now });
    clock.travel(10 * DAY);
    const leaf = await ca.issue();
    const certificate = new X509Certificate(leaf.certPem);
    expect(certificate.verify(new X509Certificate(leaf.caPem).publicKey)).toBe(true);
    expect(leaf.names).toEqual(['localhost', '127.0.0.1', '::1']);
    expect([leaf.notBefore, leaf.notAfter]).toEqual([clock.now() - 3_600_000, clock.now() + 90 * DAY]);
    expect(leaf.fingerprint256).toBe(certificate.fingerprint256);
    expect(leaf.keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(leaf.pkcs12).toBeUndefined();
    expect(describeCertificate(leaf.certPem).key).toBe('ECDSA prime256v1');
  });

  it('follows the options: RSA, names, client authentication, days', async () => {
    const clock = testClock();
    const ca = await openDevelopmentCa({ ephemeral: true, now: clock.now });
    const leaf = await ca.issue({
      keyType: 'rsa-2048',
      names: ['B.localhost', '127.8.8.8'],
      clientAuth: true,
      days: 14,
    });
    expect(describeCertificate(leaf.certPem)).toMatchObject({ key: 'RSA 2048', names: ['b.localhost', '127.8.8.8'] });
    expect(new X509Certificate(leaf.certPem).keyUsage).toHaveLength(2);
    expect(leaf.notAfter - clock.now()).toBe(14 * DAY);
  });

  it('never outlives its CA, and is not issued by an expired one', async () => {
    const clock = testClock();
    const ca = await openDevelopmentCa({ ephemeral: true, now: clock.now });
    clock.travel(720 * DAY);
    expect((await ca.issue()).notAfter).toBe(ca.notAfter);
    clock.travel(10 * DAY);
    expect((await configurationError(ca.issue())).message).toBe('the development CA has expired on 2028-12-31');
  });

  it.each([
    [['example.com'], 'example.com'],
    [['localhost', '192.168.1.1', 'localhost.evil.example'], '192.168.1.1, localhost.evil.example'],
  ])('refuses names outside the constraints: %j', async (names, listed) => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const error = await configurationError(ca.issue({ names }));
    expect(error.code).toBe('ERR_CERTIFICATE_NAME');
    expect(error.message).toBe(
      `the development CA may not sign ${listed}, only localhost, *.localhost, 127.0.0.0/8, ::1/128`,
    );
    expect(error.hint).toContain('a certificate of your own');
  });

  it.each([
    [{ days: 0 }, 'cannot be valid for 0 days'],
    [{ days: 398 }, 'cannot be valid for 398 days'],
    [{ days: 1.5 }, 'cannot be valid for 1.5 days'],
    [{ keyType: 'dsa' }, '"dsa" is no key type'],
    [{ names: [] }, 'at least one name'],
    [{ names: ['a b'] }, '"a b" is neither a host name nor an IP address'],
    [{ pkcs12: { passphrase: '' } }, 'needs a passphrase'],
  ])('refuses %j', async (options, message) => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    expect((await configurationError(ca.issue(options as LeafOptions))).message).toContain(message);
  });
});

describe('the kept leaf', () => {
  async function stored(): Promise<{
    ca: DevelopmentCa;
    directory: string;
    clock: ReturnType<typeof testClock>;
    types: string[];
  }> {
    const directory = await temporaryFolder();
    const clock = testClock();
    const { types, onNotice } = noticeList();
    const ca = await openDevelopmentCa({ directory, now: clock.now, onNotice });
    return { ca, directory, clock, types };
  }

  async function leafFile(directory: string): Promise<string> {
    const found = (await readdir(directory)).filter((name) => name.startsWith('leaf-'));
    expect(found).toHaveLength(1);
    return join(directory, found[0]!);
  }

  it('is one file with mode 0600, used again by the same options in any order and spelling', async () => {
    const { ca, directory, types } = await stored();
    const first = await ca.leaf({ names: ['a.localhost', '::1'] });
    expect((await stat(await leafFile(directory))).mode & 0o777).toBe(0o600);
    expect(await ca.leaf({ names: ['[0::1]', 'A.localhost.'] })).toEqual(first);
    expect(types.filter((type) => type === 'LeafIssued')).toHaveLength(1);
  });

  it('is another one for other options', async () => {
    const { ca } = await stored();
    const variants: LeafOptions[] = [
      {},
      { names: ['localhost'] },
      { clientAuth: true },
      { keyType: 'rsa-2048' },
      { days: 7 },
    ];
    const leaves = await Promise.all(variants.map((options) => ca.leaf(options)));
    expect(new Set(leaves.map((leaf) => leaf.fingerprint256)).size).toBe(5);
    expect((await ca.leaf({ clientAuth: true })).fingerprint256).toBe(leaves[2]!.fingerprint256);
  });

  it('is renewed when less than a third of its life is left', async () => {
    const { ca, clock } = await stored();
    const first = await ca.leaf();
    const third = (first.notAfter - first.notBefore) / 3;
    clock.travel(first.notAfter - third - clock.now());
    expect((await ca.leaf()).fingerprint256).toBe(first.fingerprint256);
    clock.travel(1);
    const second = await ca.leaf();
    expect(second.notAfter).toBe(Math.floor((clock.now() + 90 * DAY) / 1000) * 1000);
    expect((await ca.leaf()).fingerprint256).toBe(second.fingerprint256);
  });

  it('is issued anew when the CA is another one', async () => {
    const { ca, directory, clock } = await stored();
    const first = await ca.leaf();
    await rm(join(directory, 'ca-1'), { recursive: true });
    const next = await openDevelopmentCa({ directory, now: clock.now });
    const second = await next.leaf();
    expect(second.fingerprint256).not.toBe(first.fingerprint256);
    expect(second.caPem).toBe(next.certificatePem);
  });

  it.each([
    ['empty', () => ''],
    ['cut off', (text: string) => text.slice(0, text.length - 40)],
    ['without its key', (text: string) => text.slice(text.indexOf('-----BEGIN CERTIFICATE'))],
    ['changed in the certificate', (text: string) => swapAt(text, text.indexOf('-----BEGIN CERTIFICATE') + 300)],
    ['changed in the public half of the key', (text: string) => swapAt(text, 150)],
    ['changed in the private half of the key', (text: string) => swapAt(text, 80)],
    ['too large', (text: string) => text + 'x'.repeat(70_000)],
  ])('is issued anew when its file is %s', async (_what, change) => {
    const { ca, directory } = await stored();
    const first = await ca.leaf();
    const file = await leafFile(directory);
    await writeFile(file, change(await readFile(file, 'utf8')));
    const second = await ca.leaf();
    expect(second.fingerprint256).not.toBe(first.fingerprint256);
    expect(await readFile(file, 'utf8')).toBe(second.keyPem + second.certPem);
  });

  it('is issued anew, with a new key, when others could read it', async () => {
    const { ca, directory } = await stored();
    const first = await ca.leaf();
    await chmod(await leafFile(directory), 0o644);
    expect((await ca.leaf()).keyPem).not.toBe(first.keyPem);
    expect((await stat(await leafFile(directory))).mode & 0o777).toBe(0o600);
  });

  it('is issued anew when it has other names than asked for', async () => {
    const { ca, directory } = await stored();
    const other = await ca.issue({ names: ['b.localhost'] });
    await ca.leaf({ names: ['a.localhost'] });
    await writeFile(await leafFile(directory), other.keyPem + other.certPem);
    expect((await ca.leaf({ names: ['a.localhost'] })).names).toEqual(['a.localhost']);
  });

  it('serves even when it cannot be kept, and that is told', async () => {
    const { ca, directory, types } = await stored();
    await rm(directory, { recursive: true });
    expect((await ca.leaf()).names).toContain('localhost');
    expect(types).toEqual(['CaCreated', 'LeafIssued', 'LeafNotKept']);
  });

  it('brings a PKCS#12 file when one is asked for, also from disk', async () => {
    const { ca } = await stored();
    const first = await ca.leaf();
    const second = await ca.leaf({ pkcs12: { passphrase: 'open' } });
    expect(second.fingerprint256).toBe(first.fingerprint256);
    expect(second.pkcs12).toBeInstanceOf(Uint8Array);
  });
});

function swapAt(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}
