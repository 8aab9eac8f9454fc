/**
 * A server's answers to a QUIC handshake: which identity, is this ticket still good, is this client's chain accepted?
 *
 * Owns the way of the answers into the handshake. Which identity belongs to a name is in server-identities.ts.
 *
 * @module
 */
import type { ServerTlsConfig, TlsIdentity } from '../common/index.ts';
import type { CertificateReceived, ClientHelloReceived, TicketOffered } from '../protocols/index.ts';
import type { QuicAcceptOptions } from '../protocols/quic/index.ts';
import type { CertificateVerdict, ReceivedClientChain } from '../trust/index.ts';
import type { HandshakeAsker, QuicHandshakeAnswers } from './quic-handshake-answers.ts';
import { ServerIdentities } from './server-identities.ts';

/** Judges chains. */
export interface ClientChainJudge {
  verify(received: ReceivedClientChain): CertificateVerdict | Promise<CertificateVerdict>;
}

/** Alerts (RFC 8446 section 6.2, RFC 6066 section 3). */
const INTERNAL_ERROR = 80;
const UNRECOGNIZED_NAME = 112;

/** A server's TLS configuration as QUIC uses it: one for all handshakes until it is replaced. */
export class QuicServerTls {
  readonly identities: ServerIdentities;
  readonly clientCertificate: 'none' | 'request' | 'require';
  readonly resumption: boolean;
  readonly keylog: ((line: string) => void) | undefined;
  readonly chains: ClientChainJudge | undefined;
  /** What connections under it are accepted with, once there was one: the same object spares each its own. */
  accept: QuicAcceptOptions | undefined;
  /** Whether it was replaced: its tickets count no more. */
  isStale: boolean;

  /**
   * @param chainsOf - who judges the chains of clients
   * @throws ConfigurationError for what cannot be used
   */
  constructor(config: ServerTlsConfig, chainsOf: (config: ServerTlsConfig) => ClientChainJudge) {
    this.identities = new ServerIdentities(config);
    this.clientCertificate = config.clientCertificate ?? 'none';
    this.chains = this.clientCertificate === 'none' ? undefined : chainsOf(config);
    this.resumption = config.resumption !== false;
    this.keylog = config.keylog;
    this.accept = undefined;
    this.isStale = false;
  }
}

/** {@link QuicHandshakeAnswers} of a server. */
export class QuicServerAnswers implements QuicHandshakeAnswers {
  readonly #tls: QuicServerTls;
  readonly #signal: AbortSignal;
  #serverName: string | undefined;
  #authorized: boolean;

  constructor(tls: QuicServerTls, signal: AbortSignal) {
    this.#tls = tls;
    this.#signal = signal;
    this.#serverName = undefined;
    this.#authorized = false;
  }

  get serverName(): string | undefined {
    return this.#serverName;
  }

  get authorized(): boolean {
    return this.#authorized;
  }

  clientHelloReceived(event: ClientHelloReceived, asker: HandshakeAsker): void {
    this.#serverName = event.serverName;
    const answered = (identity: TlsIdentity | undefined): void => {
      if (asker.isOver) return;
      asker.protocol.submitServerIdentity(identity ?? UNRECOGNIZED_NAME);
      asker.wake();
    };
    const failed = (): void => {
      if (asker.isOver) return;
      asker.protocol.submitServerIdentity(INTERNAL_ERROR);
      asker.wake();
    };
    try {
      const found = this.#tls.identities.find(event.serverName);
      // What an identity of a user's function lacks is found when it is submitted.
      if (found instanceof Promise) found.then(answered).catch(failed);
      else answered(found);
    } catch {
      failed();
    }
  }

  ticketOffered(_event: TicketOffered, asker: HandshakeAsker): void {
    asker.protocol.submitTicketVerdict(this.#tls.resumption && !this.#tls.isStale);
    asker.wake();
  }

  certificateReceived(event: CertificateReceived, asker: HandshakeAsker): void {
    const answered = (verdict: CertificateVerdict): void => {
      if (asker.isOver) return;
      this.#authorized = verdict.accepted;
      // A certificate that was only asked for lets its owner in without it (as over TCP); `authorized` tells.
      const pass = verdict.accepted || this.#tls.clientCertificate === 'request';
      asker.protocol.submitCertificateVerdict(
        pass ? { ok: true } : { ok: false, alert: verdict.alert, reason: verdict.reason },
      );
      asker.wake();
    };
    const failed = (): void => {
      if (asker.isOver) return;
      const reason = 'the certificate could not be checked';
      asker.protocol.submitCertificateVerdict({ ok: false, alert: INTERNAL_ERROR, reason });
      asker.wake();
    };
    try {
      const verdict = this.#tls.chains?.verify({ chain: event.chain, signal: this.#signal });
      if (verdict === undefined) failed();
      else if (verdict instanceof Promise) verdict.then(answered).catch(failed);
      else answered(verdict);
    } catch {
      failed();
    }
  }
}
