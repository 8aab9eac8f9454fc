import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isSecretFolder,
  isTemporaryName,
  publishFolder,
  readOwnFile,
  removeOwn,
  replaceFile,
  shellQuoted,
  storeError,
} from '../../../src/certificates/private-files.ts';
import { ConfigurationError } from '../../../src/common/index.ts';
import { configurationError, temporaryFolder } from './support.ts';

describe('writing', () => {
  it('replaces a file as a whole, and leaves nothing behind when it cannot', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'file');
    await replaceFile(path, 'one', 0o600);
    await replaceFile(path, 'two', 0o600);
    expect(await readFile(path, 'utf8')).toBe('two');
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'x'), '');
    const error = await configurationError(replaceFile(join(folder, 'taken'), 'three', 0o600));
    expect(error.message).toContain(join(folder, 'taken'));
    expect((await readdir(folder)).sort()).toEqual(['file', 'taken']);
  });

  it('publishes a folder once: the second is told, and the first stays as it is', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'ca-1');
    expect(await publishFolder(path, 'a', 'one')).toBe(true);
    expect(await publishFolder(path, 'a', 'two')).toBe(false);
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('one');
    await writeFile(join(folder, 'ca-2'), 'a file');
    expect(await publishFolder(join(folder, 'ca-2'), 'a', 'three')).toBe(false);
    expect((await readdir(folder)).sort()).toEqual(['ca-1', 'ca-2']);
  });

  it('keeps its modes whatever the umask allows', async () => {
    const folder = await temporaryFolder();
    const before = process.umask(0);
    try {
      await publishFolder(join(folder, 'ca-1'), 'a', 'one');
      await replaceFile(join(folder, 'leaf'), 'two', 0o600);
    } finally {
      process.umask(before);
    }
    const modes = ['ca-1', 'ca-1/a', 'leaf'].map(async (name) =>
      ((await stat(join(folder, name))).mode & 0o777).toString(8),
    );
    expect(await Promise.all(modes)).toEqual(['700', '600', '600']);
  });

  it('is an error where the folder is missing', async () => {
    const path = join(await temporaryFolder(), 'absent', 'ca-1');
    const missing = `cannot write ${path}: its folder is not there`;
    expect((await configurationError(publishFolder(path, 'a', ''))).message).toBe(missing);
    expect((await configurationError(replaceFile(path, '', 0o600))).message).toBe(missing);
  });
});

describe('reading', () => {
  it('gives the text, or undefined where there is none', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'text', { mode: 0o600 });
    expect(await readOwnFile(join(folder, 'a'), 'secret')).toBe('text');
    expect(await readOwnFile(join(folder, 'b'), 'secret')).toBeUndefined();
    expect(await readOwnFile(join(folder, 'a', 'c'), 'secret')).toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('does not hang on a pipe that somebody has put there', async () => {
    const path = join(await temporaryFolder(), 'pipe');
    execFileSync('mkfifo', ['-m', '600', path]);
    expect((await configurationError(readOwnFile(path, 'secret'))).message).toBe(`${path} is no regular file`);
  });

  it('judges what it opens: open to others, or a link', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a');
    await writeFile(path, 'text', { mode: 0o600 });
    await symlink(path, join(folder, 'link'));
    expect((await configurationError(readOwnFile(join(folder, 'link'), 'readable'))).message).toContain(
      'symbolic link',
    );
    await chmod(path, 0o604);
    expect(await readOwnFile(path, 'readable')).toBe('text');
    expect((await configurationError(readOwnFile(path, 'secret'))).hint).toContain('or delete it');
    await chmod(path, 0o620);
    expect((await configurationError(readOwnFile(path, 'readable'))).message).toContain(
      'can be changed by other users',
    );
  });

  it('takes neither a link nor a file for a secret folder', async () => {
    const folder = await temporaryFolder();
    await symlink(folder, join(folder, 'link'));
    await writeFile(join(folder, 'file'), '');
    expect(await isSecretFolder(folder)).toBe(true);
    expect(await isSecretFolder(join(folder, 'link'))).toBe(false);
    expect(await isSecretFolder(join(folder, 'file'))).toBe(false);
    expect(await isSecretFolder(join(folder, 'absent'))).toBe(false);
  });
});

describe('the errors of a disk', () => {
  const place = '/data/hface-ts';
  const failure = (code: string): Error => Object.assign(new Error(`${code}: system text`), { code });

  it.each([
    ['EACCES', 'no permission to write /data/hface-ts'],
    ['EPERM', 'no permission to write /data/hface-ts'],
    ['EROFS', 'cannot write /data/hface-ts: the file system is read-only'],
    ['ENOSPC', 'cannot write /data/hface-ts: no space is left'],
    ['EDQUOT', 'cannot write /data/hface-ts: no space is left'],
    ['ENOTDIR', 'cannot write /data/hface-ts: a part of the path is a file, not a folder'],
    ['ELOOP', 'cannot write /data/hface-ts: it is a symbolic link'],
    ['EIO', 'cannot write /data/hface-ts: EIO: system text'],
  ])('%s: %s', (code, message) => {
    const cause = failure(code);
    const error = storeError(cause, 'write', place);
    expect(error).toBeInstanceOf(ConfigurationError);
    const hint: unknown = expect.stringContaining('HFACE_DATA_DIR');
    expect(error).toMatchObject({ message, code: 'ERR_CERTIFICATE_STORE', cause, hint });
  });

  it('are left alone when they are ours already, and print no control characters', () => {
    const own = new ConfigurationError('mine');
    expect(storeError(own, 'read', place)).toBe(own);
    expect(storeError('thrown text', 'read', '/a\nb').message).toBe('cannot read /a\\x0ab: thrown text');
  });
});

describe('small things', () => {
  it('deletes what is there and says whether it was', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a'));
    expect([await removeOwn(join(folder, 'a')), await removeOwn(join(folder, 'a'))]).toEqual([true, false]);
  });

  it('knows its leftovers', () => {
    expect(isTemporaryName('.hface-new-0123456789abcdef')).toBe(true);
    expect(isTemporaryName('.hface-new-0123456789abcde')).toBe(false);
    expect(isTemporaryName('x.hface-new-0123456789abcdef')).toBe(false);
  });

  it('quotes a path for a shell only where it must', () => {
    expect(shellQuoted('/home/ada/.local/share')).toBe('/home/ada/.local/share');
    expect(shellQuoted('/Application Support')).toBe('"/Application Support"');
  });
});
