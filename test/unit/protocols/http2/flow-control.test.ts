/**
 * Windows, both ways: RFC 9113 sections 5.2, 6.5.2 and 6.9, and the bound on what is received and not consumed.
 */
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../../src/common/index.ts';
import { Http2ClientFactory, Http2ServerFactory } from '../../../../src/protocols/http2/index.ts';
import {
  data,
  END_STREAM,
  number32,
  paddedData,
  preface,
  rstStream,
  settings,
  settingsAck,
  Type,
  windowUpdate,
} from '../../../support/http2-frames.ts';
import { Http2Peer, request } from '../../../support/http2-peer.ts';

const INITIAL_WINDOW_SIZE = 4;
const KIB = 1024;

/** A server with a request on a stream whose response's head has gone. */
function answering(...pairs: readonly (readonly [number, number])[]): Http2Peer {
  const peer = Http2Peer.ofServer({}, false);
  peer.greet(...pairs);
  peer.send(peer.headers(1, request()));
  peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
  return peer.collect().clear();
}

/** Increments that the engine sent, by stream. */
function credit(peer: Http2Peer, streamId: number): number {
  const updates = peer.sent(Type.WINDOW_UPDATE).filter((one) => one.streamId === streamId);
  return updates.reduce((sum, { payload }) => sum + number32(payload), 0);
}

describe('sending', () => {
  it('keeps to the window of the stream, down to single octets (section 6.9)', () => {
    const peer = answering([INITIAL_WINDOW_SIZE, 3]);
    peer.engine.submitData(1, Uint8Array.from([1, 2, 3, 4, 5]), { endStream: true });
    peer.collect();
    expect(peer.sent(Type.DATA).map(({ payload, flags }) => [[...payload], flags])).toEqual([[[1, 2, 3], 0]]);
    peer.send(windowUpdate(1, 1));
    peer.send(windowUpdate(1, 100));
    expect(peer.sent(Type.DATA).map(({ payload, flags }) => [[...payload], flags])).toEqual([
      [[1, 2, 3], 0],
      [[4], 0],
      [[5], END_STREAM],
    ]);
  });

  it('keeps to the window of the connection, and an end needs none', () => {
    const peer = answering([INITIAL_WINDOW_SIZE, 1_000_000]);
    peer.engine.submitData(1, new Uint8Array(70_000), { endStream: false });
    peer.collect();
    expect(peer.content(1)).toHaveLength(65_535);
    peer.send(peer.headers(3, request()));
    peer.engine.submitHeaders(3, [':status', '200'], { endStream: false });
    peer.engine.submitData(3, new Uint8Array(0), { endStream: true });
    peer.collect();
    expect(peer.sent(Type.DATA).at(-1)).toMatchObject({ streamId: 3, flags: END_STREAM });
    peer.send(windowUpdate(0, 4000));
    expect(peer.content(1)).toHaveLength(69_535);
    peer.send(windowUpdate(0, 4000));
    expect(peer.content(1)).toHaveLength(70_000);
  });

  it('moves the windows of open streams with INITIAL_WINDOW_SIZE, below zero as well (section 6.9.2)', () => {
    const peer = answering([INITIAL_WINDOW_SIZE, 100]);
    peer.engine.submitData(1, new Uint8Array(300), { endStream: true });
    peer.collect();
    expect(peer.content(1)).toHaveLength(100);
    peer.send(settings([INITIAL_WINDOW_SIZE, 10]));
    peer.send(windowUpdate(1, 90));
    expect(peer.content(1)).toHaveLength(100);
    peer.send(windowUpdate(1, 1));
    expect(peer.content(1)).toHaveLength(101);
    peer.send(settings([INITIAL_WINDOW_SIZE, 12]));
    expect(peer.content(1)).toHaveLength(103);
    peer.send(settings([INITIAL_WINDOW_SIZE, 1000]));
    expect(peer.content(1)).toHaveLength(300);
    expect(peer.types.at(-1)).toBe('StreamClosed');
  });

  it('INITIAL_WINDOW_SIZE above 2^31-1, or that makes a window so, ends the connection: FLOW_CONTROL_ERROR', () => {
    const one = answering();
    one.send(settings([INITIAL_WINDOW_SIZE, 0x8000_0000]));
    one.expectConnectionError('FLOW_CONTROL_ERROR');
    const other = answering();
    other.send(windowUpdate(1, 100), settings([INITIAL_WINDOW_SIZE, 0x7fff_ffff]));
    other.expectConnectionError('FLOW_CONTROL_ERROR');
  });

  it('a stream without a window holds up no other', () => {
    const peer = answering([INITIAL_WINDOW_SIZE, 0]);
    peer.send(peer.headers(3, request()));
    peer.engine.submitHeaders(3, [':status', '200'], { endStream: false });
    for (const id of [1, 3]) peer.engine.submitData(id, new Uint8Array(1000), { endStream: true });
    peer.send(windowUpdate(3, 1000));
    expect([peer.content(1).length, peer.content(3).length]).toEqual([0, 1000]);
  });

  it('capacity is the stream’s buffer, whatever the windows; all streams share a total', () => {
    const peer = Http2Peer.ofServer({ sendBufferBytes: 1000, maxUnsentBytes: 2500 }, false);
    peer.greet([INITIAL_WINDOW_SIZE, 0]);
    for (const id of [1, 3, 5]) {
      peer.send(peer.headers(id, request()));
      peer.engine.submitHeaders(id, [':status', '200'], { endStream: false });
    }
    peer.clear();
    const { engine } = peer;
    expect(engine.sendCapacity(1)).toBe(1000);
    engine.submitData(1, new Uint8Array(1500), { endStream: false });
    expect(engine.sendCapacity(1)).toBe(0);
    expect(() => engine.submitData(1, new Uint8Array(1), { endStream: false })).toThrow(/full/);
    engine.submitData(3, new Uint8Array(1000), { endStream: true });
    expect([1, 3, 5].map((id) => engine.sendCapacity(id))).toEqual([0, 0, 0]);
    peer.send(windowUpdate(3, 400));
    // Stream 5 waited for the total; stream 1 has too much of its own.
    expect(peer.all('StreamWritable').map(({ streamId }) => streamId)).toEqual([5]);
    peer.send(windowUpdate(1, 1200));
    expect(peer.all('StreamWritable').map(({ streamId }) => streamId)).toEqual([5, 1]);
    expect(engine.sendCapacity(1)).toBe(700);
  });
});

describe('receiving', () => {
  it('content beyond the stream’s window is a stream error, beyond the connection’s one of the connection', () => {
    const peer = Http2Peer.ofServer({ initialStreamWindow: 1000 });
    peer.send(peer.headers(1, request('POST'), 0), data(1, new Uint8Array(1001)));
    expect(peer.types).not.toContain('DataReceived');
    peer.expectStreamError(1, 'FLOW_CONTROL_ERROR');
    const limits = { maxUnconsumedBytes: 66_000, initialStreamWindow: 66_000, maxConcurrentStreams: 1 };
    const other = Http2Peer.ofServer(limits);
    other.send(other.headers(1, request('POST'), 0));
    for (let count = 0; count < 5; count += 1) other.send(data(1, new Uint8Array(16_384)));
    expect(other.sent(Type.GOAWAY)).toHaveLength(1);
    expect(other.only('ConnectionTerminated').errorCode).toBe(3);
  });

  it('the window in force before our SETTINGS are acknowledged is that of the RFC (section 6.9.2)', () => {
    const peer = Http2Peer.ofServer({ initialStreamWindow: 1000 }, false);
    peer.send(preface, settings());
    peer.send(peer.headers(1, request('POST'), 0), data(1, new Uint8Array(16_000)));
    expect(peer.only('DataReceived').data).toHaveLength(16_000);
    peer.send(settingsAck);
    // Below zero now: nothing more until it was consumed.
    peer.send(data(1, 'x'));
    peer.expectStreamError(1, 'FLOW_CONTROL_ERROR');
  });

  it('gives a stream’s window back as it is consumed, and the connection’s as octets come', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request('POST'), 0));
    peer.clear();
    for (let count = 0; count < 4; count += 1) peer.send(data(1, new Uint8Array(16_000)));
    expect(credit(peer, 1)).toBe(0);
    for (const event of peer.all('DataReceived')) peer.engine.dataConsumed(1, event.flowControlledLength);
    peer.collect();
    // All of it, and three times as much again: its reader keeps up.
    expect(credit(peer, 1)).toBe(64_000 + 3 * 64 * KIB);
  });

  it('gives nothing back for content that the window takes already', () => {
    const peer = Http2Peer.ofServer({ initialStreamWindow: 64 * KIB, maxUnconsumedBytes: 8 * KIB * KIB });
    const head = request('POST', ['content-length', String(100 * KIB)]);
    peer.send(peer.headers(1, head, 0)).clear();
    const consume = (): void => {
      peer.send(data(1, new Uint8Array(16_000)));
      peer.engine.dataConsumed(1, 16_000);
      peer.collect();
    };
    consume();
    // What is announced, with the padding of a frame.
    expect(credit(peer, 1)).toBe(100 * KIB + 256 - 64 * KIB);
    peer.clear();
    for (let count = 0; count < 5; count += 1) consume();
    expect(credit(peer, 1)).toBe(0);
    peer.send(data(1, new Uint8Array(100 * KIB - 6 * 16_000), 1));
    peer.expectAlive();
    expect(peer.all('DataReceived').at(-1)?.endStream).toBe(true);
  });

  it('widens a window to what is announced only for a reader that reads, and within what all share', () => {
    const peer = Http2Peer.ofServer({ initialStreamWindow: 64 * KIB, maxUnconsumedBytes: 8 * KIB * KIB });
    const announce = (id: number): void => {
      peer.send(peer.headers(id, request('POST', ['content-length', String(20 * KIB * KIB)]), 0)).clear();
      for (let count = 0; count < 4; count += 1) peer.send(data(id, new Uint8Array(16_000)));
    };
    announce(1);
    expect(credit(peer, 1)).toBe(0);
    // Most of it still waits.
    peer.engine.dataConsumed(1, 16_000);
    peer.collect();
    expect(credit(peer, 1)).toBe(0);
    peer.engine.dataConsumed(1, 48_000);
    peer.collect();
    // Half of `maxUnconsumedBytes` and what it was.
    expect(credit(peer, 1)).toBe(64_000 + 4 * KIB * KIB - 64 * KIB);
    announce(3);
    peer.engine.dataConsumed(3, 64_000);
    peer.collect();
    expect(credit(peer, 3)).toBe(64_000 + 64 * KIB);
    announce(5);
    peer.engine.dataConsumed(5, 64_000);
    peer.collect();
    expect(credit(peer, 5)).toBe(64_000);
  });

  it('opens a window again that padding has used up', () => {
    const peer = Http2Peer.ofServer({ initialStreamWindow: 1000, maxStreamWindow: 1000 });
    peer.send(peer.headers(1, request('POST', ['content-length', '900']), 0)).clear();
    let window = 1000;
    for (let count = 0; count < 90; count += 1) {
      peer.send(paddedData(1, 'ten octets', 255));
      window -= 266;
      peer.engine.dataConsumed(1, 266);
      peer.collect();
      window += credit(peer, 1);
      peer.clear();
      expect(window).toBeGreaterThanOrEqual(266);
    }
    peer.expectAlive();
  });

  it('gives padding back that no event has told of', () => {
    const limits = { initialStreamWindow: 1000, maxStreamWindow: 1000 };
    const peer = Http2Peer.ofServer(limits);
    peer.send(peer.headers(1, request('POST'), 0), paddedData(1, '', 255), paddedData(1, '', 255));
    expect(credit(peer, 1)).toBe(512);
    peer.expectAlive();
  });

  it('grows a stream’s window while its reader keeps up, within what all share', () => {
    const peer = Http2Peer.ofServer({ maxUnconsumedBytes: 8 * KIB * KIB });
    const windows = new Map<number, number>();
    for (const id of [1, 3]) {
      peer.send(peer.headers(id, request('POST'), 0)).clear();
      let window = 64 * KIB;
      for (let round = 0; round < 400; round += 1) {
        peer.send(data(id, new Uint8Array(16_000)));
        window -= 16_000;
        peer.engine.dataConsumed(id, 16_000);
        peer.collect();
        window += credit(peer, id);
        peer.clear();
      }
      windows.set(id, window);
    }
    // The first took all of the growth that there is; the second begins and stays as it was.
    expect(windows.get(1)).toBeGreaterThan(2 * KIB * KIB);
    expect(windows.get(3)).toBeLessThanOrEqual(2 * 64 * KIB);
  });

  it('never promises more than the cap beyond what was consumed, and gives all of it back in the end', () => {
    const cap = 400_000;
    const peer = Http2Peer.ofServer(
      {
        maxUnconsumedBytes: cap,
        initialStreamWindow: 50_000,
        maxConcurrentStreams: 8,
      },
      false,
    );
    peer.send(preface, settings());
    let advertised = 65_535 + credit(peer, 0);
    let received = 0;
    let consumed = 0;
    peer.send(settingsAck).clear();
    const check = (): void => {
      advertised += credit(peer, 0);
      peer.clear();
      expect(advertised - consumed).toBeLessThanOrEqual(cap);
      expect(advertised - received).toBeGreaterThanOrEqual(0);
    };
    const ids = [1, 3, 5, 7, 9, 11, 13, 15];
    for (const id of ids) {
      peer.send(peer.headers(id, request('POST'), 0));
      for (let count = 0; count < 5; count += 1) {
        peer.send(data(id, new Uint8Array(10_000)));
        received += 10_000;
        check();
      }
    }
    expect(advertised - received).toBe(0);
    for (const id of ids) {
      peer.engine.dataConsumed(id, 20_000);
      consumed += 20_000;
      peer.collect();
      check();
    }
    // What nobody will read any more comes back with its handler (server) at the latest.
    for (const id of ids) {
      peer.send(rstStream(id));
      check();
      peer.engine.submitHandlerEnd(id);
      consumed += 30_000;
      peer.collect();
      check();
    }
    expect(consumed).toBe(received);
    expect(advertised - received).toBeGreaterThanOrEqual(cap / 4);
  });

  it('99 streams with full windows that nobody reads hold up no other', () => {
    const peer = Http2Peer.ofServer();
    for (let id = 1; id < 199; id += 2) {
      peer.send(peer.headers(id, request('POST'), 0));
      for (let count = 0; count < 4; count += 1) peer.send(data(id, new Uint8Array(16_384)));
    }
    peer.send(peer.headers(199, request('POST'), 0)).clear();
    let windows = [64 * KIB, 8 * KIB * KIB];
    let moved = 0;
    let turns = 0;
    for (; moved < 20 * KIB * KIB; turns += 1) {
      // As much as the windows let through, then all of it is read.
      const burst = Math.min(...windows, 1 << 20);
      expect(burst).toBeGreaterThan(0);
      for (let at = 0; at < burst; at += 16_384) peer.send(data(199, new Uint8Array(Math.min(16_384, burst - at))));
      for (const event of peer.all('DataReceived')) peer.engine.dataConsumed(199, event.flowControlledLength);
      peer.collect();
      moved += burst;
      windows = [windows[0]! - burst + credit(peer, 199), 8 * KIB * KIB];
      peer.clear();
    }
    expect(peer.types).toEqual([]);
    // Its window grows as if it were alone.
    expect(turns).toBeLessThan(60);
  });

  it('content for streams that are gone costs the connection nothing for good', () => {
    const peer = Http2Peer.ofServer({ maxUnconsumedBytes: 300_000, maxConcurrentStreams: 2 });
    peer.send(peer.headers(1, request('POST'), 0));
    peer.engine.submitStreamReset(1, 8);
    for (let count = 0; count < 100; count += 1) peer.send(data(1, new Uint8Array(16_000)));
    peer.frames = [];
    peer.expectAlive();
  });

  it('a client gives back what a reset stream held, and what the application says it will not read', () => {
    const peer = Http2Peer.ofClient({
      maxUnconsumedBytes: 200_000,
      maxConcurrentStreams: 2,
      initialStreamWindow: 100_000,
    });
    let id = 1;
    for (let round = 0; round < 20; round += 1, id += 2) {
      peer.engine.submitHeaders(id, request(), { endStream: true });
      peer.collect();
      peer.send(peer.headers(id, [':status', '200'], 0));
      for (let count = 0; count < 5; count += 1)
        peer.send(data(id, new Uint8Array(16_000), count === 4 && round % 2 === 0 ? END_STREAM : 0));
      if (round % 2 === 1) peer.send(rstStream(id));
      else peer.engine.submitStreamReset(id, 8);
      peer.collect();
    }
    expect(peer.types).not.toContain('ConnectionTerminated');
    expect(peer.sent(Type.RST_STREAM)).toEqual([]);
  });
});

describe('configuration', () => {
  it.each([Http2ServerFactory, Http2ClientFactory])(
    'initial window times streams has to fit into the cap',
    (Factory) => {
      const make = (limits: Record<string, number>) => () => new Factory({ limits });
      expect(make({ maxConcurrentStreams: 129 })).toThrow(ConfigurationError);
      expect(make({ maxConcurrentStreams: 129 })).toThrow(
        expect.objectContaining({ hint: 'give initialStreamWindow 65027, or maxUnconsumedBytes 8454144' }),
      );
      expect(make({ maxConcurrentStreams: 129, initialStreamWindow: 65_027 })).not.toThrow();
      expect(make({ maxConcurrentStreams: 129, maxUnconsumedBytes: 8_454_144 })).not.toThrow();
      expect(make({ initialStreamWindow: 0 })).toThrow(ConfigurationError);
      expect(make({ maxUnconsumedBytes: 2 ** 31 })).toThrow(ConfigurationError);
      expect(make({ unknown: 1 })).toThrow(ConfigurationError);
    },
  );
});
