/**
 * Every limit of the HTTP/3 engine, tripped by a peer that speaks frame by frame, on both sides and under a clock of the
 * test.
 */
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import { concat, data, frame, headers, octets, settings, Type, varints } from '../support/http3-frames.ts';
import { extended, Http3Peer, request } from '../support/http3-peer.ts';
import { tripsLimit } from '../support/limits.ts';

type Limits = Readonly<Record<string, number>>;

/** A server with a POST on stream 0, or a client in its response. */
const sides = {
  server: (limits: Limits = {}): Http3Peer =>
    Http3Peer.ofServer(limits)
      .send(0, headers(request('POST')))
      .clear(),
  client: (limits: Limits = {}): Http3Peer => {
    const peer = Http3Peer.ofClient(limits);
    peer.engine.submitHeaders(0, request(), { endStream: true });
    return peer.send(0, headers([':status', '200'])).clear();
  },
} as const;
const both = Object.entries(sides);

/** The connection ended by this limit. */
function expectTooMuch(peer: Http3Peer, limit: string): void {
  peer.expectConnectionError('H3_EXCESSIVE_LOAD');
  expect(peer.only('ConnectionTerminated').error).toMatchObject({ name: 'LimitError', limit });
}

/** Does the same until the connection ends; answers how often that was. */
function repeat(peer: Http3Peer, most: number, next: (index: number) => void): number {
  for (let index = 0; index < most; index += 1) {
    if (peer.terminated) return index;
    next(index);
  }
  return most;
}

describe('header blocks', () => {
  const tooLarge: readonly (readonly [Limits, HeaderList])[] = [
    [{ maxHeaderBytes: 400 }, ['x', 'y'.repeat(400)]],
    [{ maxHeaderCount: 8 }, Array.from({ length: 9 }, () => ['cookie', 'a']).flat()],
    [{ maxHeaderBlockBytes: 300 }, ['x', '~'.repeat(400)]],
  ];

  it('maxHeaderBytes, maxHeaderCount and maxHeaderBlockBytes: 431 from a server, a reset from a client', () => {
    tripsLimit('http3ServerLimits.maxHeaderBytes', 'http3ServerLimits.maxHeaderCount');
    tripsLimit('http3ClientLimits.maxHeaderBytes', 'http3ClientLimits.maxHeaderCount');
    tripsLimit('http3ServerLimits.maxHeaderBlockBytes', 'http3ClientLimits.maxHeaderBlockBytes');
    for (const [limits, fields] of tooLarge) {
      const [limit] = Object.keys(limits);
      const server = Http3Peer.ofServer(limits).send(0, headers(request('GET', fields)));
      expect(server.types).toEqual([]);
      expect(server.head(0)[1]).toBe('431');
      expect(server.quic.stream(0)).toMatchObject({ fin: true, stopped: 0x100 });
      server.expectAlive();
      const client = Http3Peer.ofClient(limits);
      client.engine.submitHeaders(0, request(), { endStream: true });
      client.send(0, headers([':status', '200', ...fields]));
      expect(client.types).toEqual(['StreamResetSent', 'StreamClosed']);
      expect(client.only('StreamResetSent').error).toMatchObject({ name: 'LimitError' });
      client.expectAlive();
      // Trailers are held to it as well (CVE-2025-64702, CVE-2026-40898).
      for (const [role, make] of both) {
        const peer = make(limits).send(0, headers(fields));
        expect(peer.types, role).toEqual(['StreamResetSent', 'StreamClosed']);
        expect(peer.only('StreamResetSent').error).toMatchObject({ name: 'LimitError' });
        if (limit !== 'maxHeaderCount') expect(peer.only('StreamResetSent').error).toMatchObject({ limit });
        peer.expectAlive();
      }
    }
  });

  it('maxHeaderBlockBytes: a block is refused by its announced length, before any of it is kept', () => {
    const peer = Http3Peer.ofServer().send(0, concat(varints(Type.HEADERS, 2 ** 40)));
    expect(peer.head(0)[1]).toBe('431');
    // What comes of it all the same is given back to the window at once.
    peer.send(0, new Uint8Array(10_000));
    expect(peer.quic.stream(0).consumed).toBe(10_000 + varints(Type.HEADERS, 2 ** 40).length);
  });

  it.each(both)('maxPartialHeaderBytes on a %s: blocks that never end, on many streams', (role, make) => {
    tripsLimit('http3ServerLimits.maxPartialHeaderBytes', 'http3ClientLimits.maxPartialHeaderBytes');
    const limits = { maxPartialHeaderBytes: 50_000, headTimeout: 1e9 };
    const peer = make(limits);
    if (role === 'client') {
      for (let id = 4; id < 80; id += 4) peer.engine.submitHeaders(id, request(), { endStream: true });
    }
    const block = concat(varints(Type.HEADERS, 12_000), new Uint8Array(11_000));
    expect(repeat(peer, 19, (index) => peer.send(4 * index + 4, block))).toBe(5);
    expectTooMuch(peer, 'maxPartialHeaderBytes');
    // What was finished, reset or refused counts no more.
    const other = make(limits);
    if (role === 'client') {
      for (let id = 4; id < 80; id += 4) other.engine.submitHeaders(id, request(), { endStream: true });
    }
    repeat(other, 19, (index) => other.send(4 * index + 4, block).reset(4 * index + 4));
    other.expectAlive();
  });

  it('headTimeout on a server: a request whose head does not come whole is answered by 408 (slowloris)', () => {
    tripsLimit('http3ServerLimits.headTimeout');
    const peer = Http3Peer.ofServer({ headTimeout: 1000 });
    const bytes = headers(request());
    peer.send(0, bytes.subarray(0, 3)).advance(999);
    expect(peer.quic.stream(0).fin).toBe(false);
    // Frames that mean nothing, and single octets, win no time.
    peer.send(0, bytes.subarray(3, 4)).send(4, frame(0x21, 'x')).advance(251);
    expect(peer.head(0)[1]).toBe('408');
    expect(peer.types).toEqual([]);
    peer.advance(1000);
    expect(peer.head(4)[1]).toBe('408');
    peer.expectAlive();
  });

  it.each([
    ['server', Http3Peer.ofServer],
    ['client', Http3Peer.ofClient],
  ] as const)('headTimeout on a %s: SETTINGS that do not come', (_role, make) => {
    tripsLimit('http3ServerLimits.headTimeout', 'http3ClientLimits.headTimeout');
    const peer = make({ headTimeout: 700, keepAliveTimeout: 1e9 }, false);
    peer.advance(0).advance(699);
    expect(peer.terminated).toBe(false);
    peer.advance(1);
    expect(peer.only('ConnectionTerminated').error).toMatchObject({ name: 'TimeoutError', timer: 'headTimeout' });
  });
});

describe('content', () => {
  it.each(both)('maxSmallPieces on a %s: crumbs that nobody has read yet (CVE-2019-9511)', (_role, make) => {
    tripsLimit('http3ServerLimits.maxSmallPieces', 'http3ClientLimits.maxSmallPieces');
    const peer = make({ maxSmallPieces: 100 });
    expect(repeat(peer, 1000, () => peer.send(0, data('x')))).toBe(101);
    expectTooMuch(peer, 'maxSmallPieces');
    const read = make({ maxSmallPieces: 100 });
    repeat(read, 1000, () => {
      read.engine.dataConsumed(0, 1);
      read.send(0, data('x'));
    });
    read.expectAlive();
  });

  it('maxBodyBytes: 413 from a server that has not answered; a reset otherwise', () => {
    tripsLimit('http3ServerLimits.maxBodyBytes', 'http3ClientLimits.maxBodyBytes');
    const server = sides.server({ maxBodyBytes: 1000 });
    server.send(0, concat(data(new Uint8Array(600)), data(new Uint8Array(600))));
    expect(server.head(0)[1]).toBe('413');
    expect(server.only('StreamResetSent')).toMatchObject({ errorCode: 0x100, error: { limit: 'maxBodyBytes' } });
    expect(server.quic.stream(0)).toMatchObject({ stopped: 0x100, reset: undefined });
    const answering = sides.server({ maxBodyBytes: 1000 });
    answering.engine.submitHeaders(0, [':status', '200'], { endStream: false });
    answering.send(0, data(new Uint8Array(1200))).expectStreamError(0, 'H3_EXCESSIVE_LOAD');
    const client = sides.client({ maxBodyBytes: 1000 });
    // An announced length is enough.
    client.send(0, varints(Type.DATA, 2 ** 50));
    expect(client.only('StreamResetSent').error).toMatchObject({ limit: 'maxBodyBytes' });
    expect(client.quic.stream(0).stopped).toBe(0x107);
  });

  it.each(both)(
    'bodyTimeout and minBodyRate on a %s: content that does not come, or in drips, costs its stream only',
    (role, make) => {
      tripsLimit('http3ServerLimits.bodyTimeout', 'http3ClientLimits.bodyTimeout');
      tripsLimit('http3ServerLimits.minBodyRate', 'http3ClientLimits.minBodyRate');
      const limits = { bodyTimeout: 1000, minBodyRate: 100 };
      const silent = make(limits);
      // No more than a quarter too late.
      silent.advance(999);
      expect(silent.types).toEqual([]);
      silent.advance(251);
      expect(silent.only('StreamResetSent').error).toMatchObject({ name: 'TimeoutError', timer: 'bodyTimeout' });
      if (role === 'server') expect(silent.head(0)[1]).toBe('408');
      else expect(silent.quic.stream(0).stopped).toBe(0x10c);
      silent.expectAlive();
      const drip = (size: number): Http3Peer => {
        const peer = make(limits);
        for (let count = 0; count < 30; count += 1) {
          peer.send(0, data(new Uint8Array(size)));
          peer.engine.dataConsumed(0, size);
          peer.advance(200);
        }
        return peer;
      };
      expect(drip(10).types).toContain('StreamResetSent');
      expect(drip(25).types).not.toContain('StreamResetSent');
      // While the reader takes nothing, nobody waits for the peer.
      const held = make(limits)
        .send(0, data(new Uint8Array(1000)))
        .advance(10_000);
      expect(held.types).toEqual(['DataReceived']);
      held.engine.dataConsumed(0, 1000);
      expect(held.advance(1501).types).toContain('StreamResetSent');
    },
  );
});

describe('streams', () => {
  it('maxConcurrentStreams on a client: it opens no more', () => {
    tripsLimit('http3ClientLimits.maxConcurrentStreams');
    expect(sides.client({ maxConcurrentStreams: 1 }).engine.isAvailable()).toBe(false);
    expect(sides.client({ maxConcurrentStreams: 2 }).engine.isAvailable()).toBe(true);
  });

  it('maxLiveHandlers: a stream that was reset counts until its handler has ended (CVE-2023-44487)', () => {
    tripsLimit('http3ServerLimits.maxLiveHandlers');
    const peer = Http3Peer.ofServer({ maxLiveHandlers: 10 });
    const attack = (id: number): void => {
      peer.send(id, headers(request()), true).stop(id).over(id);
    };
    for (let id = 0; id < 80; id += 4) attack(id);
    expect(peer.all('HeadersReceived')).toHaveLength(10);
    expect(peer.quic.stream(40)).toMatchObject({ reset: 0x10b, stopped: 0x10b });
    for (const { streamId } of peer.all('HeadersReceived').slice(0, 3)) peer.engine.submitHandlerEnd(streamId);
    for (let id = 80; id < 120; id += 4) attack(id);
    expect(peer.all('HeadersReceived')).toHaveLength(13);
    peer.expectAlive();
  });

  it('maxResets and resetRate on a server: streams opened in vain, by any way of making them so', () => {
    tripsLimit('http3ServerLimits.maxResets', 'http3ServerLimits.resetRate');
    const limits = { maxResets: 20, resetRate: 10, maxHeaderBytes: 10_000 };
    const attacks: readonly (readonly [string, (peer: Http3Peer, id: number) => void])[] = [
      ['rapid reset (CVE-2023-44487)', (peer, id) => peer.send(id, headers(request())).reset(id)],
      ['rapid STOP_SENDING (CVE-2023-44487)', (peer, id) => peer.send(id, headers(request()), true).stop(id)],
      ['a reset before any head', (peer, id) => peer.reset(id)],
      ['a malformed request (CVE-2025-8671)', (peer, id) => peer.send(id, headers(['x', 'y']))],
      ['no request at all (CVE-2025-8671)', (peer, id) => peer.send(id, new Uint8Array(0), true)],
      [
        'more content than was declared (CVE-2025-8671)',
        (peer, id) => peer.send(id, concat(headers(request('POST', ['content-length', '1'])), data('xx'))),
      ],
      [
        'a datagram that has no meaning (CVE-2025-8671)',
        (peer, id) => peer.send(id, headers(request())).tell({ type: 'QuicDatagramReceived', data: varints(id / 4) }),
      ],
      ['fields that are too large', (peer, id) => peer.send(id, headers(request('GET', ['x', 'y'.repeat(20_000)])))],
    ];
    for (const [name, attack] of attacks) {
      const peer = Http3Peer.ofServer(limits);
      const count = repeat(peer, 100, (index) => {
        peer.engine.submitHandlerEnd(4 * index - 4);
        attack(peer, 4 * index);
      });
      expect(count, name).toBe(21);
      expectTooMuch(peer, 'maxResets');
      // As time passes some are forgiven.
      const slow = Http3Peer.ofServer(limits);
      repeat(slow, 100, (index) => {
        slow.now += 100;
        slow.engine.submitHandlerEnd(4 * index - 4);
        attack(slow, 4 * index);
      });
      expect(slow.terminated, name).toBe(false);
    }
  });

  it('maxResets on a client counts streams that it lent and must refuse', () => {
    tripsLimit('http3ClientLimits.maxResets', 'http3ClientLimits.resetRate');
    const peer = Http3Peer.ofClient({ maxResets: 5, resetRate: 0, maxWaitingStreams: 0 }, true, {
      claimableTypes: [0x54],
    });
    expect(repeat(peer, 100, (index) => peer.send(15 + 4 * index, varints(0x54)))).toBe(6);
    expectTooMuch(peer, 'maxResets');
  });

  it('maxInformational on a client: interim responses for ever', () => {
    tripsLimit('http3ClientLimits.maxInformational');
    const peer = Http3Peer.ofClient({ maxInformational: 3 });
    peer.engine.submitHeaders(0, request(), { endStream: true });
    for (let count = 0; count < 10; count += 1) peer.send(0, headers([':status', '103']));
    expect(peer.all('InformationalReceived')).toHaveLength(3);
    expect(peer.only('StreamResetSent').error).toMatchObject({ limit: 'maxInformational' });
    expect(peer.quic.stream(0).stopped).toBe(0x107);
  });

  it.each([
    ['server', Http3Peer.ofServer, 14],
    ['client', Http3Peer.ofClient, 15],
  ] as const)('maxWaitingStreams and maxWaitingBytes on a %s: streams that nobody claims', (_role, make, first) => {
    tripsLimit('http3ServerLimits.maxWaitingStreams', 'http3ServerLimits.maxWaitingBytes');
    tripsLimit('http3ClientLimits.maxWaitingStreams', 'http3ClientLimits.maxWaitingBytes');
    const limits = { maxWaitingStreams: 3, maxWaitingBytes: 1000 };
    const many = make(limits, true, { claimableTypes: [0x54] });
    for (let index = 0; index < 5; index += 1) many.send(first + 4 * index, varints(0x54));
    expect([0, 1, 2, 3, 4].map((index) => many.quic.stream(first + 4 * index).stopped)).toEqual([
      ...[undefined, undefined, undefined],
      ...[0x10b, 0x10b],
    ]);
    const large = make(limits, true, { claimableTypes: [0x54] });
    large.send(first, concat(varints(0x54), new Uint8Array(600)));
    large.send(first + 4, concat(varints(0x54), new Uint8Array(600)));
    expect(large.quic.stream(first).stopped).toBeUndefined();
    expect(large.quic.stream(first + 4)).toMatchObject({ stopped: 0x10b, consumed: 602 });
    // What was refused has made room.
    large.send(first + 8, concat(varints(0x54), new Uint8Array(400)));
    expect(large.quic.stream(first + 8).stopped).toBeUndefined();
    large.expectAlive();
  });
});

describe('what moves nothing', () => {
  const floods: readonly (readonly [string, (peer: Http3Peer, index: number) => void])[] = [
    ['empty DATA (CVE-2019-9518)', (peer) => peer.send(0, data(''))],
    ['unknown frames on a request', (peer) => peer.send(0, frame(0x21))],
    ['unknown frames on the control stream', (peer) => peer.send(peer.control, frame(0x21))],
    ['GOAWAY', (peer) => peer.send(peer.control, frame(Type.GOAWAY, varints(1 << 20)))],
    ['streams of unknown types', (peer, index) => peer.send(peer.control + 12 + 4 * index, varints(0x21))],
    ['streams that are reset at once', (peer, index) => peer.reset(peer.control + 12 + 4 * index)],
    [
      'capacities of 0 on the encoder stream',
      (peer, index) => peer.send(peer.encoder, Uint8Array.of(index === 0 ? 2 : 0x20)),
    ],
    ['Stream Cancellation', (peer, index) => peer.send(peer.decoder, Uint8Array.of(index === 0 ? 3 : 0x44))],
    [
      'datagrams for streams that are not there',
      (peer) => peer.tell({ type: 'QuicDatagramReceived', data: varints(99) }),
    ],
  ];

  it.each(both.flatMap(([role, make]) => floods.map(([name, next]) => [name, role, make, next] as const)))(
    'maxControlFrames and controlFrameRate: %s, on a %s',
    (_name, _role, make, next) => {
      tripsLimit('http3ServerLimits.maxControlFrames', 'http3ClientLimits.maxControlFrames');
      tripsLimit('http3ServerLimits.controlFrameRate', 'http3ClientLimits.controlFrameRate');
      const limits = { maxControlFrames: 50, controlFrameRate: 10, bodyTimeout: 1e9, keepAliveTimeout: 1e9 };
      const peer = make(limits);
      const count = repeat(peer, 200, (index) => {
        next(peer, index);
      });
      expect(count).toBeGreaterThanOrEqual(50);
      expect(count).toBeLessThanOrEqual(52);
      expectTooMuch(peer, 'maxControlFrames');
      const slow = make(limits);
      repeat(slow, 200, (index) => {
        slow.now += 110;
        next(slow, index);
      });
      slow.expectAlive();
    },
  );

  it('PRIORITY_UPDATE (CVE-2019-9513) and MAX_PUSH_ID count as well', () => {
    for (const next of [
      (index: number) => frame(Type.PRIORITY_UPDATE, concat(varints(4 * index), octets('u=1'))),
      (index: number) => frame(Type.MAX_PUSH_ID, varints(index)),
    ]) {
      const peer = sides.server({ maxControlFrames: 50 });
      expect(repeat(peer, 200, (index) => peer.send(peer.control, next(index)))).toBe(51);
      expectTooMuch(peer, 'maxControlFrames');
    }
  });

  it('what goes with requests is no flood: PRIORITY_UPDATE and a reserved frame for each', () => {
    const peer = Http3Peer.ofServer({ maxControlFrames: 50, controlFrameRate: 0 });
    for (let id = 0; id < 2000; id += 4) {
      peer.send(peer.control, frame(Type.PRIORITY_UPDATE, concat(varints(id), octets('u=1'))));
      peer.send(id, concat(headers(request()), frame(0x21)), true);
      peer.engine.submitHeaders(id, [':status', '204'], { endStream: true });
      peer.engine.submitHandlerEnd(id);
      peer.over(id);
    }
    peer.expectAlive();
  });

  it.each([
    ['server', Http3Peer.ofServer],
    ['client', Http3Peer.ofClient],
  ] as const)('maxControlFrameBytes on a %s: large SETTINGS (CVE-2020-11080), and what is as large', (_role, make) => {
    tripsLimit('http3ServerLimits.maxControlFrameBytes', 'http3ClientLimits.maxControlFrameBytes');
    const greeting = make({ maxControlFrameBytes: 300 }, false);
    greeting.send(greeting.control, concat(varints(0, Type.SETTINGS, 2 ** 40)));
    expectTooMuch(greeting, 'maxControlFrameBytes');
    const later = make({ maxControlFrameBytes: 300 });
    later.send(later.control, varints(Type.GOAWAY, 301));
    expectTooMuch(later, 'maxControlFrameBytes');
    const fine = make({ maxControlFrameBytes: 300 }, false);
    fine.send(
      fine.control,
      concat(varints(0), settings(...Array.from({ length: 60 }, (_, id) => [1000 + id, 1] as const))),
    );
    fine.expectAlive();
  });
});

describe('sending', () => {
  /** A side with a message whose content is held up by the peer's window. */
  const sending = (role: string, limits: Limits): Http3Peer => {
    const peer = role === 'server' ? Http3Peer.ofServer(limits) : Http3Peer.ofClient(limits);
    peer.quic.acknowledges = false;
    if (role === 'server') {
      peer.send(0, headers(request()), true);
      peer.engine.submitHeaders(0, [':status', '200'], { endStream: false });
    } else {
      peer.engine.submitHeaders(0, request('POST'), { endStream: false });
    }
    peer.quic.stream(0).window = 100;
    peer.engine.submitData(0, new Uint8Array(60_000), { endStream: true });
    return peer.clear().advance(0);
  };

  it.each(['server', 'client'])(
    'writeTimeout and minSendRate on a %s: a peer that keeps its window closed, or opens it in drips, costs its stream',
    (role) => {
      tripsLimit('http3ServerLimits.writeTimeout', 'http3ClientLimits.writeTimeout');
      tripsLimit('http3ServerLimits.minSendRate', 'http3ClientLimits.minSendRate');
      const limits = { writeTimeout: 1000, minSendRate: 100, bodyTimeout: 1e9 };
      const silent = sending(role, limits).advance(999);
      expect(silent.types).toEqual([]);
      silent.advance(251);
      expect(silent.only('StreamResetSent').error).toMatchObject({ name: 'TimeoutError', timer: 'writeTimeout' });
      expect(silent.quic.stream(0).reset).toBe(0x10c);
      silent.expectAlive();
      const opening = (bytes: number): Http3Peer => {
        const peer = sending(role, limits);
        for (let count = 0; count < 30; count += 1) {
          peer.quic.stream(0).window += bytes;
          peer.advance(200);
        }
        return peer;
      };
      expect(opening(10).types).toContain('StreamResetSent');
      expect(opening(25).types).not.toContain('StreamResetSent');
    },
  );

  it('what no window holds up has all the time it needs, and what was acknowledged is watched no more', () => {
    for (const role of ['server', 'client']) {
      const peer = sending(role, { writeTimeout: 1000, bodyTimeout: 1e9, keepAliveTimeout: 1e9 });
      peer.quic.stream(0).window = Infinity;
      peer.advance(10_000);
      expect(peer.types).toEqual([]);
      peer.quic.stream(0).acknowledged = true;
      peer.advance(1000);
      expect(peer.engine.nextTimeout()).toBeUndefined();
      expect(peer.types).toEqual([]);
    }
  });

  it.each([
    ['server', Http3Peer.ofServer],
    ['client', Http3Peer.ofClient],
  ] as const)('keepAliveTimeout on a %s: a connection without streams', (_role, make) => {
    tripsLimit('http3ServerLimits.keepAliveTimeout', 'http3ClientLimits.keepAliveTimeout');
    const peer = make({ keepAliveTimeout: 1000 }).advance(0).advance(999);
    peer.expectAlive();
    peer.advance(1);
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0x100, error: undefined });
  });

  it('shutdownTimeout: a GOAWAY that is not acknowledged', () => {
    tripsLimit('http3ServerLimits.shutdownTimeout');
    const server = Http3Peer.ofServer({ shutdownTimeout: 500 });
    server.quic.acknowledges = false;
    server.engine.submitShutdown();
    server.advance(0).advance(999).expectAlive();
    server.advance(1);
    expect(server.terminated).toBe(true);
  });
});

describe('memory', () => {
  it('nothing is left of ten thousand exchanges, however they ended', () => {
    const peer = Http3Peer.ofServer({ maxResets: 1e9 });
    for (let id = 0; id < 40_000; id += 4) {
      peer.send(id, headers(id % 16 === 0 ? extended() : request('POST')));
      if (id % 8 === 0) peer.send(id, data('some content'));
      if (id % 12 === 0) peer.reset(id);
      else peer.engine.submitHeaders(id, [':status', '500'], { endStream: true });
      peer.engine.submitHandlerEnd(id);
      peer.over(id).clear();
      peer.quic.streams.delete(id);
    }
    const { core } = peer.engine as unknown as {
      core: { streams: Map<number, unknown>; open: number; handlers: number };
    };
    expect([core.streams.size, core.open, core.handlers]).toEqual([0, 0, 0]);
    peer.expectAlive();
  });
});
