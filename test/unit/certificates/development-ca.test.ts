import { createPublicKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { developmentCaCertificate, openDevelopmentCa, removeDevelopmentCa } from '../../../src/certificates/index.ts';
import { configurationError, DAY, noticeList, temporaryFolder, testClock } from './support.ts';

const KEY_FILE = 'key-and-certificate.pem';

async function mode(...path: string[]): Promise<string> {
  return ((await stat(join(...path))).mode & 0o777).toString(8);
}

describe('opening the development CA', () => {
  it('makes it once: key 0600 in a folder 0700, the certificate beside it', async () => {
    const directory = join(await temporaryFolder(), 'a', 'b');
    const { types, onNotice } = noticeList();
    const ca = await openDevelopmentCa({ directory, onNotice });
    expect((await readdir(directory)).sort()).toEqual(['ca-1', 'development-ca.pem']);
    expect(await mode(directory)).toBe('700');
    expect(await mode(directory, '..')).toBe('700');
    expect(await mode(directory, 'ca-1')).toBe('700');
    expect(await mode(directory, 'ca-1', KEY_FILE)).toBe('600');
    expect(ca.certificatePath).toBe(join(directory, 'development-ca.pem'));
    expect(await readFile(ca.certificatePath!, 'utf8')).toBe(ca.certificatePem);
    const again = await openDevelopmentCa({ directory, onNotice });
    expect(again.fingerprint256).toBe(ca.fingerprint256);
    expect(types).toEqual(['CaCreated']);
  });

  it('says what it is: a CA for loopback names, two years, dated back an hour', async () => {
    const clock = testClock();
    const ca = await openDevelopmentCa({ directory: await temporaryFolder(), now: clock.now });
    const certificate = new X509Certificate(ca.certificatePem);
    expect(ca.fingerprint256).toBe(certificate.fingerprint256);
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect([ca.notBefore, ca.notAfter]).toEqual([clock.now() - 3_600_000, clock.now() + 730 * DAY]);
    expect(ca.permittedNames).toEqual(['localhost', '*.localhost', '127.0.0.0/8', '::1/128']);
    expect(ca.ephemeral).toBe(false);
  });

  it('gives the certificate without the key', async () => {
    const ca = await openDevelopmentCa({ directory: await temporaryFolder() });
    expect(ca.certificatePem).toMatch(/^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/);
    expect(JSON.stringify(ca)).not.toContain('PRIVATE');
    const leaf = await ca.issue();
    expect(leaf.caPem).toBe(ca.certificatePem);
    expect(createPublicKey(leaf.keyPem).equals(new X509Certificate(ca.certificatePem).publicKey)).toBe(false);
  });

  it('keeps nothing on disk when it is ephemeral, and says so', async () => {
    const directory = join(await temporaryFolder(), 'absent');
    const { types, onNotice } = noticeList();
    const ca = await openDevelopmentCa({ directory, ephemeral: true, onNotice });
    await ca.leaf();
    expect([ca.ephemeral, ca.certificatePath]).toEqual([true, undefined]);
    expect(types).toEqual(['CaEphemeral', 'LeafIssued']);
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  });

  it('survives a callback that throws', async () => {
    const onNotice = (): void => {
      throw new Error('mine');
    };
    const ca = await openDevelopmentCa({ directory: await temporaryFolder(), onNotice });
    expect((await ca.issue()).names).toEqual(['localhost', '127.0.0.1', '::1']);
  });
});

describe('several openers at once', () => {
  it('agree on one CA', async () => {
    const directory = join(await temporaryFolder(), 'data');
    const { types, onNotice } = noticeList();
    const all = await Promise.all(Array.from({ length: 12 }, () => openDevelopmentCa({ directory, onNotice })));
    expect(new Set(all.map((ca) => ca.fingerprint256)).size).toBe(1);
    expect(types).toEqual(['CaCreated']);
    expect((await readdir(directory)).sort()).toEqual(['ca-1', 'development-ca.pem']);
  });

  it('agree on one successor when it has expired', async () => {
    const directory = await temporaryFolder();
    const clock = testClock();
    const old = await openDevelopmentCa({ directory, now: clock.now });
    clock.travel(731 * DAY);
    const { types, onNotice } = noticeList();
    const all = await Promise.all(
      Array.from({ length: 12 }, () => openDevelopmentCa({ directory, now: clock.now, onNotice })),
    );
    expect(new Set(all.map((ca) => ca.fingerprint256)).size).toBe(1);
    expect(all[0]!.fingerprint256).not.toBe(old.fingerprint256);
    expect(types).toEqual(['CaRenewed']);
    expect(await readFile(join(directory, 'development-ca.pem'), 'utf8')).toBe(all[0]!.certificatePem);
  });
});

describe('renewing the CA', () => {
  it('happens when less than 30 days are left, with a new key, and keeps what it may sign', async () => {
    const directory = await temporaryFolder();
    const clock = testClock();
    const { types, onNotice } = noticeList();
    const options = { directory, now: clock.now, onNotice };
    const first = await openDevelopmentCa({ ...options, privateNetworks: true });
    clock.travel(700 * DAY);
    expect((await openDevelopmentCa(options)).fingerprint256).toBe(first.fingerprint256);
    clock.travel(1000);
    const second = await openDevelopmentCa(options);
    const keys = [first, second].map((ca) => new X509Certificate(ca.certificatePem).publicKey);
    expect(keys[0]!.equals(keys[1]!)).toBe(false);
    expect(second.permittedNames).toEqual(first.permittedNames);
    expect(second.notAfter).toBe(clock.now() + 730 * DAY);
    expect(types).toEqual(['CaCreated', 'CaRenewed']);
    await openDevelopmentCa(options);
    expect((await readdir(directory)).sort()).toEqual(['ca-2', 'development-ca.pem']);
  });

  it('does not happen for a clock that is behind: that is an error', async () => {
    const directory = await temporaryFolder();
    const clock = testClock();
    await openDevelopmentCa({ directory, now: clock.now });
    clock.travel(-2 * DAY);
    const error = await configurationError(openDevelopmentCa({ directory, now: clock.now }));
    expect(error.message).toBe('the development CA is valid from 2026-12-31 on, and the clock says 2026-12-30');
    expect(error.hint).toBe('set the clock');
  });
});

describe('private networks', () => {
  it('are refused to a CA that was made for loopback', async () => {
    const directory = await temporaryFolder();
    await openDevelopmentCa({ directory });
    const error = await configurationError(openDevelopmentCa({ directory, privateNetworks: true }));
    expect(error.code).toBe('ERR_CERTIFICATE_NAME');
    expect(error.hint).toContain(directory);
    await removeDevelopmentCa({ directory });
    const ca = await openDevelopmentCa({ directory, privateNetworks: true });
    expect((await ca.issue({ names: ['192.168.1.1'] })).names).toEqual(['192.168.1.1']);
  });
});

describe('what a crash leaves', () => {
  it('is mended: no copy of the certificate, leftovers of a write, an empty generation', async () => {
    const directory = await temporaryFolder();
    const ca = await openDevelopmentCa({ directory });
    await rm(join(directory, 'development-ca.pem'));
    const young = join(directory, '.hface-new-0123456789abcdef');
    const old = join(directory, '.hface-new-fedcba9876543210');
    await mkdir(young);
    await mkdir(old);
    await writeFile(join(old, KEY_FILE), 'half');
    await utimes(old, new Date(0), new Date(0));
    const again = await openDevelopmentCa({ directory });
    expect(again.fingerprint256).toBe(ca.fingerprint256);
    expect(await readFile(join(directory, 'development-ca.pem'), 'utf8')).toBe(ca.certificatePem);
    expect((await readdir(directory)).sort()).toEqual(['.hface-new-0123456789abcdef', 'ca-1', 'development-ca.pem']);
  });

  it('is mended when it happened between publishing a successor and writing the copy', async () => {
    const directory = await temporaryFolder();
    const other = await temporaryFolder();
    await openDevelopmentCa({ directory });
    const successor = await openDevelopmentCa({ directory: other });
    await rename(join(other, 'ca-1'), join(directory, 'ca-2'));
    expect((await openDevelopmentCa({ directory })).fingerprint256).toBe(successor.fingerprint256);
    expect(await developmentCaCertificate({ directory })).toBe(successor.certificatePem);
    expect((await readdir(directory)).sort()).toEqual(['ca-2', 'development-ca.pem']);
  });
});

describe('a file that is not as it was written', () => {
  async function replaced(change: (file: string, directory: string) => Promise<void>): Promise<string[]> {
    const directory = await temporaryFolder();
    const first = await openDevelopmentCa({ directory });
    await change(join(directory, 'ca-1', KEY_FILE), directory);
    const { types, onNotice } = noticeList();
    const second = await openDevelopmentCa({ directory, onNotice });
    expect(second.fingerprint256).not.toBe(first.fingerprint256);
    expect(await developmentCaCertificate({ directory })).toBe(second.certificatePem);
    expect((await openDevelopmentCa({ directory })).fingerprint256).toBe(second.fingerprint256);
    return types;
  }

  it.each([0, 10, 100, 260, 400, 900])('leads to a new CA and a notice: cut off after %d bytes', async (length) => {
    const types = await replaced(async (file) => {
      await writeFile(file, (await readFile(file, 'utf8')).slice(0, length));
    });
    expect(types).toEqual(['CaReplaced']);
  });

  it.each([
    ['the certificate', '-----BEGIN CERTIFICATE', 500],
    ['the public half of the key', '-----BEGIN PRIVATE', 150],
    ['the private half of the key', '-----BEGIN PRIVATE', 80],
  ])('leads to a new CA and a notice: a changed byte in %s', async (_what, begin, offset) => {
    const types = await replaced(async (file) => {
      const text = await readFile(file, 'utf8');
      const at = text.indexOf(begin) + offset;
      await writeFile(file, text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1));
    });
    expect(types).toEqual(['CaReplaced']);
  });

  it('leads to a new CA and a notice: the key of another CA', async () => {
    const types = await replaced(async (file) => {
      const other = await temporaryFolder();
      await openDevelopmentCa({ directory: other });
      const [key] = (await readFile(join(other, 'ca-1', KEY_FILE), 'utf8')).split('-----BEGIN CERTIFICATE');
      const [, certificate] = (await readFile(file, 'utf8')).split('-----BEGIN CERTIFICATE');
      await writeFile(file, `${key!}-----BEGIN CERTIFICATE${certificate!}`);
    });
    expect(types).toEqual(['CaReplaced']);
  });

  it('leads to a new CA and a notice: a leaf in place of the CA', async () => {
    const types = await replaced(async (file) => {
      const { keyPem, certPem } = await (await openDevelopmentCa({ ephemeral: true })).issue();
      await writeFile(file, keyPem + certPem);
    });
    expect(types).toEqual(['CaReplaced']);
  });

  it('leads to a new CA and a notice: no file, a file or a link in place of the folder', async () => {
    expect(await replaced((file) => rm(file))).toEqual(['CaReplaced']);
    expect(
      await replaced(async (_file, directory) => {
        await rm(join(directory, 'ca-1'), { recursive: true });
        await writeFile(join(directory, 'ca-1'), '');
      }),
    ).toEqual(['CaReplaced']);
    expect(
      await replaced(async (_file, directory) => {
        await rename(join(directory, 'ca-1'), join(directory, 'elsewhere'));
        await symlink(join(directory, 'elsewhere'), join(directory, 'ca-1'));
      }),
    ).toEqual(['CaReplaced']);
  });

  it('is restored when it is the copy of the certificate', async () => {
    const directory = await temporaryFolder();
    const ca = await openDevelopmentCa({ directory });
    for (const text of ['', 'nonsense', (await openDevelopmentCa({ ephemeral: true })).certificatePem]) {
      await writeFile(ca.certificatePath!, text);
      expect((await openDevelopmentCa({ directory })).fingerprint256).toBe(ca.fingerprint256);
      expect(await readFile(ca.certificatePath!, 'utf8')).toBe(ca.certificatePem);
    }
  });
});

describe('access of others', () => {
  it.each([
    ['644', 'ca-1/key-and-certificate.pem', 'holds a private key and is open to other users (mode 0644)', 'chmod 600'],
    ['640', 'ca-1/key-and-certificate.pem', 'holds a private key and is open to other users (mode 0640)', 'chmod 600'],
    ['755', 'ca-1', 'holds a private key and is open to other users (mode 0755)', 'chmod 700'],
    ['777', '.', 'can be changed by other users (mode 0777)', 'chmod 700'],
  ])('mode %s of %s is refused, and %s', async (bits, entry, message, command) => {
    const directory = await temporaryFolder();
    const ca = await openDevelopmentCa({ directory });
    const path = join(directory, entry);
    await chmod(path, Number.parseInt(bits, 8));
    const error = await configurationError(openDevelopmentCa({ directory }));
    expect(error.code).toBe('ERR_CERTIFICATE_STORE');
    expect(error.message).toBe(`${path} ${message}`);
    expect(error.hint).toContain(`${command} ${path}`);
    await chmod(path, Number.parseInt(command.slice(-3), 8));
    expect((await openDevelopmentCa({ directory })).fingerprint256).toBe(ca.fingerprint256);
  });

  it('lets others read the data folder, as an existing one may be', async () => {
    const directory = await temporaryFolder();
    await chmod(directory, 0o755);
    expect((await openDevelopmentCa({ directory })).certificatePem).toContain('CERTIFICATE');
    expect(await mode(directory, 'ca-1')).toBe('700');
  });

  it('does not follow a link in place of the key', async () => {
    const directory = await temporaryFolder();
    await openDevelopmentCa({ directory });
    const file = join(directory, 'ca-1', KEY_FILE);
    await rename(file, join(directory, 'moved'));
    await symlink(join(directory, 'moved'), file);
    const error = await configurationError(openDevelopmentCa({ directory }));
    expect(error.message).toBe(`cannot read ${file}: it is a symbolic link`);
  });
});

describe('a folder that cannot be used', () => {
  it('gives one error with cause, place and next step', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    for (const directory of [join(file, 'below'), join(file, 'far', 'below')]) {
      const error = await configurationError(openDevelopmentCa({ directory }));
      expect(error.code).toBe('ERR_CERTIFICATE_STORE');
      expect(error.message).toBe(`cannot use ${directory}: a part of the path is a file, not a folder`);
      expect(error.hint).toBe('set HFACE_DATA_DIR to a folder that you can write, or use a certificate of your own');
      expect(error.cause).toMatchObject({ code: 'ENOTDIR' });
    }
    const error = await configurationError(openDevelopmentCa({ directory: file }));
    expect(error.message).toBe(`${file} is a file, not a folder`);
  });

  it('gives an error, and does not try for ever, where folders cannot be made', async () => {
    const folder = await temporaryFolder();
    const link = join(folder, 'link');
    await symlink(join(folder, 'nowhere'), link);
    // A file system such as Linux's /proc answers ENOENT for a new folder in one that is there; so does a dangling link.
    for (const directory of [link, join(link, 'below'), join(link, 'far', 'below')]) {
      const error = await configurationError(openDevelopmentCa({ directory }));
      expect(error.message).toBe(`cannot use ${directory}: the folder is not there and cannot be made`);
    }
    expect(await readdir(folder)).toEqual(['link']);
  });

  it('still serves what lies in it: an existing CA is opened without a write', async () => {
    const directory = await temporaryFolder();
    const ca = await openDevelopmentCa({ directory });
    await ca.leaf();
    const times = async (): Promise<number[]> =>
      Promise.all(['.', 'ca-1', 'development-ca.pem'].map(async (name) => (await stat(join(directory, name))).mtimeMs));
    const before = await times();
    await (await openDevelopmentCa({ directory })).leaf();
    expect(await times()).toEqual(before);
  });
});

describe('the certificate for clients', () => {
  it('is undefined where there is none, and creates nothing', async () => {
    const directory = join(await temporaryFolder(), 'absent');
    expect(await developmentCaCertificate({ directory })).toBeUndefined();
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  });

  it('needs no key', async () => {
    const directory = await temporaryFolder();
    const ca = await openDevelopmentCa({ directory });
    await rm(join(directory, 'ca-1'), { recursive: true });
    expect(await developmentCaCertificate({ directory })).toBe(ca.certificatePem);
  });

  it('is refused when it is something else, or can be changed by others', async () => {
    const directory = await temporaryFolder();
    const path = join(directory, 'development-ca.pem');
    await writeFile(path, 'nonsense', { mode: 0o600 });
    expect((await configurationError(developmentCaCertificate({ directory }))).message).toContain('cannot be read');
    await writeFile(path, (await (await openDevelopmentCa({ ephemeral: true })).issue()).certPem);
    expect((await configurationError(developmentCaCertificate({ directory }))).message).toBe(
      `${path} is no development CA of hface-ts`,
    );
    await writeFile(path, (await openDevelopmentCa({ ephemeral: true })).certificatePem);
    await chmod(path, 0o666);
    expect((await configurationError(developmentCaCertificate({ directory }))).hint).toContain(`chmod 600 ${path}`);
    await chmod(path, 0o644);
    expect(await developmentCaCertificate({ directory })).toContain('BEGIN CERTIFICATE');
  });

  it('is refused when it is no file, or larger than any certificate', async () => {
    const directory = await temporaryFolder();
    const path = join(directory, 'development-ca.pem');
    await writeFile(path, 'x'.repeat(65_537));
    expect((await configurationError(developmentCaCertificate({ directory }))).message).toContain('too large');
    await rm(path);
    await mkdir(path);
    expect((await configurationError(developmentCaCertificate({ directory }))).message).toContain('no regular file');
  });
});

describe('removing it', () => {
  it('deletes what is ours and nothing else', async () => {
    const directory = await temporaryFolder();
    await (await openDevelopmentCa({ directory })).leaf();
    await writeFile(join(directory, 'notes.txt'), 'mine');
    const removed = await removeDevelopmentCa({ directory });
    expect(removed).toHaveLength(3);
    expect(await readdir(directory)).toEqual(['notes.txt']);
    expect(await removeDevelopmentCa({ directory })).toEqual([]);
  });

  it('deletes the folder when nothing else is in it, and does nothing where there is none', async () => {
    const directory = join(await temporaryFolder(), 'data');
    await openDevelopmentCa({ directory });
    await removeDevelopmentCa({ directory });
    await expect(stat(directory)).rejects.toThrow('ENOENT');
    expect(await removeDevelopmentCa({ directory })).toEqual([]);
  });

  it('deletes a link and not what it leads to', async () => {
    const directory = await temporaryFolder();
    const elsewhere = await temporaryFolder();
    await writeFile(join(elsewhere, 'kept'), '');
    await symlink(elsewhere, join(directory, 'ca-1'));
    expect(await removeDevelopmentCa({ directory })).toEqual([join(directory, 'ca-1')]);
    expect(await readdir(elsewhere)).toEqual(['kept']);
  });
});
