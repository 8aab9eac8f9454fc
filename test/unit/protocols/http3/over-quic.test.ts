/**
 * HTTP/3 on QUIC connections: what only both together show. Early data (RFC 9114 section 7.2.4.2, RFC 8470), ends, and
 * what a small window and a lost packet do.
 */
import { describe, expect, it } from 'vitest';
import { Http3ClientFactory, Http3ServerFactory } from '../../../../src/protocols/http3/index.ts';
import type { Http3ServerOptions } from '../../../../src/protocols/http3/index.ts';
import type { HttpEvent, HttpOverQuicProtocol } from '../../../../src/protocols/index.ts';
import type { QuicServerConfig, QuicSession } from '../../../../src/protocols/quic/index.ts';
import { QuicConnection } from '../../../../src/protocols/quic/index.ts';
import { context, request } from '../../../support/http3-peer.ts';
import {
  clientPath,
  clientSettings,
  initialOf,
  pemIdentity,
  seeded,
  serverPath,
  serverSettings,
} from '../../quic/connection-pair.ts';
import { sealer } from '../../tls/handshake-pair.ts';

const identity = pemIdentity('ed25519');
const EPOCH = 1_700_000_000_000;

interface Side {
  readonly transport: QuicConnection;
  readonly engine: HttpOverQuicProtocol;
  readonly events: HttpEvent[];
}

/** A client and a server, packets without loss, 5 milliseconds each way. */
class Pair {
  now = 0;
  readonly client: Side;
  server: Side | undefined;
  readonly #config: Partial<QuicServerConfig>;
  readonly #options: Http3ServerOptions;
  #packets: { readonly toServer: boolean; readonly data: Uint8Array; readonly at: number }[] = [];

  constructor(config: Partial<QuicServerConfig> = {}, options: Http3ServerOptions = {}, session?: QuicSession) {
    this.#config = config;
    this.#options = options;
    const early = { session, earlyData: true, random: seeded(77), epoch: EPOCH + 100_000 };
    const transport = new QuicConnection(clientSettings(session === undefined ? {} : early), clientPath, 0);
    this.client = { transport, engine: new Http3ClientFactory().create(transport, context, 0), events: [] };
  }

  /** Lets time pass. */
  run(milliseconds = 200): this {
    const until = this.now + milliseconds;
    for (;;) {
      for (const side of this.#sides()) this.#flush(side);
      const timers = this.#sides().map(({ engine }) => engine.nextTimeout() ?? Infinity);
      const next = Math.min(...this.#packets.map(({ at }) => at), ...timers);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      for (const { engine } of this.#sides()) engine.handleTimeout(this.now);
      this.#deliver();
    }
    this.now = until;
    return this;
  }

  types(side: Side | undefined): string[] {
    return side!.events.map(({ type }) => type);
  }

  session(): QuicSession {
    let session: QuicSession | undefined;
    const { transport } = this.client;
    for (let notice = transport.nextNotice(); notice !== undefined; notice = transport.nextNotice()) {
      if (notice.type === 'SessionReceived') session = notice.session;
    }
    return session!;
  }

  #sides(): Side[] {
    return this.server === undefined ? [this.client] : [this.client, this.server];
  }

  #flush(side: Side): void {
    this.#pull(side);
    for (const { data, segmentSize } of side.engine.datagramsToSend(this.now, 64)) {
      for (let at = 0; at < data.length; at += segmentSize) {
        const packet = data.slice(at, at + segmentSize);
        this.#packets.push({ toServer: side === this.client, data: packet, at: this.now + 5 });
      }
    }
    this.#pull(side);
  }

  #deliver(): void {
    const due = this.#packets.filter(({ at }) => at <= this.now);
    this.#packets = this.#packets.filter(({ at }) => at > this.now);
    for (const { toServer, data } of due) {
      if (!toServer) this.client.engine.datagramReceived(data, clientPath, this.now);
      else this.#listening(data)?.engine.datagramReceived(data, serverPath, this.now);
    }
  }

  #listening(data: Uint8Array): Side | undefined {
    const initial = this.server === undefined ? initialOf(data) : undefined;
    if (initial !== undefined) {
      const settings = serverSettings({ epoch: EPOCH, ...this.#config });
      const transport = new QuicConnection(settings, serverPath, this.now, initial);
      const engine = new Http3ServerFactory(this.#options).create(transport, context, this.now);
      this.server = { transport, engine, events: [] };
    }
    return this.server;
  }

  #pull({ engine, events }: Side): void {
    for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) {
      events.push(event);
      if (event.type === 'ClientHelloReceived') engine.submitServerIdentity(identity);
      if (event.type === 'CertificateReceived') engine.submitCertificateVerdict({ ok: true });
      if (event.type === 'TicketOffered') engine.submitTicketVerdict(true);
      if (event.type === 'DataReceived') engine.dataConsumed(event.streamId, event.flowControlledLength);
      if (event.type !== 'HeadersReceived' || engine.role === 'client') continue;
      engine.submitHeaders(event.streamId, [':status', '200', 'early', String(event.early)], { endStream: true });
      engine.submitHandlerEnd(event.streamId);
    }
  }
}

describe('early data', () => {
  const config = (): Partial<QuicServerConfig> => ({ tickets: sealer(), earlyData: true });
  const heads = (side: Side): unknown[] =>
    side.events.flatMap((event) => (event.type === 'HeadersReceived' ? [event.headers] : []));

  it('carries a request before the handshake is over, which the server marks', () => {
    const server = config();
    const session = new Pair(server).run().session();
    const pair = new Pair({ ...server, epoch: EPOCH + 100_000 }, {}, session);
    expect(pair.client.transport.earlyDataAvailable).toBe(true);
    expect(pair.client.engine.isAvailable()).toBe(true);
    pair.client.engine.submitHeaders(0, request(), { endStream: true });
    pair.run();
    expect(heads(pair.client)).toEqual([[':status', '200', 'early', 'true']]);
    const completed = pair.client.events.find(({ type }) => type === 'HandshakeCompleted');
    expect(completed).toMatchObject({ resumed: true, earlyData: 'accepted' });
    expect(pair.types(pair.client)).not.toContain('ConnectionTerminated');
    // The settings that are remembered allow what the server allowed.
    expect(pair.server!.events.some(({ type }) => type === 'HeadersReceived')).toBe(true);
  });

  it('is refused by a server whose settings have changed; the request was not processed and is sent again', () => {
    const server = config();
    const session = new Pair(server).run().session();
    const changed = { limits: { maxHeaderBytes: 10_000 } };
    const pair = new Pair({ ...server, epoch: EPOCH + 100_000 }, changed, session);
    pair.client.engine.submitHeaders(0, request(), { endStream: true });
    pair.run();
    const { events, engine } = pair.client;
    expect(events.find(({ type }) => type === 'HandshakeCompleted')).toMatchObject({ earlyData: 'rejected' });
    expect(events.find(({ type }) => type === 'StreamResetReceived')).toMatchObject({ streamId: 0, processed: 'no' });
    const streamId = engine.getAvailableStreamId();
    expect(streamId).toBe(0);
    engine.submitHeaders(streamId, request(), { endStream: true });
    pair.run();
    expect(heads(pair.client)).toEqual([[':status', '200', 'early', 'false']]);
  });
});

describe('ends', () => {
  it('a server that winds down behind its response cuts nothing off', () => {
    const pair = new Pair().run();
    const { engine } = pair.client;
    engine.submitHeaders(engine.getAvailableStreamId(), request(), { endStream: true });
    pair.run(7);
    pair.server!.engine.submitShutdown();
    pair.run(1000);
    expect(pair.types(pair.client).slice(-3)).toEqual(['StreamClosed', 'GoawayReceived', 'ConnectionTerminated']);
    for (const side of [pair.client, pair.server!]) {
      expect(side.events.at(-1)).toMatchObject({ type: 'ConnectionTerminated', errorCode: 0x100, error: undefined });
      expect(pair.types(side)).not.toContain('StreamResetReceived');
    }
  });

  it('a fault reaches the peer with its code, by name', () => {
    const pair = new Pair().run();
    // A second control stream.
    const { transport } = pair.client;
    transport.writeStream(transport.openStream(false), Uint8Array.of(0), false);
    pair.run();
    expect(pair.server!.events.at(-1)).toMatchObject({ type: 'ConnectionTerminated', errorCode: 0x103 });
    const last = pair.client.events.at(-1);
    expect(last).toMatchObject({ type: 'ConnectionTerminated', errorCode: 0x103 });
    expect(last).toHaveProperty('error.message', expect.stringMatching(/H3_STREAM_CREATION_ERROR/));
  });
});
