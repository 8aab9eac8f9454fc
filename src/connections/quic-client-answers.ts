/**
 * A client's answers to a QUIC handshake: is this server's chain accepted?
 *
 * Owns the question to the verifier and the way of its verdict into the handshake. A refusal is kept, since the handshake
 * ends with an alert that says less than the verdict does.
 *
 * @module
 */
import { NetworkError } from '../common/index.ts';
import type { CertificateReceived } from '../protocols/index.ts';
import type { CertificateVerdict, ReceivedServerChain } from '../trust/index.ts';
import type { HandshakeAsker, QuicHandshakeAnswers } from './quic-handshake-answers.ts';

/** Judges chains. */
export interface ServerChainJudge {
  verify(received: ReceivedServerChain): CertificateVerdict | Promise<CertificateVerdict>;
}

/** The alert for what fails on this side (RFC 8446 section 6.2). */
const INTERNAL_ERROR = 80;

/** {@link QuicHandshakeAnswers} of a client. */
export class QuicClientAnswers implements QuicHandshakeAnswers {
  readonly serverName: string | undefined;
  readonly #host: string;
  readonly #insecure: boolean;
  readonly #chains: ServerChainJudge;
  readonly #signal: AbortSignal;
  #refusal: Extract<CertificateVerdict, { accepted: false }> | undefined;

  /**
   * @param host - the name or literal that the certificate must be for
   * @param signal - ends the check
   */
  constructor(
    serverName: string | undefined,
    host: string,
    insecure: boolean,
    chains: ServerChainJudge,
    signal: AbortSignal,
  ) {
    this.serverName = serverName;
    this.#host = host;
    this.#insecure = insecure;
    this.#chains = chains;
    this.#signal = signal;
    this.#refusal = undefined;
  }

  /** A connection whose chain was refused is never handed out. */
  get authorized(): boolean {
    return !this.#insecure;
  }

  /** What the chain was refused for, as the error of the connection; `undefined` when it was not. */
  refusal(doing: string): NetworkError | undefined {
    const refusal = this.#refusal;
    if (refusal === undefined) return undefined;
    return new NetworkError(`${doing}: ${refusal.reason}`, { code: refusal.code, phase: 'tls', cause: refusal.cause });
  }

  certificateReceived(event: CertificateReceived, asker: HandshakeAsker): void {
    const answered = (verdict: CertificateVerdict): void => this.#answered(verdict, asker);
    const failed = (cause: unknown): void => {
      const reason = 'its certificate could not be checked';
      answered({ accepted: false, code: 'ERR_CERT_CHECK', reason, alert: INTERNAL_ERROR, cause });
    };
    try {
      const verdict = this.#chains.verify({ chain: event.chain, host: this.#host, signal: this.#signal });
      if (verdict instanceof Promise) verdict.then(answered, failed);
      else answered(verdict);
    } catch (error) {
      failed(error);
    }
  }

  clientHelloReceived(): void {
    // A client is not asked for that.
  }

  ticketOffered(): void {
    // Nor for that.
  }

  #answered(verdict: CertificateVerdict, asker: HandshakeAsker): void {
    if (asker.isOver) return;
    if (!verdict.accepted) this.#refusal = verdict;
    asker.protocol.submitCertificateVerdict(
      verdict.accepted ? { ok: true } : { ok: false, alert: verdict.alert, reason: verdict.reason },
    );
    asker.wake();
  }
}
