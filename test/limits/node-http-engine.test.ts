/**
 * The bounds of the engine on node:http, each reached under a virtual clock.
 *
 * RFC 9110 sections 15.5.9 and 15.5.14, RFC 9112 sections 9.5 and 9.6. CVE-2018-12121, CVE-2022-30591,
 * CVE-2023-44487 in its HTTP/1 form, CVE-2024-37890.
 */
import { describe, expect, it } from 'vitest';
import { NodeHttpClientFactory, NodeHttpServerFactory } from '../../src/engines/node-http/index.ts';
import { nodeHttpClientLimits, nodeHttpServerLimits } from '../../src/engines/node-http/limits.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { tripsLimit } from '../support/limits.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An engine that works asynchronously inside, and a clock of the test's. */
class Timed {
  readonly engine: HttpOverTcpProtocol;
  readonly events: HttpEvent[] = [];
  now = 0;
  output = '';
  /** Whether the peer takes what is sent. */
  reads = true;

  constructor(engine: HttpOverTcpProtocol) {
    this.engine = engine;
  }

  /** Lets it come to rest. */
  async settle(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      this.#pull();
      if (this.reads) for (const chunk of this.engine.bytesToSend(this.now) ?? []) this.output += latin1(chunk);
      else this.engine.handleTimeout(this.now);
      await turn();
    }
    this.#pull();
  }

  async receive(text: string): Promise<void> {
    this.engine.bytesReceived(Buffer.from(text, 'latin1'), this.now);
    await this.settle();
  }

  /** Lets time pass, timer by timer; ends early when the engine has ended. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (let round = 0; round < 100 && !this.isOver(); round += 1) {
      const due = this.engine.nextTimeout() ?? Infinity;
      if (due > end) break;
      this.now = Math.max(this.now, due);
      this.engine.handleTimeout(this.now);
      await this.settle();
    }
    if (!this.isOver()) this.now = end;
  }

  isOver(): boolean {
    return this.events.some((event) => event.type === 'ConnectionTerminated');
  }

  /** What ended the connection. */
  get error(): unknown {
    const end = this.events.find((event) => event.type === 'ConnectionTerminated');
    return end !== undefined && 'error' in end ? end.error : undefined;
  }

  count(type: HttpEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  #pull(): void {
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
      this.events.push(event);
    }
  }
}

function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk).toString('latin1');
}

function server(limits: Partial<Record<keyof typeof nodeHttpServerLimits, number>> = {}): Timed {
  return new Timed(new NodeHttpServerFactory({ limits }).create(testContext(), 0));
}

/** A client that has asked. */
async function asked(
  limits: Partial<Record<keyof typeof nodeHttpClientLimits, number>> = {},
  method = 'GET',
): Promise<Timed> {
  const timed = new Timed(new NodeHttpClientFactory({ limits }).create(testContext(), 0));
  const head = [':method', method, ':scheme', 'http', ':authority', 'a', ':path', '/'];
  timed.engine.submitHeaders(1, head, { endStream: method === 'GET' });
  await timed.settle();
  return timed;
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n';

describe('the server', () => {
  it('maxHeaderBytes: 431', async () => {
    tripsLimit('nodeHttpServerLimits.maxHeaderBytes');
    const timed = server({ maxHeaderBytes: 1_000 });
    await timed.receive(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(2_000)}\r\n\r\n`);
    expect(timed.output).toMatch(/^HTTP\/1\.1 431 /);
    expect(timed.count('HeadersReceived')).toBe(0);
  });

  it('maxHeaderCount: 431', async () => {
    tripsLimit('nodeHttpServerLimits.maxHeaderCount');
    const timed = server({ maxHeaderCount: 2 });
    await timed.receive('GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\n\r\n');
    expect(timed.output).toMatch(/^HTTP\/1\.1 431 /);
    expect(timed.count('HeadersReceived')).toBe(0);
  });

  it('maxBodyBytes: 413', async () => {
    tripsLimit('nodeHttpServerLimits.maxBodyBytes');
    const timed = server({ maxBodyBytes: 3 });
    await timed.receive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n');
    expect(timed.output).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('maxUnconsumedBytes: reading pauses', async () => {
    tripsLimit('nodeHttpServerLimits.maxUnconsumedBytes');
    const timed = server({ maxUnconsumedBytes: 1_000 });
    await timed.receive(POST);
    await timed.receive('x'.repeat(999));
    expect(timed.engine.wantsInput).toBe(true);
    await timed.receive('x'.repeat(10));
    expect(timed.engine.wantsInput).toBe(false);
    timed.engine.dataConsumed(1, 500);
    expect(timed.engine.wantsInput).toBe(true);
  });

  it('sendBufferBytes: no more is taken', async () => {
    tripsLimit('nodeHttpServerLimits.sendBufferBytes');
    const timed = server({ sendBufferBytes: 1_000 });
    await timed.receive(GET);
    timed.reads = false;
    timed.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    timed.engine.submitData(1, Buffer.alloc(1_000), { endStream: false });
    expect(timed.engine.sendCapacity(1)).toBe(0);
    expect(() => timed.engine.submitData(1, Buffer.alloc(1), { endStream: false })).toThrow();
  });

  it('maxUnsentBytes: no further request is read', async () => {
    tripsLimit('nodeHttpServerLimits.maxUnsentBytes');
    const timed = server({ maxUnsentBytes: 1_000 });
    await timed.receive(GET + GET);
    timed.reads = false;
    timed.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    timed.engine.submitData(1, Buffer.alloc(5_000), { endStream: true });
    timed.engine.submitHandlerEnd(1);
    await timed.settle();
    expect(timed.count('HeadersReceived')).toBe(1);
    timed.reads = true;
    await timed.settle();
    expect(timed.count('HeadersReceived')).toBe(2);
  });

  it('maxLiveHandlers: no further request is read', async () => {
    tripsLimit('nodeHttpServerLimits.maxLiveHandlers');
    const timed = server({ maxLiveHandlers: 2 });
    await timed.receive(GET.repeat(3));
    for (const id of [1, 2]) {
      timed.engine.submitHeaders(id, [':status', '204'], { endStream: true });
      await timed.settle();
    }
    expect(timed.count('HeadersReceived')).toBe(2);
    timed.engine.submitHandlerEnd(1);
    await timed.settle();
    expect(timed.count('HeadersReceived')).toBe(3);
  });

  it('maxDrainBytes: a peer that goes on sending is not listened to', async () => {
    tripsLimit('nodeHttpServerLimits.maxDrainBytes');
    const timed = server({ maxDrainBytes: 1_000 });
    await timed.receive('no HTTP at all\r\n\r\n');
    expect(timed.output).toMatch(/^HTTP\/1\.1 400 /);
    await timed.receive('x'.repeat(900));
    expect(timed.isOver()).toBe(false);
    await timed.receive('x'.repeat(200));
    expect(timed.isOver()).toBe(true);
  });

  it('headTimeout: a head that drips gets 408 (slowloris)', async () => {
    tripsLimit('nodeHttpServerLimits.headTimeout');
    const timed = server();
    await timed.receive('GET / HTTP/1.1\r\nX: ');
    for (let count = 0; count < 100 && timed.output === ''; count += 1) {
      await timed.pass(500);
      await timed.receive('y');
    }
    expect(timed.output).toMatch(/^HTTP\/1\.1 408 /);
    expect(timed.now).toBeLessThanOrEqual(nodeHttpServerLimits.headTimeout.default + 500);
  });

  it('keepAliveTimeout: an idle connection is closed without a word', async () => {
    tripsLimit('nodeHttpServerLimits.keepAliveTimeout');
    const timed = server({ keepAliveTimeout: 5_000 });
    await timed.receive(GET);
    timed.engine.submitHeaders(1, [':status', '204'], { endStream: true });
    timed.engine.submitHandlerEnd(1);
    await timed.settle();
    const { output } = timed;
    await timed.pass(4_999);
    expect(timed.engine.hasExpired()).toBe(false);
    await timed.pass(100_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.output).toBe(output);
  });

  it('bodyTimeout: content that stops gets 408 (slow POST)', async () => {
    tripsLimit('nodeHttpServerLimits.bodyTimeout');
    const timed = server({ bodyTimeout: 1_000 });
    await timed.receive(POST);
    await timed.receive('x');
    timed.engine.dataConsumed(1, 1);
    await timed.pass(2_001);
    expect(timed.output).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('writeTimeout: a response that nobody takes (slow read)', async () => {
    tripsLimit('nodeHttpServerLimits.writeTimeout');
    const timed = server({ writeTimeout: 1_000 });
    await timed.receive(GET);
    timed.reads = false;
    timed.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    timed.engine.submitData(1, Buffer.alloc(100), { endStream: false });
    await timed.settle();
    await timed.pass(2_001);
    expect(timed.error).toMatchObject({ timer: 'writeTimeout' });
  });

  it('lingerTimeout: a peer that never ends its side', async () => {
    tripsLimit('nodeHttpServerLimits.lingerTimeout');
    const timed = server({ lingerTimeout: 1_000 });
    await timed.receive('no HTTP at all\r\n\r\n');
    expect(timed.isOver()).toBe(false);
    await timed.pass(1_001);
    expect(timed.isOver()).toBe(true);
  });
});

describe('the client', () => {
  it('maxHeaderBytes: ends the connection', async () => {
    tripsLimit('nodeHttpClientLimits.maxHeaderBytes');
    const timed = await asked({ maxHeaderBytes: 1_000 });
    await timed.receive(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(2_000)}\r\n\r\n`);
    expect(timed.error).toMatchObject({ limit: 'maxHeaderBytes' });
  });

  it('maxHeaderCount: ends the connection', async () => {
    tripsLimit('nodeHttpClientLimits.maxHeaderCount');
    const timed = await asked({ maxHeaderCount: 2 });
    await timed.receive('HTTP/1.1 200 OK\r\nX: 1\r\nY: 2\r\nZ: 3\r\n\r\n');
    expect(timed.error).toMatchObject({ limit: 'maxHeaderCount' });
  });

  it('maxBodyBytes: ends the connection', async () => {
    tripsLimit('nodeHttpClientLimits.maxBodyBytes');
    const timed = await asked({ maxBodyBytes: 3 });
    await timed.receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n');
    expect(timed.error).toMatchObject({ limit: 'maxBodyBytes' });
  });

  it('maxInformational: interim responses without end', async () => {
    tripsLimit('nodeHttpClientLimits.maxInformational');
    const timed = await asked({ maxInformational: 3 });
    await timed.receive('HTTP/1.1 102 Processing\r\n\r\n'.repeat(3));
    expect(timed.isOver()).toBe(false);
    await timed.receive('HTTP/1.1 102 Processing\r\n\r\n');
    expect(timed.error).toMatchObject({ limit: 'maxInformational' });
  });

  it('maxUnconsumedBytes: reading pauses', async () => {
    tripsLimit('nodeHttpClientLimits.maxUnconsumedBytes');
    const timed = await asked({ maxUnconsumedBytes: 1_000 });
    await timed.receive(OK);
    await timed.receive('x'.repeat(1_100));
    expect(timed.engine.wantsInput).toBe(false);
    timed.engine.dataConsumed(1, 500);
    expect(timed.engine.wantsInput).toBe(true);
  });

  it('sendBufferBytes: no more is taken', async () => {
    tripsLimit('nodeHttpClientLimits.sendBufferBytes');
    const timed = await asked({ sendBufferBytes: 1_000 }, 'POST');
    timed.reads = false;
    timed.engine.submitData(1, Buffer.alloc(1_000), { endStream: false });
    expect(timed.engine.sendCapacity(1)).toBe(0);
    expect(() => timed.engine.submitData(1, Buffer.alloc(1), { endStream: false })).toThrow();
  });

  it('maxDrainBytes: a server that goes on sending is not listened to', async () => {
    tripsLimit('nodeHttpClientLimits.maxDrainBytes');
    const timed = await asked({ maxDrainBytes: 1_000 });
    await timed.receive('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    await timed.receive('x'.repeat(2_000));
    expect(timed.isOver()).toBe(true);
  });

  it('headTimeout: a server that never answers', async () => {
    tripsLimit('nodeHttpClientLimits.headTimeout');
    const timed = await asked();
    await timed.pass(2 * nodeHttpClientLimits.headTimeout.default);
    expect(timed.error).toMatchObject({ timer: 'headTimeout' });
  });

  it('keepAliveTimeout: a connection without a request is closed', async () => {
    tripsLimit('nodeHttpClientLimits.keepAliveTimeout');
    const timed = await asked({ keepAliveTimeout: 1_000 });
    await timed.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await timed.pass(500);
    expect(timed.engine.hasExpired()).toBe(false);
    await timed.pass(100_000);
    expect(timed.isOver()).toBe(true);
  });

  it('bodyTimeout: content that stops', async () => {
    tripsLimit('nodeHttpClientLimits.bodyTimeout');
    const timed = await asked({ bodyTimeout: 1_000 });
    await timed.receive(`${OK}x`);
    timed.engine.dataConsumed(1, 1);
    await timed.pass(2_001);
    expect(timed.error).toMatchObject({ timer: 'bodyTimeout' });
  });

  it('writeTimeout: a request that nobody takes', async () => {
    tripsLimit('nodeHttpClientLimits.writeTimeout');
    const timed = await asked({ writeTimeout: 1_000, headTimeout: Infinity }, 'POST');
    timed.reads = false;
    timed.engine.submitData(1, Buffer.alloc(100), { endStream: false });
    await timed.settle();
    await timed.pass(2_001);
    expect(timed.error).toMatchObject({ timer: 'writeTimeout' });
  });

  it("lingerTimeout: a server that never ends its side behind this side's end", async () => {
    tripsLimit('nodeHttpClientLimits.lingerTimeout');
    const timed = await asked({ lingerTimeout: 1_000 });
    await timed.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    timed.engine.submitClose(0);
    await timed.settle();
    await timed.pass(1_001);
    expect(timed.isOver()).toBe(true);
  });
});
