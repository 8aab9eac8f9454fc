/**
 * Every state of a stream against every frame (RFC 9113 section 5.1), on a server and on a client, and the order of ids
 * (section 5.1.1).
 */
import { describe, expect, it } from 'vitest';
import {
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  latin1,
  priority,
  rstStream,
  Type,
  windowUpdate,
} from '../../../support/http2-frames.ts';
import type { CodeName } from '../../../support/http2-peer.ts';
import { Http2Peer, request } from '../../../support/http2-peer.ts';

/** What a frame leads to: an event, nothing, or an error of this scope. */
type Outcome = 'event' | 'nothing' | `stream ${CodeName}` | `connection ${CodeName}`;

const frames = {
  DATA: () => data(1, 'x'),
  'DATA with END_STREAM': () => data(1, 'x', END_STREAM),
  'HEADERS without END_STREAM': (peer: Http2Peer) => peer.headers(1, ['x', 'y'], 0),
  'HEADERS with END_STREAM': (peer: Http2Peer) => peer.headers(1, ['x', 'y']),
  CONTINUATION: () => frame(Type.CONTINUATION, END_HEADERS, 1),
  PRIORITY: () => priority(1),
  RST_STREAM: () => rstStream(1),
  PUSH_PROMISE: () => frame(Type.PUSH_PROMISE, END_HEADERS, 1, new Uint8Array(5)),
  WINDOW_UPDATE: () => windowUpdate(1, 10),
  'an unknown frame': () => frame(0xee, 0, 1, latin1('x')),
} as const;
type FrameName = keyof typeof frames;

/** Brings a server's stream 1 into a state. */
const serverStates = {
  idle: () => undefined,
  open: (peer: Http2Peer) => peer.send(peer.headers(1, request('POST'), 0)),
  'half-closed (remote)': (peer: Http2Peer) => peer.send(peer.headers(1, request())),
  'half-closed (local)': (peer: Http2Peer) => {
    peer.send(peer.headers(1, request('POST'), 0));
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: true });
  },
  'closed by END_STREAM both ways': (peer: Http2Peer) => {
    peer.send(peer.headers(1, request()));
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: true });
  },
  'closed by END_STREAM both ways, and forgotten by the application': (peer: Http2Peer) => {
    peer.send(peer.headers(1, request()));
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: true });
    peer.engine.submitHandlerEnd(1);
  },
  'closed by the peer’s RST_STREAM': (peer: Http2Peer) => peer.send(peer.headers(1, request('POST'), 0), rstStream(1)),
  'closed by our RST_STREAM': (peer: Http2Peer) => {
    peer.send(peer.headers(1, request('POST'), 0));
    peer.engine.submitStreamReset(1, 8);
  },
  'closed by our RST_STREAM, and forgotten by the application': (peer: Http2Peer) => {
    peer.send(peer.headers(1, request('POST'), 0));
    peer.engine.submitStreamReset(1, 8);
    peer.engine.submitHandlerEnd(1);
  },
} as const;

const late: Readonly<Record<FrameName, Outcome>> = {
  DATA: 'connection STREAM_CLOSED',
  'DATA with END_STREAM': 'connection STREAM_CLOSED',
  'HEADERS without END_STREAM': 'connection STREAM_CLOSED',
  'HEADERS with END_STREAM': 'connection STREAM_CLOSED',
  CONTINUATION: 'connection PROTOCOL_ERROR',
  PRIORITY: 'nothing',
  RST_STREAM: 'nothing',
  PUSH_PROMISE: 'connection PROTOCOL_ERROR',
  WINDOW_UPDATE: 'nothing',
  'an unknown frame': 'nothing',
};
const behindOurReset: Readonly<Record<FrameName, Outcome>> = {
  ...late,
  DATA: 'nothing',
  'DATA with END_STREAM': 'nothing',
  'HEADERS without END_STREAM': 'nothing',
  'HEADERS with END_STREAM': 'nothing',
};
const open: Readonly<Record<FrameName, Outcome>> = {
  DATA: 'event',
  'DATA with END_STREAM': 'event',
  // Section 8.1: trailers end the stream.
  'HEADERS without END_STREAM': 'stream PROTOCOL_ERROR',
  'HEADERS with END_STREAM': 'event',
  CONTINUATION: 'connection PROTOCOL_ERROR',
  PRIORITY: 'nothing',
  RST_STREAM: 'event',
  PUSH_PROMISE: 'connection PROTOCOL_ERROR',
  WINDOW_UPDATE: 'nothing',
  'an unknown frame': 'nothing',
};

const onServer: Readonly<Record<keyof typeof serverStates, Readonly<Record<FrameName, Outcome>>>> = {
  idle: {
    DATA: 'connection PROTOCOL_ERROR',
    'DATA with END_STREAM': 'connection PROTOCOL_ERROR',
    // A request without its pseudo-header fields (section 8.1.1).
    'HEADERS without END_STREAM': 'stream PROTOCOL_ERROR',
    'HEADERS with END_STREAM': 'stream PROTOCOL_ERROR',
    CONTINUATION: 'connection PROTOCOL_ERROR',
    PRIORITY: 'nothing',
    RST_STREAM: 'connection PROTOCOL_ERROR',
    PUSH_PROMISE: 'connection PROTOCOL_ERROR',
    WINDOW_UPDATE: 'connection PROTOCOL_ERROR',
    'an unknown frame': 'nothing',
  },
  open,
  'half-closed (remote)': {
    DATA: 'stream STREAM_CLOSED',
    'DATA with END_STREAM': 'stream STREAM_CLOSED',
    'HEADERS without END_STREAM': 'stream STREAM_CLOSED',
    'HEADERS with END_STREAM': 'stream STREAM_CLOSED',
    CONTINUATION: 'connection PROTOCOL_ERROR',
    PRIORITY: 'nothing',
    RST_STREAM: 'event',
    PUSH_PROMISE: 'connection PROTOCOL_ERROR',
    WINDOW_UPDATE: 'nothing',
    'an unknown frame': 'nothing',
  },
  'half-closed (local)': open,
  'closed by END_STREAM both ways': late,
  'closed by END_STREAM both ways, and forgotten by the application': late,
  'closed by the peer’s RST_STREAM': {
    ...late,
    DATA: 'stream STREAM_CLOSED',
    'DATA with END_STREAM': 'stream STREAM_CLOSED',
    'HEADERS without END_STREAM': 'stream STREAM_CLOSED',
    'HEADERS with END_STREAM': 'stream STREAM_CLOSED',
  },
  'closed by our RST_STREAM': behindOurReset,
  'closed by our RST_STREAM, and forgotten by the application': behindOurReset,
};

const clientStates = {
  idle: () => undefined,
  'half-closed (local), no response yet': (peer: Http2Peer) =>
    peer.engine.submitHeaders(1, request(), { endStream: true }),
  'open, no response yet': (peer: Http2Peer) => peer.engine.submitHeaders(1, request('POST'), { endStream: false }),
  'half-closed (local), in the response': (peer: Http2Peer) => {
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.send(peer.headers(1, [':status', '200'], 0));
  },
  'half-closed (remote)': (peer: Http2Peer) => {
    peer.engine.submitHeaders(1, request('POST'), { endStream: false });
    peer.send(peer.headers(1, [':status', '200']));
  },
  'closed by END_STREAM both ways': (peer: Http2Peer) => {
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.send(peer.headers(1, [':status', '200']));
  },
  'closed by the peer’s RST_STREAM': (peer: Http2Peer) => {
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.send(rstStream(1));
  },
  'closed by our RST_STREAM': (peer: Http2Peer) => {
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.engine.submitStreamReset(1, 8);
  },
} as const;

/** DATA or trailers before the response's head are malformed (section 8.1). */
const beforeResponse: Readonly<Record<FrameName, Outcome>> = {
  ...open,
  DATA: 'stream PROTOCOL_ERROR',
  'DATA with END_STREAM': 'stream PROTOCOL_ERROR',
  'HEADERS with END_STREAM': 'stream PROTOCOL_ERROR',
};

const onClient: Readonly<Record<keyof typeof clientStates, Readonly<Record<FrameName, Outcome>>>> = {
  idle: {
    ...onServer.idle,
    'HEADERS without END_STREAM': 'connection PROTOCOL_ERROR',
    'HEADERS with END_STREAM': 'connection PROTOCOL_ERROR',
  },
  'half-closed (local), no response yet': beforeResponse,
  'open, no response yet': beforeResponse,
  'half-closed (local), in the response': open,
  'half-closed (remote)': onServer['half-closed (remote)'],
  'closed by END_STREAM both ways': late,
  'closed by the peer’s RST_STREAM': onServer['closed by the peer’s RST_STREAM'],
  'closed by our RST_STREAM': behindOurReset,
};

function rows<State extends string>(
  table: Readonly<Record<State, Readonly<Record<FrameName, Outcome>>>>,
): (readonly [State, FrameName, Outcome])[] {
  return Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row as Readonly<Record<FrameName, Outcome>>).map(
      ([name, outcome]) => [state as State, name as FrameName, outcome] as const,
    ),
  );
}

function expectOutcome(peer: Http2Peer, outcome: Outcome): void {
  const [scope, code] = outcome.split(' ') as [string, CodeName | undefined];
  if (scope === 'connection') {
    peer.expectConnectionError(code!);
  } else if (scope === 'stream') {
    peer.expectStreamError(1, code!);
  } else {
    if (outcome === 'event') expect(peer.types.length).toBeGreaterThan(0);
    else expect(peer.types).toEqual([]);
    expect(peer.sent(Type.RST_STREAM)).toEqual([]);
    peer.expectAlive();
  }
}

describe('section 5.1, a server’s stream', () => {
  it.each(rows(onServer))('%s: %s leads to %s', (state, name, outcome) => {
    const peer = Http2Peer.ofServer();
    serverStates[state](peer);
    peer.collect().clear();
    peer.send(frames[name](peer));
    expectOutcome(peer, outcome);
  });
});

describe('section 5.1, a client’s stream', () => {
  it.each(rows(onClient))('%s: %s leads to %s', (state, name, outcome) => {
    const peer = Http2Peer.ofClient();
    clientStates[state](peer);
    peer.collect().clear();
    peer.send(frames[name](peer));
    expectOutcome(peer, outcome);
  });
});

describe('section 5.1.1: ids', () => {
  it.each([
    ['that was passed over', 5, 3],
    ['that was passed over, long ago', 4001, 3],
  ])('HEADERS on an id %s end the connection', (_what, first, second) => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(first, request()), peer.headers(second, request()));
    peer.expectConnectionError('PROTOCOL_ERROR');
  });

  it('an id that was passed over is closed: other frames are late ones', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(5, request())).clear();
    peer.send(windowUpdate(3, 1), rstStream(3), priority(3));
    expect(peer.types).toEqual([]);
    peer.expectAlive();
  });

  it('the highest id is taken, and none after it', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(0x7fff_ffff, request()));
    expect(peer.only('HeadersReceived').streamId).toBe(0x7fff_ffff);
    peer.send(peer.headers(1, request()));
    peer.expectConnectionError('PROTOCOL_ERROR');
  });

  it('how streams were closed is forgotten in the end, in bounded memory', () => {
    const peer = Http2Peer.ofServer();
    for (let id = 1; id < 2001; id += 2) {
      peer.send(peer.headers(id, request()));
      peer.engine.submitHeaders(id, [':status', '204'], { endStream: true });
      peer.engine.submitHandlerEnd(id);
      peer.collect();
    }
    peer.clear();
    // Forgotten: it may have been behind our own reset.
    peer.send(data(1, 'x'));
    peer.expectStreamError(1, 'STREAM_CLOSED');
    // Known.
    peer.send(data(1999, 'x'));
    expect(peer.sent(Type.GOAWAY)).toHaveLength(1);
  });

  it('a client uses odd ids that grow (section 5.1.1)', () => {
    const peer = Http2Peer.ofClient();
    const ids = [1, 2, 3].map(() => {
      const id = peer.engine.getAvailableStreamId();
      expect(peer.engine.getAvailableStreamId()).toBe(id);
      peer.engine.submitHeaders(id, request(), { endStream: true });
      return id;
    });
    expect(ids).toEqual([1, 3, 5]);
    peer.collect();
    expect(peer.sent(Type.HEADERS).map(({ streamId }) => streamId)).toEqual(ids);
  });
});

describe('section 5.1.2: concurrency', () => {
  it('a stream too many is refused, and the next is taken when one has ended', () => {
    const peer = Http2Peer.ofServer({ maxConcurrentStreams: 2 });
    peer.send(peer.headers(1, request()), peer.headers(3, request()), peer.headers(5, request('POST'), 0));
    expect(peer.all('HeadersReceived').map(({ streamId }) => streamId)).toEqual([1, 3]);
    peer.expectStreamError(5, 'REFUSED_STREAM');
    // What was on its way for it is dropped.
    peer.send(data(5, 'x', END_STREAM));
    peer.engine.submitHeaders(3, [':status', '200'], { endStream: true });
    peer.engine.submitHandlerEnd(3);
    peer.send(peer.headers(7, request()));
    expect(peer.all('HeadersReceived').map(({ streamId }) => streamId)).toEqual([1, 3, 7]);
  });

  it('a client opens no more than the server allows, and is told when it may again', () => {
    const peer = Http2Peer.ofClient({}, false);
    peer.greet([3, 1]);
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.collect();
    expect(peer.engine.isAvailable()).toBe(false);
    expect(() => peer.engine.getAvailableStreamId()).toThrow(/no request can be opened/);
    peer.send(frame(Type.SETTINGS, 0, 0, Uint8Array.of(0, 3, 0, 0, 0, 5)));
    expect(peer.only('StreamsAvailable').count).toBe(4);
    expect(peer.engine.isAvailable()).toBe(true);
    // Fewer than there are: those that run go on.
    peer.send(frame(Type.SETTINGS, 0, 0, Uint8Array.of(0, 3, 0, 0, 0, 0)));
    expect(peer.engine.isAvailable()).toBe(false);
    expect(peer.types).not.toContain('StreamResetReceived');
  });
});
