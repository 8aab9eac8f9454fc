/**
 * `hface-ts cert`: the development CA, and certificates from it.
 *
 * Owns what is printed and which files are written. Making certificates is certificates/' work.
 *
 * @module
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import type { DevelopmentCaOptions, IssuedIdentity } from '../src/certificates/index.ts';
import { openDevelopmentCa, removeDevelopmentCa } from '../src/certificates/index.ts';
import { certExamples, certOptions } from './cert-options.ts';
import type { CommandContext } from './context.ts';
import type { CommandDescription, OptionValues } from './parse-command.ts';
import { parseCommand } from './parse-command.ts';
import { CommandError, printable, usageError } from './report.ts';

/** @see {@link runCert} */
export const certCommand: CommandDescription = {
  command: 'cert',
  usage: 'hface-ts cert [NAME…] [options]',
  summary: 'Shows the development CA, makes it when there is none, and issues certificates for local names.',
  options: certOptions,
  refused: new Set(),
  examples: certExamples,
  words: { least: 0, most: 100, name: 'no word' },
};

/** Runs the command. Resolves to the exit code. */
export async function runCert(words: readonly string[], context: CommandContext): Promise<number> {
  const values = await parseCommand(words, certCommand, (help) => { context.print(help); });
  if (values === undefined) return 0;
  const directory = values.text('directory');
  if (values.has('remove')) {
    const removed = await removeDevelopmentCa(directory === undefined ? {} : { directory });
    context.print(removed.length === 0 ? 'There was no development CA.' : removed.map((file) => `removed ${printable(file)}`).join('\n'));
    return 0;
  }
  const ca = await openDevelopmentCa({
    ...(directory === undefined ? {} : { directory }),
    ...(values.has('private-networks') ? { privateNetworks: true } : {}),
    onNotice: (notice) => { context.inform(notice.message); },
  } satisfies DevelopmentCaOptions);
  const wantsLeaf = values.words.length > 0 || values.has('cert') || values.has('key') || values.has('pkcs12');
  if (!wantsLeaf) {
    context.print(
      [
        `development CA   ${printable(ca.certificatePath ?? '')}`,
        `valid            ${new Date(ca.notBefore).toISOString().slice(0, 10)} to ${new Date(ca.notAfter).toISOString().slice(0, 10)}`,
        `signs            ${ca.permittedNames.join(', ')}`,
        `SHA-256          ${ca.fingerprint256}`,
        `use it           curl --cacert ${printable(ca.certificatePath ?? '')} https://localhost:5443/`,
      ].join('\n'),
    );
    return 0;
  }
  await issue(values, ca, context);
  return 0;
}

async function issue(
  values: OptionValues,
  ca: Awaited<ReturnType<typeof openDevelopmentCa>>,
  context: CommandContext,
): Promise<void> {
  const files = { cert: values.text('cert'), key: values.text('key'), pkcs12: values.text('pkcs12') };
  if (files.pkcs12 === undefined && (files.cert === undefined || files.key === undefined)) {
    throw usageError('a certificate needs files to go to', 'add --cert leaf.pem --key leaf-key.pem');
  }
  const passphrase = await readPassphrase(values.text('passphrase-file'));
  if (files.pkcs12 !== undefined && passphrase === undefined) {
    throw usageError('a PKCS#12 file needs a passphrase', 'put one into a file and add --passphrase-file FILE');
  }
  const keyType = values.text('key-type');
  const days = values.number('days', 1);
  const identity = await ca.issue({
    ...(values.words.length === 0 ? {} : { names: values.words }),
    ...(keyType === 'rsa-2048' || keyType === 'ecdsa-p256' ? { keyType } : {}),
    ...(days === undefined ? {} : { days }),
    clientAuth: values.has('client-auth'),
    ...(files.pkcs12 === undefined || passphrase === undefined ? {} : { pkcs12: { passphrase } }),
  });
  await writeFiles(identity, files);
  for (const file of [files.cert, files.key, files.pkcs12]) {
    if (file !== undefined) context.print(`wrote ${printable(file)}`);
  }
}

async function writeFiles(
  identity: IssuedIdentity,
  files: { readonly cert: string | undefined; readonly key: string | undefined; readonly pkcs12: string | undefined },
): Promise<void> {
  if (files.cert !== undefined) await writeOne(files.cert, identity.certPem + identity.caPem, 0o644);
  if (files.key !== undefined) await writeOne(files.key, identity.keyPem, 0o600);
  if (files.pkcs12 !== undefined && identity.pkcs12 !== undefined) await writeOne(files.pkcs12, identity.pkcs12, 0o600);
}

async function writeOne(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  try {
    await writeFile(file, content, { mode });
    // The mode above holds for a new file only.
    if (mode === 0o600) await chmod(file, mode);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError({ cause: `cannot write the file: ${reason}`, place: file, next: undefined }, 1, error);
  }
}

/** The first line of a file, or `undefined` without a file. */
export async function readPassphrase(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError({ cause: `cannot read the passphrase: ${reason}`, place: file, next: undefined }, 1, error);
  }
}
