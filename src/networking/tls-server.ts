/**
 * TLS for accepted sockets.
 *
 * Owns handshakes from the raw socket to a secured one: identity by name, client certificates, ALPN, deadline, and the
 * outcome of each, told exactly once. A `tls.Server` that never listens does the work, since a server-side TLSSocket
 * made by hand delivers the data of clients that were not verified.
 *
 * Invariants:
 * - No callback of a user's can throw into the event loop: a server name that makes one throw or reject fails that
 *   handshake only (CVE-2026-21637).
 * - Every raw socket handed in ends as secured, or destroyed with its failure told.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { SecureContext, Server, TlsOptions, TLSSocket } from 'node:tls';
import { ConfigurationError, NetworkError } from '../common/index.ts';
import type { Clock, ServerTlsConfig, TlsFacts, TlsIdentity } from '../common/index.ts';
import type { Timer } from '../concurrency/index.ts';
import { TimerQueue } from '../concurrency/index.ts';
import { readAuthorities } from '../trust/index.ts';
import { rawSocketOf } from './platform.ts';
import { resetSocket } from './socket-stream.ts';
import { tlsError } from './tls-errors.ts';
import { requestedName, tellKey, tlsFactsOf } from './tls-facts.ts';
import type { ContextParts } from './tls-identity.ts';
import { contextOptions, hasIdentity, secureContext } from './tls-identity.ts';

/** How long a handshake may take, in milliseconds. */
export const DEFAULT_HANDSHAKE_TIMEOUT = 10_000;

/** Bytes: a name, a key for the MAC and a key for the cipher, 16 each. */
const TICKET_KEYS_LENGTH = 48;

/** Who is told how one handshake ended. */
export interface HandshakeHandler {
  secured(socket: TLSSocket, facts: TlsFacts): void;
  failed(error: NetworkError): void;
}

/** A handshake under way. */
interface Handshake {
  readonly raw: Socket;
  readonly handler: HandshakeHandler;
  readonly timer: Timer;
  /** The listener for the socket's end. */
  readonly onClose: () => void;
}

/** What an acceptor is made of. */
export interface TlsAcceptorOptions {
  readonly config: ServerTlsConfig;
  readonly alpnProtocols: readonly string[];
  /** In milliseconds. */
  readonly handshakeTimeout: number;
  readonly clock: Clock;
}

/** Does the handshakes of one listener. */
export class TlsAcceptor {
  readonly #alpnProtocols: readonly string[];
  readonly #handshakeTimeout: number;
  readonly #clock: Clock;
  readonly #timers: TimerQueue;
  readonly #pending: Map<Socket, Handshake>;
  #server: Server;

  /** @throws ConfigurationError for a certificate or key that cannot be used */
  constructor(options: TlsAcceptorOptions) {
    this.#alpnProtocols = options.alpnProtocols;
    this.#handshakeTimeout = options.handshakeTimeout;
    this.#clock = options.clock;
    this.#timers = new TimerQueue(options.clock, { onError: nothing, background: true });
    this.#pending = new Map();
    this.#server = this.#createServer(options.config);
  }

  /**
   * Takes another configuration for handshakes to come. Tickets of the old one are not accepted any more, unless both
   * have the same `ticketKeys`: a new certificate is seen by everybody, and no client keeps what it was let in by.
   *
   * @throws ConfigurationError; the old one stays then
   */
  update(config: ServerTlsConfig): void {
    this.#server = this.#createServer(config);
  }

  /** Starts the handshake on an accepted socket. */
  accept(raw: Socket, handler: HandshakeHandler): void {
    const timer = this.#timers.timer(() => this.#timedOut(raw));
    // A turn later, so that what TLS has to say of it comes first.
    const onClose = (): void => void setImmediate(() => this.#fail(raw, undefined));
    this.#pending.set(raw, { raw, handler, timer, onClose });
    timer.set(this.#clock.now() + this.#handshakeTimeout);
    raw.once('close', onClose);
    if (raw.destroyed) {
      setImmediate(() => this.#fail(raw, undefined));
      return;
    }
    // Until the handshake is done an end is a failure: a client that goes away is not waited for.
    raw.allowHalfOpen = false;
    try {
      this.#server.emit('connection', raw);
    } catch (error) {
      this.#fail(raw, error);
    }
  }

  /** Ends every handshake under way. */
  close(): void {
    for (const { raw, handler } of [...this.#pending.values()]) {
      const error = new NetworkError('the listener was closed during the TLS handshake', {
        code: 'ERR_LISTENER_CLOSED',
        phase: 'tls',
      });
      this.#settle(raw);
      resetSocket(raw);
      handler.failed(error);
    }
  }

  #createServer(config: ServerTlsConfig): Server {
    const names = new NamedIdentities(config);
    const options: TlsOptions = {
      ...contextOptions(partsOf(config, config)),
      requestCert: config.clientCertificate === 'request' || config.clientCertificate === 'require',
      rejectUnauthorized: config.clientCertificate === 'require',
      SNICallback: (name, callback) => names.answer(name, callback),
      // Our own deadline runs on the clock; Node's shall never come first.
      handshakeTimeout: 0x7fff_ffff,
    };
    const { ticketKeys } = config;
    if (ticketKeys !== undefined) {
      if (ticketKeys.length !== TICKET_KEYS_LENGTH) {
        throw new ConfigurationError(`ticketKeys are ${String(TICKET_KEYS_LENGTH)} bytes, not ${ticketKeys.length}`, {
          code: 'ERR_TLS_TICKET_KEYS',
          hint: `ticketKeys: randomBytes(${String(TICKET_KEYS_LENGTH)})`,
        });
      }
      options.ticketKeys = Buffer.from(ticketKeys);
    }
    if (this.#alpnProtocols.length > 0) options.ALPNProtocols = [...this.#alpnProtocols];
    const server = createServer(options);
    server.on('secureConnection', (socket) => this.#secured(socket, config));
    server.on('tlsClientError', (error, socket) => {
      const raw = rawSocketOf(socket);
      if (raw !== undefined) this.#fail(raw, error, socket);
    });
    server.on('error', nothing);
    const { keylog } = config;
    if (keylog !== undefined) server.on('keylog', (line) => tellKey(keylog, line));
    return server;
  }

  #secured(socket: TLSSocket, config: ServerTlsConfig): void {
    const raw = rawSocketOf(socket);
    const handshake = raw === undefined ? undefined : this.#settle(raw);
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = true;
    const asked = config.clientCertificate === 'request' || config.clientCertificate === 'require';
    handshake.handler.secured(socket, tlsFactsOf(socket, requestedName(socket), asked && socket.authorized));
  }

  #timedOut(raw: Socket): void {
    const handshake = this.#settle(raw);
    if (handshake === undefined) return;
    resetSocket(raw);
    const message = `the client did not finish the TLS handshake within ${String(this.#handshakeTimeout)} ms`;
    handshake.handler.failed(new NetworkError(message, { code: 'ERR_TLS_TIMEOUT', phase: 'tls' }));
  }

  #fail(raw: Socket, cause: unknown, socket?: TLSSocket): void {
    const handshake = this.#settle(raw);
    if (handshake === undefined) return;
    handshake.handler.failed(handshakeError(raw, cause, socket));
    // Node closes the socket itself, after the alert; this is for the paths on which it does not.
    setImmediate(() => {
      if (!raw.destroyed) raw.destroy();
    });
  }

  #settle(raw: Socket): Handshake | undefined {
    const handshake = this.#pending.get(raw);
    if (handshake === undefined) return undefined;
    this.#pending.delete(raw);
    handshake.timer.cancel();
    raw.off('close', handshake.onClose);
    return handshake;
  }
}

/** The contexts by server name (RFC 6066 section 3). */
class NamedIdentities {
  readonly #config: ServerTlsConfig;
  readonly #byName: ReadonlyMap<string, SecureContext>;
  readonly #choose: ((serverName: string) => TlsIdentity | undefined | Promise<TlsIdentity | undefined>) | undefined;
  /** Contexts of identities that the function has answered. */
  readonly #made: WeakMap<TlsIdentity, SecureContext>;

  constructor(config: ServerTlsConfig) {
    const { serverNames } = config;
    if (!hasIdentity(config) && serverNames === undefined) {
      throw new ConfigurationError('TLS needs a certificate and its private key', {
        code: 'ERR_TLS_CERTIFICATE',
        hint: 'give tls: { cert, key }',
      });
    }
    this.#config = config;
    this.#made = new WeakMap();
    const byName = new Map<string, SecureContext>();
    // Tried first, so that a bad certificate is named.
    secureContext(partsOf(config, config), 'the TLS certificate');
    if (typeof serverNames === 'function') this.#choose = serverNames;
    else {
      this.#choose = undefined;
      for (const [name, identity] of Object.entries(serverNames ?? {})) {
        byName.set(normalName(name), secureContext(partsOf(config, identity), `the TLS certificate for ${name}`));
      }
    }
    this.#byName = byName;
  }

  /** Answers Node's question; never throws. */
  answer(name: string, callback: (error: Error | null, context?: SecureContext) => void): void {
    let answered = false;
    const tell = (error: Error | null, context?: SecureContext): void => {
      if (answered) return;
      answered = true;
      try {
        callback(error, context);
      } catch {
        // The socket is gone.
      }
    };
    const refuse = (error: unknown): void => tell(identityError(name, error));
    try {
      const found = this.#find(normalName(name));
      if (found instanceof Promise) found.then((context) => tell(null, context), refuse);
      else tell(null, found);
    } catch (error) {
      refuse(error);
    }
  }

  #find(name: string): SecureContext | undefined | Promise<SecureContext | undefined> {
    const exact = this.#byName.get(name) ?? this.#byName.get(wildcardFor(name));
    if (exact !== undefined || this.#choose === undefined) return exact;
    const chosen = this.#choose(name);
    if (chosen === undefined) return undefined;
    if (isIdentity(chosen)) return this.#contextOf(chosen, name);
    return Promise.resolve(chosen).then((identity) =>
      identity === undefined ? undefined : this.#contextOf(identity, name),
    );
  }

  #contextOf(identity: TlsIdentity, name: string): SecureContext {
    const kept = this.#made.get(identity);
    if (kept !== undefined) return kept;
    const context = secureContext(partsOf(this.#config, identity), `the TLS certificate for ${name}`);
    this.#made.set(identity, context);
    return context;
  }
}

function partsOf(config: ServerTlsConfig, identity: TlsIdentity): ContextParts {
  return {
    identity,
    // Without authorities no client certificate is verified: Node's list of public ones is never meant here.
    authorities: config.ca === undefined ? [] : readAuthorities(config.ca),
    minVersion: config.minVersion,
    resumption: config.resumption !== false,
    server: true,
  };
}

function isIdentity(answer: TlsIdentity | Promise<TlsIdentity | undefined>): answer is TlsIdentity {
  return !('then' in answer);
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

function identityError(name: string, error: unknown): NetworkError {
  const why = error instanceof Error ? error.message : String(error);
  return new NetworkError(`no certificate for ${name}: ${why}`, {
    code: 'ERR_TLS_IDENTITY',
    phase: 'tls',
    cause: error,
  });
}

function handshakeError(raw: Socket, cause: unknown, socket: TLSSocket | undefined): NetworkError {
  if (cause instanceof NetworkError) return cause;
  const refusal: unknown = socket?.authorizationError;
  if (typeof refusal === 'string') {
    return new NetworkError(`TLS handshake failed: the client's certificate is not accepted (${refusal})`, {
      code: 'ERR_TLS_CLIENT_CERTIFICATE',
      phase: 'tls',
      cause,
    });
  }
  return tlsError('TLS handshake failed', cause ?? { code: raw.destroyed ? 'ECONNRESET' : '' });
}

function nothing(): void {}
