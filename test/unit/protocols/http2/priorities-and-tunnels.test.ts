/**
 * Who sends first (RFC 9218), and streams that carry raw bytes (RFC 9113 section 8.5, RFC 8441).
 */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import type { HeaderList } from '../../../../src/common/index.ts';
import {
  data,
  END_STREAM,
  latin1,
  number32,
  priorityUpdate,
  rstStream,
  settings,
  Type,
  windowUpdate,
} from '../../../support/http2-frames.ts';
import { Http2Peer, request } from '../../../support/http2-peer.ts';

const FRAME = 16_384;

/** A server that answers requests with so many frames' worth each, the connection's window closed. */
function answering(priorities: readonly (string | undefined)[], frames = 3): Http2Peer {
  const peer = Http2Peer.ofServer({ sendBufferBytes: 10 * FRAME }, false);
  peer.greet([4, 1 << 20]);
  priorities.forEach((priority, index) => {
    const id = 1 + 2 * index;
    peer.send(peer.headers(id, request('GET', priority === undefined ? [] : ['priority', priority])));
  });
  // The window that there is at first goes to a stream that is done with then.
  const first = 1 + 2 * priorities.length;
  peer.send(peer.headers(first, request()));
  peer.engine.submitHeaders(first, [':status', '200'], { endStream: false });
  peer.engine.submitData(first, new Uint8Array(65_535), { endStream: true });
  peer.collect();
  priorities.forEach((_, index) => {
    const id = 1 + 2 * index;
    peer.engine.submitHeaders(id, [':status', '200'], { endStream: false });
    peer.engine.submitData(id, new Uint8Array(frames * FRAME), { endStream: true });
  });
  return peer.collect().clear();
}

/** The streams whose DATA came, in order. */
function order(peer: Http2Peer): number[] {
  peer.send(windowUpdate(0, 100 * FRAME));
  return peer.sent(Type.DATA).map(({ streamId }) => streamId);
}

describe('priorities (RFC 9218)', () => {
  it('section 10: those that are not incremental go one after the other, in the order of their ids', () => {
    expect(order(answering([undefined, undefined, 'u=3']))).toEqual([1, 1, 1, 3, 3, 3, 5, 5, 5]);
  });

  it('section 4.2: incremental ones take turns', () => {
    expect(order(answering(['i', 'i=?1', 'i;x=1'], 2))).toEqual([1, 3, 5, 1, 3, 5]);
  });

  it('section 4.1: the least urgency first, whatever the ids', () => {
    expect(order(answering(['u=5', 'u=1', undefined, 'u=0'], 1))).toEqual([7, 3, 5, 1]);
  });

  it('section 10: neither kind starves the other at one urgency', () => {
    expect(order(answering([undefined, 'i', 'i'], 2))).toEqual([3, 1, 5, 1, 3, 5]);
  });

  it('section 4: what is malformed counts as absent', () => {
    for (const value of ['u=8', 'u=-1', 'u=1.5', 'u="1"', 'U=1', '', ',,,', `u=0, ${'x=1, '.repeat(100)}y`]) {
      expect(order(answering([undefined, value], 1)), value).toEqual([1, 3]);
    }
  });

  it('section 7.1: PRIORITY_UPDATE reorders what waits, and is told', () => {
    const peer = answering([undefined, undefined]);
    peer.send(priorityUpdate(3, 'u=2'));
    expect(peer.only('PriorityUpdated')).toMatchObject({ streamId: 3, urgency: 2, incremental: false });
    peer.send(windowUpdate(0, FRAME));
    peer.send(priorityUpdate(3, 'u=7, i'));
    expect(order(peer)).toEqual([3, 1, 1, 1, 3, 3]);
  });

  it('section 7.1: one that comes before its request is kept, a bounded number of them', () => {
    const peer = Http2Peer.ofServer({}, false);
    peer.greet([4, 1 << 20]);
    for (let id = 1; id < 200; id += 2) peer.send(priorityUpdate(id, 'u=1'));
    peer.send(priorityUpdate(3, 'u=1'), windowUpdate(0, 1 << 20));
    for (const id of [1, 3]) {
      peer.send(peer.headers(id, request()));
      peer.engine.submitHeaders(id, [':status', '200'], { endStream: false });
    }
    // The first was the oldest and is forgotten.
    for (const id of [1, 3]) peer.engine.submitData(id, new Uint8Array(FRAME), { endStream: true });
    peer.collect();
    expect(peer.sent(Type.DATA).map(({ streamId }) => streamId)).toEqual([3, 1]);
    expect(peer.types).not.toContain('PriorityUpdated');
    const told = peer.all('HeadersReceived').map(({ priority }) => priority);
    expect(told).toEqual([undefined, { urgency: 1, incremental: false }]);
  });

  describe('section 10: content that is not in a buffer yet', () => {
    const BUFFER = 65_536;

    /** Stream 1 is urgent and its writer held up, 3 is not and has all of its content in the buffer. */
    function heldUp(): Http2Peer {
      const peer = Http2Peer.ofServer({ sendBufferBytes: BUFFER }, false);
      peer.greet([4, 1 << 24]);
      peer.send(windowUpdate(0, 1 << 24));
      for (const [id, priority] of [
        [1, 'u=1'],
        [3, 'u=5'],
      ] as const) {
        peer.send(peer.headers(id, request('GET', ['priority', priority])));
        peer.engine.submitHeaders(id, [':status', '200'], { endStream: false });
      }
      peer.collect();
      peer.engine.submitData(1, new Uint8Array(BUFFER), { endStream: false });
      expect(peer.engine.sendCapacity(1)).toBe(0);
      peer.engine.submitData(3, new Uint8Array(BUFFER), { endStream: true });
      peer.clear().collect();
      return peer;
    }

    function order(peer: Http2Peer): number[] {
      return [...new Set(peer.sent(Type.DATA).map(({ streamId }) => streamId))];
    }

    it('is waited for by less urgent streams while its writer is asked for more', () => {
      const peer = heldUp();
      expect(order(peer)).toEqual([1]);
      expect(peer.only('StreamWritable').streamId).toBe(1);
      for (let count = 0; count < 20; count += 1) {
        peer.engine.submitData(1, new Uint8Array(BUFFER), { endStream: false });
        peer.engine.sendCapacity(1);
        peer.collect();
      }
      expect(order(peer)).toEqual([1]);
      peer.engine.submitData(1, new Uint8Array(BUFFER), { endStream: true });
      peer.collect();
      expect(order(peer)).toEqual([1, 3]);
      expect(peer.content(1)).toHaveLength(22 * BUFFER);
    });

    it('is not waited for for long', () => {
      const peer = heldUp();
      expect(peer.engine.nextTimeout()).toBeLessThanOrEqual(peer.now + 10);
      peer.advance(10).collect();
      expect(order(peer)).toEqual([1, 3]);
      expect(peer.engine.nextTimeout()).toBeGreaterThan(peer.now + 10);
    });

    it('is not waited for when it was reset', () => {
      const peer = heldUp();
      peer.send(rstStream(1)).collect();
      expect(order(peer)).toEqual([1, 3]);
    });

    it('is not waited for by a stream that is as urgent', () => {
      const peer = heldUp();
      peer.engine.submitPriority(3, 1, false);
      peer.collect();
      expect(order(peer)).toEqual([1, 3]);
    });

    it('is not waited for by who writes less than there is room for', () => {
      const peer = heldUp();
      peer.engine.submitData(1, new Uint8Array(100), { endStream: false });
      peer.collect();
      expect(order(peer)).toEqual([1, 3]);
    });
  });

  it('a server sets them itself, and a wrong urgency is refused', () => {
    const peer = answering([undefined, undefined], 1);
    peer.engine.submitPriority(3, 0, false);
    for (const urgency of [-1, 8, 1.5, NaN]) {
      expect(() => peer.engine.submitPriority(1, urgency, false)).toThrow(LocalProtocolError);
    }
    expect(order(peer)).toEqual([3, 1]);
  });

  it('a client tells them by PRIORITY_UPDATE, members only where they differ from the defaults', () => {
    const peer = Http2Peer.ofClient();
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.engine.submitPriority(1, 3, false);
    peer.engine.submitPriority(1, 5, true);
    peer.collect();
    const updates = peer.sent(Type.PRIORITY_UPDATE);
    expect(
      updates.map(({ streamId, payload }) => [streamId, number32(payload), String.fromCharCode(...payload.slice(4))]),
    ).toEqual([
      [0, 1, ''],
      [0, 1, 'u=5, i'],
    ]);
  });

  it('urgency 1 ends before urgency 5 begins, also where both have always more to send', () => {
    const peer = answering(['u=5', 'u=1'], 4);
    let streams: number[] = [];
    for (let count = 0; count < 8; count += 1) {
      peer.send(windowUpdate(0, FRAME));
      streams = peer.sent(Type.DATA).map(({ streamId }) => streamId);
    }
    expect(streams).toEqual([3, 3, 3, 3, 1, 1, 1, 1]);
  });

  it('a stream that is reset, or loses its window, leaves the order', () => {
    const peer = answering(['i', 'i', 'i'], 2);
    peer.send(rstStream(3), settings([4, 0]));
    peer.send(windowUpdate(0, 100 * FRAME));
    expect(peer.sent(Type.DATA)).toEqual([]);
    peer.send(windowUpdate(5, 2 * FRAME));
    expect(peer.sent(Type.DATA).map(({ streamId }) => streamId)).toEqual([5, 5]);
  });

  it('the first portion is small, so that what comes later can still go first', () => {
    const peer = answering([undefined], 60);
    peer.send(peer.headers(9, request('GET', ['priority', 'u=0'])));
    peer.engine.bytesReceived(windowUpdate(0, 100 * FRAME), peer.now + 10_000);
    const portion = peer.engine.bytesToSend(peer.now + 10_000) ?? [];
    const size = portion.reduce((sum, { length }) => sum + length, 0);
    expect(size).toBeGreaterThanOrEqual(65_536);
    expect(size).toBeLessThan(2 * 65_536);
  });
});

describe('tunnels (RFC 9113 section 8.5)', () => {
  const connect: HeaderList = [':method', 'CONNECT', ':authority', 'db.example:5432'];
  const extended: HeaderList = [
    ...[':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'https'],
    ...[':authority', 'a.example', ':path', '/chat'],
  ];

  it('bytes that come before the acceptance stay in the engine, then come in order, with the end', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, connect, 0), data(1, 'one'), data(1, 'two', END_STREAM));
    expect(peer.types).toEqual(['HeadersReceived']);
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    peer.collect();
    expect(peer.all('DataReceived').map((event) => [String.fromCharCode(...event.data), event.endStream])).toEqual([
      ['one', false],
      ['two', true],
    ]);
    peer.engine.submitData(1, latin1('bye'), { endStream: true });
    peer.collect();
    expect(peer.types.at(-1)).toBe('StreamClosed');
  });

  it('an end that came alone comes behind the acceptance too', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, connect));
    expect(peer.only('HeadersReceived').endStream).toBe(false);
    peer.send(peer.headers(3, connect, 0), data(3, '', END_STREAM));
    peer.clear();
    peer.engine.submitHeaders(3, [':status', '200'], { endStream: false });
    peer.collect();
    expect(peer.only('DataReceived')).toMatchObject({ streamId: 3, endStream: true });
  });

  it('bytes for a tunnel that is refused are dropped, and their credit comes back', () => {
    const peer = Http2Peer.ofServer({ maxStreamWindow: 64 * 1024 });
    peer.send(peer.headers(1, connect, 0));
    for (let count = 0; count < 4; count += 1) peer.send(data(1, new Uint8Array(16_000)));
    peer.engine.submitHeaders(1, [':status', '403'], { endStream: true });
    peer.collect();
    expect(peer.sent(Type.WINDOW_UPDATE).filter(({ streamId }) => streamId === 1)).toHaveLength(1);
    expect(peer.types).toEqual(['HeadersReceived']);
    peer.engine.submitHandlerEnd(1);
    peer.collect();
    peer.expectStreamError(1, 'NO_ERROR');
  });

  it('HEADERS in a tunnel are a stream error (section 8.5)', () => {
    for (const accepted of [true, false]) {
      const peer = Http2Peer.ofServer();
      peer.send(peer.headers(1, connect, 0));
      if (accepted) peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
      peer.collect().clear();
      peer.send(peer.headers(1, ['x', 'y']));
      peer.expectStreamError(1, 'PROTOCOL_ERROR');
    }
  });

  it('an accepted tunnel has no length, no end with its head, no trailers', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, connect, 0));
    const { engine } = peer;
    expect(() => engine.submitHeaders(1, [':status', '200'], { endStream: true })).toThrow(/tunnel/);
    expect(() => engine.submitHeaders(1, [':status', '200', 'content-length', '5'], { endStream: false })).toThrow(
      /tunnel/,
    );
    engine.submitHeaders(1, [':status', '200', 'content-length', '0', 'x', 'y'], { endStream: false });
    expect(() => engine.submitTrailers(1, ['x', 'y'])).toThrow(/tunnel/);
    peer.collect();
    expect(peer.fields(peer.frames[0]!)).toEqual([':status', '200', 'x', 'y']);
  });

  it('a reset is told both ways: CONNECT_ERROR (section 8.5)', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, connect, 0));
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    peer.collect().clear();
    peer.engine.submitStreamReset(1, peer.engine.errorCodes.connectError);
    peer.collect();
    peer.expectStreamError(1, 'CONNECT_ERROR');
  });

  it('RFC 8441 section 3: a client waits for the server’s word', () => {
    const peer = Http2Peer.ofClient();
    const { engine } = peer;
    expect(() => engine.submitHeaders(1, extended, { endStream: false })).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED' }),
    );
    peer.send(settings([8, 1]));
    engine.submitHeaders(1, extended, { endStream: false });
    peer.collect();
    expect(engine.sendCapacity(1)).toBe(0);
    expect(() => engine.submitData(1, latin1('x'), { endStream: false })).toThrow(/not been accepted/);
    peer.send(peer.headers(1, [':status', '200'], 0), data(1, 'hi'));
    expect(engine.sendCapacity(1)).toBeGreaterThan(0);
    expect(peer.types.slice(-2)).toEqual(['HeadersReceived', 'DataReceived']);
  });

  it('a client’s refused CONNECT ends with its answer', () => {
    const peer = Http2Peer.ofClient();
    peer.engine.submitHeaders(1, connect, { endStream: true });
    peer.collect();
    expect(peer.sent(Type.HEADERS)[0]!.flags & END_STREAM).toBe(0);
    peer.send(peer.headers(1, [':status', '407'], 0), data(1, 'no', END_STREAM));
    expect(peer.sent(Type.DATA)).toMatchObject([{ streamId: 1, flags: END_STREAM }]);
    expect(peer.types.at(-1)).toBe('StreamClosed');
  });

  it('CONNECT has no content of its own', () => {
    const peer = Http2Peer.ofClient();
    expect(() => peer.engine.submitHeaders(1, [...connect, 'content-length', '3'], { endStream: false })).toThrow(
      LocalProtocolError,
    );
    const server = Http2Peer.ofServer();
    server.send(server.headers(1, [...connect, 'content-length', '3'], 0));
    server.expectStreamError(1, 'PROTOCOL_ERROR');
  });
});
