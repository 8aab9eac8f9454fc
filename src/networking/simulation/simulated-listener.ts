/**
 * {@link TcpListener} in a simulation, with simulated TLS where it is configured.
 *
 * Invariant: every `admit` that answered true is followed by exactly one `streamAccepted` or `streamFailed`.
 *
 * @module
 */
import { ConfigurationError, NetworkError } from '../../common/index.ts';
import type { ScheduledCallback, ServerTlsConfig, SocketAddress, TlsIdentity } from '../../common/index.ts';
import { pemList, readAuthorities } from '../../trust/index.ts';
import type { ListenTcpOptions, TcpListener, TcpListenerHandler } from '../networking.ts';
import type { ConnectionTarget, SimulatedNetwork } from './simulated-network.ts';
import type { SimulatedStream } from './simulated-stream.ts';
import type { ClientHello, IdentityTable } from './simulated-tls.ts';
import { handshakeError, MessageReader, simulatedFacts, writeMessage } from './simulated-tls.ts';
import { certificatesOf, simulatedPath } from './simulated-verdict.ts';

/** How long a handshake may take, in milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;

/** A handshake under way. */
interface Handshake {
  readonly stream: SimulatedStream;
  readonly timer: ScheduledCallback;
}

/** A listener of a simulated network. */
export class SimulatedListener implements TcpListener, ConnectionTarget {
  readonly addresses: readonly SocketAddress[];
  readonly #network: SimulatedNetwork;
  readonly #identities: IdentityTable;
  readonly #options: ListenTcpOptions;
  readonly #handler: TcpListenerHandler;
  readonly #handshakes: Map<SimulatedStream, Handshake>;
  #tls: ServerTlsConfig | undefined;
  #closed: boolean;

  constructor(
    network: SimulatedNetwork,
    identities: IdentityTable,
    addresses: readonly SocketAddress[],
    options: ListenTcpOptions,
    handler: TcpListenerHandler,
  ) {
    checkIdentities(options.tls);
    this.addresses = addresses;
    this.#network = network;
    this.#identities = identities;
    this.#options = options;
    this.#handler = handler;
    this.#handshakes = new Map();
    this.#tls = options.tls;
    this.#closed = false;
    for (const address of addresses) network.bind(address, this);
  }

  updateTls(tls: ServerTlsConfig): void {
    if (this.#tls === undefined) throw new ConfigurationError('this listener has no TLS to replace');
    checkIdentities(tls);
    this.#tls = tls;
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    for (const address of this.addresses) this.#network.unbind(address);
    for (const { stream } of [...this.#handshakes.values()]) {
      this.#failed(stream, handshakeError('ERR_LISTENER_CLOSED', 'the listener was closed'));
    }
    return Promise.resolve();
  }

  connected(stream: SimulatedStream): void {
    if (!this.#admits(stream)) {
      stream.abort();
      return;
    }
    const tls = this.#tls;
    if (tls === undefined) {
      this.#accepted(stream);
      return;
    }
    const { clock } = this.#network;
    const limit = this.#options.handshakeTimeout ?? HANDSHAKE_TIMEOUT;
    const timer = clock.schedule(clock.now() + limit, () => {
      this.#failed(stream, handshakeError('ERR_TLS_TIMEOUT', `not finished within ${String(limit)} ms`));
    });
    this.#handshakes.set(stream, { stream, timer });
    const reader = new MessageReader(stream, (message, error) => {
      if (error !== undefined) this.#failed(stream, error);
      else this.#answer(stream, tls, message as ClientHello, reader);
    });
  }

  /** Answers a hello, at once or when the user's function has named an identity. */
  #answer(stream: SimulatedStream, tls: ServerTlsConfig, hello: ClientHello, reader: MessageReader): void {
    const refuse = (error: unknown): void => {
      const why = error instanceof Error ? error.message : String(error);
      const words = `no certificate for ${hello.serverName ?? 'this server'}: ${why}`;
      this.#failed(stream, new NetworkError(words, { code: 'ERR_TLS_IDENTITY', phase: 'tls', cause: error }));
    };
    const go = (identity: TlsIdentity | undefined): void => this.#secure(stream, tls, hello, identity ?? tls, reader);
    try {
      const chosen = chooseIdentity(tls, hello.serverName);
      if (chosen instanceof Promise) chosen.then(go).catch(refuse);
      else go(chosen);
    } catch (error) {
      refuse(error);
    }
  }

  #secure(
    stream: SimulatedStream,
    tls: ServerTlsConfig,
    hello: ClientHello,
    identity: TlsIdentity,
    reader: MessageReader,
  ): void {
    if (!this.#handshakes.has(stream)) return;
    const offered = this.#options.alpnProtocols ?? [];
    const alpn = offered.find((protocol) => hello.alpn.includes(protocol));
    if (offered.length > 0 && hello.alpn.length > 0 && alpn === undefined) {
      stream.write(writeMessage({ alert: 'no_application_protocol' }));
      stream.end();
      const error = handshakeError('ERR_TLS_NO_ALPN', 'no application protocol (ALPN) in common');
      this.#settle(stream);
      this.#tell(() => this.#handler.streamFailed(stream.remoteAddress, error));
      return;
    }
    const asks = tls.clientCertificate === 'request' || tls.clientCertificate === 'require';
    const shown = asks && hello.identity !== undefined ? this.#identities.chainOf(hello.identity) : undefined;
    const authorized = shown !== undefined && this.#verifies(tls, shown);
    if (tls.clientCertificate === 'require' && !authorized) {
      const words = "the client's certificate is not accepted";
      this.#failed(stream, handshakeError('ERR_TLS_CLIENT_CERTIFICATE', words));
      return;
    }
    const number = this.#identities.numberOf(identity);
    stream.write(writeMessage({ alpn, identity: number, asksForCertificate: asks }));
    this.#settle(stream);
    stream.park(reader.rest);
    const peerCertificate = shown === undefined ? undefined : certificatesOf(shown)[0]?.raw;
    stream.tls = simulatedFacts({ alpn, serverName: hello.serverName, authorized, peerCertificate });
    this.#accepted(stream);
  }

  #verifies(tls: ServerTlsConfig, shown: string): boolean {
    const authorities = certificatesOf(tls.ca === undefined ? '' : readAuthorities(tls.ca).join('\n'));
    const path = simulatedPath(certificatesOf(shown), authorities, 'client', this.#network.clock.wallTime());
    return path.error === undefined;
  }

  #failed(stream: SimulatedStream, error: NetworkError): void {
    if (!this.#settle(stream)) return;
    stream.abort();
    this.#tell(() => this.#handler.streamFailed(stream.remoteAddress, error));
  }

  #settle(stream: SimulatedStream): boolean {
    const handshake = this.#handshakes.get(stream);
    handshake?.timer.cancel();
    return this.#handshakes.delete(stream);
  }

  #admits(stream: SimulatedStream): boolean {
    try {
      return this.#handler.admit(stream.remoteAddress);
    } catch {
      return false;
    }
  }

  #accepted(stream: SimulatedStream): void {
    try {
      this.#handler.streamAccepted(stream);
    } catch {
      stream.abort();
    }
  }

  #tell(callback: () => void): void {
    try {
      callback();
    } catch {
      // It has been told.
    }
  }
}

function checkIdentities(tls: ServerTlsConfig | undefined): void {
  if (tls === undefined) return;
  if (tls.cert === undefined && tls.serverNames === undefined) {
    throw new ConfigurationError('TLS needs a certificate and its private key', { code: 'ERR_TLS_CERTIFICATE' });
  }
  if (tls.cert !== undefined && certificatesOf(pemList(tls.cert).join('\n')).length === 0) {
    throw new ConfigurationError('the TLS certificate cannot be read', { code: 'ERR_TLS_CERTIFICATE' });
  }
}

function chooseIdentity(
  tls: ServerTlsConfig,
  serverName: string | undefined,
): TlsIdentity | undefined | Promise<TlsIdentity | undefined> {
  const { serverNames } = tls;
  if (serverName === undefined || serverNames === undefined) return undefined;
  const name = serverName.toLowerCase();
  if (typeof serverNames === 'function') {
    const answer = serverNames(name);
    return answer !== undefined && 'then' in answer ? Promise.resolve(answer) : answer;
  }
  const wildcard = name.includes('.') ? `*${name.slice(name.indexOf('.'))}` : '';
  const found = Object.entries(serverNames).find(([key]) => key.toLowerCase() === name);
  return found?.[1] ?? Object.entries(serverNames).find(([key]) => key.toLowerCase() === wildcard)?.[1];
}
