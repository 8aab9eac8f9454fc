/**
 * What an endpoint sends without a connection.
 *
 * Owns the making of Version Negotiation, Retry, stateless reset and refusing CONNECTION_CLOSE packets (RFC 9000 sections
 * 6.1, 8.1.2, 10.3 and 10.2.3), how many of each are sent in a second, and the queue of them until the socket takes them.
 *
 * @module
 */
import type { NetworkPath, Random } from '../../common/index.ts';
import type { CryptoProvider } from '../../crypto/index.ts';
import { TAG_LENGTH } from '../../crypto/index.ts';
import { RingQueue, TokenBucket } from '../../wire/index.ts';
import type { Datagram } from '../http-protocol.ts';
import type { AddressTokens } from './address-token.ts';
import type { WorkerConnectionIds } from './connection-id-source.ts';
import type { QuicEndpointLimitValues } from './limits.ts';
import { FrameType } from './frame-types.ts';
import { FrameWriter } from './frame-writer.ts';
import type { PacketHeader } from './packet-header.ts';
import { longHeaderLength, QUIC_V1, retryWithoutTag, versionNegotiation, writeLongHeader } from './packet-header.ts';
import { initialKeys, retryTag } from './packet-protection.ts';
import { LEAST_RESET_TRIGGER, statelessReset } from './stateless-reset.ts';
import { reservedVersion } from './version-probe.ts';

const EMPTY = new Uint8Array(0);
const NUMBER_LENGTH = 1;
/** Type, code, frame type and length of an empty reason. */
const LONGEST_CLOSE_FRAME = 1 + 8 + 1 + 1;

/** What {@link StatelessReplies} is told. */
export interface StatelessReplyOptions {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly limits: QuicEndpointLimitValues;
  readonly ids: WorkerConnectionIds;
  readonly tokens: AddressTokens;
  /** Milliseconds since 1970 at the moment that the driver's clock calls 0. */
  readonly epoch: number;
}

/** Makes and queues replies. Each member answers whether there was one to send. */
export class StatelessReplies {
  readonly #options: StatelessReplyOptions;
  readonly #queue: RingQueue<Datagram>;
  readonly #versionBudget: TokenBucket;
  readonly #retryBudget: TokenBucket;
  readonly #resetBudget: TokenBucket;
  readonly #refusalBudget: TokenBucket;
  readonly #closingBudget: TokenBucket;

  constructor(options: StatelessReplyOptions, now: number) {
    const { limits } = options;
    const budget = (perSecond: number): TokenBucket => new TokenBucket(perSecond, perSecond, now);
    this.#options = options;
    this.#queue = new RingQueue();
    this.#versionBudget = budget(limits.versionNegotiationRate);
    this.#retryBudget = budget(limits.retryRate);
    this.#resetBudget = budget(limits.statelessResetRate);
    this.#refusalBudget = budget(limits.refusalRate);
    this.#closingBudget = budget(limits.closingReplyRate);
  }

  /** Datagrams that wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** The next datagram to send. */
  shift(): Datagram | undefined {
    return this.#queue.shift();
  }

  /** The versions that we have, to who spoke another one (section 6.1). */
  negotiateVersion(header: PacketHeader, path: NetworkPath, now: number): boolean {
    if (!this.#mayQueue(this.#versionBudget, now)) return false;
    const { random } = this.#options;
    // Section 15: a reserved version, so that clients learn to pass over what they do not know.
    const reserved = reservedVersion(random);
    const [bits = 0] = random.fill(new Uint8Array(1));
    const versions = reserved === header.version ? [QUIC_V1] : [QUIC_V1, reserved];
    return this.#push(versionNegotiation(header.source, header.destination, versions, bits), path);
  }

  /** A Retry (section 8.1.2). False without a key for tokens, too. */
  retry(header: PacketHeader, path: NetworkPath, now: number): boolean {
    if (!this.#mayQueue(this.#retryBudget, now)) return false;
    const { crypto, ids, tokens, epoch } = this.#options;
    const { id } = ids.next();
    const token = tokens.forRetry(path.remote, header.destination, id, epoch + now);
    if (token === undefined) return false;
    const head = retryWithoutTag(header.source, id, token);
    const packet = new Uint8Array(head.length + TAG_LENGTH);
    packet.set(head);
    packet.set(retryTag(crypto, header.destination, head), head.length);
    return this.#push(packet, path);
  }

  /** A stateless reset in answer to a datagram whose connection id means nothing (section 10.3). */
  reset(id: Uint8Array, trigger: number, path: NetworkPath, now: number): boolean {
    // What is too short to be answered costs nothing of what is left for others.
    if (trigger < LEAST_RESET_TRIGGER || !this.#mayQueue(this.#resetBudget, now)) return false;
    const { random, ids } = this.#options;
    const packet = statelessReset(random, trigger, ids.resetToken(id));
    return packet !== undefined && this.#push(packet, path);
  }

  /** CONNECTION_CLOSE in an Initial packet, in place of a handshake (section 10.2.3). */
  refuse(header: PacketHeader, path: NetworkPath, errorCode: number, now: number): boolean {
    if (!this.#mayQueue(this.#refusalBudget, now)) return false;
    const { crypto, ids } = this.#options;
    const { id } = ids.next();
    const headerLength = longHeaderLength('initial', header.source, id, EMPTY, NUMBER_LENGTH);
    const memory = new Uint8Array(headerLength + LONGEST_CLOSE_FRAME + TAG_LENGTH);
    const writer = new FrameWriter(memory, headerLength, memory.length - TAG_LENGTH);
    writer.numbers(FrameType.connectionClose, errorCode, FrameType.padding, 0);
    const packet = memory.subarray(0, writer.position + TAG_LENGTH);
    const following = packet.length - headerLength;
    writeLongHeader(packet, 0, 'initial', header.source, id, EMPTY, 0, NUMBER_LENGTH, following);
    initialKeys(crypto, header.destination).server.seal(packet, headerLength, 0, NUMBER_LENGTH);
    return this.#push(packet, path);
  }

  /** The close of a connection that is over, once more (section 10.2.1). */
  repeatClose(datagram: Uint8Array, path: NetworkPath, now: number): boolean {
    return this.#mayQueue(this.#closingBudget, now) && this.#push(datagram, path);
  }

  #mayQueue(budget: TokenBucket, now: number): boolean {
    return this.#queue.length < this.#options.limits.maxReplies && budget.take(1, now);
  }

  #push(data: Uint8Array, path: NetworkPath): boolean {
    this.#queue.push({ data, path, segmentSize: data.length, ecn: 0 });
    return true;
  }
}
