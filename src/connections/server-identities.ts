/**
 * Which certificate a server shows, by the name that the client asks for (RFC 6066 section 3).
 *
 * Owns the choice for QUIC: exact names first, then wildcards for one label, then the user's function, then the
 * configuration's own identity. Over TCP networking makes it, with contexts of `node:tls`.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import type { ServerTlsConfig, TlsIdentity } from '../common/index.ts';

/** The identities of a configuration. */
export class ServerIdentities {
  readonly #own: TlsIdentity | undefined;
  readonly #byName: ReadonlyMap<string, TlsIdentity>;
  readonly #choose: ((serverName: string) => TlsIdentity | undefined | Promise<TlsIdentity | undefined>) | undefined;

  /** @throws ConfigurationError for a configuration with nothing to show, or with what QUIC cannot use */
  constructor(config: ServerTlsConfig) {
    const { serverNames } = config;
    this.#own = config.cert === undefined && config.pfx === undefined ? undefined : identityOf(config);
    if (this.#own === undefined && serverNames === undefined) {
      throw new ConfigurationError('TLS needs a certificate and its private key', {
        code: 'ERR_TLS_CERTIFICATE',
        hint: 'give tls: { cert, key }',
      });
    }
    this.#choose = typeof serverNames === 'function' ? serverNames : undefined;
    const named = typeof serverNames === 'function' ? [] : Object.entries(serverNames ?? {});
    this.#byName = new Map(named.map(([name, identity]) => [normalName(name), identityOf(identity)]));
  }

  /** The identity for a name; `undefined` when there is none. @throws whatever a user's function throws */
  find(serverName: string | undefined): TlsIdentity | undefined | Promise<TlsIdentity | undefined> {
    if (serverName === undefined || serverName === '') return this.#own;
    const name = normalName(serverName);
    const exact = this.#byName.get(name) ?? this.#byName.get(wildcardFor(name));
    if (exact !== undefined) return exact;
    const chosen = this.#choose?.(name);
    if (chosen === undefined) return this.#own;
    if (!('then' in chosen)) return identityOf(chosen);
    return Promise.resolve(chosen).then((identity) => (identity === undefined ? this.#own : identityOf(identity)));
  }
}

/** The identity in the form that QUIC takes. */
function identityOf(identity: TlsIdentity): TlsIdentity {
  if (identity.pfx !== undefined) {
    throw new ConfigurationError('HTTP/3 takes no PKCS#12', {
      code: 'ERR_TLS_PFX',
      hint: 'give cert and key in PEM: openssl pkcs12 -in FILE -nodes',
    });
  }
  if (identity.cert === undefined || identity.key === undefined) {
    throw new ConfigurationError('TLS needs a certificate and its private key', {
      code: identity.cert === undefined ? 'ERR_TLS_CERTIFICATE' : 'ERR_TLS_KEY',
      hint: 'give tls: { cert, key }',
    });
  }
  return identity;
}

/** Names compare without case and without the root's dot. */
function normalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** The wildcard that stands for a name: `*.example.com` for one label below it. */
function wildcardFor(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : `*${name.slice(dot)}`;
}
