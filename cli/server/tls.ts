/**
 * The certificate of `hface-ts server`: the user's own, or one for development made on the spot.
 *
 * Owns the choice, and which names a development certificate is for.
 *
 * @module
 */
import path from 'node:path';
import type { CertificateNotice, DevelopmentCa } from '../../src/certificates/index.ts';
import type { Endpoint, ServerTlsConfig, TlsIdentity } from '../../src/common/index.ts';
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
  /** The user's own files, to be read again; `undefined` for a development certificate. */
  readonly source: TlsSource | undefined;
  /** The latest development certificate, renewed when it is time; `undefined` for one of the user's own. */
  readonly renew: (() => Promise<TlsIdentity | undefined>) | undefined;
}

/** Files that make a configuration. */
export interface TlsSource {
  /** Absolute; the certificate is the first. */
  readonly files: readonly string[];
  /** Reads and checks them. @throws ConfigurationError, CommandError */
  read(): Promise<ServerTlsConfig>;
}

/** A certificate, where it is from, and how there can be another. */
type Certificate = Omit<ServerTls, 'keylog'>;

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
  const certificate =
    values.has('cert') || values.has('key')
      ? await ownTls(values, context)
      : await developmentTlsFor(secure, values, context, onNotice);
  const clientCa = values.text('client-ca') && path.resolve(context.directory, values.text('client-ca') ?? '');
  const keylogFile = values.text('keylog');
  const keylog = keylogFile === undefined ? undefined : openKeylog(path.resolve(context.directory, keylogFile));
  const whole = async (config: ServerTlsConfig): Promise<ServerTlsConfig> => ({
    ...config,
    ...(clientCa === undefined ? {} : await clientCertificates(clientCa)),
    ...(keylog === undefined ? {} : { keylog: (line: string) => keylog.line(line.trimEnd()) }),
  });
  const { config, caFile, source, renew } = certificate;
  return {
    caFile,
    keylog,
    renew,
    source: source && {
      files: clientCa === undefined ? source.files : [...source.files, clientCa],
      read: async () => whole(await source.read()),
    },
    config: await whole(config),
  };
}

async function ownTls(values: OptionValues, context: CommandContext): Promise<Certificate> {
  const certFile = values.text('cert');
  const keyFile = values.text('key');
  if (certFile === undefined || keyFile === undefined) {
    const [there, missing] = certFile === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw usageError(`--${there} needs --${missing}`, `--${missing} FILE; the same file when it holds both`);
  }
  const { readIdentity } = await import('../../src/certificates/index.ts');
  const passphraseFile = values.text('passphrase-file');
  const files = [certFile, keyFile].map((file) => path.resolve(context.directory, file));
  const [certPath = '', keyPath = ''] = files;
  const read = async (): Promise<ServerTlsConfig> => {
    try {
      return await readIdentity({
        certFile: certPath,
        keyFile: keyPath,
        passphrase: await readPassphrase(passphraseFile && path.resolve(context.directory, passphraseFile)),
      });
    } catch (error) {
      if (!(error instanceof ConfigurationError) || error.code !== 'ERR_IDENTITY_PASSPHRASE') throw error;
      const next = passphraseFile === undefined ? '--passphrase-file FILE' : `another first line in ${passphraseFile}`;
      throw new CommandError({ cause: error.message, place: undefined, next }, 1, error);
    }
  };
  return { config: await read(), caFile: undefined, source: { files, read }, renew: undefined };
}

async function developmentTlsFor(
  secure: readonly Endpoint[],
  values: OptionValues,
  context: CommandContext,
  onNotice: CertificateNews,
): Promise<Certificate> {
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
    const { serverNames } = config;
    // With each handshake that names its host the certificate is renewed when it is due; so is it by being asked for.
    const renew = async (): Promise<TlsIdentity | undefined> =>
      typeof serverNames === 'function' ? serverNames('localhost') : undefined;
    return { config, caFile: ca.certificatePath, source: undefined, renew };
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
