/**
 * One side of QUIC that keeps to no rule: the handshake is TLS's own, every packet and every frame is the test's.
 *
 * Owns opening packets, the CRYPTO streams, and a record of what the other side said. There is no loss
 * recovery, no flow control and no timer; what came is acknowledged, since the other side waits for that. Sockets are
 * elsewhere; what is a client's or a server's alone is in raw-client.ts and raw-server.ts.
 *
 * @module
 */
import { nodeCryptoProvider } from '../../../src/crypto/index.ts';
import type { FrameHandler } from '../../../src/protocols/quic/frame-handler.ts';
import { parseFrames } from '../../../src/protocols/quic/frame-parser.ts';
import { isAckEliciting } from '../../../src/protocols/quic/frame-types.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import type { PacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { listedVersions, readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { decodePacketNumber } from '../../../src/protocols/quic/packet-number.ts';
import { initialKeys, PacketKeys } from '../../../src/protocols/quic/packet-protection.ts';
import type { TransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import { readTransportParameters, writeTransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import type {
  ClientSession,
  EncryptionLevel,
  TlsClientHandshake,
  TlsEvent,
  TlsServerHandshake,
} from '../../../src/tls/index.ts';
import { frame } from './raw-frames.ts';
import { sealPacket } from './raw-packet.ts';
import type { PacketTricks } from './raw-packet.ts';

const EMPTY = new Uint8Array(0);
/** As much of a handshake message as goes into one packet. */
const CRYPTO_PIECE = 1_000;

type Space = 'initial' | 'handshake' | 'application';

/** What both sides say of themselves. */
export interface RawPeerOptions {
  readonly alpn?: readonly string[];
  /** Transport parameters besides or in place of its own; `undefined` leaves one out. */
  readonly parameters?: Partial<TransportParameters>;
  /** Bytes behind the encoded parameters. */
  readonly behindParameters?: Uint8Array;
  /** Changes handshake bytes before they are sent. */
  readonly changeHandshake?: (level: EncryptionLevel, data: Uint8Array) => Uint8Array;
  /** Whether what comes is acknowledged. Default true. */
  readonly acknowledges?: boolean;
  /** Whether handshake bytes at the Handshake level are sent by themselves. Default true. */
  readonly finishes?: boolean;
}

/** What is fixed when one begins. */
export interface RawPeerSetup {
  readonly role: 'client' | 'server';
  /** The id from which the keys of Initial packets come. */
  readonly first: Uint8Array;
  /** How the other side is called. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly tls: TlsClientHandshake | TlsServerHandshake;
  /** Puts a datagram on its way. */
  readonly send: (datagram: Buffer) => void;
}

/** The encoded parameters of a side: what it needs, changed as the options say. */
export function rawParameters(own: Partial<TransportParameters>, options: RawPeerOptions): Uint8Array {
  const all: Partial<TransportParameters> = {
    maxIdleTimeout: 30_000,
    initialMaxData: 1 << 20,
    initialMaxStreamDataBidiLocal: 1 << 18,
    initialMaxStreamDataBidiRemote: 1 << 18,
    initialMaxStreamDataUni: 1 << 18,
    initialMaxStreamsBidi: 16,
    initialMaxStreamsUni: 16,
    maxDatagramFrameSize: 65_535,
    ...own,
    ...options.parameters,
  };
  return Buffer.concat([writeTransportParameters(all), options.behindParameters ?? EMPTY]);
}

/** A CONNECTION_CLOSE as it stood on the wire. */
export interface WireClose {
  /** 0x1d: the application's. */
  readonly application: boolean;
  readonly errorCode: number;
  readonly frameType: number | undefined;
  readonly reason: string;
  readonly kind: PacketKind;
}

interface CryptoState {
  sent: number;
  received: number;
  readonly waiting: Map<number, Uint8Array>;
}

/** How many updates of keys the other side may have followed. */
const GENERATIONS = 3;

/** Opens a packet with keys or those that come next. */
function openAny(
  keys: PacketKeys,
  packet: Uint8Array,
  headerLength: number,
  number: number,
  generations: number,
): Uint8Array | undefined {
  const payload = keys.open(packet, headerLength, number);
  if (payload !== undefined || generations === 1) return payload;
  return openAny(keys.next(), packet, headerLength, number, generations - 1);
}

const spaceOf = (kind: PacketKind): Space => (kind === 'initial' || kind === 'handshake' ? kind : 'application');
const LEVEL = { initial: 'initial', handshake: 'handshake', application: 'application' } as const;

/** One connection of somebody without manners. */
export class RawPeer implements FrameHandler {
  /** The close that came first, and how often one came. */
  closed: WireClose | undefined;
  closes = 0;
  handshakeDone = false;
  /** TLS is complete on this side. */
  complete = false;
  session: ClientSession | undefined;
  /** Called for the first bytes of the other side's first request. */
  onStream: (() => void) | undefined;
  /** Handshake bytes of a side that does not finish. */
  withheld: Uint8Array = EMPTY;
  tokens: Uint8Array[] = [];
  /** The other side's. */
  parameters: TransportParameters | undefined;
  versions: number[] | undefined;
  retry: PacketHeader | undefined;
  readonly pathResponses: Buffer[] = [];
  readonly connectionIds: { sequence: number; id: Uint8Array; resetToken: Uint8Array }[] = [];
  readonly retired: number[] = [];
  readonly streams: Map<number, Buffer> = new Map();
  readonly ended: Set<number> = new Set();
  readonly resets: Map<number, number> = new Map();
  readonly stops: Map<number, number> = new Map();
  /** Greatest number of ours that was acknowledged, by space. */
  readonly acknowledged: Record<Space, number> = { initial: -1, handshake: -1, application: -1 };
  /** Datagrams that no key of ours opened, resets among them. */
  readonly strange: Buffer[] = [];
  /** What every packet that came held of frame types. */
  readonly frameTypes: number[] = [];
  readonly source: Uint8Array;
  readonly first: Uint8Array;
  /** How the other side wants to be called. */
  destination: Uint8Array;
  /** What stands in Initial packets. */
  protected token: Uint8Array = EMPTY;
  /** The handshake bytes that went at the Initial level. */
  protected hello: Uint8Array = EMPTY;
  readonly #role: 'client' | 'server';
  readonly #options: RawPeerOptions;
  readonly #tls: TlsClientHandshake | TlsServerHandshake;
  readonly #send: (datagram: Buffer) => void;
  readonly #seal: Partial<Record<PacketKind, PacketKeys>> = {};
  readonly #open: Partial<Record<PacketKind, PacketKeys>> = {};
  readonly #numbers: Record<Space, number> = { initial: 0, handshake: 0, application: 0 };
  readonly #largest: Record<Space, number> = { initial: -1, handshake: -1, application: -1 };
  readonly #crypto: Record<Space, CryptoState>;
  #kind: PacketKind = 'initial';
  #eliciting = false;

  constructor(setup: RawPeerSetup, options: RawPeerOptions) {
    const crypto = (): CryptoState => ({ sent: 0, received: 0, waiting: new Map() });
    this.#role = setup.role;
    this.#send = setup.send;
    this.#tls = setup.tls;
    this.#options = options;
    this.source = setup.source;
    this.first = setup.first;
    this.destination = setup.destination;
    this.#crypto = { initial: crypto(), handshake: crypto(), application: crypto() };
    this.begin(setup.first, setup.destination);
  }

  /** Takes keys of Initial packets and begins their CRYPTO stream. */
  protected begin(first: Uint8Array, destination: Uint8Array): void {
    const keys = initialKeys(nodeCryptoProvider, first);
    this.destination = destination;
    this.#seal.initial = keys[this.#role];
    this.#open.initial = keys[this.#role === 'client' ? 'server' : 'client'];
    this.#crypto.initial.sent = 0;
  }

  /** TLS asks, or is complete: a side's own business. */
  protected handshakeTold(event: TlsEvent): void {
    if (event.type === 'HandshakeCompleted') this.complete = true;
  }

  /** The keys by which it seals. */
  keys(kind: PacketKind): PacketKeys {
    const keys = this.#seal[kind];
    if (keys === undefined) throw new Error(`no keys for packets of kind ${kind}`);
    return keys;
  }

  canSeal(kind: PacketKind): boolean {
    return this.#seal[kind] !== undefined;
  }

  /** One packet. */
  packet(kind: PacketKind, frames: Uint8Array, tricks: PacketTricks = {}): Buffer {
    const space = spaceOf(kind);
    const { number = this.#numbers[space], destination = this.destination, source = this.source } = tricks;
    const { keys = this.keys(kind), token = this.token } = tricks;
    this.#numbers[space] = Math.max(this.#numbers[space], number + 1);
    return sealPacket(kind, frames, { ...tricks, number, keys, destination, source, token });
  }

  /** Sends a datagram of one packet. */
  send(kind: PacketKind, frames: Uint8Array, tricks: PacketTricks = {}): void {
    this.#send(this.packet(kind, frames, tricks));
  }

  /** Sends bytes as they are. */
  sendRaw(datagram: Uint8Array): void {
    this.#send(Buffer.from(datagram));
  }

  /** Sends handshake bytes at a level, behind those before. */
  sendCrypto(space: Space, data: Uint8Array): void {
    const state = this.#crypto[space];
    for (let at = 0; at < data.length; at += CRYPTO_PIECE) {
      const piece = data.subarray(at, at + CRYPTO_PIECE);
      this.send(space === 'application' ? 'oneRtt' : space, frame(0x06, state.sent, piece.length, piece));
      state.sent += piece.length;
    }
  }

  /** Takes what came. */
  received(datagram: Uint8Array): void {
    const bytes = Buffer.from(datagram);
    let opened = false;
    for (let at = 0; at < bytes.length;) {
      const header = readPacketHeader(bytes, at, this.source.length);
      if (header === undefined) break;
      at = header.end;
      if (this.#packetReceived(bytes, header)) opened = true;
    }
    if (!opened) this.strange.push(Buffer.from(datagram));
    this.pull();
  }

  #packetReceived(datagram: Buffer, header: PacketHeader): boolean {
    switch (header.form) {
      case 'versionNegotiation':
        this.versions = listedVersions(datagram, header);
        return true;
      case 'retry':
        this.retry = header;
        return true;
      case 'initial':
      case 'handshake':
        return this.#opened(datagram, header, header.form);
      case 'short':
        return this.#opened(datagram, header, 'oneRtt');
      default:
        return false;
    }
  }

  #opened(datagram: Buffer, header: PacketHeader, kind: PacketKind): boolean {
    const keys = this.#open[kind];
    if (keys === undefined) return false;
    const packet = new Uint8Array(datagram.subarray(header.start, header.end));
    const offset = header.numberOffset - header.start;
    const length = keys.unmask(packet, offset);
    if (length === 0) return false;
    const space = spaceOf(kind);
    const truncated = Buffer.from(packet).readUIntBE(offset, length);
    const number = decodePacketNumber(this.#largest[space], truncated, length);
    const payload = openAny(keys, packet, offset + length, number, kind === 'oneRtt' ? GENERATIONS : 1);
    if (payload === undefined) return false;
    this.#largest[space] = Math.max(this.#largest[space], number);
    if (kind === 'initial') this.destination = header.source;
    const eliciting = this.#parse(payload, kind);
    const acknowledges = this.#options.acknowledges !== false && this.closed === undefined;
    if (eliciting && acknowledges && this.canSeal(kind)) this.send(kind, frame(0x02, number, 0, 0, 0));
    return true;
  }

  /** Takes the frames of a packet; whether they ask for an acknowledgement. */
  #parse(payload: Uint8Array, kind: PacketKind): boolean {
    this.#kind = kind;
    this.#eliciting = false;
    parseFrames(payload, kind, this);
    return this.#eliciting;
  }

  /** Does what TLS says. */
  protected pull(): void {
    for (let event = this.#tls.nextEvent(); event !== undefined; event = this.#tls.nextEvent()) this.#told(event);
  }

  #told(event: TlsEvent): void {
    switch (event.type) {
      case 'CryptoDataProduced': {
        const { level } = event;
        if (level === 'handshake' && this.#options.finishes === false) {
          this.withheld = event.data;
          return;
        }
        const data = this.#options.changeHandshake?.(level, event.data) ?? event.data;
        if (level === 'initial') this.hello = data;
        if (level !== 'early') this.sendCrypto(LEVEL[level], data);
        return;
      }
      case 'SecretsReady': {
        const kind = ({ early: 'zeroRtt', handshake: 'handshake', application: 'oneRtt', initial: 'initial' } as const)[
          event.level
        ];
        const keys = (secret: Uint8Array): PacketKeys => new PacketKeys(nodeCryptoProvider, event.suite, secret);
        if (event.write !== undefined) this.#seal[kind] = keys(event.write);
        if (event.read !== undefined) this.#open[kind] = keys(event.read);
        return;
      }
      case 'TransportParametersReceived':
        this.parameters = readTransportParameters(event.data, this.#role === 'client' ? 'server' : 'client');
        return;
      case 'SessionReceived':
        this.session = event.session;
        return;
      default:
        this.handshakeTold(event);
    }
  }

  frameReceived(type: number): void {
    this.frameTypes.push(type);
    if (isAckEliciting(type)) this.#eliciting = true;
  }

  ackReceived(ranges: readonly number[]): void {
    const space = spaceOf(this.#kind);
    this.acknowledged[space] = Math.max(this.acknowledged[space], ranges[0] ?? -1);
  }

  cryptoReceived(offset: number, data: Uint8Array): void {
    const space = spaceOf(this.#kind);
    const state = this.#crypto[space];
    if (offset > state.received) state.waiting.set(offset, data.slice());
    if (offset > state.received || offset + data.length <= state.received) return;
    this.#cryptoInOrder(space, data.slice(state.received - offset));
    for (let more = state.waiting.get(state.received); more !== undefined; more = state.waiting.get(state.received)) {
      state.waiting.delete(state.received);
      this.#cryptoInOrder(space, more);
    }
  }

  #cryptoInOrder(space: Space, data: Uint8Array): void {
    this.#crypto[space].received += data.length;
    this.#tls.cryptoReceived(LEVEL[space], data, Date.now());
    this.pull();
  }

  streamReceived(streamId: number, offset: number, data: Uint8Array, fin: boolean): void {
    const before = this.streams.get(streamId) ?? Buffer.alloc(0);
    const bytes = Buffer.alloc(Math.max(before.length, offset + data.length));
    before.copy(bytes);
    bytes.set(data, offset);
    this.streams.set(streamId, bytes);
    if (fin) this.ended.add(streamId);
    if (streamId !== 0) return;
    const told = this.onStream;
    this.onStream = undefined;
    told?.();
  }

  resetStreamReceived(streamId: number, errorCode: number): void {
    this.resets.set(streamId, errorCode);
  }

  stopSendingReceived(streamId: number, errorCode: number): void {
    this.stops.set(streamId, errorCode);
  }

  newTokenReceived(token: Uint8Array): void {
    this.tokens.push(token.slice());
  }

  newConnectionIdReceived(sequence: number, _retirePriorTo: number, id: Uint8Array, resetToken: Uint8Array): void {
    this.connectionIds.push({ sequence, id: id.slice(), resetToken: resetToken.slice() });
  }

  retireConnectionIdReceived(sequence: number): void {
    this.retired.push(sequence);
  }

  pathResponseReceived(data: Uint8Array): void {
    this.pathResponses.push(Buffer.from(data));
  }

  connectionCloseReceived(errorCode: number, frameType: number | undefined, reason: Uint8Array): void {
    this.closes += 1;
    this.closed ??= {
      application: frameType === undefined,
      errorCode,
      frameType,
      reason: Buffer.from(reason).toString('utf8'),
      kind: this.#kind,
    };
  }

  handshakeDoneReceived(): void {
    this.handshakeDone = true;
  }

  maxDataReceived(): void {}
  maxStreamDataReceived(): void {}
  maxStreamsReceived(): void {}
  dataBlockedReceived(): void {}
  streamDataBlockedReceived(): void {}
  streamsBlockedReceived(): void {}
  pathChallengeReceived(): void {}
  datagramReceived(): void {}
}
