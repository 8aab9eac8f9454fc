import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../../cli/main.ts';
import { TestContext } from './test-context.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-cert-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => path.join(folder, name);

async function cert(data: string, ...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const context = new TestContext({ directory: folder, environment: { HFACE_DATA_DIR: file(data) } });
  const code = await main(['cert', ...words], context);
  return { code, stdout: context.stdout, stderr: context.stderr };
}

describe('hface-ts cert', () => {
  it('makes the development CA once, and shows it', async () => {
    const first = await cert('a');
    expect(first).toMatchObject({ code: 0, stderr: expect.stringMatching(/^made a development CA: /) });
    expect(first.stdout).toMatch(/^development CA {3}\/.*development-ca\.pem$/m);
    expect(first.stdout).toMatch(/^signs {12}localhost, \*\.localhost/m);
    expect(first.stdout).toMatch(/^use it {11}curl --cacert \/.* https:\/\/localhost:5443\/$/m);
    const shown = /^SHA-256 {10}(.*)$/m.exec(first.stdout)?.[1];
    const at = /^development CA {3}(.*)$/m.exec(first.stdout)?.[1] ?? '';
    expect(new X509Certificate(readFileSync(at)).fingerprint256).toBe(shown);
    expect(await cert('a')).toEqual({ code: 0, stdout: first.stdout, stderr: '' });
  });

  it('lies where --directory says', async () => {
    expect((await cert('unused', '--directory', file('other'))).stdout).toContain(file('other'));
    expect(existsSync(file('unused'))).toBe(false);
  });

  it('issues certificates, their keys readable by the owner alone', async () => {
    writeFileSync(file('key.pem'), 'an old one', { mode: 0o644 });
    chmodSync(file('key.pem'), 0o644);
    const run = await cert('a', 'localhost', 'app.localhost', '--cert', 'leaf.pem', '--key', 'key.pem', '--days', '7');
    expect(run.code).toBe(0);
    expect(run.stdout).toBe(
      `wrote ${file('leaf.pem')}\nwrote ${file('key.pem')}\n`.replaceAll(`${folder}${path.sep}`, ''),
    );
    const leaf = new X509Certificate(readFileSync(file('leaf.pem')));
    expect(leaf.subjectAltName).toBe('DNS:localhost, DNS:app.localhost');
    expect(Date.parse(leaf.validTo) - Date.now()).toBeLessThan(7.1 * 86_400_000);
    expect(readFileSync(file('leaf.pem'), 'utf8').match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(readFileSync(file('key.pem'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    if (process.platform !== 'win32') expect(statSync(file('key.pem')).mode & 0o777).toBe(0o600);
  });

  it('issues PKCS#12', async () => {
    writeFileSync(file('secret.txt'), 'open sesame\nignored\n');
    const run = await cert('a', '--pkcs12', 'leaf.p12', '--passphrase-file', 'secret.txt', '--key-type', 'rsa-2048');
    expect(run.code).toBe(0);
    expect(readFileSync(file('leaf.p12'))[0]).toBe(0x30);
  });

  it('removes the CA and its certificates', async () => {
    await cert('gone');
    expect((await cert('gone', '--remove')).stdout).toMatch(/^removed .*development-ca\.pem$/m);
    expect((await cert('gone', '--remove')).stdout).toBe('there was no development CA\n');
  });

  it.each([
    [['localhost'], 2, 'a certificate needs files to go to'],
    [['--cert', 'a'], 2, '--cert needs --key'],
    [['--key', 'a'], 2, '--key needs --cert'],
    [['--cert', 'a', '--key', 'a'], 2, 'one file is named twice'],
    [['--pkcs12', 'a'], 2, 'a PKCS#12 file needs a passphrase'],
    [['--cert', 'a', '--key', 'b', '--passphrase-file', 'secret.txt'], 2, '--passphrase-file protects a PKCS#12 file'],
    [['--days', '7'], 2, '--days is about a certificate'],
    [['--cert', 'a', '--key', 'b', '--days', '400'], 2, 'option --days cannot be "400"'],
    [['--cert', 'a', '--key', 'b', '--days', '1.5'], 2, 'option --days cannot be "1.5"'],
    [['--key-type', 'dsa', '--cert', 'a', '--key', 'b'], 2, 'option --key-type cannot be "dsa"'],
    [['--remove', 'localhost'], 2, '--remove takes no name'],
    [['--remove', '--cert', 'a'], 2, '--remove and --cert exclude each other'],
    [['example.com', '--cert', 'a', '--key', 'b'], 1, 'may not sign example.com'],
    [['a b', '--cert', 'a', '--key', 'b'], 1, 'a b'],
    [['--cert', 'no/a', '--key', 'no/b'], 1, 'cannot write a file: no such file or directory'],
    [['--pkcs12', 'a', '--passphrase-file', 'none'], 1, 'cannot read the passphrase: no such file or directory'],
    [['--private-networks'], 1, 'was made for loopback names only'],
  ])('%j: exit code %d', async (words, code, cause) => {
    const run = await cert('a', ...words);
    expect(run).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(cause) });
    expect(run.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
  });

  it('makes no CA for a command line that is wrong', async () => {
    expect((await cert('untouched', 'localhost')).code).toBe(2);
    expect(existsSync(file('untouched'))).toBe(false);
  });
});
