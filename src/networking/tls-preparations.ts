/**
 * Client TLS configurations made ready for use.
 *
 * Owns the secure context and the verifier of each configuration, made once, and the sessions to resume. A
 * configuration that is written anew with the same content finds what was made for the first.
 *
 * Invariant: two configurations share a context and sessions only if everything that a verdict rests on is the same.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { ClientTlsConfig, Clock } from '../common/index.ts';
import { ConfiguredVerifier, pemList } from '../trust/index.ts';
import type { CertificateVerifier } from '../trust/index.ts';
import { secureContext } from './tls-identity.ts';
import { TlsSessionCache } from './tls-session-cache.ts';

/** A configuration ready for use. */
export interface PreparedTls {
  /** Tells configurations with different content apart. */
  readonly id: string;
  readonly context: SecureContext;
  readonly verifier: CertificateVerifier;
  /** Whether sessions are kept and resumed. */
  readonly resumes: boolean;
}

/** How many configurations are kept besides those that are still in use somewhere. */
const KEPT = 64;

/** Makes configurations ready, each once. */
export class TlsPreparations {
  /** The sessions of all configurations. */
  readonly sessions: TlsSessionCache;
  readonly #clock: Clock;
  readonly #byObject: WeakMap<ClientTlsConfig, PreparedTls>;
  readonly #byContent: Map<string, PreparedTls>;
  readonly #functions: WeakMap<object, number>;
  #functionCount: number;

  constructor(clock: Clock) {
    this.sessions = new TlsSessionCache();
    this.#clock = clock;
    this.#byObject = new WeakMap();
    this.#byContent = new Map();
    this.#functions = new WeakMap();
    this.#functionCount = 0;
  }

  /** The configuration ready for use. @throws ConfigurationError that names the item that cannot be used */
  prepare(config: ClientTlsConfig = DEFAULT_CONFIG): PreparedTls {
    const known = this.#byObject.get(config);
    if (known !== undefined) return known;
    const id = this.#contentOf(config);
    let prepared = this.#byContent.get(id);
    if (prepared === undefined) {
      const verifier = new ConfiguredVerifier(config, { clock: this.#clock });
      const resumes = config.resumption !== false && verifier.allowsResumption;
      const context = secureContext(
        {
          identity: config.identity,
          authorities: verifier.authorities,
          minVersion: config.minVersion,
          resumption: resumes,
          server: false,
        },
        'the client certificate',
      );
      prepared = { id, context, verifier, resumes };
    }
    this.#byContent.delete(id);
    this.#byContent.set(id, prepared);
    if (this.#byContent.size > KEPT) {
      for (const oldest of this.#byContent.keys()) {
        this.#byContent.delete(oldest);
        break;
      }
    }
    this.#byObject.set(config, prepared);
    return prepared;
  }

  /** A digest of everything that matters for a verdict. The server's name is in the key of a session besides. */
  #contentOf(config: ClientTlsConfig): string {
    const hash = createHash('sha256');
    const add = (label: string, parts: readonly (string | Uint8Array)[] | undefined): void => {
      hash.update(`${label} ${parts === undefined ? '-' : String(parts.length)}\n`);
      for (const part of parts ?? []) hash.update(`${String(part.length)}\n`).update(part);
    };
    const { identity } = config;
    add('ca', config.ca === undefined ? undefined : pemList(config.ca));
    add('extraCa', config.extraCa === undefined ? undefined : pemList(config.extraCa));
    add('cert', identity?.cert === undefined ? undefined : [identity.cert]);
    add('key', identity?.key === undefined ? undefined : [identity.key]);
    add('pfx', identity?.pfx === undefined ? undefined : [identity.pfx]);
    add('passphrase', identity?.passphrase === undefined ? undefined : [identity.passphrase]);
    add('pins', config.pins);
    add('flags', [
      String(config.insecure === true),
      String(config.resumption !== false),
      config.minVersion ?? '',
      String(config.verify === undefined ? 0 : this.#numberOf(config.verify)),
    ]);
    return hash.digest('base64');
  }

  #numberOf(callback: object): number {
    let number = this.#functions.get(callback);
    if (number === undefined) {
      this.#functionCount += 1;
      number = this.#functionCount;
      this.#functions.set(callback, number);
    }
    return number;
  }
}

const DEFAULT_CONFIG: ClientTlsConfig = Object.freeze({});
