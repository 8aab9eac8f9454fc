/**
 * The TLS handshake inside a connection.
 *
 * Owns feeding CRYPTO streams into TLS and acting on what it tells: keys, parameters, 0-RTT, completion, questions to the
 * driver and how long they may stay open (RFC 9001 sections 4 and 5, RFC 9000 section 7). While a question is open TLS
 * is fed nothing, so that CRYPTO waits in its bounded stream.
 *
 * @module
 */
import type { TlsIdentity } from '../../common/index.ts';
import type {
  SecretsReady,
  TlsCertificateVerdict,
  TlsClientConfig,
  TlsEvent,
  TlsHandshakeCompleted,
} from '../../tls/index.ts';
import { Alert, TlsClientHandshake, TlsServerHandshake } from '../../tls/index.ts';
import { certificateReceived, clientHelloReceived, handshakeCompleted, ticketOffered } from '../events.ts';
import type { QuicClientConfig } from './connection-config.ts';
import type { ConnectionState } from './connection-state.ts';
import { engineIdentity } from './engine-identity.ts';
import { CRYPTO_ERROR, QuicError, QuicFault } from './error-codes.ts';
import type { PacketFates } from './packet-fates.ts';
import { checkPeerParameters, ownParameters } from './own-parameters.ts';
import { followPreferredAddress } from './preferred-address.ts';
import { QuicTickets } from './tickets.ts';
import { readTransportParameters, writeTransportParameters } from './transport-parameters.ts';

type Question = 'identity' | 'ticket' | 'certificate';

/** How long 0-RTT keys outlive the handshake, in probe timeouts. */
const EARLY_KEYS = 3;
const LEVELS = [
  ['initial', 'initial'],
  ['handshake', 'handshake'],
  ['application', 'application'],
] as const;
const SPACE = { initial: 'initial', early: 'application', handshake: 'handshake', application: 'application' } as const;

/** Drives TLS. */
export class HandshakeDriver {
  /** Whether a client may send 0-RTT data. */
  earlyDataOffered: boolean;
  /** The keys have changed: packets that waited for them may be opened now. */
  hasNewKeys: boolean;
  readonly #state: ConnectionState;
  readonly #fates: PacketFates;
  readonly #tickets: QuicTickets;
  readonly #tls: TlsClientHandshake | TlsServerHandshake;
  #question: Question | undefined;
  #deadline: number;
  #earlyData: 'none' | 'accepted' | 'rejected';
  /** Client: whom it called. */
  readonly #host: string;

  constructor(state: ConnectionState, fates: PacketFates) {
    const { config } = state;
    this.earlyDataOffered = false;
    this.hasNewKeys = false;
    this.#state = state;
    this.#fates = fates;
    this.#question = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#earlyData = 'none';
    this.#host = config.role === 'client' ? config.host : '';
    const parameters = ownParameters(state);
    this.#tickets = new QuicTickets(state, parameters);
    state.trace?.parametersSet(state.now, true, parameters);
    const announced = writeTransportParameters(parameters, config.grease ? reservedParameter(config) : undefined);
    this.#tls =
      config.role === 'client'
        ? new TlsClientHandshake(clientConfig(config, announced))
        : new TlsServerHandshake(config, announced);
  }

  /** Client: sends the ClientHello. */
  start(): void {
    if (!(this.#tls instanceof TlsClientHandshake)) return;
    this.#tls.start(this.#time());
    this.#drain();
  }

  /** When the driver's answer is overdue. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Whether 1-RTT data may leave: nothing does while a question is open, nor to a client that is yet to be verified. */
  get mayCarryData(): boolean {
    const { config, complete } = this.#state;
    if (this.#question !== undefined) return false;
    return complete || config.role === 'client' || config.clientCertificate === 'none';
  }

  /** Feeds what came in CRYPTO frames. @throws QuicFault */
  advance(): void {
    for (const [space, level] of LEVELS) {
      const stream = this.#state.crypto[space];
      while (this.#question === undefined) {
        const data = stream.read();
        if (data === undefined) break;
        this.#tls.cryptoReceived(level, data, this.#time());
        this.#drain();
      }
      // RFC 9001 section 4.1.3: nothing comes behind the last message of a level, not even behind a gap.
      if (stream.hasGap && this.#question === undefined && this.#tls.hasLeft(level)) {
        throw new QuicFault(QuicError.protocolViolation, `handshake data at level ${level}, which was left`, 0x06);
      }
    }
  }

  /** Answers `ClientHelloReceived`. @throws QuicFault */
  submitServerIdentity(identity: TlsIdentity | number): void {
    if (this.#question !== 'identity' || !(this.#tls instanceof TlsServerHandshake)) return;
    const answer = typeof identity === 'number' ? identity : engineIdentity(this.#state.config.crypto, identity);
    this.#answered();
    this.#tls.submitServerIdentity(answer);
    this.#resume();
  }

  /** Answers `TicketOffered`. @throws QuicFault */
  submitTicketVerdict(accepted: boolean): void {
    if (this.#question !== 'ticket' || !(this.#tls instanceof TlsServerHandshake)) return;
    this.#answered();
    this.#tls.submitTicketVerdict(accepted);
    this.#resume();
  }

  /** Answers `CertificateReceived`. @throws QuicFault */
  submitCertificateVerdict(verdict: TlsCertificateVerdict): void {
    if (this.#question !== 'certificate') return;
    this.#answered();
    this.#tls.submitCertificateVerdict(verdict);
    this.#resume();
  }

  /** What the application above wants to find again. */
  setTicketApplicationData(data: Uint8Array): void {
    this.#tickets.setApplicationData(data);
  }

  /** The deadline has passed. @throws QuicFault */
  timeout(): void {
    if (this.#question === 'ticket') {
      this.submitTicketVerdict(false);
      return;
    }
    const alert = this.#question === 'certificate' ? Alert.certificateUnknown : Alert.internalError;
    throw new QuicFault(CRYPTO_ERROR + alert, 'nobody answered for the handshake in time', 0x06);
  }

  #time(): number {
    return this.#state.config.epoch + this.#state.now;
  }

  #ask(question: Question): void {
    this.#question = question;
    this.#deadline = this.#state.now + this.#state.config.limits.verdictTimeout;
  }

  #answered(): void {
    this.#question = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #resume(): void {
    this.#drain();
    this.advance();
  }

  #drain(): void {
    for (let event = this.#tls.nextEvent(); event !== undefined; event = this.#tls.nextEvent()) this.#told(event);
  }

  #told(event: TlsEvent): void {
    const state = this.#state;
    switch (event.type) {
      case 'CryptoDataProduced':
        state.crypto[SPACE[event.level]].send(event.data);
        return;
      case 'SecretsReady':
        this.#secretsReady(event);
        return;
      case 'ClientHelloReceived':
        this.#ask('identity');
        state.emit(clientHelloReceived(event.serverName, event.alpn, event.signatureSchemes));
        return;
      case 'CertificateReceived':
        this.#ask('certificate');
        state.emit(certificateReceived(event.chain, this.#host, event.ocsp));
        return;
      case 'TicketOffered':
        this.#ask('ticket');
        if (this.#tickets.fits(event.applicationData, event.earlyData)) {
          state.emit(ticketOffered(event.ticket, event.earlyData));
        } else {
          this.submitTicketVerdict(false);
        }
        return;
      case 'TransportParametersReceived':
        this.#parametersReceived(event.data);
        return;
      case 'EarlyDataDecided':
        this.#earlyDataDecided(event.accepted);
        return;
      case 'HandshakeCompleted':
        this.#completed(event);
        return;
      case 'SessionReceived':
        this.#tickets.sessionReceived(event.session);
        return;
      case 'KeyLogged':
        state.notice({ type: 'KeyLogged', line: event.line });
        return;
      case 'HandshakeFailed': {
        const code = event.alert === undefined ? QuicError.protocolViolation : CRYPTO_ERROR + event.alert;
        throw new QuicFault(code, event.reason, 0x06);
      }
    }
  }

  #secretsReady(secrets: SecretsReady): void {
    const state = this.#state;
    state.keys.install(secrets);
    this.hasNewKeys = true;
    if (secrets.level === 'early' && state.role === 'client') {
      const { session } = state.config as { session?: { tls: { transportParameters: Uint8Array } } };
      if (session === undefined) return;
      // RFC 9000 section 7.4.1: what the server allowed then is what 0-RTT may use.
      state.streams.applyPeerParameters(readTransportParameters(session.tls.transportParameters, 'server'), true);
      this.earlyDataOffered = true;
    }
    // A client that offered no 0-RTT sends none.
    if (secrets.level === 'handshake' && state.role === 'server' && !state.keys.canOpen('zeroRtt')) {
      state.dropKeys('zeroRtt');
    }
    // RFC 9001 section 4.9.3.
    if (secrets.level === 'application' && state.role === 'client') state.dropKeys('zeroRtt');
  }

  #parametersReceived(data: Uint8Array): void {
    const state = this.#state;
    const parameters = readTransportParameters(data, state.role === 'client' ? 'server' : 'client');
    checkPeerParameters(state, parameters);
    state.trace?.parametersSet(state.now, false, parameters);
    state.peer = parameters;
    state.hasPeerParameters = true;
    state.idle.peerTimeout(parameters.maxIdleTimeout);
    state.mtu.peerMaximum(parameters.maxUdpPayloadSize);
    if (parameters.statelessResetToken !== undefined) state.peerIds.resetTokenReceived(parameters.statelessResetToken);
    // A client with 0-RTT waits for its fate, since what was rejected goes by the new limits from the beginning.
    if (!this.earlyDataOffered) this.#applyParameters();
  }

  #applyParameters(): void {
    const state = this.#state;
    state.streams.applyPeerParameters(state.peer, false);
    this.#fates.sizeChanged();
    const preferred = state.peer.preferredAddress;
    if (preferred !== undefined) {
      state.peerIds.preferredAddressReceived(preferred.connectionId, preferred.statelessResetToken);
    }
  }

  #earlyDataDecided(accepted: boolean): void {
    const state = this.#state;
    this.#earlyData = accepted ? 'accepted' : 'rejected';
    if (state.role === 'server') {
      if (!accepted) state.dropKeys('zeroRtt');
      return;
    }
    if (!this.earlyDataOffered) return;
    this.earlyDataOffered = false;
    if (!accepted) {
      state.recovery.withdraw('application');
      state.spaces.application.refuse();
      state.dropKeys('zeroRtt');
      state.streams.rejectEarlyData();
      state.emit({ type: 'QuicEarlyDataRejected' });
    }
    if (state.hasPeerParameters) this.#applyParameters();
  }

  #completed(event: TlsHandshakeCompleted): void {
    const state = this.#state;
    state.complete = true;
    state.setPhase('complete');
    this.hasNewKeys = true;
    state.emit(handshakeCompleted(event.alpn, event.suite.name, event.peerCertificate, event.resumed, this.#earlyData));
    state.localIds.start(state.peer.activeConnectionIdLimit);
    if (state.role === 'server') this.#serverCompleted();
  }

  /** RFC 9001 section 4.1.2: to a server the handshake is confirmed when it is complete. */
  #serverCompleted(): void {
    const state = this.#state;
    const { config } = state;
    if (config.role !== 'server' || !(this.#tls instanceof TlsServerHandshake)) return;
    for (let count = 0; count < config.ticketCount; count += 1) this.#tls.issueTicket(this.#tickets.applicationData());
    this.#drain();
    state.control.sendHandshakeDone();
    // RFC 9001 section 4.9.3: three probe timeouts for what was overtaken.
    state.earlyKeysUntil = state.now + EARLY_KEYS * state.probeTimeout();
    const token = config.newToken?.(state.paths.current.network.remote, state.now);
    if (token !== undefined) state.control.sendToken(token);
    this.confirmed();
  }

  /** The handshake is confirmed. */
  confirmed(): void {
    const state = this.#state;
    if (state.confirmed) return;
    state.confirmed = true;
    state.peerValidated = true;
    state.setPhase('confirmed');
    if (state.role === 'client') state.keys.oneRtt?.prepare();
    state.dropKeys('initial');
    state.dropKeys('handshake');
    state.localIds.forgetOriginal();
    state.paths.handshakeConfirmed();
    if (state.role === 'client') followPreferredAddress(state);
  }
}

/** Written out: an object that is spread into another costs a new shape, and more time than all of the rest here. */
function clientConfig(config: QuicClientConfig, transportParameters: Uint8Array): TlsClientConfig {
  return {
    crypto: config.crypto,
    random: config.random,
    keyRandom: config.keyRandom,
    alpn: config.alpn,
    cipherSuites: config.cipherSuites,
    groups: config.groups,
    signatureSchemes: config.signatureSchemes,
    transportParameters,
    keylog: config.keylog,
    serverName: config.serverName,
    keyShareGroups: config.keyShareGroups,
    identity: config.identity,
    session: config.session?.tls,
    earlyData: config.earlyData,
  };
}

/** RFC 9000 section 18.1: an id of the form 31 * N + 27, so that peers keep passing over what they do not know. */
function reservedParameter(config: ConnectionState['config']): { id: number; value: Uint8Array } {
  const draw = config.random.fill(new Uint8Array(4));
  const number = ((draw[0] as number) << 8) | (draw[1] as number);
  return { id: 31 * number + 27, value: draw.subarray(0, (draw[2] as number) & 3) };
}
