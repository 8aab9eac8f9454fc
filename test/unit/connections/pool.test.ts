import { describe, expect, it } from 'vitest';
import { NetworkError, StreamResetError } from '../../../src/common/index.ts';
import type { ClientTlsConfig, HeaderList, HfaceError, LimitError, TimeoutError } from '../../../src/common/index.ts';
import { CancelledError } from '../../../src/concurrency/index.ts';
import { HttpOverTcpOpener, HttpPool } from '../../../src/connections/index.ts';
import type {
  ClientExchangeRequest,
  PoolAssignment,
  PoolLimitOptions,
  PoolRequest,
  PoolRequestHandler,
  PoolRequestOptions,
  PoolTarget,
} from '../../../src/connections/index.ts';
import {
  connectionTerminated,
  dataReceived,
  headersReceived,
  informationalReceived,
  settingsReceived,
  streamClosed,
  streamResetReceived,
  streamResetSent,
  streamsAvailable,
  streamWritable,
  trailersReceived,
} from '../../../src/protocols/index.ts';
import type { HttpEvent, HttpOverTcpFactory } from '../../../src/protocols/index.ts';
import { FakeNetworking } from './fake-networking.ts';
import type { FakeConnect } from './fake-networking.ts';
import { decode, encode, FakeEngine, turn } from './fakes.ts';
import type { FakeStream } from './fakes.ts';

class Recorder implements PoolRequestHandler {
  readonly calls: string[] = [];
  assignment: PoolAssignment | undefined = undefined;
  error: HfaceError | undefined = undefined;
  throwing = '';

  #note(call: string): void {
    this.calls.push(call);
    if (this.throwing !== '' && call.startsWith(this.throwing)) throw new Error(`thrown in ${this.throwing}`);
  }

  started(assignment: PoolAssignment): void {
    this.assignment = assignment;
    this.#note(`started${assignment.reused ? ' reused' : ''}`);
  }

  informationalReceived(status: number, headers: HeaderList): void {
    this.#note(`informational ${status} ${headers.join(' ')}`);
  }

  headersReceived(status: number, headers: HeaderList, _names: unknown, version: string, endStream: boolean): void {
    this.#note(`headers ${status} ${headers.join(' ')} ${version}${endStream ? ' END' : ''}`);
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean, closeDelimited: boolean): void {
    this.#note(`data ${decode(data)} ${length}${endStream ? ' END' : ''}${closeDelimited ? ' CLOSE' : ''}`);
  }

  trailersReceived(headers: HeaderList): void {
    this.#note(`trailers ${headers.join(' ')}`);
  }

  writable(): void {
    this.#note('writable');
  }

  failed(error: HfaceError, processed: string): void {
    this.error = error;
    this.#note(`failed ${processed}`);
  }

  closed(): void {
    this.#note('closed');
  }
}

class Factory implements HttpOverTcpFactory {
  readonly role = 'client';
  readonly alpnProtocols = ['http/1.1'];
  readonly engines: FakeEngine[] = [];
  multiplexed = false;

  create(): FakeEngine {
    const engine = new FakeEngine('client', this.multiplexed);
    engine.onShutdown = engine.onClose = () => {
      engine.wantsEof = true;
      engine.available = false;
      engine.events.push(connectionTerminated(0, '', 'maybe', undefined));
    };
    engine.onReset = (streamId) => {
      engine.events.push(streamClosed(streamId));
      if (!this.multiplexed) engine.events.push(connectionTerminated(4, 'reset', 'maybe', undefined));
    };
    engine.onLost = (error) => engine.events.push(connectionTerminated(0, '', 'maybe', error));
    this.engines.push(engine);
    return engine;
  }
}

const GET: ClientExchangeRequest = {
  method: 'GET',
  scheme: 'http',
  authority: 'a.example',
  path: '/',
  protocol: undefined,
  upgrade: undefined,
  headers: ['accept', '*/*'],
  rawNames: undefined,
  endStream: true,
};
const A: PoolTarget = { origin: { scheme: 'http', host: 'a.example', port: 80 } };
const B: PoolTarget = { origin: { scheme: 'http', host: 'b.example', port: 80 } };

class World {
  readonly networking = new FakeNetworking();
  readonly factory = new Factory();
  readonly pool: HttpPool;
  readonly streams: FakeStream[] = [];

  constructor(limits: PoolLimitOptions = {}, multiplexed = false) {
    this.factory.multiplexed = multiplexed;
    const opener = new HttpOverTcpOpener({ networking: this.networking, factory: this.factory });
    this.pool = new HttpPool({ opener, clock: this.networking.clock, limits });
  }

  ask(
    options: PoolRequestOptions = {},
    target: PoolTarget = A,
    request: ClientExchangeRequest = GET,
    throwing = '',
  ): { handler: Recorder; request: PoolRequest } {
    const handler = new Recorder();
    handler.throwing = throwing;
    return { handler, request: this.pool.request(target, request, handler, options) };
  }

  /** The attempts that are under way. */
  get attempts(): FakeConnect[] {
    return this.networking.connects.filter(({ settled }) => !settled);
  }

  /** The next attempt succeeds. */
  async connect(): Promise<FakeEngine> {
    this.streams.push(this.attempts[0]!.succeed());
    await turn();
    return this.factory.engines.at(-1)!;
  }

  deliver(index: number, ...events: HttpEvent[]): void {
    this.factory.engines[index]!.events.push(...events);
    this.streams[index]!.receive('');
  }

  /** A complete response. */
  answer(index: number, streamId: number, status = '200'): void {
    const head = headersReceived(streamId, [':status', status, 'a', 'b'], undefined, true, [], '1.1', false);
    this.deliver(index, head, streamClosed(streamId));
  }
}

describe('a request', () => {
  it('waits for a connection, is sent, answered and over', async () => {
    const world = new World();
    const { handler } = world.ask();
    expect(handler.calls).toEqual([]);
    expect(world.pool.state).toEqual({ origins: 1, connections: 1, waiting: 1 });
    expect(world.attempts[0]?.options.target).toEqual({ host: 'a.example', port: 80 });
    const engine = await world.connect();
    expect(engine.calls[0]).toBe('headers 1 :method GET :scheme http :authority a.example :path / accept */* END');
    world.deliver(
      0,
      informationalReceived(1, [':status', '103', 'x', 'y'], undefined),
      headersReceived(1, [':status', '200', 'a', 'b'], undefined, false, [], '1.1', false),
      dataReceived(1, encode('hi'), 2, false, false),
      trailersReceived(1, ['t', 'v'], undefined),
      streamClosed(1),
    );
    expect(handler.calls).toEqual([
      'started',
      'informational 103 x y',
      'headers 200 a b 1.1',
      'data hi 2',
      'trailers t v',
      'closed',
    ]);
    expect(handler.assignment?.exchange.bytesReceived).toBe(2);
  });

  it('is sent at once, before request returns, when a connection is at hand', async () => {
    const world = new World();
    world.ask();
    await world.connect();
    world.answer(0, 1);
    const { handler } = world.ask();
    expect(handler.calls).toEqual(['started reused']);
    expect(world.networking.connects).toHaveLength(1);
    expect(handler.assignment?.timings.connect).toBeUndefined();
  });

  it('sends content, is told of room, and counts', async () => {
    const world = new World();
    const { handler } = world.ask({}, A, { ...GET, method: 'POST', endStream: false });
    const engine = await world.connect();
    const exchange = handler.assignment!.exchange;
    expect(exchange.sendData(encode('abc'), false)).toBe(true);
    engine.capacity.set(1, 1);
    expect(exchange.sendData(encode('d'), false)).toBe(false);
    world.deliver(0, streamWritable(1));
    engine.capacity.set(1, 10);
    exchange.sendTrailers(['t', 'v']);
    exchange.setPriority(1, true);
    exchange.dataConsumed(3);
    expect([exchange.bytesSent, exchange.streamId]).toEqual([4, 1]);
    expect(exchange.connection.httpVersion).toBe('1.1');
    expect(engine.calls.slice(1).filter((call) => !call.startsWith('bytes'))).toEqual([
      'data 1 abc',
      'data 1 d',
      'trailers 1 t v',
      'priority 1 1 true',
      'consumed 1 3',
    ]);
    expect(handler.calls).toEqual(['started', 'writable']);
  });

  it('spells its head as its kind wants it (RFC 9113 sections 8.3.1 and 8.5, RFC 8441)', async () => {
    const world = new World({}, true);
    world.ask({}, A, { ...GET, method: 'CONNECT', headers: [], endStream: false });
    const engine = await world.connect();
    world.deliver(0, settingsReceived(new Map([[0x8, 1]])));
    world.ask({}, A, { ...GET, method: 'CONNECT', protocol: 'websocket', headers: [], endStream: false });
    const names: unknown[] = [];
    engine.onHeaders = (_id, _headers, options) => names.push([options.rawNames, options.upgrade]);
    world.ask({}, A, { ...GET, rawNames: ['ACCEPT'], upgrade: 'websocket' });
    expect(engine.calls.filter((call) => call.startsWith('headers'))).toEqual([
      'headers 1 :method CONNECT :authority a.example',
      'headers 2 :method CONNECT :scheme http :authority a.example :path / :protocol websocket',
      'headers 3 :method GET :scheme http :authority a.example :path / accept */* END',
    ]);
    expect(names).toEqual([[['', '', '', '', 'ACCEPT'], 'websocket']]);
  });

  it('that is malformed fails alone, as not sent', async () => {
    const world = new World();
    const bad = world.ask({}, A, { ...GET, headers: ['bad', 'x'] });
    const good = world.ask();
    await world.connect();
    expect(bad.handler.calls).toEqual(['failed no', 'closed']);
    expect(good.handler.calls).toEqual(['started']);
    world.answer(0, 2);
    // And at once, on a connection at hand.
    expect(world.ask({}, A, { ...GET, headers: ['bad', 'x'] }).handler.calls).toEqual(['failed no', 'closed']);
    expect(world.ask().handler.calls).toEqual(['started reused']);
  });

  it('has timings', async () => {
    const world = new World();
    const { handler } = world.ask();
    world.networking.clock.advance(10);
    await world.connect();
    world.networking.clock.advance(5);
    world.answer(0, 1);
    const { timings } = handler.assignment!;
    expect(timings).toMatchObject({ queued: 1000, sent: 1010, firstByte: 1015, ended: 1015 });
    expect(timings.connect).toMatchObject({ started: 1000 });
  });
});

describe('connections', () => {
  it('carry one request at a time where the version does, the one used last first', async () => {
    const world = new World();
    const asked = [world.ask(), world.ask()];
    expect(world.attempts).toHaveLength(2);
    await world.connect();
    await world.connect();
    world.answer(0, 1);
    world.answer(1, 1);
    expect(asked.map(({ handler }) => handler.calls.at(-1))).toEqual(['closed', 'closed']);
    world.ask();
    expect(world.factory.engines.map((engine) => engine.nextStreamId)).toEqual([2, 3]);
  });

  it('carry many where the version does, and are opened once for all', async () => {
    const world = new World({}, true);
    world.ask();
    const engine = await world.connect();
    engine.available = false;
    const waiting = [world.ask(), world.ask(), world.ask()];
    expect(world.attempts).toHaveLength(1);
    engine.available = true;
    world.deliver(0, streamsAvailable(3));
    expect(waiting.map(({ handler }) => handler.calls)).toEqual([
      ['started reused'],
      ['started reused'],
      ['started reused'],
    ]);
    // What was being opened is kept for later, within its idle time.
    expect(world.pool.state.connections).toBe(2);
  });

  it('are bounded per origin: what comes later waits its turn', async () => {
    const world = new World({ maxConnectionsPerOrigin: 1 });
    const asked = [world.ask(), world.ask(), world.ask()];
    expect(world.attempts).toHaveLength(1);
    await world.connect();
    world.answer(0, 1);
    world.answer(0, 2);
    expect(asked.map(({ handler }) => handler.calls.length)).toEqual([3, 3, 1]);
    expect(world.networking.connects).toHaveLength(1);
  });

  it('are bounded in total: an idle one of another origin makes room', async () => {
    const world = new World({ maxConnections: 1 });
    world.ask();
    await world.connect();
    const other = world.ask({}, B);
    expect(world.attempts).toHaveLength(0);
    world.answer(0, 1);
    // The first is idle now, but nobody asked again since: the next asking closes it.
    const next = world.ask({}, B);
    await turn();
    expect(world.streams[0]?.calls).toEqual(['end']);
    world.streams[0]?.gone(undefined);
    await turn();
    expect(world.attempts).toHaveLength(1);
    await world.connect();
    world.answer(1, 1);
    expect([other.handler.calls[0], next.handler.calls[0]]).toEqual(['started', 'started reused']);
    expect(world.pool.state).toEqual({ origins: 1, connections: 1, waiting: 0 });
  });

  it('are closed when they are idle too long, and nothing is left', async () => {
    const world = new World({ idleTimeout: 100 });
    world.ask();
    const engine = await world.connect();
    world.answer(0, 1);
    world.networking.clock.advance(99);
    expect(engine.calls).not.toContain('shutdown');
    world.networking.clock.advance(1);
    expect(engine.calls).toContain('shutdown');
    await turn();
    world.streams[0]?.gone(undefined);
    await turn();
    expect(world.pool.state).toEqual({ origins: 0, connections: 0, waiting: 0 });
    expect(world.networking.clock.pending).toBe(0);
  });

  it('that the server closes while they are idle are not used again', async () => {
    const world = new World();
    world.ask();
    await world.connect();
    world.answer(0, 1);
    world.streams[0]?.gone(undefined);
    await turn();
    world.ask();
    expect(world.attempts).toHaveLength(1);
  });

  it('that take no further request are retired, and the next gets another', async () => {
    const world = new World({ maxConnectionsPerOrigin: 1 });
    const first = world.ask();
    const second = world.ask();
    const engine = await world.connect();
    engine.expired = true;
    world.answer(0, 1);
    expect(engine.calls).toContain('shutdown');
    await turn();
    world.streams[0]?.gone(undefined);
    await turn();
    await world.connect();
    world.answer(1, 1);
    expect([first.handler.calls.at(-1), second.handler.calls.at(-1)]).toEqual(['closed', 'closed']);
  });

  it('are not shared between different TLS settings, families or sockets', () => {
    const world = new World();
    const secure = { origin: { scheme: 'https', host: 'a.example', port: 443 } } as const;
    const tls: ClientTlsConfig = { insecure: true };
    world.ask({}, secure);
    world.ask({}, { ...secure, tls });
    world.ask({}, { ...secure, tls });
    world.ask({}, { ...secure, tls: { insecure: true } });
    world.ask({}, { ...A, family: 'ipv4' });
    world.ask({}, { ...A, unixPath: '/run/a' });
    expect(world.pool.state).toEqual({ origins: 5, connections: 6, waiting: 6 });
    expect(world.attempts.at(-1)?.options.unixPath).toBe('/run/a');
  });

  it('that are idle are left alone by a request that wants a fresh one', async () => {
    const world = new World();
    world.ask();
    await world.connect();
    world.answer(0, 1);
    const { handler } = world.ask({ fresh: true });
    expect(handler.calls).toEqual([]);
    await world.connect();
    expect(handler.calls).toEqual(['started']);
  });

  it('can be closed while idle', async () => {
    const world = new World();
    world.ask();
    await world.connect();
    world.answer(0, 1);
    world.pool.closeIdle();
    expect(world.factory.engines[0]?.calls).toContain('shutdown');
  });
});

describe('failures', () => {
  const refused = new NetworkError('refused', { phase: 'connect' });

  it('of the only attempt fail all that waits, as not sent', async () => {
    const world = new World({ maxConnectionsPerOrigin: 1 });
    const asked = [world.ask(), world.ask()];
    world.attempts[0]?.fail(refused);
    await turn();
    for (const { handler } of asked) {
      expect(handler.calls).toEqual(['failed no', 'closed']);
      expect(handler.error).toBe(refused);
    }
    expect(world.pool.state).toEqual({ origins: 0, connections: 0, waiting: 0 });
  });

  it('of one attempt leave the others their chance', async () => {
    const world = new World();
    const asked = [world.ask(), world.ask()];
    world.attempts[0]?.fail(refused);
    await turn();
    expect(asked.map(({ handler }) => handler.calls)).toEqual([[], []]);
    // No new attempt is made in its place: what waits has the other one.
    expect(world.networking.connects).toHaveLength(2);
    await world.connect();
    world.answer(0, 1);
    world.answer(0, 2);
    expect(asked.map(({ handler }) => handler.calls.at(-1))).toEqual(['closed', 'closed']);
  });

  it('of a server that closes what it accepts end in a failure, not in a circle', async () => {
    const world = new World({}, true);
    world.factory.multiplexed = true;
    const { handler } = world.ask();
    const attempt = world.attempts[0]!;
    const before = world.factory.create.bind(world.factory);
    world.factory.create = () => {
      const engine = before();
      engine.available = false;
      return engine;
    };
    const stream = attempt.succeed();
    await turn();
    stream.gone(refused);
    await turn();
    expect(handler.calls).toEqual(['failed no', 'closed']);
    expect(world.networking.connects).toHaveLength(1);
  });

  it('of an opener that gives out a connection in use end that connection, and fail what waits', async () => {
    const world = new World();
    const opener = new HttpOverTcpOpener({ networking: world.networking, factory: world.factory });
    const pool = new HttpPool({
      clock: world.networking.clock,
      opener: {
        open: async (options) => {
          const connection = await opener.open(options);
          connection.setEventHandler(() => undefined);
          return connection;
        },
      },
    });
    const handler = new Recorder();
    pool.request(A, GET, handler);
    const stream = world.attempts[0]!.succeed();
    await turn();
    expect(handler.calls).toEqual(['failed no', 'closed']);
    expect(stream.calls).toEqual(['abort']);
    await pool.close();
    expect(pool.state.connections).toBe(0);
  });

  it('tell whether the server may have acted', async () => {
    const world = new World({}, true);
    const asked = [world.ask(), world.ask(), world.ask(), world.ask()];
    await world.connect();
    const rejected = new StreamResetError('refused', { errorCode: 7, initiator: 'peer' });
    world.deliver(
      0,
      streamResetReceived(1, 7, 'no', rejected),
      streamClosed(1),
      streamResetReceived(2, 2, 'maybe', rejected),
      streamClosed(2),
      streamResetSent(3, 2, rejected),
      streamClosed(3),
      connectionTerminated(0, '', 'no', rejected),
    );
    expect(asked.map(({ handler }) => handler.calls.slice(1))).toEqual([
      ['failed no', 'closed'],
      ['failed maybe', 'closed'],
      ['failed maybe', 'closed'],
      ['failed no', 'closed'],
    ]);
  });

  it('are none when the response is complete and only the rest of the request is unwanted (RFC 9113 section 8.1)', async () => {
    const world = new World();
    const { handler } = world.ask({}, A, { ...GET, method: 'POST', endStream: false });
    const engine = await world.connect();
    world.deliver(
      0,
      headersReceived(1, [':status', '413'], undefined, true, [], '1.1', false),
      streamResetReceived(1, 0, 'maybe', new StreamResetError('unwanted', { errorCode: 0, initiator: 'peer' })),
    );
    expect(handler.assignment?.exchange.sendData(encode('more'), true)).toBe(false);
    world.deliver(0, streamClosed(1));
    expect(handler.calls).toEqual(['started', 'headers 413  1.1 END', 'closed']);
    expect(engine.calls.some((call) => call.startsWith('data'))).toBe(false);
  });

  it('of a reused connection that closes before any byte are "maybe"', async () => {
    const world = new World();
    world.ask();
    await world.connect();
    world.answer(0, 1);
    const { handler } = world.ask();
    world.streams[0]?.gone(refused);
    await turn();
    expect(handler.calls).toEqual(['started reused', 'failed maybe', 'closed']);
    expect(handler.error).toBe(refused);
  });

  it('of the queue: too long, and told at once', () => {
    const world = new World({ maxQueueLength: 1, maxConnectionsPerOrigin: 1 });
    world.ask();
    const { handler } = world.ask();
    expect(handler.calls).toEqual(['failed no', 'closed']);
    expect((handler.error as LimitError).limit).toBe('maxQueueLength');
  });

  it.each(['started', 'headers', 'data', 'informational', 'trailers', 'writable', 'failed', 'closed'])(
    'of a handler in %s reset its exchange only',
    async (where) => {
      const world = new World({}, true);
      const broken = world.ask({}, A, GET, where);
      const other = world.ask();
      await world.connect();
      world.deliver(
        0,
        informationalReceived(1, [':status', '103'], undefined),
        headersReceived(1, [':status', '200'], undefined, false, [], '2', false),
        dataReceived(1, encode('x'), 1, false, false),
        streamWritable(1),
        trailersReceived(1, [], undefined),
        streamResetReceived(1, 1, 'maybe', new StreamResetError('r', { errorCode: 1, initiator: 'peer' })),
        streamClosed(1),
      );
      world.answer(0, 2);
      expect(broken.handler.calls.at(-1)).toBe('closed');
      expect(broken.handler.calls.filter((call) => call.startsWith('failed'))).toHaveLength(1);
      expect(other.handler.calls.at(-1)).toBe('closed');
    },
  );
});

describe('cancelling', () => {
  it('a waiting request takes it out; nobody waits any more: what is being opened is given up', async () => {
    const world = new World();
    const controller = new AbortController();
    const { handler } = world.ask({ signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    expect(handler.calls).toEqual(['failed no', 'closed']);
    expect(handler.error).toBeInstanceOf(CancelledError);
    expect(handler.error?.cause).toBe(reason);
    await turn();
    expect(world.attempts).toHaveLength(0);
    expect(world.pool.state).toEqual({ origins: 0, connections: 0, waiting: 0 });
  });

  it('a request whose signal has aborted sends nothing', () => {
    const world = new World();
    const { handler } = world.ask({ signal: AbortSignal.abort() });
    expect(handler.calls).toEqual(['failed no', 'closed']);
    expect(world.networking.connects).toHaveLength(0);
  });

  it('a sent request resets it; on HTTP/1 with its connection', async () => {
    const world = new World();
    const { handler, request } = world.ask();
    const engine = await world.connect();
    const error = new CancelledError('mine');
    request.cancel(error);
    request.cancel();
    expect(handler.calls).toEqual(['started', 'failed maybe']);
    await turn();
    expect(handler.calls).toEqual(['started', 'failed maybe', 'closed']);
    expect(handler.error).toBe(error);
    expect(engine.calls).toContain('reset 1 4');
    expect(world.streams[0]?.calls).toEqual(['abort']);
    expect(world.pool.state.connections).toBe(0);
  });

  it('a request that comes while attempts are given up is not failed by them', async () => {
    const world = new World();
    const first = world.ask();
    first.request.cancel();
    const second = world.ask();
    await turn();
    expect(second.handler.calls).toEqual([]);
    await world.connect();
    expect(second.handler.calls).toEqual(['started']);
  });

  it('after the end does nothing', async () => {
    const world = new World();
    const { handler, request } = world.ask();
    await world.connect();
    world.answer(0, 1);
    request.cancel();
    expect(handler.calls.at(-1)).toBe('closed');
    expect(handler.error).toBeUndefined();
  });
});

describe('timers', () => {
  const timerOf = (handler: Recorder): string => (handler.error as TimeoutError).timer;

  it('bound the wait for a connection', () => {
    const world = new World({ queueTimeout: 500 });
    const pool = world.ask();
    const own = world.ask({ queueTimeout: 100 });
    world.networking.clock.advance(100);
    expect(own.handler.calls).toEqual(['failed no', 'closed']);
    world.networking.clock.advance(400);
    expect(pool.handler.calls).toEqual(['failed no', 'closed']);
    expect(timerOf(pool.handler)).toBe('queue');
  });

  it('bound the time from the end of the request to the head', async () => {
    const world = new World();
    const { handler } = world.ask({ headersTimeout: 100 }, A, { ...GET, method: 'POST', endStream: false });
    await world.connect();
    world.networking.clock.advance(1000);
    handler.assignment?.exchange.sendData(encode('x'), true);
    world.networking.clock.advance(99);
    expect(handler.error).toBeUndefined();
    world.networking.clock.advance(1);
    expect(handler.calls).toEqual(['started', 'failed maybe']);
    expect(timerOf(handler)).toBe('headers');
    await turn();
    expect(handler.calls.at(-1)).toBe('closed');
  });

  it('bound the silence within the body, but not the reader', async () => {
    const world = new World();
    const { handler } = world.ask({ bodyIdleTimeout: 100 });
    await world.connect();
    const exchange = handler.assignment!.exchange;
    world.deliver(
      0,
      headersReceived(1, [':status', '200'], undefined, false, [], '1.1', false),
      dataReceived(1, encode('abc'), 3, false, false),
    );
    world.networking.clock.advance(1000);
    expect(handler.error).toBeUndefined();
    exchange.dataConsumed(3);
    world.networking.clock.advance(99);
    expect(handler.error).toBeUndefined();
    world.networking.clock.advance(1);
    expect(timerOf(handler)).toBe('bodyIdle');
  });

  it('bound the whole, and end with the response', async () => {
    const world = new World();
    const late = world.ask({ totalTimeout: 100 });
    const inTime = world.ask({ totalTimeout: 100 });
    await world.connect();
    await world.connect();
    world.answer(1, 1);
    world.networking.clock.advance(100);
    expect(timerOf(late.handler)).toBe('total');
    expect(inTime.handler.error).toBeUndefined();
  });

  it('are taken back when the request is over', async () => {
    const world = new World({ idleTimeout: Infinity });
    world.ask({ totalTimeout: 100, headersTimeout: 100, bodyIdleTimeout: 100 });
    await world.connect();
    world.answer(0, 1);
    expect(world.networking.clock.pending).toBe(0);
  });

  it('of connecting are handed on', () => {
    const world = new World();
    world.ask({ connectTimeout: 77, handshakeTimeout: 88 });
    expect(world.attempts[0]?.options).toMatchObject({ connectTimeout: 77 });
  });
});

describe('closing the pool', () => {
  it('ends waiting and running requests, attempts and connections, and resolves when nothing is left', async () => {
    const world = new World({ maxConnectionsPerOrigin: 2 });
    const running = world.ask();
    await world.connect();
    const idle = world.ask({}, B);
    await world.connect();
    world.answer(1, 1);
    const waiting = [world.ask(), world.ask()];
    expect(world.attempts).toHaveLength(1);
    const closing = world.pool.close();
    expect(waiting.map(({ handler }) => handler.calls)).toEqual([
      ['failed no', 'closed'],
      ['failed no', 'closed'],
    ]);
    await turn();
    expect(world.streams[0]?.calls).toEqual(['abort']);
    expect(world.streams[1]?.calls).toEqual(['end']);
    world.streams[1]?.gone(undefined);
    await closing;
    expect(running.handler.calls).toEqual(['started', 'failed maybe', 'closed']);
    expect(idle.handler.calls.at(-1)).toBe('closed');
    expect(world.pool.state).toEqual({ origins: 0, connections: 0, waiting: 0 });
    expect(world.networking.clock.pending).toBe(0);
    expect(world.ask().handler.calls).toEqual(['failed no', 'closed']);
    await world.pool[Symbol.asyncDispose]();
  });

  it('waits for an attempt that heeds its signal late, and closes what it brings', async () => {
    const world = new World();
    const late: (() => void)[] = [];
    const connect = world.networking.connectTcp.bind(world.networking);
    world.networking.connectTcp = (options) => {
      const { signal: _signal, ...rest } = options;
      const promise = connect(rest);
      late.push(() => world.streams.push(world.attempts[0]!.succeed()));
      return promise;
    };
    world.ask();
    let closed = false;
    const closing = world.pool.close().then(() => (closed = true));
    await turn();
    expect(closed).toBe(false);
    late[0]?.();
    await closing;
    expect(world.streams[0]?.calls).toEqual(['abort']);
  });
});
