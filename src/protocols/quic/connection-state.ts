/**
 * What the parts of one connection share.
 *
 * Owns the parts themselves and the few facts that more than one of them needs: where the connection stands, the ids of
 * the handshake, the peer's parameters, the queues to the driver. Every rule is a part's; here is none but the bound of
 * the queue of notices.
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import { RingQueue } from '../../wire/index.ts';
import type { QuicEvent } from '../quic-transport.ts';
import type { CongestionController } from './congestion.ts';
import type { OpenedInitial, QuicClientConfig, QuicInitial, QuicServerConfig } from './connection-config.ts';
import { LocalConnectionIds } from './connection-ids.ts';
import { ConnectionKeys } from './connection-keys.ts';
import type { QuicNotice } from './connection-notices.ts';
import { ControlFrames } from './control-frames.ts';
import { CryptoStream } from './crypto-stream.ts';
import { Cubic } from './cubic.ts';
import { IdleTimer } from './idle-timer.ts';
import type { PacketSpace } from './loss-recovery.ts';
import { LossRecovery } from './loss-recovery.ts';
import { MtuDiscovery } from './mtu-discovery.ts';
import { NewReno } from './new-reno.ts';
import { Pacer } from './pacer.ts';
import { PacketNumberSpace } from './packet-spaces.ts';
import { PathManager } from './paths.ts';
import { PeerConnectionIds } from './peer-connection-ids.ts';
import type { ConnectionPhase, QuicTrace } from './qlog-events.ts';
import { QuicStreams } from './streams.ts';
import type { TransportParameters } from './transport-parameters.ts';
import { defaultTransportParameters } from './transport-parameters.ts';

const EMPTY = new Uint8Array(0);
/** The least length of a client's first Destination Connection ID (RFC 9000 section 7.2). */
const FIRST_ID_LENGTH = 8;

/** The parts of one connection, and what they share. */
export class ConnectionState {
  readonly config: QuicClientConfig | QuicServerConfig;
  readonly role: 'client' | 'server';
  readonly trace: QuicTrace | undefined;
  readonly spaces: Readonly<Record<PacketSpace, PacketNumberSpace>>;
  readonly crypto: Readonly<Record<PacketSpace, CryptoStream>>;
  readonly keys: ConnectionKeys;
  readonly recovery: LossRecovery;
  readonly streams: QuicStreams;
  readonly localIds: LocalConnectionIds;
  readonly peerIds: PeerConnectionIds;
  readonly paths: PathManager;
  readonly control: ControlFrames;
  readonly mtu: MtuDiscovery;
  readonly idle: IdleTimer;
  readonly events: RingQueue<QuicEvent>;
  /** Our Source Connection ID in the handshake. */
  readonly sourceId: Uint8Array;
  readonly resetToken: Uint8Array;
  /** The client's very first Destination Connection ID. */
  readonly originalId: Uint8Array;
  pacer: Pacer;
  /** As of the latest call of the driver's. */
  now: number;
  phase: ConnectionPhase;
  /** Server: what the Retry was sent from. Client: what a Retry came from. */
  retrySourceId: Uint8Array | undefined;
  /** The peer's Source Connection ID; on a client `undefined` until the first Initial of the server was opened. */
  peerSourceId: Uint8Array | undefined;
  /** Client: what its Initial packets carry. */
  token: Uint8Array;
  /** What the peer announced; the defaults before that. */
  peer: TransportParameters;
  hasPeerParameters: boolean;
  /** Both Finished messages were right (RFC 9001 section 4.1.1). */
  complete: boolean;
  /** RFC 9001 section 4.1.2. */
  confirmed: boolean;
  /** Client: the server has shown that it takes this address for proven (RFC 9002 section 6.2.2.1). */
  peerValidated: boolean;
  /** Server: until when 0-RTT packets that came late are opened (RFC 9001 section 4.9.3). */
  earlyKeysUntil: number;
  /** When the last packet was sent or taken. */
  activeAt: number;
  /** Packets of all levels that did not authenticate (RFC 9001 section 6.6). */
  forgeries: number;
  /** The path on which the packet came that is being taken. */
  arrivedOn: NetworkPath;
  readonly #notices: RingQueue<QuicNotice>;

  constructor(config: QuicClientConfig | QuicServerConfig, path: NetworkPath, now: number, initial?: QuicInitial) {
    const { limits, random, crypto, connectionIds } = config;
    this.config = config;
    this.role = config.role;
    this.trace = config.trace;
    this.now = now;
    this.phase = 'handshaking';
    this.spaces = {
      initial: new PacketNumberSpace('initial', undefined),
      handshake: new PacketNumberSpace('handshake', undefined),
      application: new PacketNumberSpace('application', random),
    };
    this.crypto = {
      initial: new CryptoStream(limits.maxCryptoBytes),
      handshake: new CryptoStream(limits.maxCryptoBytes),
      application: new CryptoStream(limits.maxCryptoBytes),
    };
    this.keys = new ConnectionKeys(crypto, config.role, limits.maxPackets);
    this.recovery = new LossRecovery(newController(config), config.toleratedLoss);
    this.events = new RingQueue();
    this.#notices = new RingQueue();
    this.streams = new QuicStreams(config.role, limits, (event) => {
      this.events.push(event);
    });
    const first = initial?.sourceId ?? random.fill(new Uint8Array(FIRST_ID_LENGTH));
    const own = connectionIds.next();
    this.sourceId = own.id;
    this.resetToken = own.resetToken;
    this.originalId = initial?.originalDestinationId ?? first;
    this.retrySourceId = initial?.retrySourceId;
    this.peerSourceId = initial?.sourceId;
    this.localIds = new LocalConnectionIds(connectionIds, own, initial?.destinationId);
    this.peerIds = new PeerConnectionIds({ crypto, activeLimit: limits.activeConnectionIdLimit, first });
    this.keys.setInitial(
      initial?.destinationId ?? first,
      (initial as Partial<OpenedInitial> | undefined)?.opened?.keys,
    );
    this.paths = new PathManager({
      role: config.role,
      random,
      ids: this.peerIds,
      first: path,
      validated: initial?.addressValidated ?? true,
      refuseMigration: config.disableActiveMigration,
      maxPaths: limits.maxPaths,
      maxPathResponses: limits.maxPathResponses,
      probeTimeout: () => this.probeTimeout(),
    });
    this.control = new ControlFrames();
    this.mtu = new MtuDiscovery(config.initialDatagramSize, config.maxDatagramSize);
    this.idle = new IdleTimer(limits.idleTimeout, limits.keepAliveInterval, now);
    this.pacer = new Pacer(config.initialDatagramSize, now);
    this.token = config.role === 'client' ? config.token : EMPTY;
    this.peer = defaultTransportParameters;
    this.hasPeerParameters = false;
    this.complete = false;
    this.confirmed = false;
    this.peerValidated = config.role === 'server';
    this.earlyKeysUntil = Number.POSITIVE_INFINITY;
    this.activeAt = now;
    this.forgeries = 0;
    this.arrivedOn = path;
  }

  /** Whether packets are sent and taken: neither closing nor draining. */
  get isOpen(): boolean {
    return this.phase === 'handshaking' || this.phase === 'complete' || this.phase === 'confirmed';
  }

  setPhase(phase: ConnectionPhase): void {
    this.phase = phase;
    this.trace?.phaseChanged(this.now, phase);
  }

  /** A probe timeout without its back-off, in milliseconds. */
  probeTimeout(): number {
    return this.recovery.rtt.probeTimeout(this.confirmed ? this.peer.maxAckDelay : 0);
  }

  emit(event: QuicEvent): void {
    this.events.push(event);
  }

  notice(notice: QuicNotice): void {
    this.#notices.push(notice);
    if (this.#notices.length > this.config.limits.maxNotices) this.#notices.shift();
  }

  nextNotice(): QuicNotice | undefined {
    return this.#notices.shift();
  }

  /** Drops the keys of a level, and what is on its way there (RFC 9001 section 4.9). */
  dropKeys(kind: 'initial' | 'zeroRtt' | 'handshake'): void {
    if (!this.keys.drop(kind)) return;
    this.trace?.keysDiscarded(this.now, kind);
    if (kind === 'zeroRtt') return;
    this.recovery.discard(kind);
    this.crypto[kind].discard();
    this.spaces[kind].probesOwed = 0;
  }

  /** Server: 0-RTT packets come no more. A connection that has lived this long prepares for its first key update. */
  dropEarlyKeys(): void {
    this.earlyKeysUntil = Number.POSITIVE_INFINITY;
    this.dropKeys('zeroRtt');
    this.keys.oneRtt?.prepare();
  }

  /** Pacing begins anew. */
  resetPacer(): void {
    this.pacer = new Pacer(this.mtu.size, this.now);
  }

  /** A controller for a path that nothing is known of. */
  newController(): CongestionController {
    return newController(this.config);
  }
}

function newController(config: QuicClientConfig | QuicServerConfig): CongestionController {
  const size = config.initialDatagramSize;
  return config.congestion === 'cubic' ? new Cubic(size) : new NewReno(size);
}
