/**
 * Every member of an engine's interface, on our HTTP/3: two different results of each, from real packets; and for each
 * member that has nothing to show there, what its documentation promises.
 *
 * The table is keyed by the interface itself: a member that is added and not shown here does not compile.
 */
import { expect } from 'vitest';
import type { HttpEvent, HttpOverQuicProtocol } from '../../src/protocols/index.ts';
import { Http3ClientFactory, http3RegistryEntry, Http3ServerFactory } from '../../src/protocols/http3/index.ts';
import { QuicConnection } from '../../src/protocols/quic/index.ts';
import {
  clientPath,
  clientSettings,
  initialOf,
  pemIdentity,
  serverPath,
  serverSettings,
} from '../unit/quic/connection-pair.ts';
import type { EnginePair } from './engine-pair.ts';
import { bytes, context, get, post, text } from './engine-pair.ts';
import { messageMembers, playMembers, served, tunnel } from './members.ts';
import type { Refused, Shown } from './members.ts';
import { QuicEnginePair } from './quic-pair.ts';

/** Two engines before their handshake, which goes as far as it is answered. */
class Handshake {
  readonly client: HttpOverQuicProtocol;
  readonly server: HttpOverQuicProtocol;
  /** The client's. */
  readonly transport: QuicConnection;
  readonly events: { readonly client: HttpEvent[]; readonly server: HttpEvent[] } = { client: [], server: [] };
  readonly #now = 1_000;

  constructor() {
    this.transport = new QuicConnection(clientSettings(), clientPath, this.#now);
    this.client = new Http3ClientFactory().create(this.transport, context, this.#now);
    const first = this.client.datagramsToSend(this.#now, 64);
    const initial = initialOf(first[0]!.data)!;
    const accepted = new QuicConnection(serverSettings(), serverPath, this.#now, initial);
    this.server = new Http3ServerFactory().create(accepted, context, this.#now);
    for (const { data } of first) this.server.datagramReceived(data, serverPath, this.#now);
    this.#pull();
  }

  /** What each side was told so far, or is when packets have gone to and fro. */
  run(): this {
    for (let round = 0; round < 10; round += 1) {
      for (const { data } of this.client.datagramsToSend(this.#now, 64)) {
        this.server.datagramReceived(data, serverPath, this.#now);
      }
      for (const { data } of this.server.datagramsToSend(this.#now, 64)) {
        this.client.datagramReceived(data, clientPath, this.#now);
      }
      this.#pull();
    }
    return this;
  }

  answered(): this {
    this.server.submitServerIdentity(pemIdentity('ed25519'));
    return this.run();
  }

  types(side: 'client' | 'server'): string[] {
    return this.events[side].map(({ type }) => type);
  }

  #pull(): void {
    for (const side of ['client', 'server'] as const) {
      for (let event = this[side].nextEvent(); event !== undefined; event = this[side].nextEvent()) {
        this.events[side].push(event);
      }
    }
  }
}

const quic = ({ engine }: EnginePair['client']): HttpOverQuicProtocol => engine as unknown as HttpOverQuicProtocol;

const members: { readonly [Member in keyof HttpOverQuicProtocol]-?: Shown | Refused } = {
  // Engine
  nextEvent: {
    one: (pair) => {
      pair.client.engine.submitHeaders(0, get('/shown'), { endStream: true });
      for (const chunk of pair.client.engine.bytesToSend(pair.now) ?? []) {
        pair.server.engine.bytesReceived(chunk, pair.now);
      }
      return pair.server.engine.nextEvent()?.type;
    },
    other: (pair) => pair.server.engine.nextEvent(),
    results: ['HeadersReceived', undefined],
  },
  nextTimeout: {
    // The idle timeout of QUIC at the latest; nothing once all is over.
    one: (pair) => pair.server.engine.nextTimeout()! > pair.now,
    other: (pair) => {
      pair.lose();
      return pair.server.engine.nextTimeout();
    },
    results: [true, undefined],
  },
  handleTimeout: {
    one: (pair) => {
      pair.server.engine.handleTimeout(pair.now + 29_000);
      pair.server.pull();
      return pair.server.types;
    },
    other: (pair) => {
      // The idle timeout of both is 30 s.
      pair.server.engine.handleTimeout(pair.now + 60_000);
      pair.server.pull();
      return pair.server.types;
    },
    results: [[], ['ConnectionTerminated']],
  },
  onOutput: {
    // An engine that works synchronously keeps what the driver sets.
    one: (pair) => pair.server.engine.onOutput,
    other: (pair) => {
      pair.server.engine.onOutput = () => undefined;
      pair.exchange();
      return typeof pair.server.engine.onOutput;
    },
    results: [undefined, 'function'],
  },

  // HttpProtocol: what it is
  httpVersion: {
    one: (pair) => pair.server.engine.httpVersion,
    other: (pair) => {
      pair.request();
      return [pair.server.only('HeadersReceived').httpVersion];
    },
    results: ['3', ['3']],
  },
  role: {
    one: (pair) => pair.client.engine.role,
    other: (pair) => pair.server.engine.role,
    results: ['client', 'server'],
  },
  multiplexed: {
    // While requests run others can be opened.
    one: (pair) => {
      pair.request();
      return [pair.client.engine.multiplexed, pair.client.engine.isAvailable()];
    },
    other: (pair) => {
      pair.server.engine.submitShutdown();
      pair.run();
      return [pair.client.engine.multiplexed, pair.client.engine.isAvailable()];
    },
    results: [
      [true, true],
      [true, false],
    ],
  },
  errorCodes: {
    one: (pair) => pair.server.engine.errorCodes.name(pair.server.engine.errorCodes.noError),
    other: (pair) => pair.server.engine.errorCodes.name(pair.server.engine.errorCodes.internalError),
    results: ['H3_NO_ERROR', 'H3_INTERNAL_ERROR'],
  },
  capabilities: {
    one: (pair) => pair.server.engine.capabilities.has('earlyData'),
    other: (pair) => pair.server.engine.capabilities.has('upgrade'),
    results: [true, false],
  },

  // HttpProtocol: requests
  isAvailable: {
    one: (pair) => pair.client.engine.isAvailable(),
    other: () => new Handshake().client.isAvailable(),
    results: [true, false],
  },
  hasExpired: {
    one: (pair) => {
      pair.request();
      return pair.client.engine.hasExpired();
    },
    other: (pair) => {
      pair.request();
      pair.server.engine.submitShutdown();
      pair.run();
      return pair.client.engine.hasExpired();
    },
    results: [false, true],
  },
  getAvailableStreamId: {
    one: (pair) => pair.client.engine.getAvailableStreamId(),
    other: (pair) => {
      pair.exchange();
      return pair.client.engine.getAvailableStreamId();
    },
    results: [0, 4],
  },
  ...messageMembers,
  submitResponse: {
    // An engine may leave it out: whoever has a whole response submits its parts then.
    refused: (pair) => expect(pair.server.engine.submitResponse).toBeUndefined(),
  },
  submitData: {
    one: (pair) => {
      const streamId = pair.request(post(), false);
      pair.client.engine.submitData(streamId, bytes('one'), { endStream: true });
      pair.run();
      return [pair.server.data(streamId), pair.server.all('DataReceived').at(-1)?.endStream];
    },
    other: (pair) => {
      const streamId = pair.request(post(), false);
      pair.client.engine.submitData(streamId, bytes('other'), { endStream: false });
      pair.run();
      return [pair.server.data(streamId), pair.server.all('DataReceived').at(-1)?.endStream];
    },
    results: [
      ['one', true],
      ['other', false],
    ],
  },
  submitTrailers: {
    one: (pair) => {
      pair.client.engine.submitTrailers(pair.request(post(), false), ['a', 'b']);
      pair.run();
      return pair.server.only('TrailersReceived').headers;
    },
    other: (pair) => {
      pair.client.engine.submitTrailers(pair.request(post(), false), ['c', 'd', 'e', 'f']);
      pair.run();
      return pair.server.only('TrailersReceived').headers;
    },
    results: [
      ['a', 'b'],
      ['c', 'd', 'e', 'f'],
    ],
  },
  submitStreamReset: {
    one: (pair) => {
      // H3_REQUEST_CANCELLED: the stream ends, the connection goes on.
      pair.client.engine.submitStreamReset(pair.request(post(), false), 0x10c);
      pair.run();
      return [pair.server.only('StreamResetReceived').errorCode, pair.server.terminated];
    },
    other: (pair) => {
      pair.exchange();
      pair.server.clear();
      // A stream that has ended is not reset.
      pair.client.engine.submitStreamReset(0, 0x10c);
      pair.run();
      return pair.server.types;
    },
    results: [[0x10c, false], []],
  },
  submitPriority: {
    one: (pair) => {
      pair.client.engine.submitPriority(pair.request(post(), false), 1, true);
      pair.run();
      return pair.server.all('PriorityUpdated').map(({ urgency, incremental }) => ({ urgency, incremental }));
    },
    other: (pair) => {
      pair.client.engine.submitPriority(pair.request(post(), false), 5, false);
      pair.run();
      return pair.server.all('PriorityUpdated').map(({ urgency, incremental }) => ({ urgency, incremental }));
    },
    results: [[{ urgency: 1, incremental: true }], [{ urgency: 5, incremental: false }]],
  },
  submitDatagram: {
    // Neither side has said SETTINGS_H3_DATAGRAM here.
    refused: (pair) => expect(pair.client.engine.submitDatagram(tunnel(pair), bytes('x'))).toBe(false),
  },
  submitHandlerEnd: {
    // Its stream is closed all the same; what is owed is counted against resets (CVE-2023-44487).
    refused: (pair) => {
      const streamId = pair.request();
      pair.server.engine.submitHeaders(streamId, [':status', '204'], { endStream: true });
      pair.server.engine.submitHandlerEnd(streamId);
      pair.server.engine.submitHandlerEnd(streamId);
      pair.run();
      expect(pair.server.types).toContain('StreamClosed');
      pair.exchange();
    },
  },
  submitShutdown: {
    one: (pair) => {
      pair.exchange();
      pair.client.engine.submitShutdown();
      pair.run();
      return pair.client.terminated;
    },
    other: (pair) => {
      pair.request();
      pair.client.engine.submitShutdown();
      pair.run();
      return pair.client.terminated;
    },
    results: [true, false],
  },
  submitClose: {
    one: (pair) => {
      pair.server.engine.submitClose(0x100, 'one');
      pair.run();
      return [pair.client.only('ConnectionTerminated').errorCode, pair.client.only('ConnectionTerminated').reason];
    },
    other: (pair) => {
      pair.server.engine.submitClose(0x102, 'other');
      pair.run();
      return [pair.client.only('ConnectionTerminated').errorCode, pair.client.only('ConnectionTerminated').reason];
    },
    results: [
      [0x100, 'one'],
      [0x102, 'other'],
    ],
  },

  // HttpProtocol: room
  sendCapacity: {
    one: (pair) => pair.server.engine.sendCapacity(served(pair)) > 0x8000,
    other: (pair) => {
      const streamId = served(pair);
      pair.server.engine.submitData(streamId, new Uint8Array(0x10000), { endStream: false });
      return pair.server.engine.sendCapacity(streamId);
    },
    results: [true, 0],
  },
  dataConsumed: {
    // The window of a stream opens again for who takes what came.
    one: (pair) => received(pair, false),
    other: (pair) => received(pair, true),
    results: [0x10000, 0x18000],
  },

  // QUIC's
  submitCertificateVerdict: {
    one: () => {
      const handshake = new Handshake().answered();
      handshake.client.submitCertificateVerdict({ ok: true });
      return handshake.run().types('client').includes('HandshakeCompleted');
    },
    other: () => {
      const handshake = new Handshake().answered();
      handshake.client.submitCertificateVerdict({ ok: false, alert: 48, reason: 'nobody knows it' });
      return handshake.run().types('client').includes('HandshakeCompleted');
    },
    results: [true, false],
  },
  submitServerIdentity: {
    one: () => new Handshake().answered().types('client'),
    other: () => {
      const handshake = new Handshake();
      // unrecognized_name (RFC 8446 section 6.2).
      handshake.server.submitServerIdentity(112);
      return handshake.run().types('client');
    },
    results: [['CertificateReceived'], ['ConnectionTerminated']],
  },
  submitTicketVerdict: {
    // None was asked for: it says nothing, and harms nothing.
    refused: (pair) => {
      pair.server.engine.submitTicketVerdict(true);
      pair.exchange();
    },
  },
  claimStream: {
    // A unidirectional stream of type 0x54 is whose who has claimed it; HTTP reads none of it.
    one: () => claimed(true),
    other: () => claimed(false),
    results: ['lent', ''],
  },

  // HTTP/1's
  detach: {
    refused: (pair) =>
      expect(() => pair.client.engine.detach()).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' })),
  },

  // HttpOverQuicProtocol
  datagramReceived: {
    one: (pair) => {
      pair.client.engine.submitHeaders(0, get(), { endStream: true });
      for (const { data } of quic(pair.client).datagramsToSend(pair.now, 64)) {
        quic(pair.server).datagramReceived(data, serverPath, pair.now);
      }
      pair.server.pull();
      return pair.server.types;
    },
    other: (pair) => {
      quic(pair.server).datagramReceived(bytes('no packet'), serverPath, pair.now);
      pair.server.pull();
      return pair.server.types;
    },
    results: [['HeadersReceived'], []],
  },
  datagramsToSend: {
    one: (pair) => quic(pair.client).datagramsToSend(pair.now, 64).length,
    other: (pair) => {
      pair.client.engine.submitHeaders(0, get(), { endStream: true });
      const [datagram] = quic(pair.client).datagramsToSend(pair.now, 64);
      return [datagram?.path, datagram?.ecn];
    },
    results: [0, [clientPath, 0]],
  },
};

/** How much of 96 KiB comes, whose window is 64 KiB. */
function received(pair: EnginePair, consuming: boolean): number {
  const streamId = pair.request(post(), false);
  const rest = [0x8000, 0x8000, 0x8000];
  for (const length of rest) {
    pair.client.engine.submitData(streamId, new Uint8Array(length), { endStream: false });
    pair.run();
    if (consuming) pair.server.consumeAll();
    pair.run();
  }
  return Math.min(0x18000, pair.server.received);
}

function claimed(claims: boolean): string {
  const handshake = new Handshake().answered();
  handshake.client.submitCertificateVerdict({ ok: true });
  handshake.run();
  let taken = '';
  if (claims) {
    handshake.server.claimStream(0x54, {
      streamDataReceived: (_streamId, data) => (taken += text(data)),
      streamResetReceived: () => undefined,
    });
  }
  const { transport } = handshake;
  transport.writeStream(transport.openStream(false), Uint8Array.of(0x40, 0x54, ...bytes('lent')), true);
  handshake.run();
  expect(handshake.types('server')).not.toContain('ConnectionTerminated');
  return taken;
}

playMembers(
  'HttpOverQuicProtocol on HTTP/3',
  members,
  () => new QuicEnginePair(http3RegistryEntry, http3RegistryEntry),
);
