/**
 * TLS for opened sockets.
 *
 * Owns the handshake from a connected socket to a secured one whose certificate was accepted: server name, ALPN, client
 * certificate, resumption, deadline. The verdict on the server's certificate is trust/'s. It is asked for when the
 * handshake is done; until it is given nothing is read and nothing sent.
 *
 * Invariants:
 * - A socket is handed out only after a positive verdict; a refused one is reset with no byte of data passed on in
 *   either direction.
 * - When the promise rejects, the raw socket is destroyed.
 *
 * @module
 */
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { NetworkError, TimeoutError } from '../common/index.ts';
import type { Clock, TlsFacts } from '../common/index.ts';
import { abortError, Deadline, onAbort, throwIfAborted } from '../concurrency/index.ts';
import type { CertificateRefused, CertificateVerdict } from '../trust/index.ts';
import type { ConnectTlsOptions } from './networking.ts';
import { resetSocket } from './socket-stream.ts';
import { targetName } from './tcp-connect.ts';
import type { PreparedTls, TlsPreparations } from './tls-preparations.ts';
import { tlsError } from './tls-errors.ts';
import { peerChainOf, tellKey, tlsFactsOf } from './tls-facts.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT } from './tls-server.ts';

/** What securing a socket needs of the networking object. */
export interface SecureContextOf {
  readonly clock: Clock;
  readonly preparations: TlsPreparations;
}

/** A socket whose handshake is done and whose peer was accepted. */
export interface SecuredSocket {
  readonly socket: TLSSocket;
  readonly facts: TlsFacts;
}

/**
 * Secures a connected socket.
 *
 * @throws NetworkError (phase `tls`), TimeoutError (`handshake`), ConfigurationError, or the signal's reason
 */
export async function secureSocket(
  context: SecureContextOf,
  raw: Socket,
  prepared: PreparedTls,
  options: ConnectTlsOptions,
): Promise<SecuredSocket> {
  const milliseconds = options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT;
  const deadline = new Deadline(context.clock, { timer: 'handshake', milliseconds, signal: options.signal });
  try {
    const secured = await new ClientHandshake(context, raw, prepared, options).run(deadline.signal);
    if (options.timings !== undefined) options.timings.secured = context.clock.now();
    return secured;
  } catch (error) {
    resetSocket(raw);
    if (deadline.error === undefined || error !== deadline.error) throw error;
    const message = `the TLS handshake with ${targetName(options)} took longer than ${String(milliseconds)} ms`;
    throw new TimeoutError('handshake', milliseconds, message);
  } finally {
    deadline[Symbol.dispose]();
  }
}

/** The name or literal that the server's certificate must be for. */
function hostOf(options: ConnectTlsOptions): string {
  return options.tls?.serverName ?? options.target.host;
}

/** A handshake under way. */
class ClientHandshake {
  readonly #preparations: TlsPreparations;
  readonly #raw: Socket;
  readonly #prepared: PreparedTls;
  readonly #options: ConnectTlsOptions;
  readonly #serverName: string | undefined;
  readonly #sessionKey: string | undefined;
  /** Sessions that came before the verdict. */
  #early: Buffer[] | undefined;

  constructor(context: SecureContextOf, raw: Socket, prepared: PreparedTls, options: ConnectTlsOptions) {
    this.#preparations = context.preparations;
    this.#raw = raw;
    this.#prepared = prepared;
    this.#options = options;
    const host = hostOf(options);
    // RFC 6066 section 3: literals are not permitted, and the name has no dot at its end.
    this.#serverName = isIP(host.split('%', 1)[0] as string) !== 0 || host === '' ? undefined : withoutRootDot(host);
    this.#sessionKey = prepared.resumes
      ? [targetName(options), host, (options.alpnProtocols ?? []).join(','), prepared.id].join(' ')
      : undefined;
    this.#early = [];
  }

  run(signal: AbortSignal): Promise<SecuredSocket> {
    throwIfAborted(signal);
    return new Promise((resolve, reject) => {
      const doing = `TLS with ${targetName(this.#options)} failed`;
      const socket = connect(this.#connectOptions());
      let settled = false;
      const settle = (error: Error | undefined): void => {
        if (settled) return;
        settled = true;
        stopListening();
        if (error !== undefined) reject(error);
        else resolve(this.#accepted(socket));
      };
      const stopListening = onAbort(signal, (reason) => settle(abortError(reason)));
      // They stay: whoever takes the socket over asks it for an error that has come meanwhile.
      socket.on('error', (error) => settle(tlsError(doing, error)));
      socket.on('close', () => settle(tlsError(doing, { code: 'ECONNRESET' })));
      socket.on('session', (session) => this.#keep(socket, session));
      const { keylog } = this.#options.tls ?? {};
      if (keylog !== undefined) socket.on('keylog', (line: Buffer) => tellKey(keylog, line));
      socket.once('secureConnect', () => {
        const judged = (verdict: CertificateVerdict): void => {
          settle(verdict.accepted ? undefined : refusal(doing, verdict));
        };
        const verdict = this.#judge(socket);
        if (verdict instanceof Promise) void verdict.then(judged);
        else judged(verdict);
      });
    });
  }

  #connectOptions(): ConnectionOptions {
    const { alpnProtocols = [] } = this.#options;
    const session = this.#sessionKey === undefined ? undefined : this.#preparations.sessions.take(this.#sessionKey);
    const options: ConnectionOptions = {
      socket: this.#raw,
      secureContext: this.#prepared.context,
      // The verdict is the verifier's, in `secureConnect`; Node still checks the path and tells what it found.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    };
    if (this.#serverName !== undefined) options.servername = this.#serverName;
    if (alpnProtocols.length > 0) options.ALPNProtocols = [...alpnProtocols];
    if (session !== undefined) options.session = session;
    return options;
  }

  #judge(socket: TLSSocket): CertificateVerdict | Promise<CertificateVerdict> {
    const error: unknown = socket.authorizationError;
    return this.#prepared.verifier.verify({
      chain: peerChainOf(socket),
      host: hostOf(this.#options),
      pathError: socket.authorized ? undefined : typeof error === 'string' ? error : 'UNSPECIFIED',
      resumed: socket.isSessionReused(),
    });
  }

  #accepted(socket: TLSSocket): SecuredSocket {
    const facts = tlsFactsOf(socket, this.#serverName, this.#options.tls?.insecure !== true);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const session of early) this.#keep(socket, session);
    return { socket, facts };
  }

  #keep(socket: TLSSocket, session: Buffer): void {
    if (this.#sessionKey === undefined) return;
    if (this.#early !== undefined) this.#early.push(session);
    else this.#preparations.sessions.store(this.#sessionKey, session, socket.getProtocol() ?? '');
  }
}

function withoutRootDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function refusal(doing: string, verdict: CertificateRefused): NetworkError {
  return new NetworkError(`${doing}: ${verdict.reason}`, { code: verdict.code, phase: 'tls', cause: verdict.cause });
}
