/**
 * Every frame on every stream in every state: what ends the connection, with which code, and what is let pass (RFC 9114
 * sections 4.1, 4.4, 6 and 7, RFC 9218 section 7.2).
 */
import { describe, expect, it } from 'vitest';
import { concat, data, frame, headers, settings, Type, varints } from '../../../support/http3-frames.ts';
import type { CodeName } from '../../../support/http3-peer.ts';
import { Http3Peer, request } from '../../../support/http3-peer.ts';

const response = headers([':status', '200']);

/** The frames, each as good as it can be where it may come. */
const frames = {
  DATA: data('x'),
  HEADERS: response,
  'HEADERS of trailers': headers(['x', 'y']),
  CANCEL_PUSH: frame(Type.CANCEL_PUSH, varints(0)),
  SETTINGS: settings(),
  PUSH_PROMISE: frame(Type.PUSH_PROMISE, varints(0)),
  GOAWAY: frame(Type.GOAWAY, varints(0)),
  MAX_PUSH_ID: frame(Type.MAX_PUSH_ID, varints(7)),
  PRIORITY_UPDATE: frame(Type.PRIORITY_UPDATE, concat(varints(0), new TextEncoder().encode('u=1'))),
  'PRIORITY_UPDATE of a push': frame(Type.PRIORITY_UPDATE_PUSH, varints(0)),
  'PRIORITY of HTTP/2': frame(0x02, 'xxxxx'),
  'PING of HTTP/2': frame(0x06, 'xxxxxxxx'),
  'WINDOW_UPDATE of HTTP/2': frame(0x08, 'xxxx'),
  'CONTINUATION of HTTP/2': frame(0x09, ''),
  'a reserved one': frame(Type.RESERVED, 'anything'),
  'an unknown one': frame(0xf0a0, new Uint8Array(100)),
} as const;
type FrameName = keyof typeof frames;

const names = Object.keys(frames) as FrameName[];
const ofHttp2: readonly FrameName[] = [
  'PRIORITY of HTTP/2',
  'PING of HTTP/2',
  'WINDOW_UPDATE of HTTP/2',
  'CONTINUATION of HTTP/2',
];
const ignored: readonly FrameName[] = ['a reserved one', 'an unknown one'];
/** What belongs to control streams. */
const ofControl: readonly FrameName[] = [
  'CANCEL_PUSH',
  'SETTINGS',
  'GOAWAY',
  'MAX_PUSH_ID',
  'PRIORITY_UPDATE',
  'PRIORITY_UPDATE of a push',
];

type Outcome = CodeName | 'passes';
type Outcomes = Readonly<Partial<Record<FrameName, Outcome>>>;

const each = (list: readonly FrameName[], outcome: Outcome): Outcomes =>
  Object.fromEntries(list.map((name) => [name, outcome]));

/** Frames that no request stream may carry, and those that any may. */
const onRequests: Outcomes = {
  ...each(ofControl, 'H3_FRAME_UNEXPECTED'),
  ...each(ofHttp2, 'H3_FRAME_UNEXPECTED'),
  ...each(ignored, 'passes'),
};

interface State {
  readonly name: string;
  readonly make: () => Http3Peer;
  readonly streamId: (peer: Http3Peer) => number;
  readonly outcomes: Outcomes;
}

const asked = (method = 'GET'): Http3Peer => {
  const peer = Http3Peer.ofClient();
  const head = method === 'CONNECT' ? [':method', 'CONNECT', ':authority', 'a.example:443'] : request(method);
  peer.engine.submitHeaders(0, head, { endStream: method !== 'CONNECT' });
  return peer;
};
const receiving = (): Http3Peer => Http3Peer.ofServer().send(0, headers(request('POST')));
const zero = (): number => 0;

const states: readonly State[] = [
  {
    name: "a server, before a request's head (4.1)",
    make: () => Http3Peer.ofServer(),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'H3_FRAME_UNEXPECTED',
      HEADERS: 'passes',
      'HEADERS of trailers': 'passes',
      PUSH_PROMISE: 'H3_FRAME_UNEXPECTED',
    },
  },
  {
    name: 'a server, within a request (4.1)',
    make: receiving,
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'passes',
      HEADERS: 'passes',
      'HEADERS of trailers': 'passes',
      PUSH_PROMISE: 'H3_FRAME_UNEXPECTED',
    },
  },
  {
    name: 'a server, behind the trailers (4.1)',
    make: () => receiving().send(0, frames['HEADERS of trailers']),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'H3_FRAME_UNEXPECTED',
      HEADERS: 'H3_FRAME_UNEXPECTED',
      'HEADERS of trailers': 'H3_FRAME_UNEXPECTED',
      PUSH_PROMISE: 'H3_FRAME_UNEXPECTED',
    },
  },
  {
    name: 'a server, in CONNECT (4.4)',
    make: () => Http3Peer.ofServer().send(0, headers([':method', 'CONNECT', ':authority', 'a.example:443'])),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'passes',
      HEADERS: 'H3_FRAME_UNEXPECTED',
      'HEADERS of trailers': 'H3_FRAME_UNEXPECTED',
      PUSH_PROMISE: 'H3_FRAME_UNEXPECTED',
    },
  },
  {
    name: "a client, before a response's head (4.1)",
    make: () => asked(),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'H3_FRAME_UNEXPECTED',
      HEADERS: 'passes',
      'HEADERS of trailers': 'passes',
      PUSH_PROMISE: 'H3_ID_ERROR',
    },
  },
  {
    name: 'a client, behind an interim response (4.1)',
    make: () => asked().send(0, headers([':status', '103'])),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'H3_FRAME_UNEXPECTED',
      HEADERS: 'passes',
      'HEADERS of trailers': 'passes',
      PUSH_PROMISE: 'H3_ID_ERROR',
    },
  },
  {
    name: 'a client, within a response (4.1)',
    make: () => asked().send(0, response),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'passes',
      HEADERS: 'passes',
      'HEADERS of trailers': 'passes',
      PUSH_PROMISE: 'H3_ID_ERROR',
    },
  },
  {
    name: 'a client, behind the trailers (4.1)',
    make: () => asked().send(0, concat(response, frames['HEADERS of trailers'])),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'H3_FRAME_UNEXPECTED',
      HEADERS: 'H3_FRAME_UNEXPECTED',
      'HEADERS of trailers': 'H3_FRAME_UNEXPECTED',
      PUSH_PROMISE: 'H3_ID_ERROR',
    },
  },
  {
    name: 'a client, in a tunnel (4.4)',
    make: () => asked('CONNECT').send(0, response),
    streamId: zero,
    outcomes: {
      ...onRequests,
      DATA: 'passes',
      HEADERS: 'H3_FRAME_UNEXPECTED',
      'HEADERS of trailers': 'H3_FRAME_UNEXPECTED',
      PUSH_PROMISE: 'H3_ID_ERROR',
    },
  },
  {
    name: 'a server, first on the control stream (6.2.1)',
    make: () => Http3Peer.ofServer({}, false).send(2, varints(0)),
    streamId: () => 2,
    outcomes: { ...each(names, 'H3_MISSING_SETTINGS'), SETTINGS: 'passes' },
  },
  {
    name: 'a client, first on the control stream (6.2.1)',
    make: () => Http3Peer.ofClient({}, false).send(3, varints(0)),
    streamId: () => 3,
    outcomes: { ...each(names, 'H3_MISSING_SETTINGS'), SETTINGS: 'passes' },
  },
  {
    name: 'a server, on the control stream (7.2)',
    make: () => Http3Peer.ofServer(),
    streamId: ({ control }) => control,
    outcomes: {
      ...each(names, 'H3_FRAME_UNEXPECTED'),
      ...each(ignored, 'passes'),
      CANCEL_PUSH: 'H3_ID_ERROR',
      GOAWAY: 'passes',
      MAX_PUSH_ID: 'passes',
      PRIORITY_UPDATE: 'passes',
      'PRIORITY_UPDATE of a push': 'H3_ID_ERROR',
    },
  },
  {
    name: 'a client, on the control stream (7.2)',
    make: () => Http3Peer.ofClient(),
    streamId: ({ control }) => control,
    outcomes: {
      ...each(names, 'H3_FRAME_UNEXPECTED'),
      ...each(ignored, 'passes'),
      CANCEL_PUSH: 'H3_ID_ERROR',
      // It ends an idle connection in good order: another test's.
      GOAWAY: 'H3_NO_ERROR',
    },
  },
];

describe.each(states)('$name', ({ make, streamId, outcomes }) => {
  it('says something of every frame', () => {
    expect(Object.keys(outcomes).sort()).toEqual([...names].sort());
  });

  it.each(Object.entries(outcomes))('%s: %s', (name, outcome) => {
    const bytes = frames[name as FrameName];
    for (const cut of [bytes.length, 1]) {
      const peer = make().clear();
      for (let at = 0; at < bytes.length && !peer.terminated; at += cut) {
        peer.send(streamId(peer), bytes.subarray(at, at + cut));
      }
      if (outcome === 'passes') {
        peer.expectAlive();
      } else if (outcome === 'H3_NO_ERROR') {
        expect(peer.only('ConnectionTerminated').error).toBeUndefined();
      } else {
        peer.expectConnectionError(outcome);
      }
    }
  });
});

describe('frames whose payload is not what it says (7.1)', () => {
  const noRoom = (type: number): [string, Uint8Array, CodeName][] => [
    ['nothing', frame(type), 'H3_FRAME_ERROR'],
    ['half a number', frame(type, Uint8Array.of(0x40)), 'H3_FRAME_ERROR'],
    ['more than its number', frame(type, Uint8Array.of(0, 0)), 'H3_FRAME_ERROR'],
  ];
  for (const [name, type] of [
    ['GOAWAY', Type.GOAWAY],
    ['CANCEL_PUSH', Type.CANCEL_PUSH],
    ['MAX_PUSH_ID', Type.MAX_PUSH_ID],
  ] as const) {
    it.each(noRoom(type))(`${name} of %s`, (_what, bytes, code) => {
      const peer = Http3Peer.ofServer();
      peer.send(peer.control, bytes).expectConnectionError(code);
    });
  }

  it.each([
    ['an identifier without a value', varints(0x06)],
    ['half an identifier', Uint8Array.of(0x40)],
    ['half a value', Uint8Array.of(0x06, 0x40)],
  ])('SETTINGS with %s (7.2.4)', (_what, payload) => {
    for (const peer of [Http3Peer.ofServer({}, false), Http3Peer.ofClient({}, false)]) {
      peer
        .send(peer.control, concat(varints(0), frame(Type.SETTINGS, payload)))
        .expectConnectionError('H3_FRAME_ERROR');
    }
  });

  it('PRIORITY_UPDATE without its id (RFC 9218 section 7.2)', () => {
    const peer = Http3Peer.ofServer();
    peer.send(peer.control, frame(Type.PRIORITY_UPDATE, Uint8Array.of(0x40))).expectConnectionError('H3_FRAME_ERROR');
  });

  it('PUSH_PROMISE without its id (7.2.5)', () => {
    asked().send(0, frame(Type.PUSH_PROMISE)).expectConnectionError('H3_FRAME_ERROR');
  });

  it.each([
    ['within a type', Uint8Array.of(0x40)],
    ['within a length', Uint8Array.of(0, 0x40)],
    ['before any payload', Uint8Array.of(0, 3)],
    ['within DATA', data('xyz').subarray(0, 4)],
    ['within HEADERS', headers(['x', 'y']).subarray(0, 4)],
    ['within an unknown frame', frame(0x21, 'xyz').subarray(0, 4)],
  ])('a request that ends %s', (_where, cut) => {
    receiving().send(0, cut, true).expectConnectionError('H3_FRAME_ERROR');
    receiving().send(0, cut).send(0, new Uint8Array(0), true).expectConnectionError('H3_FRAME_ERROR');
    asked().send(0, concat(response, cut), true).expectConnectionError('H3_FRAME_ERROR');
    // A reset may come anywhere.
    receiving().send(0, cut).reset(0).expectAlive();
  });
});

describe('field sections that cannot be decoded (RFC 9204 section 2.2)', () => {
  it.each([
    ['an empty one', ''],
    ['one that refers to a dynamic table', '030081'],
    ['one cut short', '0000ff'],
  ])('%s ends the connection with QPACK_DECOMPRESSION_FAILED', (_what, hex) => {
    const bytes = frame(Type.HEADERS, new Uint8Array(Buffer.from(hex, 'hex')));
    Http3Peer.ofServer().send(0, bytes).expectConnectionError('QPACK_DECOMPRESSION_FAILED');
    receiving().send(0, bytes).expectConnectionError('QPACK_DECOMPRESSION_FAILED');
    asked().send(0, bytes).expectConnectionError('QPACK_DECOMPRESSION_FAILED');
  });
});

describe('what was read is given back to the window, content apart', () => {
  it('frame headers, field sections and unknown frames at once; content when it is consumed', () => {
    const peer = Http3Peer.ofServer();
    const head = concat(headers(request('POST')), frame(0x21, new Uint8Array(500)));
    peer.send(0, concat(head, data('0123456789'), data('ab')));
    expect(peer.quic.stream(0).consumed).toBe(head.length + 4);
    expect(peer.content(0)).toBe('0123456789ab');
    peer.engine.dataConsumed(0, 10);
    expect(peer.quic.stream(0).consumed).toBe(head.length + 14);
    peer.engine.dataConsumed(0, 1000);
    expect(peer.quic.stream(0).consumed).toBe(head.length + 16);
  });

  it('content of a stream that was reset, when its handler has ended', () => {
    const peer = Http3Peer.ofServer();
    const bytes = concat(headers(request('POST')), data('0123456789'));
    peer.send(0, bytes);
    peer.engine.submitStreamReset(0, 0x10c);
    expect(peer.quic.stream(0).consumed).toBe(bytes.length - 10);
    peer.engine.submitHandlerEnd(0);
    expect(peer.quic.stream(0).consumed).toBe(bytes.length);
    peer.send(0, data('late'));
    expect(peer.quic.stream(0).consumed).toBe(bytes.length + 6);
  });
});
