import { describe, expect, it } from 'vitest';
import type { Http1ServerOptions } from '../../../../src/protocols/http1/index.ts';
import { Http1ServerFactory } from '../../../../src/protocols/http1/index.ts';
import type { ProtocolContext } from '../../../../src/protocols/index.ts';
import { testContext } from '../../../support/connection-pair.ts';
import { END, eventOf, MORE, Side } from '../../../support/http1-sides.ts';

const HEAD = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';

/** Connections of one factory: they take turns with its engines. */
function connections(
  count: number,
  options: Http1ServerOptions = {},
  contexts: Partial<ProtocolContext>[] = [],
): Side[] {
  const factory = new Http1ServerFactory(options);
  return Array.from({ length: count }, (_, index) => new Side(factory.create(testContext(contexts[index]), 0)));
}

/** Asks, answers, and lets everything be taken: the connection rests. */
function exchange(side: Side, path = '/a', content = 'yes'): number {
  const { streamId } = eventOf(side.receive(HEAD.replace('/a', path)), 'HeadersReceived');
  side.respond(streamId, '200', content);
  expect(side.sent()).toContain('200');
  expect(side.types()).toEqual(['StreamClosed']);
  expect(side.sent()).toBe('');
  return streamId;
}

describe('connections that wait for a request', () => {
  it('count their own requests', () => {
    const sides = connections(3);
    for (let round = 1; round <= 3; round += 1) {
      for (const side of sides.slice(0, round)) exchange(side);
    }
    expect(sides.map((side) => exchange(side))).toEqual([4, 3, 2]);
  });

  it('are not reached by what is submitted late to another', () => {
    const [early, late] = connections(2) as [Side, Side];
    const done = exchange(early);
    const { streamId } = eventOf(late.receive(HEAD), 'HeadersReceived');
    expect(streamId).toBe(done);
    // Stream 1 of one connection has ended, stream 1 of the other is open: on the engine that served both.
    expect(() => early.protocol.submitHeaders(done, [':status', '500'], END)).toThrow('stream 1 has ended');
    expect(() => early.protocol.submitData(done, new Uint8Array(1), MORE)).toThrow('stream 1 has ended');
    expect(() => early.protocol.submitStreamReset(2, 0)).toThrow('there is no stream 2');
    early.protocol.submitHandlerEnd(done);
    early.protocol.dataConsumed(done, 10);
    expect(early.protocol.sendCapacity(done)).toBe(0);
    expect([early.sent(), late.sent()]).toEqual(['', '']);
    expect([early.types(), late.types()]).toEqual([[], []]);
    late.respond(streamId, '200', 'mine');
    expect(late.sent()).toMatch(/mine$/);
    expect(early.sent()).toBe('');
  });

  it('keep their own deadline (keepAliveTimeout), whatever others do meanwhile', () => {
    const [idle, busy] = connections(2) as [Side, Side];
    idle.now = 1000;
    exchange(idle);
    busy.now = 50_000;
    exchange(busy);
    expect([idle.protocol.nextTimeout(), busy.protocol.nextTimeout()]).toEqual([76_000, 125_000]);
    expect(idle.advance(74_999)).toEqual([]);
    expect(eventOf(idle.advance(1), 'ConnectionTerminated')).toMatchObject({ reason: 'the connection was idle' });
    expect(idle.protocol.nextTimeout()).toBeUndefined();
    exchange(busy);
  });

  it('have not begun before their first octet (headTimeout)', () => {
    const [silent, other] = connections(2, { limits: { headTimeout: 5000 } }) as [Side, Side];
    exchange(other);
    expect(silent.protocol.nextTimeout()).toBe(5000);
    expect(silent.advance(5000).map(({ type }) => type)).toEqual(['ConnectionTerminated']);
    expect(silent.sent()).toBe('');
  });

  it('count empty lines before a request, however they come (maxEmptyLines; RFC 9112 section 2.2)', () => {
    const [side] = connections(1) as [Side];
    exchange(side);
    for (let line = 0; line < 4; line += 1) {
      expect(side.receive('\r\n')).toEqual([]);
      expect(side.sent()).toBe('');
    }
    side.receive('\r\n');
    expect(side.sent()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('have the scheme of their own transport', () => {
    const sides = connections(2, {}, [{ secure: false }, { secure: true, alpn: 'http/1.1' }]);
    const seen = [0, 1, 0, 1].map((index) => {
      const side = sides[index] as Side;
      // Cut, so that the head is parsed, or taken for the fields of the one before.
      side.receive(HEAD.slice(0, 9));
      const { headers, streamId } = eventOf(side.receive(HEAD.slice(9)), 'HeadersReceived');
      side.respond(streamId);
      side.sent();
      side.types();
      side.sent();
      return headers[3];
    });
    expect(seen).toEqual(['http', 'https', 'http', 'https']);
  });

  it('rest only when the handler has ended too (maxLiveHandlers)', () => {
    const [side] = connections(1, { limits: { maxLiveHandlers: 1 } }) as [Side];
    side.receive(HEAD);
    side.protocol.submitHeaders(1, [':status', '204'], END);
    side.sent();
    side.types();
    expect(side.receive(HEAD)).toEqual([]);
    expect(side.protocol.wantsInput).toBe(false);
    side.protocol.submitHandlerEnd(1);
    side.sent();
    expect(eventOf(side.events(), 'HeadersReceived').streamId).toBe(2);
  });

  it('are given as much output at once as they themselves have taken', () => {
    const [fast, slow] = connections(2) as [Side, Side];
    const body = 'b'.repeat(1_000_000);
    const first = (side: Side): number => {
      const { streamId } = eventOf(side.receive(HEAD), 'HeadersReceived');
      side.protocol.submitResponse?.(streamId, 200, [], body);
      side.protocol.submitHandlerEnd(streamId);
      const size = (side.protocol.bytesToSend(side.now) ?? []).reduce((sum, piece) => sum + piece.length, 0);
      side.sent();
      side.types();
      side.sent();
      return size;
    };
    expect(first(fast)).toBe(65_536);
    expect(first(fast)).toBeGreaterThan(1_000_000);
    expect(first(slow)).toBe(65_536);
    expect(first(fast)).toBeGreaterThan(1_000_000);
  });

  it.each([
    ['the peer ends', (side: Side) => side.end(), 0],
    ['the connection is lost', (side: Side) => side.lose(), 0],
    ['it is wound down', (side: Side) => (side.protocol.submitShutdown(), side.end()), 0],
    ['it is closed', (side: Side) => (side.protocol.submitClose(0), side.events()), 0],
  ])('end in good order when %s', (_name, end, errorCode) => {
    const [side, other] = connections(2) as [Side, Side];
    exchange(side);
    const events = end(side);
    expect(eventOf(events, 'ConnectionTerminated')).toMatchObject({ errorCode, error: undefined });
    expect(side.protocol.isAvailable()).toBe(false);
    expect(side.protocol.hasExpired()).toBe(true);
    exchange(other);
  });

  it('refuse with the date of the refusal (RFC 9110 section 6.6.1)', () => {
    const [side] = connections(1) as [Side];
    exchange(side);
    side.now = 60_000;
    side.receive('GET / HTTP/1.1\r\n\r\n');
    expect(side.sent()).toContain('date: Sun, 06 Nov 1994 08:50:37 GMT\r\n');
  });

  it('answer without an engine what one at rest would answer', () => {
    const [side] = connections(1) as [Side];
    const { protocol } = side;
    expect([protocol.httpVersion, protocol.role, protocol.multiplexed]).toEqual(['1.1', 'server', false]);
    expect([protocol.wantsInput, protocol.wantsEof, protocol.isAvailable(), protocol.hasExpired()]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(() => protocol.getAvailableStreamId()).toThrow('opens no requests');
    expect(() => protocol.detach()).toThrow('detach');
    expect(() => protocol.submitPriority(1, 0, false)).toThrow('submitPriority');
    expect(() => protocol.submitTicketVerdict(true)).toThrow('submitTicketVerdict');
    expect(() => protocol.submitServerIdentity(1)).toThrow('submitServerIdentity');
    expect(() => protocol.submitCertificateVerdict({ ok: true })).toThrow('submitCertificateVerdict');
    expect(() => protocol.submitInformational(1, [':status', '103'])).toThrow('there is no stream 1');
    expect(() => protocol.submitTrailers(1, [])).toThrow('there is no stream 1');
    expect(protocol.submitDatagram(1, new Uint8Array(1))).toBe(false);
    exchange(side);
  });
});
