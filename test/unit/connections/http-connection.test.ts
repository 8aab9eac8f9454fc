import { describe, expect, it } from 'vitest';
import { HfaceError, LocalProtocolError, StreamResetError } from '../../../src/common/index.ts';
import { connectionOverStream } from '../../../src/connections/index.ts';
import type { HttpConnection } from '../../../src/connections/index.ts';
import {
  connectionTerminated,
  dataReceived,
  headersReceived,
  streamClosed,
  streamResetReceived,
  streamWritable,
} from '../../../src/protocols/index.ts';
import type { HttpEvent } from '../../../src/protocols/index.ts';
import { ManualClock } from '../concurrency/manual-clock.ts';
import { encode, FakeEngine, FakeStream, turn } from './fakes.ts';

function setUp(
  role: 'client' | 'server' = 'server',
  multiplexed = false,
): {
  engine: FakeEngine;
  stream: FakeStream;
  connection: HttpConnection;
  deliver: (...events: HttpEvent[]) => void;
} {
  const engine = new FakeEngine(role, multiplexed);
  const stream = new FakeStream();
  const connection = connectionOverStream(engine, stream, new ManualClock());
  const deliver = (...events: HttpEvent[]): void => {
    engine.events.push(...events);
    stream.receive('');
  };
  return { engine, stream, connection, deliver };
}

const request = headersReceived(1, [':method', 'GET'], undefined, false, [], '1.1', false);
const data = (text: string): HttpEvent => dataReceived(1, encode(text), text.length + 3, false, false);

describe('pulling', () => {
  it('gives events in order, waiting for them or not', async () => {
    const { connection, deliver } = setUp();
    const first = connection.receiveEvent();
    deliver(request, streamClosed(1));
    expect(await first).toBe(request);
    expect(await connection.receiveEvent()).toEqual(streamClosed(1));
  });

  it('pauses reading while events wait, and goes on when none does', async () => {
    const { connection, stream, deliver } = setUp();
    const first = connection.receiveEvent();
    deliver(request, data('a'));
    await first;
    expect(stream.calls).toEqual(['pause']);
    await connection.receiveEvent();
    expect(stream.calls).toEqual(['pause', 'resume']);
  });

  it('reads on where there are many streams, until too much waits that no window bounds', async () => {
    const { connection, stream, deliver } = setUp('server', true);
    const first = connection.receiveEvent();
    deliver(request, ...Array.from({ length: 2_000 }, () => data('a')));
    deliver(...Array.from({ length: 1_023 }, () => streamWritable(1)));
    await first;
    expect(stream.calls).toEqual([]);
    deliver(streamWritable(1));
    expect(stream.calls).toEqual(['pause']);
    for (let pulled = 0; pulled < 2_001; pulled += 1) await connection.receiveEvent();
    expect(stream.calls).toEqual(['pause', 'resume']);
  });

  it('consumes content when it is handed out', async () => {
    const { connection, engine, deliver } = setUp();
    const first = connection.receiveEvent();
    deliver(request, data('abc'));
    await first;
    expect(engine.calls).not.toContain('consumed 1 6');
    await connection.receiveEvent();
    expect(engine.calls).toContain('consumed 1 6');
  });

  it('by for await ends after ConnectionTerminated', async () => {
    const { connection, stream, deliver } = setUp();
    const seen: string[] = [];
    const loop = (async () => {
      for await (const event of connection) seen.push(event.type);
    })();
    await turn();
    deliver(request, streamClosed(1));
    await turn();
    stream.gone(undefined);
    await loop;
    expect(seen).toEqual(['HeadersReceived', 'StreamClosed', 'ConnectionTerminated']);
    expect(await connection.receiveEvent()).toBeUndefined();
  });

  it('can be given up by a signal, and no event is lost', async () => {
    const { connection, deliver } = setUp();
    const controller = new AbortController();
    const waiting = connection.receiveEvent(controller.signal);
    const next = connection.receiveEvent();
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    deliver(request);
    expect(await next).toBe(request);
    await expect(connection.receiveEvent(controller.signal)).rejects.toThrow('enough');
  });

  it('is refused once a callback was set, and the other way round', async () => {
    const { connection } = setUp();
    connection.setEventHandler(() => undefined);
    await expect(connection.receiveEvent()).rejects.toThrow(LocalProtocolError);
    expect(() => connection.attach({ eventReceived: () => undefined, ended: () => undefined })).toThrow(
      LocalProtocolError,
    );
    const other = setUp();
    void other.connection.receiveEvent();
    expect(() => other.connection.setEventHandler(() => undefined)).toThrow(LocalProtocolError);
  });
});

describe('a callback', () => {
  it('gets every event synchronously and consumes content itself', () => {
    const { connection, engine, deliver } = setUp();
    const seen: HttpEvent[] = [];
    connection.setEventHandler((event) => seen.push(event));
    deliver(request, data('abc'));
    expect(seen).toHaveLength(2);
    expect(engine.calls.some((call) => call.startsWith('consumed'))).toBe(false);
    connection.dataConsumed(1, 6);
    expect(engine.calls).toContain('consumed 1 6');
  });
});

describe('sending', () => {
  it('resolves when the stream takes more, and keeps the order of several calls', async () => {
    const { connection, engine, deliver } = setUp('client');
    const id = connection.getAvailableStreamId();
    connection.sendHeaders(id, [':method', 'POST'], { endStream: false });
    await connection.sendData(id, new Uint8Array(99), { endStream: false });
    const order: string[] = [];
    const full = connection.sendData(id, encode('xx'), { endStream: false }).then(() => order.push('full'));
    const next = connection.sendData(id, encode('yy'), { endStream: false }).then(() => order.push('next'));
    await turn();
    expect(order).toEqual([]);
    expect(engine.calls.at(-1)).toBe('data 1 xx');
    engine.capacity.set(id, 100);
    deliver(streamWritable(id));
    await Promise.all([full, next]);
    expect(engine.calls.filter((call) => call.startsWith('data'))).toHaveLength(3);
    await connection.sendData(id, encode('end'), { endStream: true });
    expect(engine.calls.at(-1)).toBe('data 1 end END');
  });

  it('rejects when the stream is reset, closed, or the connection ends', async () => {
    const { connection, engine, stream, deliver } = setUp('client');
    for (const id of [1, 2, 3]) {
      connection.sendHeaders(id, [':method', 'POST'], { endStream: false });
      engine.capacity.set(id, 1);
    }
    const sends = [1, 2, 3].map((id) => connection.sendData(id, encode('x'), { endStream: false }));
    const outcomes = Promise.allSettled(sends);
    const error = new StreamResetError('no', { errorCode: 5, initiator: 'peer' });
    deliver(streamResetReceived(1, 5, 'no', error), streamClosed(1), streamClosed(2));
    const gone = new HfaceError('gone', { code: 'ERR_NETWORK', initiator: 'network' });
    engine.onLost = () => engine.events.push(connectionTerminated(0, '', 'maybe', gone));
    stream.gone(gone);
    const reasons = (await outcomes).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as unknown) : 0,
    );
    expect(reasons[0]).toBe(error);
    expect(reasons[1]).toBeInstanceOf(StreamResetError);
    expect(reasons[2]).toBe(gone);
    await expect(connection.sendData(1, encode('x'), { endStream: false })).rejects.toThrow();
    expect(connection.error).toBe(gone);
  });

  it('need not be awaited: a rejection that nobody handles ends nothing', async () => {
    const { connection, engine, stream } = setUp('client');
    connection.sendHeaders(1, [':method', 'POST'], { endStream: false });
    engine.capacity.set(1, 1);
    void connection.sendData(1, encode('x'), { endStream: false });
    stream.gone(undefined);
    await turn();
    void connection.sendData(1, encode('late'), { endStream: true });
    await turn();
    expect(connection.isClosed).toBe(true);
  });

  it('stops waiting when its signal says so', async () => {
    const { connection, engine } = setUp('client');
    connection.sendHeaders(1, [':method', 'POST'], { endStream: false });
    engine.capacity.set(1, 1);
    const controller = new AbortController();
    const sending = connection.sendData(1, encode('x'), { endStream: false, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(sending).rejects.toThrow('enough');
  });

  it('passes the rest on to the engine', () => {
    const { connection, engine } = setUp();
    connection.sendInformational(1, [':status', '103']);
    connection.sendTrailers(1, ['a', 'b']);
    connection.sendStreamReset(1);
    connection.sendStreamReset(1, 7);
    connection.handlerEnded(1);
    void connection.shutdown();
    void connection.close(5, 'why');
    void connection.close();
    expect(engine.calls).toEqual([
      'informational 1 :status 103',
      'trailers 1 a b',
      'reset 1 4',
      'reset 1 7',
      'handlerEnd 1',
      'shutdown',
      'close 5 why',
    ]);
  });
});

describe('the end', () => {
  it('resolves closed and runs callbacks once, also those that come late', async () => {
    const { connection, engine } = setUp();
    const calls: string[] = [];
    connection.onClosed(() => calls.push('first'));
    engine.onClose = () => engine.events.push(connectionTerminated(0, '', 'maybe', undefined));
    await connection[Symbol.asyncDispose]();
    connection.onClosed(() => calls.push('late'));
    expect(calls).toEqual(['first', 'late']);
    expect(connection.isClosed).toBe(true);
    expect(connection.error).toBeUndefined();
    await connection.closed;
  });

  it('by abort leaves nothing, even before anything was received', async () => {
    const { connection, stream } = setUp();
    const error = new HfaceError('no', { code: 'ERR_X', initiator: 'application' });
    connection.abort(error);
    await connection.closed;
    expect(stream.calls).toEqual(['abort']);
    expect(connection.error).toBe(error);
  });

  it('comes with detach, and what waits to be pulled goes with the stream', async () => {
    const { connection, deliver, stream } = setUp();
    const first = connection.receiveEvent();
    deliver(request, data('one'), data('two'));
    await first;
    stream.handler?.endReceived();
    const detached = connection.detach();
    expect(detached.unread).toEqual([encode('one'), encode('two'), encode('unread')]);
    expect(detached.ended).toBe(true);
    expect(await connection.receiveEvent()).toBeUndefined();
  });

  it('comes with detach', async () => {
    const { connection, stream } = setUp();
    const waiting = connection.receiveEvent();
    const { stream: given } = connection.detach();
    expect(given).toBe(stream);
    expect(await waiting).toBeUndefined();
    await connection.closed;
    expect(connection.isClosed).toBe(true);
  });
});
