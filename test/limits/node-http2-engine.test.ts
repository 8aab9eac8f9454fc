/**
 * The bounds of the engines on sessions of node:http2, each reached under a virtual clock by our own engine on the other
 * side.
 *
 * RFC 9113 sections 5.1.2, 6.5.2, 6.9. CVE-2023-44487, CVE-2024-27316, CVE-2025-8671.
 */
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import type { nodeHttp2Limits } from '../../src/engines/http2-sessions/limits.ts';
import { loadHttp2Wrapper } from '../../src/engines/http2-wrapper/index.ts';
import { NodeHttp2ServerFactory } from '../../src/engines/node-http2/index.ts';
import { Http2ClientFactory, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { tripsLimit } from '../support/limits.ts';

type Limits = Partial<Record<keyof typeof nodeHttp2Limits, number>>;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const GET: HeaderList = [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'];
const POST: HeaderList = [':method', 'POST', ':scheme', 'http', ':authority', 'a', ':path', '/'];

/** One of the two engines. */
class Side {
  readonly engine: HttpOverTcpProtocol;
  readonly events: HttpEvent[] = [];
  /** Whether the network takes what it sends. */
  reads = true;

  constructor(engine: HttpOverTcpProtocol) {
    this.engine = engine;
  }

  pull(): void {
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
      this.events.push(event);
    }
  }

  last(type: HttpEvent['type']): HttpEvent | undefined {
    return this.events.filter((event) => event.type === type).at(-1);
  }

  count(type: HttpEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }
}

/** A client and a server that are connected. */
class Pair {
  readonly client: Side;
  readonly server: Side;
  now = 0;

  constructor(client: HttpOverTcpProtocol, server: HttpOverTcpProtocol) {
    this.client = new Side(client);
    this.server = new Side(server);
  }

  async run(): Promise<void> {
    for (let quiet = 0; quiet < 6; quiet += 1) {
      const moved = [this.#move(this.client, this.server), this.#move(this.server, this.client)];
      if (moved.includes(true)) quiet = -1;
      await turn();
    }
  }

  /** Lets time pass for one side, timer by timer. */
  async pass(side: Side, milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (let round = 0; round < 50 && side.count('ConnectionTerminated') === 0; round += 1) {
      const due = side.engine.nextTimeout() ?? Infinity;
      if (due > end) break;
      this.now = Math.max(this.now, due);
      side.engine.handleTimeout(this.now);
      await this.run();
    }
    this.now = end;
  }

  async request(headers: HeaderList = GET, endStream = true): Promise<number> {
    const { engine } = this.client;
    const id = engine.getAvailableStreamId();
    engine.submitHeaders(id, headers, { endStream });
    await this.run();
    return id;
  }

  #move(from: Side, to: Side): boolean {
    from.pull();
    if (!from.reads) {
      from.engine.handleTimeout(this.now);
      return false;
    }
    const chunks = from.engine.bytesToSend(this.now) ?? [];
    for (const chunk of chunks) to.engine.bytesReceived(chunk, this.now);
    from.pull();
    to.pull();
    return chunks.length > 0;
  }
}

/** The server on node:http2 and our client. */
async function served(limits: Limits = {}): Promise<Pair> {
  const client = new Http2ClientFactory().create(testContext(), 0);
  const pair = new Pair(client, new NodeHttp2ServerFactory({ limits }).create(testContext(), 0));
  await pair.run();
  return pair;
}

describe('the server on node:http2', () => {
  it('maxHeaderBytes: is told, and the stream is refused', async () => {
    tripsLimit('nodeHttp2Limits.maxHeaderBytes');
    const pair = await served({ maxHeaderBytes: 1_000 });
    const big: HeaderList = [...GET, 'x', 'y'.repeat(3_000)];
    let refused = false;
    try {
      await pair.request(big);
    } catch {
      // Our client knows the setting.
      refused = true;
    }
    expect(refused || pair.client.count('StreamResetReceived') === 1).toBe(true);
    expect(pair.server.count('HeadersReceived')).toBe(0);
  });

  it('maxHeaderCount: the stream is refused', async () => {
    tripsLimit('nodeHttp2Limits.maxHeaderCount');
    const pair = await served({ maxHeaderCount: 8 });
    const many = Array.from({ length: 20 }, (_, index) => [`x-${String(index)}`, 'y']).flat();
    await pair.request([...GET, ...many]);
    expect(pair.server.count('HeadersReceived')).toBe(0);
    expect(pair.client.count('StreamResetReceived')).toBe(1);
  });

  it('maxBodyBytes: the stream is reset', async () => {
    tripsLimit('nodeHttp2Limits.maxBodyBytes');
    const pair = await served({ maxBodyBytes: 3 });
    const id = await pair.request(POST, false);
    pair.client.engine.submitData(id, Buffer.from('abcd'), { endStream: false });
    await pair.run();
    expect(pair.server.last('StreamResetSent')).toMatchObject({ error: { limit: 'maxBodyBytes' } });
    expect(pair.client.count('StreamResetReceived')).toBe(1);
  });

  it('maxConcurrentStreams: is told, and kept by our client', async () => {
    tripsLimit('nodeHttp2Limits.maxConcurrentStreams');
    const pair = await served({ maxConcurrentStreams: 2 });
    await pair.request();
    await pair.request();
    expect(pair.client.engine.isAvailable()).toBe(false);
    expect(pair.server.count('HeadersReceived')).toBe(2);
  });

  it('maxLiveHandlers: further requests are refused', async () => {
    tripsLimit('nodeHttp2Limits.maxLiveHandlers');
    const pair = await served({ maxLiveHandlers: 2 });
    for (let count = 0; count < 3; count += 1) {
      const id = await pair.request();
      pair.client.engine.submitStreamReset(id, 8);
      await pair.run();
    }
    expect(pair.server.count('HeadersReceived')).toBe(2);
    pair.server.engine.submitHandlerEnd(1);
    await pair.request();
    expect(pair.server.count('HeadersReceived')).toBe(3);
  });

  it('initialStreamWindow: a sender waits for the reader', async () => {
    tripsLimit('nodeHttp2Limits.initialStreamWindow');
    const pair = await served({ initialStreamWindow: 1_000 });
    const id = await pair.request(POST, false);
    const { engine } = pair.client;
    for (let sent = 0; sent < 20_000 && engine.sendCapacity(id) > 0; sent += 1_000) {
      engine.submitData(id, Buffer.alloc(1_000), { endStream: false });
    }
    await pair.run();
    const received = pair.server.events.reduce(
      (sum, event) => sum + (event.type === 'DataReceived' ? event.data.length : 0),
      0,
    );
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThanOrEqual(2_000);
  });

  it('sendBufferBytes: no more is taken', async () => {
    tripsLimit('nodeHttp2Limits.sendBufferBytes');
    const pair = await served({ sendBufferBytes: 1_000 });
    const id = await pair.request();
    pair.server.reads = false;
    pair.server.engine.submitHeaders(id, [':status', '200'], { endStream: false });
    pair.server.engine.submitData(id, Buffer.alloc(1_000), { endStream: false });
    expect(pair.server.engine.sendCapacity(id)).toBe(0);
    expect(() => pair.server.engine.submitData(id, Buffer.alloc(1), { endStream: false })).toThrow();
  });

  it('headTimeout: a connection without a request', async () => {
    tripsLimit('nodeHttp2Limits.headTimeout');
    const pair = await served({ headTimeout: 1_000 });
    await pair.pass(pair.server, 999);
    expect(pair.server.count('ConnectionTerminated')).toBe(0);
    await pair.pass(pair.server, 10_000);
    expect(pair.server.count('ConnectionTerminated')).toBe(1);
  });

  it('keepAliveTimeout: between two requests', async () => {
    tripsLimit('nodeHttp2Limits.keepAliveTimeout');
    const pair = await served({ keepAliveTimeout: 5_000 });
    const id = await pair.request();
    pair.server.engine.submitHeaders(id, [':status', '204'], { endStream: true });
    pair.server.engine.submitHandlerEnd(id);
    await pair.run();
    await pair.pass(pair.server, 4_000);
    expect(pair.server.count('ConnectionTerminated')).toBe(0);
    await pair.pass(pair.server, 20_000);
    expect(pair.server.count('ConnectionTerminated')).toBe(1);
  });

  it('bodyTimeout: content that stops (slow POST)', async () => {
    tripsLimit('nodeHttp2Limits.bodyTimeout');
    const pair = await served({ bodyTimeout: 1_000 });
    const id = await pair.request(POST, false);
    pair.client.engine.submitData(id, Buffer.from('a'), { endStream: false });
    await pair.run();
    pair.server.engine.dataConsumed(id, 1);
    await pair.pass(pair.server, 3_000);
    expect(pair.server.last('StreamResetSent')).toMatchObject({ error: { timer: 'bodyTimeout' } });
  });

  it('writeTimeout: a response that nobody takes (slow read)', async () => {
    tripsLimit('nodeHttp2Limits.writeTimeout');
    const pair = await served({ writeTimeout: 1_000 });
    const id = await pair.request();
    pair.server.reads = false;
    pair.server.engine.submitHeaders(id, [':status', '200'], { endStream: false });
    pair.server.engine.submitData(id, Buffer.alloc(100), { endStream: false });
    await pair.run();
    await pair.pass(pair.server, 3_000);
    expect(pair.server.last('ConnectionTerminated')).toMatchObject({ error: { timer: 'writeTimeout' } });
  });

  it('lingerTimeout: a client that never ends its side', async () => {
    tripsLimit('nodeHttp2Limits.lingerTimeout');
    const pair = await served({ lingerTimeout: 1_000 });
    const id = await pair.request();
    pair.server.engine.submitShutdown();
    await pair.run();
    pair.server.engine.submitHeaders(id, [':status', '204'], { endStream: true });
    pair.server.engine.submitHandlerEnd(id);
    await pair.run();
    expect(pair.server.count('ConnectionTerminated')).toBe(0);
    await pair.pass(pair.server, 2_001);
    expect(pair.server.count('ConnectionTerminated')).toBe(1);
  });
});

describe('the client on http2-wrapper', () => {
  it('maxInformational: interim responses without end', async () => {
    tripsLimit('nodeHttp2Limits.maxInformational');
    const { createClientFactory } = await loadHttp2Wrapper();
    const factory = createClientFactory?.({ limits: { maxInformational: 3 } });
    const client = factory?.create(testContext(), 0) as HttpOverTcpProtocol;
    const pair = new Pair(client, new Http2ServerFactory().create(testContext(), 0));
    await pair.run();
    const id = await pair.request();
    for (let count = 0; count < 4; count += 1) {
      pair.server.engine.submitInformational(id, [':status', '103', 'link', '</a>']);
      await pair.run();
    }
    expect(pair.client.last('StreamResetSent')).toMatchObject({ error: { limit: 'maxInformational' } });
  });
});
