/**
 * Two engines over QUIC face to face: packets in memory, at a time that the test sets. The handshake is over before a
 * case begins, and what it told is forgotten.
 *
 * Cases know bytes; here each chunk of them is one packet. A lost connection is silence until nobody waits any more.
 */
import type { HfaceError, NetworkPath } from '../../src/common/index.ts';
import type {
  HttpEvent,
  HttpOverQuicProtocol,
  HttpOverTcpFactory,
  HttpOverTcpProtocol,
  QuicRegistryEntry,
} from '../../src/protocols/index.ts';
import { QuicConnection } from '../../src/protocols/quic/index.ts';
import {
  clientPath,
  clientSettings,
  initialOf,
  pemIdentity,
  serverPath,
  serverSettings,
} from '../unit/quic/connection-pair.ts';
import { context, EnginePair } from './engine-pair.ts';

/** Timers that are due sooner are the transport's: acknowledgements, pacing, probes. */
const SOON = 1_000;
const HOUR = 3_600_000;
const identity = pemIdentity('ed25519');

/** Every member of HttpProtocol that a case may call is the engine's own. */
function packetsAsBytes(engine: HttpOverQuicProtocol, path: NetworkPath): HttpOverTcpProtocol {
  const kept: HttpEvent[] = [];
  const nextEvent = engine.nextEvent.bind(engine);
  let ended = false;
  const pull = (): HttpEvent | undefined => {
    const event = nextEvent();
    if (event?.type === 'ConnectionTerminated') ended = true;
    return event;
  };
  return Object.assign(engine, {
    nextEvent: () => kept.shift() ?? pull(),
    bytesReceived: (chunk: Uint8Array, now: number) => {
      engine.datagramReceived(chunk, path, now);
    },
    bytesToSend: (now: number): Uint8Array[] | undefined => {
      const packets = engine.datagramsToSend(now, 64).flatMap(({ data, segmentSize }) => {
        const count = Math.ceil(data.length / segmentSize);
        return Array.from({ length: count }, (_, index) => data.slice(index * segmentSize, (index + 1) * segmentSize));
      });
      return packets.length === 0 ? undefined : packets;
    },
    eofReceived: () => undefined,
    connectionLost: (now: number, _error?: HfaceError) => {
      for (let at = engine.nextTimeout(); at !== undefined && at < now + HOUR && !ended; at = engine.nextTimeout()) {
        engine.handleTimeout(at);
        for (let event = pull(); event !== undefined; event = pull()) kept.push(event);
      }
    },
    get wantsEof() {
      return ended;
    },
    wantsInput: true,
  });
}

const giving = (role: 'client' | 'server', engine: () => HttpOverTcpProtocol): HttpOverTcpFactory => ({
  role,
  alpnProtocols: [],
  create: engine,
});

/** A client's and a server's engine on two QUIC connections. */
export class QuicEnginePair extends EnginePair {
  constructor(client: QuicRegistryEntry, server: QuicRegistryEntry) {
    const now = 1_000;
    const clientTransport = new QuicConnection(clientSettings(), clientPath, now);
    const clientEngine = client.createClientFactory!().create(clientTransport, context, now);
    const first = clientEngine.datagramsToSend(now, 64).map(({ data }) => data);
    const initial = initialOf(first[0]!)!;
    const serverTransport = new QuicConnection(serverSettings(), serverPath, now, initial);
    const serverEngine = server.createServerFactory!().create(serverTransport, context, now);
    const clientSide = packetsAsBytes(clientEngine, clientPath);
    const serverSide = packetsAsBytes(serverEngine, serverPath);
    super(
      giving('client', () => clientSide),
      giving('server', () => serverSide),
    );
    for (const data of first) this.server.inbox.push(data);
    this.#shakeHands();
  }

  /** Moves packets until nothing moves any more, and lets the transport's timers run. */
  override run(): boolean {
    let moved = false;
    for (let round = 0; round < 100_000; round += 1) {
      if (super.run()) moved = true;
      const sides = [this.client, this.server];
      const times = sides.map(({ engine }) => engine.nextTimeout() ?? Infinity);
      const next = Math.min(...times);
      if (next - this.now >= SOON || this.client.held || this.server.held) return moved;
      this.now = Math.max(this.now, next);
      for (const [index, side] of sides.entries()) {
        if ((times[index] ?? Infinity) > this.now) continue;
        side.engine.handleTimeout(this.now);
        side.pull();
      }
    }
    throw new Error('the connections go on for ever');
  }

  #shakeHands(): void {
    for (let round = 0; round < 10; round += 1) {
      this.run();
      for (const { type } of this.server.events) {
        if (type === 'ClientHelloReceived') this.server.engine.submitServerIdentity(identity);
      }
      for (const { type } of this.client.events) {
        if (type === 'CertificateReceived') this.client.engine.submitCertificateVerdict({ ok: true });
      }
      this.client.clear();
      this.server.clear();
    }
  }
}
