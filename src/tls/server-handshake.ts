/**
 * The server's side of a TLS 1.3 handshake for QUIC.
 *
 * Owns the order of the client's messages (RFC 8446 section 2, appendix A.2), who is asked what and when (identity,
 * ticket, the client's chain), the server's flight and its tickets. What is chosen from a ClientHello is
 * server-choice.ts's.
 *
 * @module
 */
import type { CipherSuite } from '../crypto/index.ts';
import { Alert, illegalFault, TlsFault, violation } from './alerts.ts';
import type { ClientHello } from './client-hello.ts';
import { protocolNamesData, RANDOM_LENGTH, readClientHello, TLS13 } from './client-hello.ts';
import { QUIC_EARLY_DATA } from './early-data.ts';
import { extensionData, ExtensionType } from './extensions.ts';
import type { TlsCertificateVerdict } from './handshake.ts';
import { TlsHandshake } from './handshake.ts';
import type { HandshakeMessage } from './handshake-types.ts';
import { HandshakeType } from './handshake-types.ts';
import { KeySchedule } from './key-schedule.ts';
import type { TrafficSecrets } from './key-schedule.ts';
import { certificateOf, checkSignature, compressionAlgorithms, leafOf } from './peer-certificate.ts';
import { tlsLimits } from './limits.ts';
import type { OfferedTicket, ServerChoice } from './server-choice.ts';
import { checkSecondHello, choose, usableTicket } from './server-choice.ts';
import {
  writeCertificate,
  writeCertificateRequest,
  writeCertificateVerify,
  writeEncryptedExtensions,
  writeFinished,
  writeNewSessionTicket,
} from './server-flight.ts';
import { keyShareData, RETRY_RANDOM, uint16Data, writeServerHello } from './server-hello.ts';
import { signedContent } from './signed-content.ts';
import type { EngineIdentity, TlsServerConfig } from './tls-config.ts';
import { writeUint16s } from './vectors.ts';

/** Which message is awaited (RFC 8446 appendix A.2). */
type ServerState =
  'ClientHello' | 'second ClientHello' | 'Certificate' | 'CertificateVerify' | 'Finished' | 'connected' | 'asking';

const T = HandshakeType;
const EMPTY = new Uint8Array(0);
/** What a CertificateRequest of ours holds. */
const REQUESTED: ReadonlySet<number> = new Set([ExtensionType.signatureAlgorithms, ExtensionType.compressCertificate]);

/** A server. */
export class TlsServerHandshake extends TlsHandshake {
  readonly #config: TlsServerConfig;
  readonly #transportParameters: Uint8Array;
  #state: ServerState;
  #hello: ClientHello | undefined;
  #helloWhole: Uint8Array;
  #choice: ServerChoice | undefined;
  #retryGroup: number | undefined;
  #identity: EngineIdentity | undefined;
  #ticket: OfferedTicket | undefined;
  #asked: 'identity' | 'ticket' | 'certificate' | undefined;
  #schedule: KeySchedule | undefined;
  #secrets: TrafficSecrets | undefined;
  #resumption: Uint8Array | undefined;
  #chain: readonly Uint8Array[];
  #tickets: number;

  /** @param transportParameters - those of QUIC that are sent */
  constructor(config: TlsServerConfig, transportParameters: Uint8Array) {
    super(config.crypto, config.keylog);
    this.#config = config;
    this.#transportParameters = transportParameters;
    this.#state = 'ClientHello';
    this.#hello = undefined;
    this.#helloWhole = EMPTY;
    this.#choice = undefined;
    this.#retryGroup = undefined;
    this.#identity = undefined;
    this.#ticket = undefined;
    this.#asked = undefined;
    this.#schedule = undefined;
    this.#secrets = undefined;
    this.#resumption = undefined;
    this.#chain = [];
    this.#tickets = 0;
  }

  /** Answers `ClientHelloReceived`: an identity, or the alert that refuses. */
  submitServerIdentity(identity: EngineIdentity | number): void {
    this.guard(() => {
      if (this.#asked !== 'identity') return;
      this.#asked = undefined;
      if (typeof identity === 'number') throw new TlsFault(identity, 'there is no identity for that name');
      this.#identity = identity;
      this.#askTicket();
    });
  }

  /** Answers `TicketOffered`: whether its session is resumed, and with it whether 0-RTT is accepted. */
  submitTicketVerdict(accepted: boolean): void {
    this.guard(() => {
      if (this.#asked !== 'ticket') return;
      this.#asked = undefined;
      if (!accepted) this.#ticket = undefined;
      this.#respond();
    });
  }

  /** Answers `CertificateReceived`. */
  submitCertificateVerdict(verdict: TlsCertificateVerdict): void {
    this.guard(() => {
      if (this.#asked !== 'certificate') return;
      this.#asked = undefined;
      if (!verdict.ok) throw new TlsFault(verdict.alert, verdict.reason);
      this.release();
    });
  }

  /**
   * Sends a session ticket; nothing when tickets are off or the handshake is not complete.
   *
   * @param applicationData - what the next `TicketOffered` shall tell
   */
  issueTicket(applicationData: Uint8Array): void {
    this.guard(() => {
      const { tickets, ticketLifetime, random } = this.#config;
      const schedule = this.#schedule;
      const choice = this.#choice;
      if (tickets === undefined || schedule === undefined || this.#state !== 'connected' || choice === undefined)
        return;
      const nonce = Uint8Array.of(this.#tickets >> 8, this.#tickets & 0xff);
      this.#tickets += 1;
      const draw = random.fill(new Uint8Array(4));
      const ageAdd = new DataView(draw.buffer, draw.byteOffset, 4).getUint32(0);
      const ticket = tickets.seal({
        cipherSuite: schedule.suite.id,
        psk: schedule.resumptionPsk(this.#resumption as Uint8Array, nonce),
        issuedAt: Math.floor(this.time),
        ageAdd,
        lifetime: ticketLifetime,
        alpn: choice.alpn,
        serverName: this.#hello?.serverName ?? '',
        earlyData: this.#config.earlyData,
        applicationData,
      });
      if (ticket === undefined) return;
      const maxEarlyData = this.#config.earlyData ? QUIC_EARLY_DATA : undefined;
      const data = writeNewSessionTicket({ lifetime: ticketLifetime, ageAdd, nonce, ticket, maxEarlyData });
      this.emit({ type: 'CryptoDataProduced', level: 'application', data });
    });
  }

  protected override get mostBytes(): number {
    const known = this.#state !== 'ClientHello' && this.#state !== 'second ClientHello';
    return known ? super.mostBytes : tlsLimits.maxClientHelloBytes.default;
  }

  protected received(message: HandshakeMessage): void {
    switch (this.#state) {
      case 'ClientHello':
      case 'second ClientHello':
        this.expect(message, T.clientHello, this.#state);
        this.#clientHello(message);
        return;
      case 'Certificate':
        if (message.type !== T.compressedCertificate) this.expect(message, T.certificate, this.#state);
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
        // RFC 9001 sections 6 and 8.3: neither KeyUpdate nor EndOfEarlyData in QUIC.
        throw new TlsFault(Alert.unexpectedMessage, `message ${String(message.type)} behind the handshake`);
    }
  }

  #clientHello(message: HandshakeMessage): void {
    const hello = readClientHello(message.body);
    // RFC 9001 section 8.4: no middlebox compatibility mode.
    if (hello.sessionId.length > 0) throw violation('a ClientHello with a session id');
    const first = this.#hello;
    const choice = choose(hello, this.#config);
    if (this.#state === 'second ClientHello' && first !== undefined) {
      checkSecondHello(first, hello, this.#retryGroup as number);
      if (choice.suite !== this.#choice?.suite)
        throw illegalFault('the second ClientHello takes the cipher suite back');
    }
    this.#hello = hello;
    this.#helloWhole = message.whole;
    this.#choice = choice;
    if (choice.keyShare === undefined) {
      this.#retry(choice, message);
      return;
    }
    if (this.#identity !== undefined) {
      this.#askTicket();
      return;
    }
    this.hold();
    this.#asked = 'identity';
    this.emit({
      type: 'ClientHelloReceived',
      serverName: hello.serverName,
      alpn: hello.alpn ?? [],
      signatureSchemes: hello.signatureSchemes ?? [],
    });
  }

  #retry(choice: ServerChoice, message: HandshakeMessage): void {
    if (this.#state === 'second ClientHello')
      throw illegalFault('a second ClientHello without the share that was asked for');
    this.#state = 'second ClientHello';
    this.#retryGroup = choice.group;
    this.transcript.add(message.whole);
    this.transcript.retry(choice.suite.hash);
    const extensions = new Map([
      [ExtensionType.supportedVersions, uint16Data(TLS13)],
      [ExtensionType.keyShare, uint16Data(choice.group)],
    ]);
    const { suite } = choice;
    this.send(
      'initial',
      writeServerHello({ random: RETRY_RANDOM, sessionId: EMPTY, cipherSuite: suite.id, extensions }),
    );
  }

  #askTicket(): void {
    const { tickets } = this.#config;
    const hello = this.#hello as ClientHello;
    const choice = this.#choice as ServerChoice;
    const ticket = tickets === undefined ? undefined : usableTicket(hello, choice, tickets, this.time);
    if (ticket === undefined) {
      this.#respond();
      return;
    }
    this.#checkBinder(hello, choice.suite, ticket);
    this.#ticket = ticket;
    this.hold();
    this.#asked = 'ticket';
    this.emit({
      type: 'TicketOffered',
      ticket: ticket.identity,
      earlyData: this.#takesEarlyData(ticket),
      applicationData: ticket.state.applicationData,
    });
  }

  /** RFC 8446 section 4.2.11.2; only for the PSK that is chosen. */
  #checkBinder(hello: ClientHello, suite: CipherSuite, ticket: OfferedTicket): void {
    const { psks } = hello;
    const binder = psks?.binders[ticket.index];
    if (psks === undefined || binder === undefined) return;
    const schedule = new KeySchedule(this.crypto, suite, ticket.state.psk);
    const hash = this.transcript.digestWith(suite.hash, this.#helloWhole.subarray(0, psks.truncatedLength));
    const expected = this.crypto.hmac(suite.hash, schedule.binderKey(), hash);
    if (!this.crypto.equal(binder, expected)) throw new TlsFault(Alert.decryptError, 'the binder of a PSK is wrong');
  }

  /** RFC 8446 section 4.2.10: the first PSK, its suite and its protocol, and no HelloRetryRequest between. */
  #takesEarlyData(ticket: OfferedTicket): boolean {
    const hello = this.#hello as ClientHello;
    const choice = this.#choice as ServerChoice;
    if (!hello.earlyData || !this.#config.earlyData || !ticket.state.earlyData) return false;
    if (this.#state === 'second ClientHello' || ticket.index !== 0) return false;
    return ticket.state.cipherSuite === choice.suite.id && ticket.state.alpn === choice.alpn && ticket.fresh;
  }

  #respond(): void {
    const hello = this.#hello as ClientHello;
    const choice = this.#choice as ServerChoice;
    const ticket = this.#ticket;
    const { suite, keyShare, group } = choice;
    const early = ticket !== undefined && this.#takesEarlyData(ticket);
    const answer = this.crypto.answerKeyAgreement(group, keyShare as Uint8Array, this.#config.keyRandom);
    if (answer === undefined) throw illegalFault('the key share of the client is malformed');
    this.transcript.choose(suite.hash);
    this.transcript.add(this.#helloWhole);
    const schedule = new KeySchedule(this.crypto, suite, ticket?.state.psk);
    if (early) {
      const secret = schedule.earlyTrafficSecret(this.transcript.digest());
      this.logSecret('CLIENT_EARLY_TRAFFIC_SECRET', hello.random, secret);
      this.emit({ type: 'SecretsReady', level: 'early', suite, read: secret, write: undefined });
    }
    const extensions = new Map<number, Uint8Array>([
      [ExtensionType.supportedVersions, uint16Data(TLS13)],
      [ExtensionType.keyShare, keyShareData({ group, share: answer.share })],
    ]);
    if (ticket !== undefined) extensions.set(ExtensionType.preSharedKey, uint16Data(ticket.index));
    const random = this.#config.random.fill(new Uint8Array(RANDOM_LENGTH));
    this.send('initial', writeServerHello({ random, sessionId: EMPTY, cipherSuite: suite.id, extensions }));
    schedule.enterHandshake(answer.secret);
    const secrets = schedule.handshakeSecrets(this.transcript.digest());
    this.#schedule = schedule;
    this.#secrets = secrets;
    this.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', hello.random, secrets.client);
    this.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', hello.random, secrets.server);
    this.emit({ type: 'SecretsReady', level: 'handshake', suite, read: secrets.client, write: secrets.server });
    this.emit({ type: 'TransportParametersReceived', data: hello.transportParameters as Uint8Array });
    if (hello.earlyData) this.emit({ type: 'EarlyDataDecided', accepted: early });
    this.#sendFlight(schedule, secrets, early);
  }

  #sendFlight(schedule: KeySchedule, secrets: TrafficSecrets, early: boolean): void {
    const hello = this.#hello as ClientHello;
    const choice = this.#choice as ServerChoice;
    const resumed = this.#ticket !== undefined;
    const extensions = new Map<number, Uint8Array>([
      [ExtensionType.applicationLayerProtocolNegotiation, protocolNamesData([choice.alpn])],
      [ExtensionType.quicTransportParameters, this.#transportParameters],
    ]);
    if (hello.serverName !== undefined && !resumed) extensions.set(ExtensionType.serverName, EMPTY);
    if (early) extensions.set(ExtensionType.earlyData, EMPTY);
    this.send('handshake', writeEncryptedExtensions(extensions));
    const asks = !resumed && this.#config.clientCertificate !== 'none';
    if (!resumed) this.#sendIdentity(hello, asks);
    this.send('handshake', writeFinished(schedule.verifyData(secrets.server, this.transcript.digest())));
    const hash = this.transcript.digest();
    schedule.enterMaster();
    const application = schedule.applicationSecrets(hash);
    this.logSecret('CLIENT_TRAFFIC_SECRET_0', hello.random, application.client);
    this.logSecret('SERVER_TRAFFIC_SECRET_0', hello.random, application.server);
    if (this.logsSecrets) this.logSecret('EXPORTER_SECRET', hello.random, schedule.exporterSecret(hash));
    const { suite } = schedule;
    this.emit({
      type: 'SecretsReady',
      level: 'application',
      suite,
      read: application.client,
      write: application.server,
    });
    this.enter('handshake');
    this.#state = asks ? 'Certificate' : 'Finished';
    this.release();
  }

  #sendIdentity(hello: ClientHello, asks: boolean): void {
    if (asks) {
      const { signatureSchemes } = this.#config;
      const extensions = new Map([
        [ExtensionType.signatureAlgorithms, extensionData((writer) => writeUint16s(writer, 2, signatureSchemes))],
        [ExtensionType.compressCertificate, extensionData((writer) => writeUint16s(writer, 1, compressionAlgorithms))],
      ]);
      this.send('handshake', writeCertificateRequest(EMPTY, extensions));
    }
    if (hello.signatureSchemes === undefined) {
      throw new TlsFault(Alert.missingExtension, 'no signature_algorithms, and no session to resume');
    }
    const identity = this.#identity as EngineIdentity;
    const scheme = identity.key.schemes.find((candidate) => hello.signatureSchemes?.includes(candidate));
    if (scheme === undefined) {
      throw new TlsFault(Alert.handshakeFailure, 'the client takes no signature that this certificate can give');
    }
    this.send('handshake', writeCertificate(EMPTY, identity.chain));
    const content = signedContent('server', this.transcript.digest());
    this.send('handshake', writeCertificateVerify({ scheme, signature: identity.key.sign(scheme, content) }));
  }

  #certificate(message: HandshakeMessage): void {
    const { context, chain } = certificateOf(message, REQUESTED);
    if (context.length > 0) throw illegalFault('a Certificate of the client with another context than asked for');
    this.transcript.add(message.whole);
    this.#chain = chain;
    if (chain.length > 0) {
      this.#state = 'CertificateVerify';
      return;
    }
    // RFC 8446 section 4.4.2.4.
    if (this.#config.clientCertificate === 'require') {
      throw new TlsFault(Alert.certificateRequired, 'the client showed no certificate');
    }
    this.#state = 'Finished';
  }

  #certificateVerify(message: HandshakeMessage): void {
    const offered = this.#config.signatureSchemes;
    checkSignature(this.crypto, 'client', leafOf(this.#chain), this.transcript.digest(), message.body, offered);
    this.transcript.add(message.whole);
    this.#state = 'Finished';
    this.hold();
    this.#asked = 'certificate';
    this.emit({ type: 'CertificateReceived', chain: this.#chain, ocsp: undefined });
  }

  #finished(message: HandshakeMessage): void {
    const schedule = this.#schedule as KeySchedule;
    const secrets = this.#secrets as TrafficSecrets;
    const expected = schedule.verifyData(secrets.client, this.transcript.digest());
    if (!this.crypto.equal(message.body, expected))
      throw new TlsFault(Alert.decryptError, 'the client Finished is wrong');
    this.transcript.add(message.whole);
    this.#resumption = schedule.resumptionSecret(this.transcript.digest());
    this.enter('application');
    this.#state = 'connected';
    this.emit({
      type: 'HandshakeCompleted',
      alpn: (this.#choice as ServerChoice).alpn,
      suite: schedule.suite,
      resumed: this.#ticket !== undefined,
      peerCertificate: this.#chain[0],
    });
  }
}
