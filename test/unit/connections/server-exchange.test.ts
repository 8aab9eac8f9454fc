import { describe, expect, it } from 'vitest';
import { HfaceError, LocalProtocolError, StreamResetError } from '../../../src/common/index.ts';
import { acceptTunnel, connectionOverStream, offeredTunnel, serveExchanges } from '../../../src/connections/index.ts';
import type { ServerExchange, ServerExchangeHandler, ServerExchanges } from '../../../src/connections/index.ts';
import {
  connectionTerminated,
  dataReceived,
  headersReceived,
  priorityUpdated,
  streamClosed,
  streamResetReceived,
  streamWritable,
  trailersReceived,
} from '../../../src/protocols/index.ts';
import type { HttpEvent, HttpVersion } from '../../../src/protocols/index.ts';
import { ManualClock } from '../concurrency/manual-clock.ts';
import { decode, encode, FakeEngine, FakeStream } from './fakes.ts';

class Recorder implements ServerExchangeHandler {
  readonly calls: string[] = [];
  throwing = '';

  #note(call: string): void {
    this.calls.push(call);
    if (this.throwing !== '' && call.startsWith(this.throwing)) throw new Error(`thrown in ${this.throwing}`);
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean): void {
    this.#note(`data ${decode(data)} ${length}${endStream ? ' END' : ''}`);
  }

  trailersReceived(headers: readonly string[]): void {
    this.#note(`trailers ${headers.join(' ')}`);
  }

  writable(): void {
    this.#note('writable');
  }

  aborted(error: HfaceError): void {
    this.#note(`aborted ${error.message}`);
  }

  closed(): void {
    this.#note('closed');
  }
}

function setUp(multiplexed = false): {
  engine: FakeEngine;
  stream: FakeStream;
  exchanges: ServerExchanges;
  received: { exchange: ServerExchange; handler: Recorder }[];
  ended: (HfaceError | undefined)[];
  deliver: (...events: HttpEvent[]) => void;
  options: { answer: (exchange: ServerExchange) => void; start: boolean };
} {
  const engine = new FakeEngine('server', multiplexed);
  const stream = new FakeStream();
  const connection = connectionOverStream(engine, stream, new ManualClock());
  const received: { exchange: ServerExchange; handler: Recorder }[] = [];
  const ended: (HfaceError | undefined)[] = [];
  const options = { answer: (_exchange: ServerExchange): void => undefined, start: true };
  const exchanges = serveExchanges(connection, {
    exchangeReceived: (exchange) => {
      const handler = new Recorder();
      received.push({ exchange, handler });
      if (options.start) exchange.start(handler);
      options.answer(exchange);
    },
    connectionEnded: (_connection, error) => ended.push(error),
  });
  const deliver = (...events: HttpEvent[]): void => {
    engine.events.push(...events);
    stream.receive('');
  };
  return { engine, stream, exchanges, received, ended, deliver, options };
}

function head(streamId: number, method = 'GET', endStream = true, version: HttpVersion = '1.1'): HttpEvent {
  const pseudo = [':method', method, ':scheme', 'http', ':authority', 'a.example', ':path', '/x?y'];
  return headersReceived(streamId, [...pseudo, 'accept', '*/*'], undefined, endStream, [], version, false);
}

const submitted = (engine: FakeEngine): string[] => engine.calls.filter((call) => !call.startsWith('bytes'));

describe('an exchange', () => {
  it('shows its request', () => {
    const { received, deliver } = setUp();
    const names = ['', '', 'HOST', '', 'Accept'];
    deliver(
      headersReceived(
        1,
        [':method', 'GET', ':scheme', 'http', ':authority', 'h', ':path', '/', 'accept', 'x'],
        names,
        true,
        ['websocket'],
        '1.1',
        false,
      ),
    );
    const { exchange } = received[0]!;
    expect(exchange).toMatchObject({
      method: 'GET',
      scheme: 'http',
      authority: 'h',
      path: '/',
      protocol: undefined,
      upgrade: ['websocket'],
      httpVersion: '1.1',
      endStream: true,
      early: false,
      streamId: 1,
    });
    expect(exchange.headers).toEqual(['accept', 'x']);
    expect(exchange.rawNames).toEqual(['Accept']);
    expect(exchange.connection.httpVersion).toBe('1.1');
    expect(exchange.requestId).toMatch(/^[0-9a-z]+-1$/);
  });

  it('keeps the priority that the application has set, whatever the client asks for later (RFC 9218 section 8)', () => {
    const { received, deliver, engine } = setUp(true);
    deliver(head(1, 'GET', true, '2'), head(3, 'GET', true, '2'));
    received[0]!.exchange.setPriority(0, false);
    deliver(priorityUpdated(1, 7, true), priorityUpdated(3, 6, true));
    expect(submitted(engine)).toEqual(['priority 1 0 false', 'priority 1 0 false']);
    const told = received.map(({ exchange }) => exchange.priorityUpdate?.urgency);
    expect(told).toEqual([7, 6]);
  });

  it('delivers content, trailers and room, and counts bytes', () => {
    const { received, deliver, engine } = setUp();
    deliver(head(1, 'POST', false));
    deliver(dataReceived(1, encode('ab'), 5, false, false), trailersReceived(1, ['t', 'v'], undefined));
    const { exchange, handler } = received[0]!;
    exchange.sendHeaders(200, ['a', 'b'], false);
    expect(exchange.sendData(encode('hello'), false)).toBe(true);
    engine.capacity.set(1, 3);
    expect(exchange.sendData(encode('xxxx'), false)).toBe(false);
    expect(() => exchange.sendData(encode('y'), false)).toThrow(LocalProtocolError);
    engine.capacity.set(1, 100);
    deliver(streamWritable(1));
    exchange.sendTrailers(['t', 'w']);
    exchange.dataConsumed(5);
    deliver(streamClosed(1));
    expect(handler.calls).toEqual(['data ab 5', 'trailers t v', 'writable', 'closed']);
    expect([exchange.bytesReceived, exchange.bytesSent]).toEqual([2, 9]);
    expect(exchange.responseEnded).toBe(true);
    expect(submitted(engine)).toEqual([
      'headers 1 :status 200 a b',
      'data 1 hello',
      'data 1 xxxx',
      'trailers 1 t w',
      'consumed 1 5',
    ]);
  });

  it('sends head and body in one write', () => {
    const { engine, stream, deliver, options } = setUp();
    options.answer = (exchange) => {
      exchange.respond(200, ['content-type', 'text/plain'], encode('hi'));
      engine.output.push([encode('head'), encode('hi')]);
    };
    deliver(head(1));
    expect(submitted(engine)).toEqual([
      'headers 1 :status 200 content-type text/plain content-length 2',
      'data 1 hi END',
    ]);
    expect(stream.writes).toHaveLength(1);
  });

  it.each([
    ['GET', 200, undefined, 'headers 1 :status 200 content-length 0 END'],
    ['GET', 204, undefined, 'headers 1 :status 204 END'],
    ['GET', 304, undefined, 'headers 1 :status 304 END'],
    ['HEAD', 200, undefined, 'headers 1 :status 200 END'],
    ['HEAD', 200, 'body', 'headers 1 :status 200 content-length 4 END'],
  ])('adds content-length where it belongs (RFC 9110 section 8.6): %s %i %s', (method, status, body, expected) => {
    const { engine, deliver, options } = setUp();
    options.answer = (exchange) => exchange.respond(status, [], body === undefined ? undefined : encode(body));
    deliver(head(1, method));
    expect(submitted(engine)).toEqual([expected]);
  });

  it('sends 1xx, but not to HTTP/1.0 (RFC 9110 section 15.2)', () => {
    const { engine, deliver, options } = setUp();
    options.answer = (exchange) => exchange.sendInformational(103, ['link', '</a>']);
    deliver(head(1), streamClosed(1), head(2, 'GET', true, '1.0'));
    expect(submitted(engine)).toEqual(['informational 1 :status 103 link </a>']);
  });

  it('passes the end of its handler on once, also after the stream was closed', () => {
    const { engine, received, deliver } = setUp();
    deliver(head(1));
    deliver(streamClosed(1));
    received[0]!.exchange.handlerEnded();
    received[0]!.exchange.handlerEnded();
    expect(submitted(engine)).toEqual(['handlerEnd 1']);
  });
});

describe('the way out', () => {
  const error = new StreamResetError('gone', { errorCode: 1, initiator: 'peer' });

  it('by a reset: aborted once, closed last, and nothing is sent any more', () => {
    const { engine, received, deliver } = setUp();
    deliver(head(1, 'POST', false));
    const { exchange, handler } = received[0]!;
    deliver(streamResetReceived(1, 1, 'maybe', error), dataReceived(1, encode('late'), 4, false, false));
    exchange.sendHeaders(200, [], false);
    expect(exchange.sendData(encode('x'), false)).toBe(false);
    exchange.respond(200, [], undefined);
    exchange.sendTrailers([]);
    exchange.acceptTunnel([]);
    exchange.reset();
    deliver(streamClosed(1));
    expect(handler.calls).toEqual(['aborted gone', 'closed']);
    expect(exchange.abortedWith).toBe(error);
    // What nobody reads is given back.
    expect(submitted(engine)).toEqual(['consumed 1 4']);
  });

  it('by the end of the connection: every exchange, then the connection', async () => {
    const { received, stream, ended, deliver, engine, exchanges } = setUp(true);
    deliver(head(1), head(3));
    expect(exchanges.active).toBe(2);
    const lost = new HfaceError('lost', { code: 'ERR_NETWORK', initiator: 'network' });
    engine.onLost = () => engine.events.push(connectionTerminated(0, '', 'maybe', lost));
    stream.gone(lost);
    await Promise.resolve();
    expect(received.map(({ handler }) => handler.calls)).toEqual([
      ['aborted lost', 'closed'],
      ['aborted lost', 'closed'],
    ]);
    expect(ended).toEqual([lost]);
    expect(exchanges.active).toBe(0);
  });

  it('by its own reset: only closed follows', () => {
    const { engine, received, deliver } = setUp();
    deliver(head(1));
    received[0]!.exchange.reset();
    deliver(streamClosed(1));
    expect(submitted(engine)).toEqual(['reset 1 2']);
    expect(received[0]!.handler.calls).toEqual(['closed']);
  });

  it('when nobody takes the exchange: it is reset and its handler counts as ended', () => {
    const { engine, deliver, options } = setUp();
    options.start = false;
    deliver(head(1), streamClosed(1));
    expect(submitted(engine)).toEqual(['reset 1 2', 'handlerEnd 1']);
  });

  it.each(['data', 'trailers', 'writable', 'aborted', 'closed'])(
    'when its handler throws in %s: it is reset, the others go on',
    (where) => {
      const { engine, received, deliver } = setUp(true);
      deliver(head(1, 'POST', false), head(3, 'POST', false));
      received[0]!.handler.throwing = where;
      deliver(
        dataReceived(1, encode('x'), 1, false, false),
        trailersReceived(1, [], undefined),
        streamWritable(1),
        streamResetReceived(1, 1, 'maybe', error),
        streamClosed(1),
        dataReceived(3, encode('y'), 1, true, false),
        streamClosed(3),
      );
      expect(received[0]!.handler.calls.at(-1)).toBe('closed');
      expect(received[0]!.handler.calls.filter((call) => call.startsWith('aborted'))).toHaveLength(1);
      expect(received[1]!.handler.calls).toEqual(['data y 1 END', 'closed']);
      expect(engine.calls.some((call) => call.startsWith('close'))).toBe(false);
    },
  );

  it('when taking it throws: it is reset', () => {
    const { engine, deliver, options } = setUp();
    options.answer = () => {
      throw new Error('mine');
    };
    deliver(head(1));
    expect(submitted(engine)).toEqual(['reset 1 2']);
  });
});

describe('a tunnel', () => {
  const upgrade = headersReceived(1, [':method', 'GET'], undefined, true, ['WebSocket'], '1.1', false);
  const extended = headersReceived(
    1,
    [':method', 'CONNECT', ':protocol', 'websocket'],
    undefined,
    false,
    [],
    '2',
    false,
  );

  it('is accepted by 101, by 2xx, and by 2xx to an extended CONNECT', () => {
    for (const [event, protocol, expected] of [
      [upgrade, 'websocket', 'headers 1 :status 101 a b'],
      [extended, 'websocket', 'headers 1 :status 200 a b'],
      [head(1, 'CONNECT', false), undefined, 'headers 1 :status 200 a b'],
    ] as const) {
      const { engine, received, deliver } = setUp();
      const tokens: (string | undefined)[] = [];
      engine.onHeaders = (_id, _headers, options) => tokens.push(options.upgrade);
      deliver(event);
      acceptTunnel(received[0]!.exchange, protocol, ['a', 'b']);
      expect(submitted(engine)).toEqual([expected]);
      // The token as it was offered.
      expect(tokens).toEqual([event === upgrade ? 'WebSocket' : undefined]);
    }
  });

  it('is refused for what was not asked', () => {
    const { received, deliver } = setUp();
    deliver(head(1), streamClosed(1), extended);
    const [plain, connect] = [received[0]!.exchange, received[1]!.exchange];
    expect(offeredTunnel(plain, 'websocket')).toBeUndefined();
    expect(() => acceptTunnel(plain, 'websocket')).toThrow(LocalProtocolError);
    expect(() => acceptTunnel(plain, undefined)).toThrow(LocalProtocolError);
    expect(() => plain.acceptTunnel([])).toThrow(LocalProtocolError);
    expect(() => acceptTunnel(connect, undefined)).toThrow(LocalProtocolError);
    expect(() => acceptTunnel(connect, 'connect-udp')).toThrow(LocalProtocolError);
  });
});
