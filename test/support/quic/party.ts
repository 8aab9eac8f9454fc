/**
 * Clients and servers of QUIC for simulations: they answer questions, send numbered bytes and check those that come.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NetworkPath, TlsIdentity } from '../../../src/common/index.ts';
import { NamedGroup, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import type { QuicConnectionClosed, QuicEvent } from '../../../src/protocols/quic-transport.ts';
import type {
  QuicAcceptOptions,
  QuicConnectionHandle,
  QuicConnectOptions,
  QuicEndpointOptions,
  QuicIncoming,
} from '../../../src/protocols/quic/index.ts';
import { QuicEndpoint } from '../../../src/protocols/quic/index.ts';
import type { QuicNode } from './network.ts';
import { seeded } from './network.ts';

const fixtures = path.join(import.meta.dirname, '..', '..', 'unit', 'crypto', 'fixtures');
const identity: TlsIdentity = {
  cert: readFileSync(path.join(fixtures, 'ed25519.cert.pem'), 'latin1'),
  key: readFileSync(path.join(fixtures, 'ed25519.key.pem'), 'latin1'),
};

/** Keys that all endpoints of a simulation share unless they are to differ. */
export const sharedKeys: QuicEndpointOptions['keys'] = {
  connectionIds: new Uint8Array(16).fill(1),
  reset: new Uint8Array(32).fill(2),
  tokens: [{ name: new Uint8Array(16).fill(3), key: new Uint8Array(32).fill(4) }],
  tickets: [{ name: new Uint8Array(16).fill(5), key: new Uint8Array(32).fill(6) }],
};

/** An endpoint that replays. */
export function endpointOf(seed: number, over: Partial<QuicEndpointOptions> = {}, now = 0): QuicEndpoint {
  const options = {
    crypto: nodeCryptoProvider,
    random: seeded(seed),
    keyRandom: seeded(seed + 1_000_003),
    keys: sharedKeys,
    accepts: true,
    epoch: 1_700_000_000_000,
    ...over,
  };
  return new QuicEndpoint(options, now);
}

/** The byte of a stream at an offset. */
export function byteAt(streamId: number, offset: number): number {
  return (streamId * 31 + offset * 7 + (offset >> 8) * 13 + (offset >> 16)) & 0xff;
}

function bytesOf(streamId: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = byteAt(streamId, offset + index);
  return bytes;
}

interface Outgoing {
  offset: number;
  left: number;
}

interface Arriving {
  offset: number;
  ended: boolean;
}

/** One connection's traffic, either side. */
export class Traffic {
  readonly handle: QuicConnectionHandle;
  readonly role: 'client' | 'server';
  /** What was wrong with what came. */
  readonly faults: string[];
  readonly arriving: Map<number, Arriving>;
  readonly outgoing: Map<number, Outgoing>;
  /** Bytes that came. */
  received: number;
  /** Bytes that came and were not taken, now and at most. */
  unread: number;
  mostUnread: number;
  /** When set, it decides when bytes are taken; otherwise they are at once. */
  later: ((take: () => void) => void) | undefined;
  /** Streams that the peer gave up. */
  resets: number;
  /** Streams that are over on both sides. */
  closedStreams: number;
  established: boolean;
  ended: QuicConnectionClosed | undefined;
  /** Called with each event, after it was looked at. */
  onEvent: ((event: QuicEvent, traffic: Traffic) => void) | undefined;
  /** Server: answers each stream with as many bytes as came on it. */
  readonly echoes: boolean;
  readonly #piece: number;

  constructor(handle: QuicConnectionHandle, echoes: boolean, piece = 4_096) {
    this.handle = handle;
    this.role = handle.connection.role;
    this.faults = [];
    this.arriving = new Map();
    this.outgoing = new Map();
    this.received = 0;
    this.unread = 0;
    this.mostUnread = 0;
    this.later = undefined;
    this.resets = 0;
    this.closedStreams = 0;
    this.established = false;
    this.ended = undefined;
    this.onEvent = undefined;
    this.echoes = echoes;
    this.#piece = piece;
  }

  /** Opens a stream and sends so many bytes on it; its id, or `undefined` when none is allowed now. */
  open(bidirectional: boolean, length: number): number | undefined {
    const { connection } = this.handle;
    if (connection.availableStreams(bidirectional) === 0) return undefined;
    const streamId = connection.openStream(bidirectional);
    this.outgoing.set(streamId, { offset: 0, left: length });
    this.#write(streamId);
    return streamId;
  }

  /** Takes all events. */
  advance(): void {
    const { connection } = this.handle;
    for (let event = connection.nextEvent(); event !== undefined; event = connection.nextEvent()) {
      if (this.ended !== undefined) this.faults.push(`${event.type} behind the end`);
      this.#take(event);
      this.onEvent?.(event, this);
    }
  }

  #take(event: QuicEvent): void {
    const { connection } = this.handle;
    switch (event.type) {
      case 'ClientHelloReceived':
        connection.submitServerIdentity(identity);
        return;
      case 'CertificateReceived':
        connection.submitCertificateVerdict({ ok: true });
        return;
      case 'TicketOffered':
        connection.submitTicketVerdict(true);
        return;
      case 'HandshakeCompleted':
        this.established = true;
        return;
      case 'QuicStreamReceived':
        this.#received(event.streamId, event.data, event.fin);
        return;
      case 'QuicStreamWritable':
        this.#write(event.streamId);
        return;
      case 'QuicStreamResetReceived':
        this.resets += 1;
        return;
      case 'QuicStreamClosed':
        this.closedStreams += 1;
        return;
      case 'QuicConnectionClosed':
        this.ended = event;
        return;
      default:
    }
  }

  #received(streamId: number, data: Uint8Array, fin: boolean): void {
    const { connection } = this.handle;
    const arriving = this.arriving.get(streamId) ?? { offset: 0, ended: false };
    this.arriving.set(streamId, arriving);
    if (arriving.ended) this.faults.push(`stream ${String(streamId)} goes on behind its end`);
    for (let index = 0; index < data.length; index += 1) {
      if (data[index] !== byteAt(streamId, arriving.offset + index)) {
        this.faults.push(`stream ${String(streamId)} is wrong at ${String(arriving.offset + index)}`);
        break;
      }
    }
    arriving.offset += data.length;
    this.received += data.length;
    arriving.ended = fin;
    this.unread += data.length;
    this.mostUnread = Math.max(this.mostUnread, this.unread);
    const take = (): void => {
      this.unread -= data.length;
      connection.streamConsumed(streamId, data.length);
    };
    if (this.later === undefined) take();
    else this.later(take);
    if (!fin || !this.echoes || (streamId & 2) !== 0) return;
    this.outgoing.set(streamId, { offset: 0, left: arriving.offset });
    this.#write(streamId);
  }

  #write(streamId: number): void {
    const { connection } = this.handle;
    const outgoing = this.outgoing.get(streamId);
    if (outgoing === undefined) return;
    do {
      if (connection.sendCapacity(streamId) === 0) return;
      const length = Math.min(this.#piece, outgoing.left);
      const data = bytesOf(streamId, outgoing.offset, length);
      outgoing.offset += length;
      outgoing.left -= length;
      connection.writeStream(streamId, data, outgoing.left === 0);
    } while (outgoing.left > 0);
    this.outgoing.delete(streamId);
  }
}

/** What a party does with its connections. */
export interface PartyOptions {
  readonly echoes?: boolean;
  readonly accept?: Partial<QuicAcceptOptions>;
  readonly piece?: number;
  /** Decides about a client; `accept` when it says nothing. */
  readonly decide?: (incoming: QuicIncoming) => 'accept' | 'retry' | 'refuse' | 'ignore';
  readonly onEvent?: (event: QuicEvent, traffic: Traffic) => void;
  /** When bytes are taken; at once without it. */
  readonly later?: (take: () => void) => void;
}

/** An endpoint and its connections. */
export class Party implements QuicNode {
  readonly endpoint: QuicEndpoint;
  readonly traffics: Map<QuicConnectionHandle, Traffic>;
  readonly #options: PartyOptions;

  constructor(endpoint: QuicEndpoint, options: PartyOptions = {}) {
    this.endpoint = endpoint;
    this.traffics = new Map();
    this.#options = options;
  }

  /** All connections that there were. */
  get all(): Traffic[] {
    return [...this.traffics.values()];
  }

  /** Opens a connection. */
  connect(network: NetworkPath, now: number, over: Partial<QuicConnectOptions> = {}): Traffic {
    const options: QuicConnectOptions = {
      alpn: ['h3'],
      host: 'a.example',
      serverName: 'a.example',
      groups: [NamedGroup.x25519],
      ...over,
    };
    return this.#add(this.endpoint.connect(options, network, now), false);
  }

  serve(handle: QuicConnectionHandle | undefined, _now: number): void {
    for (let incoming = this.endpoint.nextIncoming(); incoming !== undefined; incoming = this.endpoint.nextIncoming()) {
      const decision = this.#options.decide?.(incoming) ?? 'accept';
      if (decision === 'accept') {
        const options = { alpn: ['h3'], groups: [NamedGroup.x25519], ...this.#options.accept };
        this.#add(incoming.accept(options), this.#options.echoes ?? true);
      } else incoming[decision]();
    }
    if (handle !== undefined) this.traffics.get(handle)?.advance();
    for (let ready = this.endpoint.nextReady(); ready !== undefined; ready = this.endpoint.nextReady()) {
      this.traffics.get(ready)?.advance();
    }
  }

  #add(handle: QuicConnectionHandle, echoes: boolean): Traffic {
    const traffic = new Traffic(handle, echoes, this.#options.piece);
    traffic.onEvent = this.#options.onEvent;
    traffic.later = this.#options.later;
    this.traffics.set(handle, traffic);
    return traffic;
  }
}
