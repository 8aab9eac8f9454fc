/**
 * Slowloris, slow POST, slow read, idle peers: the deadlines of the HTTP/1 engines, under a virtual clock.
 *
 * RFC 9110 section 15.5.9, RFC 9112 sections 9.5 and 9.6. CVE-2022-30591 and its kin.
 */
import { describe, expect, it } from 'vitest';
import { http1ClientLimits, http1ServerLimits } from '../../src/protocols/http1/limits.ts';
import { Http1ClientFactory, Http1ServerFactory } from '../../src/protocols/http1/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { drainEvents, eventTypes, takeText, testContext } from '../support/connection-pair.ts';
import { tripsLimit } from '../support/limits.ts';

/** An engine and a clock: time passes in steps no longer than the next timer. */
class Timed {
  readonly engine: HttpOverTcpProtocol;
  readonly events: HttpEvent[];
  now: number;
  output: string;
  /** Whether the peer takes what is sent. */
  reads: boolean;

  constructor(engine: HttpOverTcpProtocol) {
    this.engine = engine;
    this.events = [];
    this.now = 0;
    this.output = '';
    this.reads = true;
  }

  receive(text: string): void {
    this.engine.bytesReceived(Buffer.from(text, 'latin1'), this.now);
    this.settle();
  }

  settle(): void {
    this.events.push(...drainEvents(this.engine));
    if (this.reads) this.output += takeText(this.engine, this.now);
    else this.engine.handleTimeout(this.now);
    this.events.push(...drainEvents(this.engine));
  }

  /** Lets time pass; ends early when the engine has ended. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let round = 0; round < 1_000 && !this.isOver(); round += 1) {
      const due = this.engine.nextTimeout() ?? Infinity;
      if (due > end) break;
      this.now = Math.max(this.now, due);
      this.engine.handleTimeout(this.now);
      this.settle();
    }
    if (!this.isOver()) this.now = end;
  }

  isOver(): boolean {
    return this.events.some((event) => event.type === 'ConnectionTerminated');
  }
}

function server(limits: Partial<Record<keyof typeof http1ServerLimits, number>> = {}): Timed {
  return new Timed(new Http1ServerFactory({ limits }).create(testContext(), 0));
}

function client(limits: Partial<Record<keyof typeof http1ClientLimits, number>> = {}): Timed {
  const timed = new Timed(new Http1ClientFactory({ limits }).create(testContext(), 0));
  timed.settle();
  return timed;
}

function get(timed: Timed): number {
  const id = timed.engine.getAvailableStreamId();
  timed.engine.submitHeaders(id, [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'], {
    endStream: true,
  });
  timed.settle();
  return id;
}

function respond(timed: Timed, streamId: number, body = ''): void {
  timed.engine.submitHeaders(streamId, [':status', '200'], { endStream: body === '' });
  if (body !== '') timed.engine.submitData(streamId, Buffer.from(body), { endStream: true });
  timed.engine.submitHandlerEnd(streamId);
  timed.settle();
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const defaults = http1ServerLimits;

describe("the server's deadlines", () => {
  it('headTimeout: a head that drips is answered with 408, however often an octet comes (slowloris)', () => {
    tripsLimit('http1ServerLimits.headTimeout');
    const timed = server();
    timed.receive('GET / HTTP/1.1\r\nHost: a\r\n');
    for (let step = 0; step < 60 && !timed.output.includes(' 408 '); step += 1) {
      timed.pass(1_000);
      if (!timed.output.includes(' 408 ')) timed.receive('X');
    }
    expect(timed.output).toMatch(/^HTTP\/1\.1 408 /);
    expect(timed.now).toBe(defaults.headTimeout.default);
    expect(timed.events.some((event) => event.type === 'HeadersReceived')).toBe(false);
  });

  it('headTimeout: a connection that says nothing is closed without a word', () => {
    const timed = server();
    timed.pass(3_600_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.now).toBe(defaults.headTimeout.default);
    expect(timed.output).toBe('');
  });

  it('headTimeout: empty lines do not buy time', () => {
    const timed = server();
    timed.pass(29_000);
    timed.receive('\r\n');
    timed.pass(2_000);
    expect(timed.isOver()).toBe(true);
  });

  it('keepAliveTimeout: an idle connection is closed; empty lines do not keep it', () => {
    tripsLimit('http1ServerLimits.keepAliveTimeout');
    const timed = server();
    timed.receive(REQUEST);
    respond(timed, 1, 'hello');
    timed.pass(70_000);
    expect(timed.isOver()).toBe(false);
    timed.receive('\r\n');
    timed.pass(10_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.now).toBe(defaults.keepAliveTimeout.default);
  });

  it('headTimeout: runs for the second request as for the first', () => {
    const timed = server();
    timed.receive(REQUEST);
    respond(timed, 1);
    timed.pass(74_000);
    timed.receive('G');
    timed.pass(29_999);
    expect(timed.output).not.toContain(' 408 ');
    timed.pass(1);
    expect(timed.output).toContain('HTTP/1.1 408 ');
  });

  it('bodyTimeout: content that stops is answered with 408 (slow POST)', () => {
    tripsLimit('http1ServerLimits.bodyTimeout');
    const timed = server();
    timed.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx');
    timed.pass(60_000);
    expect(timed.output).toMatch(/^HTTP\/1\.1 408 /);
    expect(eventTypes(timed.events)).toContain('StreamResetSent');
    expect(timed.now).toBeLessThanOrEqual(2 * defaults.bodyTimeout.default);
  });

  it('minBodyRate: content that drips, an octet a second, does not last longer for it', () => {
    tripsLimit('http1ServerLimits.minBodyRate');
    const timed = server();
    timed.receive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    let steps = 0;
    while (!timed.output.includes(' 408 ') && steps < 1_000) {
      timed.pass(1_000);
      if (!timed.isOver()) timed.receive('1\r\nx\r\n');
      timed.engine.dataConsumed(1, 1);
      steps += 1;
    }
    expect(timed.output).toMatch(/^HTTP\/1\.1 408 /);
    expect(timed.now).toBeLessThan(40_000);
  });

  it('minBodyRate: content above the rate goes on for as long as it takes', () => {
    const timed = server();
    timed.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
    for (let step = 0; step < 600; step += 1) {
      timed.pass(1_000);
      timed.receive('x'.repeat(defaults.minBodyRate.default + 10));
      timed.engine.dataConsumed(1, 1_000);
    }
    expect(timed.isOver()).toBe(false);
    expect(timed.output).toBe('');
  });

  it('bodyTimeout: stands still while the app does not read', () => {
    const timed = server({ maxUnconsumedBytes: 10 });
    timed.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n0123456789');
    expect(timed.engine.wantsInput).toBe(false);
    timed.pass(3_600_000);
    expect(timed.isOver()).toBe(false);
    timed.engine.dataConsumed(1, 10);
    timed.pass(defaults.bodyTimeout.default + 1);
    expect(timed.output).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('writeTimeout: a response that nobody takes ends with a reset (slow read)', () => {
    tripsLimit('http1ServerLimits.writeTimeout');
    const timed = server();
    timed.reads = false;
    timed.receive(REQUEST);
    respond(timed, 1, 'x'.repeat(100_000));
    timed.pass(59_000);
    expect(timed.isOver()).toBe(false);
    timed.pass(2_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.engine.wantsEof, 'a reset, not an end that looks whole').toBe(false);
    expect(timed.now).toBeLessThanOrEqual(61_000);
  });

  it('writeTimeout: a peer that takes a little now and then lives', () => {
    const timed = server();
    timed.receive(REQUEST);
    timed.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    timed.reads = false;
    for (let step = 0; step < 20; step += 1) {
      if (timed.engine.sendCapacity(1) > 0) timed.engine.submitData(1, new Uint8Array(200_000), { endStream: false });
      timed.engine.bytesToSend(timed.now);
      timed.pass(50_000);
    }
    expect(timed.isOver()).toBe(false);
  });

  it('lingerTimeout: a peer that never ends its side is not waited for', () => {
    tripsLimit('http1ServerLimits.lingerTimeout');
    const timed = server();
    timed.receive('GET / HTTP/1.1\r\n\r\n');
    expect(timed.output).toMatch(/^HTTP\/1\.1 400 /);
    expect(timed.isOver()).toBe(false);
    timed.receive('more');
    timed.pass(60_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.now).toBe(defaults.lingerTimeout.default);
  });

  it('maxDrainBytes: a peer that goes on sending is not listened to', () => {
    tripsLimit('http1ServerLimits.maxDrainBytes');
    const timed = server();
    timed.receive('GET / HTTP/1.1\r\n\r\n');
    let sent = 0;
    while (!timed.isOver() && sent < 1 << 26) {
      timed.receive('x'.repeat(65_536));
      sent += 65_536;
    }
    expect(sent).toBeLessThanOrEqual(defaults.maxDrainBytes.default + 65_536);
  });
});

describe("the server's queues", () => {
  it('maxUnconsumedBytes: reading pauses while the app has not taken the content', () => {
    tripsLimit('http1ServerLimits.maxUnconsumedBytes');
    const timed = server();
    timed.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
    let given = 0;
    while (timed.engine.wantsInput && given < 1 << 24) {
      timed.receive('x'.repeat(1_000));
      given += 1_000;
    }
    expect(given).toBeLessThanOrEqual(defaults.maxUnconsumedBytes.default + 1_000);
    timed.engine.dataConsumed(1, given);
    expect(timed.engine.wantsInput).toBe(true);
  });

  it('sendBufferBytes: a response is not taken beyond it, until the peer has read', () => {
    tripsLimit('http1ServerLimits.sendBufferBytes');
    const timed = server();
    timed.reads = false;
    timed.receive(REQUEST);
    timed.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    let taken = 0;
    while (timed.engine.sendCapacity(1) > 0 && taken < 1 << 24) {
      timed.engine.submitData(1, new Uint8Array(1_000), { endStream: false });
      taken += 1_000;
    }
    expect(taken).toBeLessThanOrEqual(defaults.sendBufferBytes.default + 1_000);
    expect(() => timed.engine.submitData(1, new Uint8Array(1), { endStream: false })).toThrow('full');
    timed.reads = true;
    timed.settle();
    expect(eventTypes(timed.events)).toContain('StreamWritable');
  });

  it('maxUnsentBytes: no further request is read while responses wait to be taken', () => {
    tripsLimit('http1ServerLimits.maxUnsentBytes');
    const timed = server({ maxUnsentBytes: 1_000 });
    timed.reads = false;
    timed.receive(REQUEST.repeat(3));
    respond(timed, 1, 'x'.repeat(2_000));
    expect(timed.events.filter((event) => event.type === 'HeadersReceived')).toHaveLength(1);
    expect(timed.engine.wantsInput).toBe(false);
    timed.reads = true;
    timed.settle();
    expect(timed.events.filter((event) => event.type === 'HeadersReceived')).toHaveLength(2);
  });

  it('maxLiveHandlers: no further request is read while too many handlers live on behind their responses', () => {
    tripsLimit('http1ServerLimits.maxLiveHandlers');
    const timed = server({ maxLiveHandlers: 3 });
    timed.receive(REQUEST.repeat(10));
    for (let id = 1; id <= 3; id += 1) {
      timed.engine.submitHeaders(id, [':status', '200'], { endStream: true });
      timed.settle();
    }
    expect(timed.events.filter((event) => event.type === 'HeadersReceived')).toHaveLength(3);
    expect(timed.engine.wantsInput).toBe(false);
    timed.engine.submitHandlerEnd(2);
    timed.settle();
    expect(timed.events.filter((event) => event.type === 'HeadersReceived')).toHaveLength(4);
  });
});

describe("the client's deadlines", () => {
  it('headTimeout: a server that never answers', () => {
    tripsLimit('http1ClientLimits.headTimeout');
    const timed = client();
    get(timed);
    timed.pass(3_600_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.now).toBe(http1ClientLimits.headTimeout.default);
  });

  it('headTimeout: octets that drip buy no time', () => {
    const timed = client();
    get(timed);
    timed.receive('HTTP/1.1 200 OK\r\n');
    while (!timed.isOver() && timed.now < 3_600_000) {
      timed.pass(1_000);
      if (!timed.isOver()) timed.receive('x');
    }
    expect(timed.now).toBe(http1ClientLimits.headTimeout.default);
  });

  it('bodyTimeout: content that stops', () => {
    tripsLimit('http1ClientLimits.bodyTimeout');
    const timed = client();
    get(timed);
    timed.receive('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx');
    timed.engine.dataConsumed(1, 1);
    timed.pass(3_600_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.now).toBe(http1ClientLimits.bodyTimeout.default);
  });

  it('minBodyRate: content that drips', () => {
    tripsLimit('http1ClientLimits.minBodyRate');
    const timed = client({ minBodyRate: 100, bodyTimeout: 10_000 });
    get(timed);
    timed.receive('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
    while (!timed.isOver() && timed.now < 3_600_000) {
      timed.pass(1_000);
      if (!timed.isOver()) timed.receive('x');
      timed.engine.dataConsumed(1, 1);
    }
    expect(timed.now).toBeLessThan(12_000);
  });

  it('keepAliveTimeout: a connection without a request is closed, sooner when the server says so', () => {
    tripsLimit('http1ClientLimits.keepAliveTimeout');
    const idle = client();
    idle.pass(3_600_000);
    expect(idle.now).toBe(http1ClientLimits.keepAliveTimeout.default);
    const told = client();
    get(told);
    told.receive('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n');
    told.pass(3_600_000);
    expect(told.isOver()).toBe(true);
    expect(told.now).toBeLessThanOrEqual(5_000);
  });

  it('writeTimeout: a request that nobody takes', () => {
    tripsLimit('http1ClientLimits.writeTimeout');
    const timed = client();
    timed.reads = false;
    const id = timed.engine.getAvailableStreamId();
    timed.engine.submitHeaders(id, [':method', 'POST', ':scheme', 'http', ':authority', 'a', ':path', '/'], {
      endStream: false,
    });
    timed.engine.submitData(id, new Uint8Array(100_000), { endStream: true });
    timed.settle();
    timed.pass(3_600_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.now).toBe(http1ClientLimits.writeTimeout.default);
  });

  it("lingerTimeout: a server that never ends its side behind this side's end", () => {
    tripsLimit('http1ClientLimits.lingerTimeout');
    const timed = client();
    get(timed);
    timed.receive('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    timed.pass(3_600_000);
    expect(timed.isOver()).toBe(true);
    expect(timed.now).toBe(http1ClientLimits.lingerTimeout.default);
  });
});

describe("the client's queues", () => {
  it('maxUnconsumedBytes: reading pauses while nobody takes the content', () => {
    tripsLimit('http1ClientLimits.maxUnconsumedBytes');
    const timed = client();
    get(timed);
    timed.receive('HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n');
    let given = 0;
    while (timed.engine.wantsInput && given < 1 << 24) {
      timed.receive('x'.repeat(1_000));
      given += 1_000;
    }
    expect(given).toBeLessThanOrEqual(http1ClientLimits.maxUnconsumedBytes.default + 1_000);
  });

  it('sendBufferBytes: a request is not taken beyond it', () => {
    tripsLimit('http1ClientLimits.sendBufferBytes');
    const timed = client();
    timed.reads = false;
    const id = timed.engine.getAvailableStreamId();
    timed.engine.submitHeaders(id, [':method', 'POST', ':scheme', 'http', ':authority', 'a', ':path', '/'], {
      endStream: false,
    });
    let taken = 0;
    while (timed.engine.sendCapacity(id) > 0 && taken < 1 << 24) {
      timed.engine.submitData(id, new Uint8Array(1_000), { endStream: false });
      taken += 1_000;
    }
    expect(taken).toBeLessThanOrEqual(http1ClientLimits.sendBufferBytes.default + 1_000);
  });

  it('maxPipelinedRequests: no request is opened beyond it', () => {
    tripsLimit('http1ClientLimits.maxPipelinedRequests');
    const timed = client({ maxPipelinedRequests: 3 });
    for (let count = 0; count < 3; count += 1) get(timed);
    expect(timed.engine.isAvailable()).toBe(false);
    expect(() => timed.engine.getAvailableStreamId()).toThrow();
  });

  it('maxInformational: interim responses without end', () => {
    tripsLimit('http1ClientLimits.maxInformational');
    const timed = client();
    get(timed);
    const most = http1ClientLimits.maxInformational.default;
    timed.receive('HTTP/1.1 102 Processing\r\n\r\n'.repeat(most));
    expect(timed.isOver()).toBe(false);
    timed.receive('HTTP/1.1 102 Processing\r\n\r\n');
    expect(timed.events.at(-1)).toMatchObject({ type: 'ConnectionTerminated', error: { limit: 'maxInformational' } });
  });
});
