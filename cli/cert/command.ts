/**
 * `hface-ts cert`: the development CA, and certificates from it.
 *
 * Owns what is printed and which files are written. Making certificates is certificates/' work.
 *
 * @module
 */
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { DevelopmentCa, IssuedIdentity, LeafKeyType } from '../../src/certificates/index.ts';
import { openDevelopmentCa, removeDevelopmentCa } from '../../src/certificates/index.ts';
import { escapeControls } from '../../src/common/index.ts';
import type { CommandContext } from '../context.ts';
import { dataDirectory } from '../context.ts';
import type { OptionValues } from '../option-values.ts';
import { parseCommand } from '../parse-command.ts';
import { readPassphrase } from '../passphrase.ts';
import { CommandError, systemReason, usageError } from '../report.ts';
import { shellWord } from '../shell-word.ts';
import { certCommand } from './options.ts';

/** Runs the command. Resolves to the exit code. */
export async function runCert(words: readonly string[], context: CommandContext): Promise<number> {
  const values = await parseCommand(words, certCommand, context);
  if (values === undefined) return 0;
  const given = values.text('directory');
  const directory =
    given === undefined ? dataDirectory(context) : { directory: path.resolve(context.directory, given) };
  if (values.has('remove')) {
    refuseWith(values, 'remove', ['cert', 'key', 'pkcs12', 'private-networks']);
    const removed = await removeDevelopmentCa(directory);
    const lines = removed.map((file) => `removed ${escapeControls(file)}`);
    context.print(lines.length === 0 ? 'there was no development CA' : lines.join('\n'));
    return 0;
  }
  const leaf = readLeafRequest(values);
  const ca = await openDevelopmentCa({
    ...directory,
    privateNetworks: values.has('private-networks'),
    onNotice: ({ type, message }) => {
      // That a leaf was issued is told by the files that are written.
      if (type !== 'LeafIssued') context.inform(escapeControls(message));
    },
  });
  if (leaf === undefined) context.print(describeCa(ca));
  else await issue(ca, leaf, values.words, context);
  return 0;
}

/** What is asked for beyond the CA itself. */
interface LeafRequest {
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly pkcs12File: string | undefined;
  readonly passphraseFile: string | undefined;
  readonly keyType: LeafKeyType;
  readonly days: number | undefined;
  readonly clientAuth: boolean;
}

/** Found before the CA is made, so that a misspelt command makes none. `undefined`: only the CA is asked for. */
function readLeafRequest(values: OptionValues): LeafRequest | undefined {
  const certFile = values.text('cert');
  const keyFile = values.text('key');
  const pkcs12File = values.text('pkcs12');
  const passphraseFile = values.text('passphrase-file');
  const files = [certFile, keyFile, pkcs12File].filter((file) => file !== undefined);
  if (files.length === 0) {
    if (values.words.length > 0) {
      const words = ['hface-ts', 'cert', ...values.words].map(shellWord).join(' ');
      throw usageError('a certificate needs files to go to', `${words} --cert leaf.pem --key leaf-key.pem`);
    }
    const idle = ['passphrase-file', 'key-type', 'days', 'client-auth'].find((name) => values.has(name));
    if (idle !== undefined) {
      throw usageError(`--${idle} is about a certificate, and none is asked for`, '--cert leaf.pem --key leaf-key.pem');
    }
    return undefined;
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [there, missing] = certFile === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw usageError(`--${there} needs --${missing}`, `--${missing} FILE; a certificate is no use without its key`);
  }
  if (new Set(files).size < files.length) throw usageError('one file is named twice', 'a file for each');
  if (pkcs12File !== undefined && passphraseFile === undefined) {
    throw usageError('a PKCS#12 file needs a passphrase', 'put one into a file, and --passphrase-file FILE');
  }
  if (pkcs12File === undefined && passphraseFile !== undefined) {
    throw usageError('--passphrase-file protects a PKCS#12 file, and none is asked for', '--pkcs12 FILE');
  }
  return {
    certFile,
    keyFile,
    pkcs12File,
    passphraseFile,
    keyType: values.text('key-type') === 'rsa-2048' ? 'rsa-2048' : 'ecdsa-p256',
    days: values.integer('days', 1, MAX_DAYS),
    clientAuth: values.has('client-auth'),
  };
}

function refuseWith(values: OptionValues, name: string, others: readonly string[]): void {
  const other = others.find((candidate) => values.has(candidate));
  if (other !== undefined) throw usageError(`--${name} and --${other} exclude each other`, `--${name} alone`);
  const [word] = values.words;
  if (word !== undefined) throw usageError(`--${name} takes no name such as ${word}`, `--${name} alone`);
}

function describeCa(ca: DevelopmentCa): string {
  const file = shellWord(escapeControls(ca.certificatePath ?? ''));
  return [
    `development CA   ${file}`,
    `valid            ${day(ca.notBefore)} to ${day(ca.notAfter)}`,
    `signs            ${ca.permittedNames.join(', ')}`,
    `SHA-256          ${ca.fingerprint256}`,
    `use it           curl --cacert ${file} https://localhost:5443/`,
  ].join('\n');
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

async function issue(
  ca: DevelopmentCa,
  leaf: LeafRequest,
  names: readonly string[],
  context: CommandContext,
): Promise<void> {
  const { directory } = context;
  const passphrase = await readPassphrase(leaf.passphraseFile && path.resolve(directory, leaf.passphraseFile));
  const identity = await ca.issue({
    ...(names.length === 0 ? {} : { names }),
    ...(leaf.days === undefined ? {} : { days: leaf.days }),
    ...(passphrase === undefined ? {} : { pkcs12: { passphrase } }),
    keyType: leaf.keyType,
    clientAuth: leaf.clientAuth,
  });
  for (const file of await writeFiles(identity, leaf, directory)) context.print(`wrote ${escapeControls(file)}`);
}

async function writeFiles(identity: IssuedIdentity, leaf: LeafRequest, directory: string): Promise<string[]> {
  const { certFile, keyFile, pkcs12File } = leaf;
  // The key first: a certificate without its key is no use, a key without a certificate does no harm.
  if (keyFile !== undefined) await writeOne(path.resolve(directory, keyFile), identity.keyPem, PRIVATE);
  if (certFile !== undefined)
    await writeOne(path.resolve(directory, certFile), identity.certPem + identity.caPem, PUBLIC);
  if (pkcs12File !== undefined && identity.pkcs12 !== undefined)
    await writeOne(path.resolve(directory, pkcs12File), identity.pkcs12, PRIVATE);
  return [certFile, keyFile, pkcs12File].filter((file) => file !== undefined);
}

async function writeOne(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  try {
    const handle = await open(file, 'w', mode);
    try {
      // The mode above holds for a new file only; an old one is closed to others before the key stands in it.
      if (mode === PRIVATE) await handle.chmod(mode);
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new CommandError(
      { cause: `cannot write a file: ${systemReason(error)}`, place: file, next: 'a folder that you can write' },
      1,
      error,
    );
  }
}

const PRIVATE = 0o600;
const PUBLIC = 0o644;
/** What certificates/ allows. */
const MAX_DAYS = 397;
