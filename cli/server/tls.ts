/**
 * The certificate of `hface-ts server`: the user's own, or one for development made on the spot.
 *
 * Owns the choice, and which names a development certificate is for.
 *
 * @module
 */
import path from 'node:path';
import type { CertificateNotice, DevelopmentCa } from '../../src/certificates/index.ts';
import type { Endpoint, ServerTlsConfig } from '../../src/common/index.ts';
import { ConfigurationError } from '../../src/common/index.ts';
import type { CommandContext, LineOutput } from '../context.ts';
import { dataDirectory } from '../context.ts';
import { openKeylog } from '../keylog.ts';
import type { OptionValues } from '../option-values.ts';
import { readPassphrase } from '../passphrase.ts';
import { CommandError, failureOf, usageError } from '../report.ts';

/** TLS for the https endpoints. */
export interface ServerTls {
  readonly config: ServerTlsConfig;
  /** The file that a client must trust; `undefined` for a certificate of the user's own. */
  readonly caFile: string | undefined;
  /** Where secrets go, or `undefined`. */
  readonly keylog: LineOutput | undefined;
}

/** Takes what is told of certificates that were made, or could not be renewed. */
export type CertificateNews = (notice: CertificateNotice) => void;

/** Options that mean something with TLS only. */
const TLS_OPTIONS: readonly string[] = ['cert', 'key', 'passphrase-file', 'client-ca', 'keylog'];

/** Reads or makes the certificate; `undefined` when no endpoint is https. @throws CommandError, ConfigurationError */
export async function chooseTls(
  endpoints: readonly Endpoint[],
  values: OptionValues,
  context: CommandContext,
  onNotice: CertificateNews,
): Promise<ServerTls | undefined> {
  const secure = endpoints.filter((endpoint) => endpoint.scheme === 'https');
  if (secure.length === 0) {
    const idle = TLS_OPTIONS.find((name) => values.has(name));
    if (idle === undefined) return undefined;
    throw usageError(`--${idle} is for TLS, and no endpoint is https`, 'https://localhost:5443 as a further word');
  }
  const { config, caFile } =
    values.has('cert') || values.has('key')
      ? await ownTls(values, context)
      : await developmentTlsFor(secure, values, context, onNotice);
  const clientCa = values.text('client-ca');
  const keylogFile = values.text('keylog');
  const keylog = keylogFile === undefined ? undefined : openKeylog(path.resolve(context.directory, keylogFile));
  return {
    caFile,
    keylog,
    config: {
      ...config,
      ...(clientCa === undefined ? {} : await clientCertificates(path.resolve(context.directory, clientCa))),
      ...(keylog === undefined ? {} : { keylog: (line: string) => keylog.line(line.trimEnd()) }),
    },
  };
}

async function ownTls(values: OptionValues, context: CommandContext): Promise<Omit<ServerTls, 'keylog'>> {
  const certFile = values.text('cert');
  const keyFile = values.text('key');
  if (certFile === undefined || keyFile === undefined) {
    const [there, missing] = certFile === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw usageError(`--${there} needs --${missing}`, `--${missing} FILE; the same file when it holds both`);
  }
  const { readIdentity } = await import('../../src/certificates/index.ts');
  const passphraseFile = values.text('passphrase-file');
  try {
    const config = await readIdentity({
      certFile: path.resolve(context.directory, certFile),
      keyFile: path.resolve(context.directory, keyFile),
      passphrase: await readPassphrase(passphraseFile && path.resolve(context.directory, passphraseFile)),
    });
    return { config, caFile: undefined };
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.code !== 'ERR_IDENTITY_PASSPHRASE') throw error;
    const next = passphraseFile === undefined ? '--passphrase-file FILE' : `another first line in ${passphraseFile}`;
    throw new CommandError({ cause: error.message, place: undefined, next }, 1, error);
  }
}

async function developmentTlsFor(
  secure: readonly Endpoint[],
  values: OptionValues,
  context: CommandContext,
  onNotice: CertificateNews,
): Promise<Omit<ServerTls, 'keylog'>> {
  if (values.has('passphrase-file')) throw usageError('--passphrase-file needs --key', '--cert FILE --key FILE');
  const { developmentTls, openDevelopmentCa } = await import('../../src/certificates/index.ts');
  const place = { ...dataDirectory(context), onNotice };
  let ca: DevelopmentCa;
  try {
    ca = await openDevelopmentCa(place);
  } catch (error) {
    const { cause, next } = failureOf(error);
    const other = 'or leave https out: -p 5080';
    throw new CommandError(
      { cause, place: undefined, next: next === undefined ? other : `${next}, ${other}` },
      1,
      error,
    );
  }
  try {
    const config = await developmentTls({ ...place, names: namesOf(secure) });
    return { config, caFile: ca.certificatePath };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const hosts = secure.map((endpoint) => endpoint.host).join(', ');
    const next = '--cert FILE --key FILE, or leave https out: -p 5080';
    throw new CommandError({ cause: error.message, place: hosts, next }, 1, error);
  }
}

/** `localhost` and its addresses, and the hosts of endpoints that are names of their own. */
function namesOf(secure: readonly Endpoint[]): string[] {
  const names = new Set(['localhost', '127.0.0.1', '::1']);
  for (const { host } of secure) {
    if (host !== '' && !WILDCARDS.has(host)) names.add(host);
  }
  return [...names];
}

async function clientCertificates(file: string): Promise<Pick<ServerTlsConfig, 'ca' | 'clientCertificate'>> {
  const { readAuthorities } = await import('../authorities.ts');
  return { ca: await readAuthorities(file, 1), clientCertificate: 'require' };
}

/** They stand for every address, so they are no name of a certificate. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::0']);
