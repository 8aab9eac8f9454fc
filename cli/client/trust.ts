/**
 * TLS of `hface-ts client`: whom it trusts, and who it says it is.
 *
 * Owns the rule that the development CA is trusted for loopback names only, and only where no other trust was asked
 * for.
 *
 * @module
 */
import path from 'node:path';
import { developmentCaCertificate, readIdentity } from '../../src/certificates/index.ts';
import type { ClientTlsConfig, TlsIdentity } from '../../src/common/index.ts';
import { readAuthorities } from '../authorities.ts';
import type { CommandContext, LineOutput } from '../context.ts';
import { dataDirectory } from '../context.ts';
import { openKeylog } from '../keylog.ts';
import type { OptionValues } from '../option-values.ts';
import { CommandError, failureOf, usageError } from '../report.ts';
import { exitCode } from './exit-codes.ts';
import { isLoopback } from './targets.ts';

/** TLS for each URL. */
export class ClientTrust {
  /** Where secrets go, or `undefined`. */
  readonly keylog: LineOutput | undefined;
  readonly #ordinary: ClientTlsConfig;
  readonly #loopback: () => Promise<ClientTlsConfig>;
  #loopbackConfig: Promise<ClientTlsConfig> | undefined;

  /** @param loopback - makes the configuration for loopback names, when the first of them is met */
  constructor(ordinary: ClientTlsConfig, loopback: () => Promise<ClientTlsConfig>, keylog: LineOutput | undefined) {
    this.keylog = keylog;
    this.#ordinary = ordinary;
    this.#loopback = loopback;
    this.#loopbackConfig = undefined;
  }

  /** The configuration for a URL; the same object for URLs that may share connections. */
  async configFor(url: URL): Promise<ClientTlsConfig> {
    if (url.protocol !== 'https:' || !isLoopback(url)) return this.#ordinary;
    this.#loopbackConfig ??= this.#loopback();
    return this.#loopbackConfig;
  }
}

/** Reads the options. @param warn - takes a line when the development CA cannot be used. @throws CommandError */
export async function chooseTrust(
  values: OptionValues,
  context: CommandContext,
  warn: (line: string) => void,
): Promise<ClientTrust> {
  const cacert = values.text('cacert');
  const insecure = values.has('insecure');
  const keylogFile = values.text('keylog');
  const identity = await readClientIdentity(values, context.directory);
  const ca =
    cacert === undefined ? undefined : await readAuthorities(path.resolve(context.directory, cacert), exitCode.caFile);
  const keylog = keylogFile === undefined ? undefined : openKeylog(path.resolve(context.directory, keylogFile));
  const ordinary: ClientTlsConfig = {
    insecure,
    ...(ca === undefined ? {} : { ca }),
    ...(identity === undefined ? {} : { identity }),
    ...(keylog === undefined ? {} : { keylog: (line: string) => keylog.line(line.trimEnd()) }),
  };
  const usesDevelopmentCa = !insecure && ca === undefined && !values.has('no-dev-ca');
  const loopback = async (): Promise<ClientTlsConfig> => {
    if (!usesDevelopmentCa) return ordinary;
    try {
      const extraCa = await developmentCaCertificate(dataDirectory(context));
      return extraCa === undefined ? ordinary : { ...ordinary, extraCa };
    } catch (error) {
      warn(`the development CA is not trusted: ${failureOf(error).cause}`);
      return ordinary;
    }
  };
  return new ClientTrust(ordinary, loopback, keylog);
}

async function readClientIdentity(values: OptionValues, directory: string): Promise<TlsIdentity | undefined> {
  const cert = values.text('cert');
  const key = values.text('key');
  if (cert === undefined) {
    const idle = ['key', 'pass'].find((name) => values.has(name));
    if (idle !== undefined) throw usageError(`--${idle} needs --cert`, '--cert FILE');
    return undefined;
  }
  try {
    return await readIdentity({
      certFile: path.resolve(directory, cert),
      keyFile: path.resolve(directory, key ?? cert),
      passphrase: values.text('pass'),
    });
  } catch (error) {
    const { cause, next } = failureOf(error);
    const advice = (error as { readonly code?: unknown }).code === 'ERR_IDENTITY_PASSPHRASE' ? '--pass PHRASE' : next;
    throw new CommandError({ cause, place: undefined, next: advice }, exitCode.clientCertificate, error);
  }
}
