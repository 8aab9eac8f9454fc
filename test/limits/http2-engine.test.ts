/**
 * Every limit of the HTTP/2 engine, tripped by a peer that speaks frame by frame, on both sides and under a clock of the
 * test. What the same attacks do to a listening server is in http2-floods.test.ts.
 */
import { describe, expect, it } from 'vitest';
import {
  ACK,
  concat,
  data,
  END_STREAM,
  frame,
  number32,
  ping,
  preface,
  priority,
  priorityUpdate,
  rstStream,
  settings,
  settingsAck,
  Type,
  windowUpdate,
} from '../support/http2-frames.ts';
import { Http2Peer, request } from '../support/http2-peer.ts';
import { tripsLimit } from '../support/limits.ts';

type Limits = Readonly<Record<string, number>>;

/** A server with a POST on stream 1, or a client in its response. */
const sides = {
  server: (limits: Limits = {}): Http2Peer => {
    const peer = Http2Peer.ofServer(limits);
    return peer.send(peer.headers(1, request('POST'), 0)).clear();
  },
  client: (limits: Limits = {}): Http2Peer => {
    const peer = Http2Peer.ofClient(limits);
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.collect();
    return peer.send(peer.headers(1, [':status', '200'], 0)).clear();
  },
} as const;
const both = Object.entries(sides);

/** The connection ended by this limit. */
function expectTooMuch(peer: Http2Peer, limit: string): void {
  peer.expectConnectionError('ENHANCE_YOUR_CALM');
  expect(peer.only('ConnectionTerminated').error).toMatchObject({ name: 'LimitError', limit });
}

/** Sends the same until the connection ends; answers how often that was. */
function repeat(peer: Http2Peer, most: number, next: (index: number) => Uint8Array): number {
  for (let index = 0; index < most; index += 1) {
    if (peer.terminated) return index;
    peer.send(next(index));
  }
  return most;
}

describe('header blocks', () => {
  it('maxHeaderBytes and maxHeaderCount: 431 from a server, a reset from a client; the connection goes on', () => {
    tripsLimit('http2ServerLimits.maxHeaderBytes', 'http2ServerLimits.maxHeaderCount');
    tripsLimit('http2ClientLimits.maxHeaderBytes', 'http2ClientLimits.maxHeaderCount');
    for (const [limits, fields] of [
      [{ maxHeaderBytes: 400 }, ['x', 'y'.repeat(400)]],
      [{ maxHeaderCount: 8 }, Array.from({ length: 9 }, () => ['cookie', 'a']).flat()],
    ] as const) {
      const server = Http2Peer.ofServer(limits);
      server.send(server.headers(1, request('GET', fields)));
      expect(server.types).toEqual([]);
      expect(server.fields(server.frames[0]!)[1]).toBe('431');
      const client = Http2Peer.ofClient(limits);
      client.engine.submitHeaders(1, request(), { endStream: true });
      client.collect().clear();
      client.send(client.headers(1, [':status', '200', ...fields]));
      expect(client.types).toEqual(['StreamResetSent', 'StreamClosed']);
      expect(client.only('StreamResetSent').error).toMatchObject({ name: 'LimitError' });
      client.expectAlive();
      // Trailers are held to it as well (CVE-2025-64702).
      for (const [role, make] of both) {
        const peer = make(limits);
        peer.send(peer.headers(1, fields));
        expect(peer.types, role).toEqual(['StreamResetSent', 'StreamClosed']);
        expect(peer.only('StreamResetSent').error).toMatchObject({ name: 'LimitError' });
        peer.frames = [];
        peer.expectAlive();
      }
    }
  });

  it.each(both)('maxHeaderBlockBytes on a %s: a block without end', (_role, make) => {
    tripsLimit('http2ServerLimits.maxHeaderBlockBytes', 'http2ClientLimits.maxHeaderBlockBytes');
    const peer = make({ maxHeaderBlockBytes: 50_000 });
    peer.send(frame(Type.HEADERS, 0, peer.engine.role === 'server' ? 3 : 1, new Uint8Array(16_000)));
    const id = peer.engine.role === 'server' ? 3 : 1;
    expect(repeat(peer, 10, () => frame(Type.CONTINUATION, 0, id, new Uint8Array(16_000)))).toBe(3);
    expectTooMuch(peer, 'maxHeaderBlockBytes');
  });

  it.each(both)('maxContinuationFrames on a %s: empty CONTINUATION for ever (CVE-2024-27983)', (_role, make) => {
    tripsLimit('http2ServerLimits.maxContinuationFrames', 'http2ClientLimits.maxContinuationFrames');
    const peer = make({ maxContinuationFrames: 5 });
    peer.send(frame(Type.HEADERS, 0, 1, Uint8Array.of(0x88)));
    expect(repeat(peer, 100, () => frame(Type.CONTINUATION, 0, 1))).toBe(6);
    expectTooMuch(peer, 'maxContinuationFrames');
  });

  it('headerTableSize: a table that is told larger than allowed ends the connection (RFC 7541 section 6.3)', () => {
    tripsLimit('http2ServerLimits.headerTableSize', 'http2ClientLimits.headerTableSize');
    for (const role of ['server', 'client']) {
      const limits = { headerTableSize: 100 };
      const peer = role === 'server' ? Http2Peer.ofServer(limits) : Http2Peer.ofClient(limits);
      if (role === 'client') peer.engine.submitHeaders(1, request(), { endStream: true });
      peer.collect().clear();
      // 101 as a table size update.
      peer.send(frame(Type.HEADERS, 5, 1, Uint8Array.of(0x3f, 0x46, 0x88)));
      peer.expectConnectionError('COMPRESSION_ERROR');
    }
  });

  it.each(both)('headTimeout on a %s: a frame, or a block, that is not finished; or no SETTINGS', (role, make) => {
    tripsLimit('http2ServerLimits.headTimeout', 'http2ClientLimits.headTimeout');
    for (const beginning of [frame(Type.HEADERS, 0, 3, Uint8Array.of(0x88)), ping().slice(0, 12)]) {
      if (role === 'client' && beginning.length === 10) beginning[8] = 1;
      const peer = make({ headTimeout: 700, bodyTimeout: 1e9 });
      peer.now += 5000;
      peer.send(beginning).advance(699);
      expect(peer.terminated).toBe(false);
      peer.advance(1);
      expect(peer.only('ConnectionTerminated').error).toMatchObject({ name: 'TimeoutError', timer: 'headTimeout' });
    }
    const mute =
      role === 'server'
        ? Http2Peer.ofServer({ headTimeout: 700 }, false)
        : Http2Peer.ofClient({ headTimeout: 700 }, false);
    mute.collect().advance(700);
    expect(mute.only('ConnectionTerminated').error).toMatchObject({ timer: 'headTimeout' });
  });
});

describe('content', () => {
  it.each(both)(
    'initialStreamWindow and maxUnconsumedBytes on a %s: nobody reads, and no more can come',
    (_role, make) => {
      tripsLimit('http2ServerLimits.initialStreamWindow', 'http2ClientLimits.initialStreamWindow');
      tripsLimit('http2ServerLimits.maxUnconsumedBytes', 'http2ClientLimits.maxUnconsumedBytes');
      const peer = make({ initialStreamWindow: 40_000, maxUnconsumedBytes: 80_000, maxConcurrentStreams: 2 });
      let sent = 0;
      for (; sent < 10 && peer.sent(Type.RST_STREAM).length === 0; sent += 1)
        peer.send(data(1, new Uint8Array(10_000)));
      expect(sent).toBe(5);
      peer.expectStreamError(1, 'FLOW_CONTROL_ERROR');
    },
  );

  it.each(both)('maxStreamWindow on a %s: where a window stops growing', (_role, make) => {
    tripsLimit('http2ServerLimits.maxStreamWindow', 'http2ClientLimits.maxStreamWindow');
    const peer = make({ maxStreamWindow: 100_000 });
    let window = 65_536;
    for (let round = 0; round < 100; round += 1) {
      peer.send(data(1, new Uint8Array(10_000))).engine.dataConsumed(1, 10_000);
      peer.collect();
      const updates = peer.sent(Type.WINDOW_UPDATE).filter(({ streamId }) => streamId === 1);
      window += updates.reduce((sum, { payload }) => sum + number32(payload), 0) - 10_000;
      peer.clear();
      expect(window).toBeLessThanOrEqual(100_000);
    }
    expect(window).toBeGreaterThan(65_536);
  });

  it.each(both)('maxSmallPieces on a %s: crumbs that nobody has read yet (CVE-2019-9511)', (_role, make) => {
    tripsLimit('http2ServerLimits.maxSmallPieces', 'http2ClientLimits.maxSmallPieces');
    const peer = make({ maxSmallPieces: 100 });
    expect(repeat(peer, 1000, () => data(1, 'x'))).toBe(101);
    expectTooMuch(peer, 'maxSmallPieces');
    const read = make({ maxSmallPieces: 100 });
    expect(
      repeat(read, 1000, () => {
        read.engine.dataConsumed(1, 1);
        return data(1, 'x');
      }),
    ).toBe(1000);
    expect(read.terminated).toBe(false);
  });

  it('maxBodyBytes: 413 from a server that has not answered; a reset otherwise', () => {
    tripsLimit('http2ServerLimits.maxBodyBytes', 'http2ClientLimits.maxBodyBytes');
    const server = sides.server({ maxBodyBytes: 1000 });
    server.send(data(1, new Uint8Array(600)), data(1, new Uint8Array(600)));
    expect(server.fields(server.sent(Type.HEADERS)[0]!)[1]).toBe('413');
    expect(server.only('StreamResetSent').error).toMatchObject({ limit: 'maxBodyBytes', statusHint: 413 });
    server.expectStreamError(1, 'NO_ERROR');
    const answering = sides.server({ maxBodyBytes: 1000 });
    answering.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    answering.collect().clear();
    answering.send(data(1, new Uint8Array(1200)));
    answering.expectStreamError(1, 'ENHANCE_YOUR_CALM');
    const client = sides.client({ maxBodyBytes: 1000 });
    client.send(data(1, new Uint8Array(1200)));
    expect(client.only('StreamResetSent').error).toMatchObject({ limit: 'maxBodyBytes' });
    client.expectStreamError(1, 'ENHANCE_YOUR_CALM');
  });

  it.each(both)(
    'bodyTimeout and minBodyRate on a %s: content that does not come, or in drips, costs its stream only',
    (role, make) => {
      tripsLimit('http2ServerLimits.bodyTimeout', 'http2ClientLimits.bodyTimeout');
      tripsLimit('http2ServerLimits.minBodyRate', 'http2ClientLimits.minBodyRate');
      const limits = { bodyTimeout: 1000, minBodyRate: 100, pingInterval: 1e9 };
      const silent = make(limits);
      // No more than a quarter too late.
      silent.advance(999);
      expect(silent.types).toEqual([]);
      silent.advance(251);
      expect(silent.only('StreamResetSent').error).toMatchObject({ name: 'TimeoutError', timer: 'bodyTimeout' });
      if (role === 'server') expect(silent.fields(silent.sent(Type.HEADERS)[0]!)[1]).toBe('408');
      silent.expectStreamError(1, role === 'server' ? 'NO_ERROR' : 'CANCEL');
      const slow = make(limits);
      for (let count = 0; count < 20; count += 1) slow.send(data(1, new Uint8Array(10))).advance(200);
      expect(slow.types).toContain('StreamResetSent');
      const steady = make(limits);
      for (let count = 0; count < 40; count += 1) steady.send(data(1, new Uint8Array(25))).advance(200);
      expect(steady.types).not.toContain('StreamResetSent');
      // Where any byte earns all of it, no byte earns nothing.
      const empty = make({ ...limits, minBodyRate: 0 });
      for (let count = 0; count < 20; count += 1) empty.send(data(1, '')).advance(200);
      expect(empty.types).toContain('StreamResetSent');
      // While the reader keeps the window closed nobody waits for the peer.
      const closed = make({ ...limits, initialStreamWindow: 1000 });
      closed.send(data(1, new Uint8Array(1000))).advance(10_000);
      expect(closed.types).toEqual(['DataReceived']);
      closed.engine.dataConsumed(1, 1000);
      closed.collect().advance(1251);
      expect(closed.types).toContain('StreamResetSent');
    },
  );
});

describe('streams', () => {
  it('maxConcurrentStreams: REFUSED_STREAM from a server; a client opens no more', () => {
    tripsLimit('http2ServerLimits.maxConcurrentStreams', 'http2ClientLimits.maxConcurrentStreams');
    const server = sides.server({ maxConcurrentStreams: 1 });
    server.send(server.headers(3, request()));
    server.expectStreamError(3, 'REFUSED_STREAM');
    const client = sides.client({ maxConcurrentStreams: 1 });
    expect(client.engine.isAvailable()).toBe(false);
  });

  it('maxLiveHandlers: a stream that was reset counts until its handler has ended (CVE-2023-44487)', () => {
    tripsLimit('http2ServerLimits.maxLiveHandlers');
    const peer = Http2Peer.ofServer({ maxLiveHandlers: 10 });
    for (let id = 1; id < 41; id += 2) peer.send(peer.headers(id, request()), rstStream(id));
    expect(peer.all('HeadersReceived')).toHaveLength(10);
    expect(peer.sent(Type.RST_STREAM)).toHaveLength(10);
    for (const { streamId } of peer.all('HeadersReceived').slice(0, 3)) peer.engine.submitHandlerEnd(streamId);
    for (let id = 41; id < 61; id += 2) peer.send(peer.headers(id, request()), rstStream(id));
    expect(peer.all('HeadersReceived')).toHaveLength(13);
    peer.frames = [];
    peer.expectAlive();
  });

  it('maxResets and resetRate on a server: streams opened in vain, by either way of making them so', () => {
    tripsLimit('http2ServerLimits.maxResets', 'http2ServerLimits.resetRate');
    const limits = { maxResets: 20, resetRate: 10 };
    const attacks: readonly (readonly [string, (peer: Http2Peer, id: number) => Uint8Array])[] = [
      ['rapid reset (CVE-2023-44487)', (peer, id) => concat(peer.headers(id, request()), rstStream(id))],
      ['window of 0 (CVE-2025-8671)', (peer, id) => concat(peer.headers(id, request('POST'), 0), windowUpdate(id, 0))],
      [
        'window overrun (CVE-2025-8671)',
        (peer, id) => concat(peer.headers(id, request()), windowUpdate(id, 0x7fff_ffff)),
      ],
      ['DATA behind the end (CVE-2025-8671)', (peer, id) => concat(peer.headers(id, request()), data(id, 'x'))],
      [
        'HEADERS behind the end (CVE-2025-8671)',
        (peer, id) => concat(peer.headers(id, request()), peer.headers(id, ['x', 'y'])),
      ],
      ['PRIORITY of itself (CVE-2025-8671)', (peer, id) => concat(peer.headers(id, request()), priority(id, id))],
      ['a malformed request', (peer, id) => peer.headers(id, ['x', 'y'])],
      ['fields that are too large', (peer, id) => peer.headers(id, request('GET', ['x', 'y'.repeat(40_000 / 3)]))],
    ];
    for (const [name, attack] of attacks) {
      const peer = Http2Peer.ofServer({ ...limits, maxHeaderBytes: 10_000 });
      const count = repeat(peer, 100, (index) => {
        peer.engine.submitHandlerEnd(2 * index - 1);
        return attack(peer, 2 * index + 1);
      });
      expect(count, name).toBe(21);
      expectTooMuch(peer, 'maxResets');
      // As time passes some are forgiven.
      const slow = Http2Peer.ofServer({ ...limits, maxHeaderBytes: 10_000 });
      repeat(slow, 100, (index) => {
        slow.now += 100;
        slow.engine.submitHandlerEnd(2 * index - 1);
        return attack(slow, 2 * index + 1);
      });
      expect(slow.terminated, name).toBe(false);
    }
  });

  it('maxResets on a client: late frames for streams that the server reset itself', () => {
    tripsLimit('http2ClientLimits.maxResets', 'http2ClientLimits.resetRate');
    const peer = sides.client({ maxResets: 20, resetRate: 0 });
    peer.send(rstStream(1));
    repeat(peer, 100, () => data(1, 'x'));
    // Behind the first answer the stream is one that we reset: nothing is answered any more.
    expect(peer.sent(Type.RST_STREAM)).toHaveLength(1);
    let id = 1;
    for (; id < 100 && !peer.terminated; id += 2) {
      if (peer.engine.isAvailable()) peer.engine.submitHeaders(id + 2, request(), { endStream: true });
      peer.collect().send(rstStream(id + 2), data(id + 2, 'x'));
    }
    expect(id).toBe(41);
    expectTooMuch(peer, 'maxResets');
  });

  it('maxInformational on a client: interim responses for ever', () => {
    tripsLimit('http2ClientLimits.maxInformational');
    const peer = Http2Peer.ofClient({ maxInformational: 3 });
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.collect().clear();
    for (let count = 0; count < 10; count += 1) peer.send(peer.headers(1, [':status', '103'], 0));
    expect(peer.all('InformationalReceived')).toHaveLength(3);
    expect(peer.only('StreamResetSent').error).toMatchObject({ limit: 'maxInformational' });
    peer.expectStreamError(1, 'ENHANCE_YOUR_CALM');
  });
});

describe('frames that move nothing', () => {
  const floods: readonly (readonly [string, (index: number) => Uint8Array])[] = [
    ['PING (CVE-2019-9512)', () => ping()],
    ['answers to PING', () => ping('12345678', ACK)],
    ['SETTINGS (CVE-2019-9515)', () => settings()],
    ['acknowledgements', () => settingsAck],
    ['empty DATA (CVE-2019-9518)', () => data(1, '')],
    ['DATA of padding alone', () => frame(Type.DATA, 8, 1, Uint8Array.of(0))],
    ['PRIORITY (CVE-2019-9513)', (index) => priority(1, index + 3)],
    ['unknown frames', () => frame(0xee, 0, 0)],
    ['WINDOW_UPDATE', () => windowUpdate(1, 1)],
    ['WINDOW_UPDATE of the connection', () => windowUpdate(0, 1)],
    ['RST_STREAM of a stream that is gone', () => rstStream(1)],
  ];

  it.each(both.flatMap(([role, make]) => floods.map(([name, next]) => [name, role, make, next] as const)))(
    'maxControlFrames and controlFrameRate: %s, on a %s',
    (_name, _role, make, next) => {
      tripsLimit('http2ServerLimits.maxControlFrames', 'http2ClientLimits.maxControlFrames');
      tripsLimit('http2ServerLimits.controlFrameRate', 'http2ClientLimits.controlFrameRate');
      const limits = { maxControlFrames: 50, controlFrameRate: 10, maxResets: 1000, bodyTimeout: 1e9 };
      const peer = make(limits);
      const count = repeat(peer, 200, next);
      expect(count).toBeGreaterThanOrEqual(50);
      expect(count).toBeLessThanOrEqual(60);
      expectTooMuch(peer, 'maxControlFrames');
      const slow = make(limits);
      repeat(slow, 200, (index) => {
        slow.now += 110;
        return next(index);
      });
      expect(slow.terminated).toBe(false);
    },
  );

  it('PRIORITY_UPDATE, large SETTINGS and GOAWAY count as well (CVE-2020-11080)', () => {
    for (const [next, most] of [
      [(index: number) => priorityUpdate(2 * index + 1, 'u=1'), 60],
      [() => frame(Type.SETTINGS, 0, 0, new Uint8Array(16_380)), 1],
      [() => frame(Type.GOAWAY, 0, 0, new Uint8Array(8)), 60],
    ] as const) {
      const peer = sides.server({ maxControlFrames: 50 });
      expect(repeat(peer, 200, next)).toBeLessThanOrEqual(most);
      expectTooMuch(peer, 'maxControlFrames');
    }
  });

  it('what goes with content is no flood: WINDOW_UPDATE for each frame of DATA, and PRIORITY for each request', () => {
    const peer = sides.server({ maxControlFrames: 50, controlFrameRate: 0 });
    peer.send(data(1, '', END_STREAM));
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    for (let count = 0; count < 500; count += 1) {
      peer.engine.submitData(1, new Uint8Array(1000), { endStream: false });
      peer.collect().send(windowUpdate(1, 1000), windowUpdate(0, 1000));
    }
    for (let id = 3; id < 1003; id += 2) {
      peer.send(priority(id, 1), peer.headers(id, request()), priority(id, 0));
      peer.engine.submitHeaders(id, [':status', '204'], { endStream: true });
      peer.engine.submitHandlerEnd(id);
    }
    expect(peer.terminated).toBe(false);
  });

  it('a window that opens by single octets earns nothing (CVE-2019-9511)', () => {
    const peer = Http2Peer.ofServer({ maxControlFrames: 50, controlFrameRate: 0 }, false);
    peer.greet([4, 1]);
    peer.send(peer.headers(1, request()));
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    peer.engine.submitData(1, new Uint8Array(60_000), { endStream: true });
    expect(repeat(peer, 200, () => windowUpdate(1, 1))).toBeLessThan(60);
    expectTooMuch(peer, 'maxControlFrames');
  });

  it.each(both)(
    'maxPendingControlBytes on a %s: nothing is read while answers are not taken (CVE-2019-9517)',
    (_role, make) => {
      tripsLimit('http2ServerLimits.maxPendingControlBytes', 'http2ClientLimits.maxPendingControlBytes');
      const peer = make({ maxPendingControlBytes: 200 });
      let count = 0;
      for (; peer.engine.wantsInput && count < 100; count += 1) peer.engine.bytesReceived(ping(), peer.now);
      expect(count).toBe(12);
      peer.collect();
      expect(peer.engine.wantsInput).toBe(true);
    },
  );
});

describe('sending', () => {
  /** A side with a message whose content is being sent. */
  const sending = (role: string, limits: Limits, ...pairs: readonly (readonly [number, number])[]): Http2Peer => {
    const peer = role === 'server' ? Http2Peer.ofServer(limits, false) : Http2Peer.ofClient(limits, false);
    peer.greet(...pairs);
    if (role === 'server') {
      peer.send(peer.headers(1, request()));
      peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    } else {
      peer.engine.submitHeaders(1, request('POST'), { endStream: false });
    }
    return peer.collect().clear();
  };
  const roles = ['server', 'client'];

  it.each(roles)('sendBufferBytes and maxUnsentBytes on a %s: there is no room beyond', (role) => {
    tripsLimit('http2ServerLimits.sendBufferBytes', 'http2ClientLimits.sendBufferBytes');
    tripsLimit('http2ServerLimits.maxUnsentBytes', 'http2ClientLimits.maxUnsentBytes');
    const own = sending(role, { sendBufferBytes: 1000 }, [4, 0]);
    own.engine.submitData(1, new Uint8Array(1000), { endStream: false });
    expect(own.engine.sendCapacity(1)).toBe(0);
    const all = sending(role, { maxUnsentBytes: 1000 }, [4, 0]);
    all.engine.submitData(1, new Uint8Array(1000), { endStream: false });
    expect(all.engine.sendCapacity(1)).toBe(0);
    expect(() => all.engine.submitData(1, new Uint8Array(1), { endStream: false })).toThrow(/full/);
  });

  it.each(roles)('writeTimeout on a %s: output that nobody takes ends the connection with a reset', (role) => {
    tripsLimit('http2ServerLimits.writeTimeout', 'http2ClientLimits.writeTimeout');
    const peer = sending(role, { writeTimeout: 1000, bodyTimeout: 1e9 });
    peer.engine.submitData(1, new Uint8Array(100), { endStream: false });
    peer.engine.handleTimeout(peer.now);
    peer.engine.handleTimeout(peer.now + 999);
    peer.pull();
    expect(peer.terminated).toBe(false);
    peer.engine.handleTimeout(peer.now + 1000);
    peer.pull();
    expect(peer.only('ConnectionTerminated').error).toMatchObject({ name: 'TimeoutError', timer: 'writeTimeout' });
    expect(peer.engine.wantsEof).toBe(false);
  });

  it.each(roles)(
    'writeTimeout and minSendRate on a %s: a window that stays closed, or opens by octets, costs its stream only',
    (role) => {
      tripsLimit('http2ServerLimits.minSendRate', 'http2ClientLimits.minSendRate');
      const limits = { writeTimeout: 1000, minSendRate: 100, bodyTimeout: 1e9, pingInterval: 1e9 };
      const closed = sending(role, limits, [4, 0]);
      closed.engine.submitData(1, new Uint8Array(100), { endStream: false });
      closed.collect().advance(1251);
      expect(closed.only('StreamResetSent').error).toMatchObject({ name: 'TimeoutError', timer: 'writeTimeout' });
      closed.expectStreamError(1, 'CANCEL');
      const slow = sending(role, limits, [4, 0]);
      slow.engine.submitData(1, new Uint8Array(10_000), { endStream: false });
      for (let count = 0; count < 20; count += 1) slow.collect().advance(200).send(windowUpdate(1, 5));
      expect(slow.types).toContain('StreamResetSent');
      const steady = sending(role, limits, [4, 0]);
      steady.engine.submitData(1, new Uint8Array(10_000), { endStream: false });
      for (let count = 0; count < 40; count += 1) steady.collect().advance(200).send(windowUpdate(1, 25));
      expect(steady.types).not.toContain('StreamResetSent');
    },
  );

  it.each(roles)('writeTimeout on a %s: the window of the connection that stays closed ends it', (role) => {
    const peer = sending(role, { writeTimeout: 1000, bodyTimeout: 1e9, pingInterval: 1e9 }, [4, 1 << 20]);
    peer.engine.submitData(1, new Uint8Array(100_000), { endStream: true });
    peer.collect().advance(999);
    expect(peer.terminated).toBe(false);
    peer.advance(1);
    expect(peer.only('ConnectionTerminated').error).toMatchObject({ name: 'TimeoutError', timer: 'writeTimeout' });
    expect(peer.sent(Type.GOAWAY)).toHaveLength(1);
  });
});

describe('the connection', () => {
  it.each(both)('settingsTimeout on a %s: SETTINGS that are not acknowledged (section 6.5.3)', (role) => {
    tripsLimit('http2ServerLimits.settingsTimeout', 'http2ClientLimits.settingsTimeout');
    const limits = { settingsTimeout: 500, keepAliveTimeout: 1e9 };
    const peer = role === 'server' ? Http2Peer.ofServer(limits, false) : Http2Peer.ofClient(limits, false);
    if (role === 'server') peer.send(preface);
    peer.send(settings()).advance(499);
    expect(peer.terminated).toBe(false);
    peer.advance(1);
    peer.expectConnectionError('SETTINGS_TIMEOUT');
  });

  it.each(both)('keepAliveTimeout on a %s: no stream for long', (role) => {
    tripsLimit('http2ServerLimits.keepAliveTimeout', 'http2ClientLimits.keepAliveTimeout');
    const peer =
      role === 'server' ? Http2Peer.ofServer({ keepAliveTimeout: 900 }) : Http2Peer.ofClient({ keepAliveTimeout: 900 });
    peer.advance(500).send(ping()).advance(399);
    expect(peer.terminated).toBe(false);
    peer.advance(1);
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0, error: undefined });
    expect(number32(peer.sent(Type.GOAWAY)[0]!.payload, 4)).toBe(0);
  });

  it.each(both)('pingInterval and pingTimeout on a %s: a peer that is silent', (_role, make) => {
    tripsLimit('http2ServerLimits.pingInterval', 'http2ClientLimits.pingInterval');
    tripsLimit('http2ServerLimits.pingTimeout', 'http2ClientLimits.pingTimeout');
    const peer = make({ pingInterval: 500, pingTimeout: 200, bodyTimeout: 1e9 });
    peer.advance(699);
    expect(peer.sent(Type.PING)).toHaveLength(1);
    expect(peer.terminated).toBe(false);
    peer.advance(1);
    expect(peer.only('ConnectionTerminated').error).toMatchObject({ timer: 'pingTimeout' });
  });

  it('shutdownTimeout: a client that does not answer the PING between the GOAWAYs', () => {
    tripsLimit('http2ServerLimits.shutdownTimeout', 'http2ClientLimits.shutdownTimeout');
    const peer = Http2Peer.ofServer({ shutdownTimeout: 300 });
    peer.engine.submitShutdown();
    peer.collect().advance(299);
    expect(peer.terminated).toBe(false);
    peer.advance(1);
    expect(peer.only('ConnectionTerminated').error).toBeUndefined();
    // A client waits for nothing.
    const client = Http2Peer.ofClient({ shutdownTimeout: 300 });
    client.engine.submitShutdown();
    client.collect();
    expect(client.terminated).toBe(true);
  });
});
