/**
 * The client's side of a TLS 1.3 handshake for QUIC.
 *
 * Owns the order of the server's messages (RFC 8446 section 2, appendix A.1), the checks of what it chose against what
 * was offered, resumption, 0-RTT, HelloRetryRequest, and the client's own flight. What is offered is written by
 * client-offer.ts.
 *
 * @module
 */
import type { CipherSuite, KeyAgreement } from '../crypto/index.ts';
import { Alert, illegalFault, TlsFault, violation } from './alerts.ts';
import { TLS13 } from './client-hello.ts';
import { ClientOffer } from './client-offer.ts';
import { QUIC_EARLY_DATA } from './early-data.ts';
import { checkAnswers } from './extensions.ts';
import type { TlsCertificateVerdict } from './handshake.ts';
import { TlsHandshake } from './handshake.ts';
import type { HandshakeMessage } from './handshake-types.ts';
import { HandshakeType } from './handshake-types.ts';
import { KeySchedule } from './key-schedule.ts';
import type { TrafficSecrets } from './key-schedule.ts';
import { certificateOf, checkSignature, leafOf } from './peer-certificate.ts';
import { tlsLimits } from './limits.ts';
import type { CertificateRequest } from './server-flight.ts';
import {
  readCertificateRequest,
  readEncryptedExtensions,
  readNewSessionTicket,
  writeCertificate,
  writeCertificateVerify,
  writeFinished,
} from './server-flight.ts';
import type { ServerHello } from './server-hello.ts';
import { olderVersion, readServerHello } from './server-hello.ts';
import { signedContent } from './signed-content.ts';
import type { TlsClientConfig } from './tls-config.ts';

/** Which message is awaited (RFC 8446 appendix A.1). */
type ClientState =
  | 'idle'
  | 'ServerHello'
  | 'EncryptedExtensions'
  | 'Certificate or request'
  | 'Certificate'
  | 'CertificateVerify'
  | 'Finished'
  | 'connected';

const T = HandshakeType;

/** A client. */
export class TlsClientHandshake extends TlsHandshake {
  readonly #config: TlsClientConfig;
  readonly #offer: ClientOffer;
  #state: ClientState;
  #retried: boolean;
  #schedule: KeySchedule | undefined;
  #secrets: TrafficSecrets | undefined;
  #resumption: Uint8Array | undefined;
  #request: CertificateRequest | undefined;
  #resumed: boolean;
  #alpn: string;
  #transportParameters: Uint8Array;
  #chain: readonly Uint8Array[];
  #ocsp: Uint8Array | undefined;
  #tickets: number;

  constructor(config: TlsClientConfig) {
    super(config.crypto, config.keylog);
    this.#config = config;
    this.#offer = new ClientOffer(config);
    this.#state = 'idle';
    this.#retried = false;
    this.#schedule = undefined;
    this.#secrets = undefined;
    this.#resumption = undefined;
    this.#request = undefined;
    this.#resumed = false;
    this.#alpn = '';
    this.#transportParameters = new Uint8Array(0);
    this.#chain = [];
    this.#ocsp = undefined;
    this.#tickets = 0;
  }

  /** Sends the ClientHello. @param time - milliseconds since 1970 */
  start(time: number): void {
    this.guard(() => {
      this.time = time;
      this.#state = 'ServerHello';
      const { message, schedule } = this.#offer.write(this.transcript, time);
      this.send('initial', message);
      if (!this.#offer.offersEarlyData || schedule === undefined) return;
      const secret = schedule.earlyTrafficSecret(this.transcript.digestAs(schedule.suite.hash));
      this.logSecret('CLIENT_EARLY_TRAFFIC_SECRET', this.#offer.random, secret);
      this.emit({ type: 'SecretsReady', level: 'early', suite: schedule.suite, read: undefined, write: secret });
    });
  }

  /** Answers `CertificateReceived`. */
  submitCertificateVerdict(verdict: TlsCertificateVerdict): void {
    this.guard(() => {
      if (!this.held) return;
      if (!verdict.ok) throw new TlsFault(verdict.alert, verdict.reason);
      this.release();
    });
  }

  protected received(message: HandshakeMessage): void {
    switch (this.#state) {
      case 'ServerHello':
        this.expect(message, T.serverHello, this.#state);
        this.#serverHello(message);
        return;
      case 'EncryptedExtensions':
        this.expect(message, T.encryptedExtensions, this.#state);
        this.#encryptedExtensions(message);
        return;
      case 'Certificate or request':
        if (message.type === T.certificateRequest) {
          this.#request = readCertificateRequest(message.body);
          if (this.#request.context.length > 0) throw illegalFault('a CertificateRequest with a context');
          this.transcript.add(message.whole);
          this.#state = 'Certificate';
          return;
        }
        this.#certificate(message);
        return;
      case 'Certificate':
        this.#certificate(message);
        return;
      case 'CertificateVerify':
        this.expect(message, T.certificateVerify, this.#state);
        this.#certificateVerify(message);
        return;
      case 'Finished':
        this.expect(message, T.finished, this.#state);
        this.#finished(message);
        return;
      default:
        this.#afterwards(message);
    }
  }

  #serverHello(message: HandshakeMessage): void {
    const hello = readServerHello(message.body);
    if (hello.version === undefined) throw olderVersion(hello);
    if (hello.version !== TLS13) throw illegalFault(`the server chose version ${String(hello.version)}`);
    if (hello.sessionId.length > 0) throw illegalFault('the server echoes a session id that was not sent');
    const suite = this.#offer.suite(hello.cipherSuite);
    if (suite === undefined) throw illegalFault('the server chose a cipher suite that was not offered');
    if (hello.retry) {
      this.#retry(hello, suite, message);
      return;
    }
    checkAnswers(hello.extensions, this.#offer.types, 'ServerHello');
    if (this.#retried && this.#schedule !== undefined && this.#schedule.suite !== suite) {
      throw illegalFault('the server chose another cipher suite than in its HelloRetryRequest');
    }
    const psk = this.#selectedPsk(hello, suite.hash);
    const agreement = this.#agreement(hello);
    const shared = agreement.agree((hello.keyShare as { share: Uint8Array }).share);
    if (shared === undefined) throw illegalFault('the key share of the server is malformed');
    this.transcript.choose(suite.hash);
    this.transcript.add(message.whole);
    const schedule = new KeySchedule(this.crypto, suite, psk);
    schedule.enterHandshake(shared);
    const secrets = schedule.handshakeSecrets(this.transcript.digest());
    this.#schedule = schedule;
    this.#secrets = secrets;
    this.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', this.#offer.random, secrets.client);
    this.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', this.#offer.random, secrets.server);
    this.enter('handshake');
    this.#state = 'EncryptedExtensions';
    this.emit({ type: 'SecretsReady', level: 'handshake', suite, read: secrets.server, write: secrets.client });
  }

  #selectedPsk(hello: ServerHello, hash: string): Uint8Array | undefined {
    if (hello.selectedPsk === undefined) return undefined;
    const { session } = this.#config;
    // RFC 8446 section 4.2.11: in range, and of the same hash.
    if (hello.selectedPsk !== 0 || session === undefined || this.#offer.suite(session.cipherSuite)?.hash !== hash) {
      throw illegalFault('the server selected a PSK that was not offered');
    }
    this.#resumed = true;
    return session.psk;
  }

  #agreement(hello: ServerHello): KeyAgreement {
    const { keyShare } = hello;
    // psk_ke is not offered, so there is a share always.
    if (keyShare === undefined) {
      // RFC 8446 section 4.2.11: with a PSK it is an inconsistent choice, else (section 6.2) an extension too few.
      if (hello.selectedPsk !== undefined) throw illegalFault('a PSK without the key exchange that was asked for');
      throw new TlsFault(Alert.missingExtension, 'a ServerHello without key_share');
    }
    const agreement = this.#offer.agreement(keyShare.group);
    if (agreement === undefined) throw illegalFault('the server has a key share of a group that was not offered');
    return agreement;
  }

  #retry(hello: ServerHello, suite: CipherSuite, message: HandshakeMessage): void {
    if (this.#retried) throw new TlsFault(Alert.unexpectedMessage, 'a second HelloRetryRequest');
    this.#retried = true;
    checkAnswers(hello.extensions, this.#offer.typesOfRetry, 'HelloRetryRequest');
    // RFC 8446 section 4.1.4: it must change something, and section 4.2.8: to a group that had no share.
    if (hello.retryGroup === undefined && hello.cookie === undefined)
      throw illegalFault('a HelloRetryRequest that asks for nothing');
    if (hello.retryGroup !== undefined && !this.#offer.mayRetryWith(hello.retryGroup)) {
      throw illegalFault('a HelloRetryRequest for a group that was not offered, or that has a share already');
    }
    if (hello.cookie !== undefined && hello.cookie.length > tlsLimits.maxCookieBytes.default) {
      throw illegalFault(`a cookie of ${String(hello.cookie.length)} bytes`);
    }
    const offeredEarly = this.#offer.offersEarlyData;
    this.transcript.retry(suite.hash);
    this.transcript.add(message.whole);
    this.#offer.retry(hello.retryGroup, hello.cookie, suite);
    this.#schedule = new KeySchedule(this.crypto, suite, undefined);
    const { message: again } = this.#offer.write(this.transcript, this.time);
    this.send('initial', again);
    if (offeredEarly) this.emit({ type: 'EarlyDataDecided', accepted: false });
  }

  #encryptedExtensions(message: HandshakeMessage): void {
    const { extensions, alpn, earlyData, transportParameters } = readEncryptedExtensions(message.body);
    checkAnswers(extensions, this.#offer.types, 'EncryptedExtensions');
    this.transcript.add(message.whole);
    // RFC 9001 section 8.1: no ALPN, no connection.
    if (alpn === undefined) throw new TlsFault(Alert.noApplicationProtocol, 'the server chose no application protocol');
    if (!this.#config.alpn.includes(alpn)) throw illegalFault('the server chose a protocol that was not offered');
    // RFC 9001 section 8.2.
    if (transportParameters === undefined) {
      throw new TlsFault(Alert.missingExtension, 'the server sent no transport parameters');
    }
    if (earlyData && (!this.#resumed || alpn !== this.#config.session?.alpn)) {
      throw illegalFault('the server accepts 0-RTT without its session');
    }
    this.#alpn = alpn;
    this.#transportParameters = transportParameters;
    this.emit({ type: 'TransportParametersReceived', data: transportParameters });
    if (this.#offer.offersEarlyData) this.emit({ type: 'EarlyDataDecided', accepted: earlyData });
    this.#state = this.#resumed ? 'Finished' : 'Certificate or request';
    if (this.#resumed) this.#chain = this.#config.session?.chain ?? [];
  }

  #certificate(message: HandshakeMessage): void {
    if (message.type !== T.compressedCertificate) this.expect(message, T.certificate, this.#state);
    const { context, chain, ocsp } = certificateOf(message, this.#offer.types);
    if (context.length > 0) throw illegalFault('a Certificate of the server with a context');
    leafOf(chain);
    this.#chain = chain;
    this.#ocsp = ocsp;
    this.transcript.add(message.whole);
    this.#state = 'CertificateVerify';
  }

  #certificateVerify(message: HandshakeMessage): void {
    const offered = this.#config.signatureSchemes;
    const hash = this.transcript.digest();
    checkSignature(this.crypto, 'server', leafOf(this.#chain), hash, message.body, offered);
    this.transcript.add(message.whole);
    this.#state = 'Finished';
    // Whether the chain is trusted is for others to say; until then not even Finished is read.
    this.hold();
    this.emit({ type: 'CertificateReceived', chain: this.#chain, ocsp: this.#ocsp });
  }

  #finished(message: HandshakeMessage): void {
    const schedule = this.#schedule as KeySchedule;
    const secrets = this.#secrets as TrafficSecrets;
    const expected = schedule.verifyData(secrets.server, this.transcript.digest());
    if (!this.crypto.equal(message.body, expected))
      throw new TlsFault(Alert.decryptError, 'the server Finished is wrong');
    this.transcript.add(message.whole);
    const hash = this.transcript.digest();
    schedule.enterMaster();
    const application = schedule.applicationSecrets(hash);
    this.logSecret('CLIENT_TRAFFIC_SECRET_0', this.#offer.random, application.client);
    this.logSecret('SERVER_TRAFFIC_SECRET_0', this.#offer.random, application.server);
    if (this.logsSecrets) this.logSecret('EXPORTER_SECRET', this.#offer.random, schedule.exporterSecret(hash));
    this.#sendCertificate();
    this.send('handshake', writeFinished(schedule.verifyData(secrets.client, this.transcript.digest())));
    this.#resumption = schedule.resumptionSecret(this.transcript.digest());
    this.enter('application');
    this.#state = 'connected';
    const { suite } = schedule;
    this.emit({
      type: 'SecretsReady',
      level: 'application',
      suite,
      read: application.server,
      write: application.client,
    });
    this.emit({
      type: 'HandshakeCompleted',
      alpn: this.#alpn,
      suite,
      resumed: this.#resumed,
      peerCertificate: this.#chain[0],
    });
  }

  /** The client's own certificate, or an empty message when there is none that fits (RFC 8446 section 4.4.2). */
  #sendCertificate(): void {
    const request = this.#request;
    if (request === undefined) return;
    const { identity } = this.#config;
    const scheme = identity?.key.schemes.find((candidate) => request.signatureSchemes.includes(candidate));
    const chain = scheme === undefined ? [] : (identity?.chain ?? []);
    this.send('handshake', writeCertificate(request.context, chain));
    if (scheme === undefined || identity === undefined) return;
    const content = signedContent('client', this.transcript.digest());
    this.send('handshake', writeCertificateVerify({ scheme, signature: identity.key.sign(scheme, content) }));
  }

  #afterwards(message: HandshakeMessage): void {
    // RFC 9001 section 4.4: there is no post-handshake authentication.
    if (message.type === T.certificateRequest) throw violation('a CertificateRequest behind the handshake');
    // RFC 9001 section 6: nor KeyUpdate.
    if (message.type !== T.newSessionTicket || this.#state !== 'connected') {
      throw new TlsFault(Alert.unexpectedMessage, `message ${String(message.type)} behind the handshake`);
    }
    const ticket = readNewSessionTicket(message.body);
    // RFC 9001 section 4.6.1.
    if (ticket.maxEarlyData !== undefined && ticket.maxEarlyData !== QUIC_EARLY_DATA) {
      throw violation('a session ticket with another bound of early data than 0xffffffff');
    }
    if (ticket.lifetime === 0 || ticket.ticket.length > tlsLimits.maxTicketBytes.default) return;
    this.#tickets += 1;
    if (this.#tickets > tlsLimits.maxTickets.default) return;
    const schedule = this.#schedule as KeySchedule;
    this.emit({
      type: 'SessionReceived',
      session: {
        serverName: this.#config.serverName,
        cipherSuite: schedule.suite.id,
        psk: schedule.resumptionPsk(this.#resumption as Uint8Array, ticket.nonce),
        ticket: ticket.ticket.slice(),
        ageAdd: ticket.ageAdd,
        lifetime: ticket.lifetime,
        receivedAt: this.time,
        alpn: this.#alpn,
        earlyData: ticket.maxEarlyData !== undefined,
        transportParameters: this.#transportParameters,
        chain: this.#chain,
      },
    });
  }
}
