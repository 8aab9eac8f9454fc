/**
 * RFC 9000 section 3: every state of a stream against every frame about it, as a server sees them.
 */
import { describe, expect, it } from 'vitest';
import type { QuicStreams } from '../../../src/protocols/quic/streams.ts';
import { bytesFrom, StreamSide } from './streams-side.ts';

const LOCAL_BIDI = 1;
const PEER_BIDI = 0;
const LOCAL_UNI = 3;
const PEER_UNI = 2;
const EMPTY = new Uint8Array(0);

/** The six frames, each as what becomes of it: a fault, or events and the frames that answer it. */
const frames = {
  stream: (streams: QuicStreams, id: number): void =>
    streams.streamReceived(id, 10, bytesFrom(10, 5), false, false, 0x0e),
  fin: (streams: QuicStreams, id: number): void => streams.streamReceived(id, 10, bytesFrom(10, 5), true, false, 0x0f),
  reset: (streams: QuicStreams, id: number): void => streams.resetStreamReceived(id, 7, 15),
  stop: (streams: QuicStreams, id: number): void => streams.stopSendingReceived(id, 9),
  window: (streams: QuicStreams, id: number): void => streams.maxStreamDataReceived(id, 2_000_000),
  blocked: (streams: QuicStreams, id: number): void => streams.streamDataBlockedReceived(id, 5),
} as const;
type Frame = keyof typeof frames;
type Row = Readonly<Record<Frame, string>>;

const state = {
  stream: 'streamStateError 0xe',
  fin: 'streamStateError 0xf',
  reset: 'streamStateError 0x4',
  stop: 'streamStateError 0x5',
  window: 'streamStateError 0x11',
  blocked: 'streamStateError 0x15',
};
const limit = {
  stream: 'streamLimitError 0xe',
  fin: 'streamLimitError 0xf',
  reset: 'streamLimitError 0x4',
  stop: 'streamLimitError 0x5',
  window: 'streamLimitError 0x11',
  blocked: 'streamLimitError 0x15',
};
/** What a receiving side does with bytes 0 to 9 read. */
const receiving = { stream: 'Received 5', fin: 'Received 5 fin', reset: 'ResetReceived 7', blocked: '' };
/** What one does with the end known to be at 15 and a gap before it. */
const known = { stream: 'Received 5 fin', fin: 'Received 5 fin', reset: 'ResetReceived 7', blocked: '' };
/** What a sending side does that has sent bytes. */
const sending = { stop: 'StopSendingReceived 9 | resetStream 9 at 3', window: '' };
const silent = { stream: '', fin: '', reset: '', blocked: '' };
const deaf = { stop: '', window: '' };
const finalSize = { stream: 'finalSizeError 0xe', fin: 'finalSizeError 0xf', reset: 'finalSizeError 0x4', blocked: '' };

/** Every state: how a stream gets there, and what each frame does then. */
const states: readonly [name: string, id: number, prepare: (side: StreamSide) => void, row: Row][] = [
  ['idle, local bidirectional', LOCAL_BIDI, () => undefined, state],
  ['idle, local unidirectional', LOCAL_UNI, () => undefined, state],
  [
    "idle, the peer's bidirectional",
    PEER_BIDI,
    () => undefined,
    {
      stream: '',
      fin: '',
      reset: 'ResetReceived 7',
      stop: 'StopSendingReceived 9 | resetStream 9 at 0',
      window: '',
      blocked: '',
    },
  ],
  [
    "idle, the peer's unidirectional",
    PEER_UNI,
    () => undefined,
    { stream: '', fin: '', reset: 'ResetReceived 7 Closed', stop: state.stop, window: state.window, blocked: '' },
  ],
  ["beyond the limit, the peer's bidirectional", 4 * 128, () => undefined, limit],
  [
    "beyond the limit, the peer's unidirectional",
    4 * 16 + 2,
    () => undefined,
    { ...limit, stop: state.stop, window: state.window },
  ],
  ['an id that no number holds', 2 ** 53, () => undefined, limit],

  // Receiving sides (section 3.2).
  [
    'Recv, unidirectional',
    PEER_UNI,
    (side) => come(side, PEER_UNI),
    {
      ...receiving,
      fin: 'Received 5 fin Closed',
      reset: 'ResetReceived 7 Closed',
      stop: state.stop,
      window: state.window,
    },
  ],
  [
    'Size Known, unidirectional',
    PEER_UNI,
    (side) => {
      come(side, PEER_UNI);
      side.streams.streamReceived(PEER_UNI, 15, EMPTY, true);
    },
    {
      stream: 'Received 5 fin Closed',
      fin: 'Received 5 fin Closed',
      reset: 'ResetReceived 7 Closed',
      stop: state.stop,
      window: state.window,
      blocked: '',
    },
  ],
  [
    'Data Read, unidirectional, unconsumed',
    PEER_UNI,
    (side) => side.streams.streamReceived(PEER_UNI, 0, bytesFrom(0, 15), true),
    { ...silent, stop: state.stop, window: state.window },
  ],
  [
    'Data Read with another size, unidirectional, unconsumed',
    PEER_UNI,
    (side) => side.streams.streamReceived(PEER_UNI, 0, bytesFrom(0, 14), true),
    { ...finalSize, stop: state.stop, window: state.window },
  ],
  [
    'Data Read, unidirectional, forgotten',
    PEER_UNI,
    (side) => {
      side.streams.streamReceived(PEER_UNI, 0, bytesFrom(0, 14), true);
      side.streams.streamConsumed(PEER_UNI, 14);
    },
    { ...finalSize, stop: state.stop, window: state.window },
  ],
  [
    'Data Read, unidirectional, forgotten, of the size that the frames say',
    PEER_UNI,
    (side) => {
      side.streams.streamReceived(PEER_UNI, 0, bytesFrom(0, 15), true);
      side.streams.streamConsumed(PEER_UNI, 15);
    },
    { ...silent, stop: state.stop, window: state.window },
  ],
  [
    'Reset Read, unidirectional, forgotten',
    PEER_UNI,
    (side) => side.streams.resetStreamReceived(PEER_UNI, 1, 3),
    { ...finalSize, stop: state.stop, window: state.window },
  ],
  [
    'Reset Read, unidirectional, forgotten, of the size that the frames say',
    PEER_UNI,
    (side) => side.streams.resetStreamReceived(PEER_UNI, 1, 15),
    { ...silent, stop: state.stop, window: state.window },
  ],
  [
    'stopped, unidirectional',
    PEER_UNI,
    (side) => {
      come(side, PEER_UNI);
      side.streams.stopSending(PEER_UNI, 1);
    },
    { stream: '', fin: 'Closed', reset: 'Closed', stop: state.stop, window: state.window, blocked: '' },
  ],

  // Sending sides (section 3.1).
  [
    'Ready, unidirectional',
    LOCAL_UNI,
    (side) => void side.streams.openStream(false),
    { ...state, stop: 'StopSendingReceived 9 | resetStream 9 at 0', window: '' },
  ],
  ['Send, unidirectional', LOCAL_UNI, (side) => go(side, false, false), { ...state, ...sending }],
  ['Data Sent, unidirectional', LOCAL_UNI, (side) => go(side, false, true), { ...state, ...sending }],
  [
    'Data Recvd, unidirectional',
    LOCAL_UNI,
    (side) => {
      side.streams.openStream(false);
      side.streams.writeStream(LOCAL_UNI, bytesFrom(0, 3), true);
      acknowledgeAll(side);
    },
    { ...state, ...deaf },
  ],
  [
    'Reset Sent, unidirectional',
    LOCAL_UNI,
    (side) => {
      go(side, false, false);
      side.streams.resetStream(LOCAL_UNI, 1);
      side.flush();
    },
    { ...state, ...deaf },
  ],
  [
    'Reset Recvd, unidirectional',
    LOCAL_UNI,
    (side) => {
      go(side, false, false);
      side.streams.resetStream(LOCAL_UNI, 1);
      acknowledgeAll(side);
    },
    { ...state, ...deaf },
  ],

  // Both at once.
  ['Send and Recv, local', LOCAL_BIDI, (side) => both(side, false), { ...receiving, ...sending }],
  ['Data Sent and Recv, local', LOCAL_BIDI, (side) => both(side, true), { ...receiving, ...sending }],
  [
    'Data Recvd and Recv, local',
    LOCAL_BIDI,
    (side) => {
      side.streams.openStream(true);
      come(side, LOCAL_BIDI);
      side.streams.writeStream(LOCAL_BIDI, bytesFrom(0, 3), true);
      acknowledgeAll(side);
    },
    { ...receiving, fin: 'Received 5 fin Closed', reset: 'ResetReceived 7 Closed', ...deaf },
  ],
  [
    'Reset Sent and Recv, local',
    LOCAL_BIDI,
    (side) => {
      both(side, false);
      side.streams.resetStream(LOCAL_BIDI, 1);
      side.flush();
    },
    { ...receiving, ...deaf },
  ],
  [
    'Reset Recvd and Recv, local',
    LOCAL_BIDI,
    (side) => {
      both(side, false);
      side.streams.resetStream(LOCAL_BIDI, 1);
      acknowledgeAll(side);
    },
    { ...receiving, fin: 'Received 5 fin Closed', reset: 'ResetReceived 7 Closed', ...deaf },
  ],
  [
    'Send and Size Known, local',
    LOCAL_BIDI,
    (side) => {
      both(side, false);
      side.streams.streamReceived(LOCAL_BIDI, 15, EMPTY, true);
    },
    { ...known, ...sending },
  ],
  [
    'Send and Data Read, local',
    LOCAL_BIDI,
    (side) => {
      both(side, false);
      side.streams.streamReceived(LOCAL_BIDI, 10, bytesFrom(10, 5), true);
    },
    { ...silent, ...sending },
  ],
  [
    'Send and Reset Read, local',
    LOCAL_BIDI,
    (side) => {
      both(side, false);
      side.streams.resetStreamReceived(LOCAL_BIDI, 1, 15);
    },
    { ...silent, ...sending },
  ],
  [
    'Send and stopped, local',
    LOCAL_BIDI,
    (side) => {
      both(side, false);
      side.streams.stopSending(LOCAL_BIDI, 1);
      side.flush();
    },
    { ...silent, ...sending },
  ],
  [
    'closed, local bidirectional, forgotten',
    LOCAL_BIDI,
    (side) => {
      both(side, true);
      side.streams.streamReceived(LOCAL_BIDI, 10, EMPTY, true);
      side.streams.streamConsumed(LOCAL_BIDI, 10);
      side.streams.resetStream(LOCAL_BIDI, 1);
      acknowledgeAll(side);
    },
    { ...finalSize, ...deaf },
  ],
  [
    "closed, the peer's bidirectional, forgotten",
    PEER_BIDI,
    (side) => {
      come(side, PEER_BIDI);
      side.streams.streamReceived(PEER_BIDI, 10, EMPTY, true);
      side.streams.streamConsumed(PEER_BIDI, 10);
      side.streams.writeStream(PEER_BIDI, EMPTY, true);
      acknowledgeAll(side);
    },
    { ...finalSize, ...deaf },
  ],
];

/** Ten bytes come. */
function come(side: StreamSide, id: number): void {
  side.streams.streamReceived(id, 0, bytesFrom(0, 10), false);
}

/** Three bytes go. */
function go(side: StreamSide, bidirectional: boolean, fin: boolean): void {
  const id = side.streams.openStream(bidirectional);
  side.streams.writeStream(id, bytesFrom(0, 3), fin);
  side.flush();
}

function both(side: StreamSide, fin: boolean): void {
  go(side, true, fin);
  come(side, LOCAL_BIDI);
}

function acknowledgeAll(side: StreamSide): void {
  for (const packet of side.flush()) side.acknowledge(packet);
}

/** Events and frames in a line. */
function outcome(side: StreamSide, act: (streams: QuicStreams) => void): string {
  side.flush();
  side.take();
  const fault = side.fault(act);
  if (fault !== undefined) return fault;
  const told = side.take().map((event) => {
    const name = event.type.replace('QuicStream', '').replace('Quic', '');
    if (event.type === 'QuicStreamReceived') return `${name} ${String(event.data.length)}${event.fin ? ' fin' : ''}`;
    return 'errorCode' in event ? `${name} ${String(event.errorCode)}` : name;
  });
  const answers = side
    .sends()
    .map(([name, , code, size]) => `${name.replace('Received', '')} ${String(code)} at ${String(size)}`);
  return [told.join(' '), ...answers].join(' | ').replace(/^ \| /, '');
}

describe.each(states)('RFC 9000 section 3: %s', (_name, id, prepare, row) => {
  it.each(Object.entries(row) as [Frame, string][])('%s: %s', (frame, expected) => {
    const side = new StreamSide('server');
    prepare(side);
    expect(outcome(side, (streams) => frames[frame](streams, id))).toBe(expected);
  });

  it('leaves the promise of memory within its bound, whatever comes twice and in any order', () => {
    for (const first of Object.values(frames)) {
      for (const second of Object.values(frames)) {
        const side = new StreamSide('server');
        prepare(side);
        for (const act of [first, second, first]) side.fault((streams) => act(streams, id));
        side.flush();
        expect(side.streams.outstanding).toBeLessThanOrEqual(10 * 1_048_576);
      }
    }
  });
});

it('tells of the end of each direction once, and of the end of both once and last', () => {
  for (const [, id, prepare] of states) {
    for (const first of Object.values(frames)) {
      for (const second of Object.values(frames)) {
        const side = new StreamSide('server');
        prepare(side);
        side.fault((streams) => first(streams, id));
        side.fault((streams) => second(streams, id));
        for (const packet of side.flush()) side.acknowledge(packet);
        const events = side.take();
        const ends = events.filter(
          (event) => event.type === 'QuicStreamResetReceived' || ('fin' in event && event.fin),
        );
        const closed = events.filter(({ type }) => type === 'QuicStreamClosed');
        expect([ends.length <= 1, closed.length <= 1]).toEqual([true, true]);
        if (closed.length === 1) expect(events.at(-1)?.type).toBe('QuicStreamClosed');
      }
    }
  }
});
