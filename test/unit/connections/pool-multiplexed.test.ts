import { describe, expect, it } from 'vitest';
import { X509Certificate } from 'node:crypto';
import { StreamResetError } from '../../../src/common/index.ts';
import type { ClientTlsConfig, HeaderList, HfaceError, TlsFacts } from '../../../src/common/index.ts';
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
  goawayReceived,
  headersReceived,
  originReceived,
  settingsReceived,
  streamClosed,
  streamResetReceived,
  streamsAvailable,
} from '../../../src/protocols/index.ts';
import type { HttpEvent, HttpOverTcpFactory, ProtocolContext } from '../../../src/protocols/index.ts';
import { makeCertificate } from '../../support/test-certificates.ts';
import { FakeNetworking } from './fake-networking.ts';
import { FakeEngine, FakeStream, turn } from './fakes.ts';

/** The DER of a certificate for the names of these tests. */
const { certPem } = makeCertificate({ names: ['a.example', '*.b.example', '192.0.2.1'] });
const leaf = new X509Certificate(certPem).raw;

class Recorder implements PoolRequestHandler {
  readonly calls: string[] = [];
  assignment: PoolAssignment | undefined = undefined;

  started(assignment: PoolAssignment): void {
    this.assignment = assignment;
    this.calls.push(`started${assignment.reused ? ' reused' : ''}${assignment.shared ? ' shared' : ''}`);
  }
  informationalReceived(): void {
    this.calls.push('informational');
  }
  headersReceived(status: number, _headers: HeaderList): void {
    this.calls.push(String(status));
  }
  dataReceived(): void {
    this.calls.push('data');
  }
  trailersReceived(): void {
    this.calls.push('trailers');
  }
  writable(): void {
    this.calls.push('writable');
  }
  failed(_error: HfaceError, processed: string): void {
    this.calls.push(`failed ${processed}`);
  }
  closed(): void {
    this.calls.push('closed');
  }
}

/** Engines of the version that ALPN named: `http/1.1` carries one request, `h2` as many as the test allows. */
class Factory implements HttpOverTcpFactory {
  readonly role = 'client';
  alpnProtocols: readonly string[] = ['h2', 'http/1.1'];
  readonly engines: FakeEngine[] = [];
  /** Requests that a new engine takes. */
  streams = Infinity;

  create(context: ProtocolContext): FakeEngine {
    const engine = new FakeEngine('client', context.alpn !== 'http/1.1');
    let left = this.streams;
    engine.onHeaders = () => {
      left -= 1;
      engine.available = left > 0;
    };
    engine.onShutdown = () => {
      engine.expired = true;
      engine.available = false;
    };
    engine.onClose = () => {
      engine.wantsEof = true;
      engine.available = false;
      engine.events.push(connectionTerminated(0, '', 'maybe', undefined));
    };
    engine.onReset = (streamId) => engine.events.push(streamClosed(streamId));
    this.engines.push(engine);
    return engine;
  }
}

const GET: ClientExchangeRequest = {
  method: 'GET',
  scheme: 'https',
  authority: 'a.example',
  path: '/',
  protocol: undefined,
  upgrade: undefined,
  headers: [],
  rawNames: undefined,
  endStream: true,
};

function at(host: string, tls?: ClientTlsConfig, port = 443): PoolTarget {
  return { origin: { scheme: 'https', host, port }, tls };
}

const A = at('a.example');

class World {
  readonly networking = new FakeNetworking();
  readonly factory = new Factory();
  readonly pool: HttpPool;
  readonly streams: FakeStream[] = [];

  constructor(limits: PoolLimitOptions = {}, sharing?: boolean) {
    const opener = new HttpOverTcpOpener({ networking: this.networking, factory: this.factory });
    this.pool = new HttpPool({ opener, clock: this.networking.clock, limits, sharing });
  }

  ask(target: PoolTarget = A, options: PoolRequestOptions = {}): { handler: Recorder; request: PoolRequest } {
    const handler = new Recorder();
    return { handler, request: this.pool.request(target, GET, handler, options) };
  }

  get attempts(): number {
    return this.networking.connects.filter(({ settled }) => !settled).length;
  }

  /** The next attempt succeeds, with that ALPN. */
  async connect(alpn = 'h2', facts: Partial<TlsFacts> = {}): Promise<FakeEngine> {
    const stream = new SecureStream(alpn, facts);
    this.streams.push(stream);
    this.networking.connects.find(({ settled }) => !settled)!.succeed(stream);
    await turn();
    return this.factory.engines.at(-1)!;
  }

  deliver(index: number, ...events: HttpEvent[]): void {
    this.factory.engines[index]!.events.push(...events);
    this.streams[index]!.receive('');
  }

  answer(index: number, streamId: number, status = '200'): void {
    this.deliver(
      index,
      headersReceived(streamId, [':status', status], undefined, true, [], '2', false),
      streamClosed(streamId),
    );
  }
}

class SecureStream extends FakeStream {
  override readonly tls: TlsFacts;

  constructor(alpn: string, facts: Partial<TlsFacts>) {
    super();
    this.tls = {
      version: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      alpn,
      serverName: 'a.example',
      resumed: false,
      authorized: true,
      peerCertificate: leaf,
      ...facts,
    };
  }
}

const calls = (asked: readonly { handler: Recorder }[]): string[][] => asked.map(({ handler }) => handler.calls);

describe('a burst of requests to an origin that is not known yet', () => {
  it('waits for one connection and shares it when that is HTTP/2', async () => {
    const world = new World();
    const asked = Array.from({ length: 50 }, () => world.ask());
    expect(world.attempts).toBe(1);
    await world.connect();
    expect(asked.filter(({ handler }) => handler.calls[0]?.startsWith('started') === true)).toHaveLength(50);
    expect(world.networking.connects).toHaveLength(1);
  });

  it('opens up to the limit when the first turns out to be HTTP/1.1', async () => {
    const world = new World({ maxConnectionsPerOrigin: 4 });
    const asked = Array.from({ length: 6 }, () => world.ask());
    expect(world.attempts).toBe(1);
    await world.connect('http/1.1');
    expect(world.networking.connects).toHaveLength(4);
    for (let index = 0; index < 3; index += 1) await world.connect('http/1.1');
    expect(asked.filter(({ handler }) => handler.calls.length === 1)).toHaveLength(4);
    world.answer(0, 1);
    world.answer(1, 1);
    expect(asked.filter(({ handler }) => handler.calls[0] !== undefined)).toHaveLength(6);
  });

  it('is not held back where the origin was HTTP/1.1 before', async () => {
    const world = new World({ idleTimeout: 10 });
    world.ask();
    const engine = await world.connect('http/1.1');
    world.answer(0, 1);
    engine.events.push(connectionTerminated(0, '', 'maybe', undefined));
    world.streams[0]?.receive('');
    world.streams[0]?.gone(undefined);
    await turn();
    expect(world.pool.state.origins).toBe(0);
    world.ask();
    world.ask();
    expect(world.attempts).toBe(2);
  });

  it('is one for each request where only HTTP/1.1 is spoken, and one for all where only HTTP/2 is', () => {
    const one = new World();
    one.factory.alpnProtocols = ['http/1.1'];
    one.ask();
    one.ask();
    expect(one.attempts).toBe(2);
    const many = new World();
    many.factory.alpnProtocols = ['h2'];
    const cleartext: PoolTarget = { origin: { scheme: 'http', host: 'a.example', port: 80 } };
    many.ask(cleartext);
    many.ask(cleartext);
    expect(many.attempts).toBe(1);
  });

  it('fails as one when the only attempt fails, as not sent', async () => {
    const world = new World();
    const asked = [world.ask(), world.ask()];
    world.networking.connects[0]?.fail(new Error('refused'));
    await turn();
    expect(calls(asked)).toEqual([
      ['failed no', 'closed'],
      ['failed no', 'closed'],
    ]);
    expect(world.pool.state).toEqual({ origins: 0, connections: 0, waiting: 0 });
  });
});

describe('streams that run out', () => {
  it('bring a further connection, and another while there is need, within the limit', async () => {
    const world = new World({ maxConnectionsPerOrigin: 3 });
    world.factory.streams = 2;
    const asked = Array.from({ length: 8 }, () => world.ask());
    await world.connect();
    expect(world.networking.connects).toHaveLength(2);
    await world.connect();
    expect(world.networking.connects).toHaveLength(3);
    await world.connect();
    expect(asked.filter(({ handler }) => handler.calls.length > 0)).toHaveLength(6);
    expect(world.networking.connects).toHaveLength(3);
    // A stream of any of them is for the one that waits the longest.
    world.factory.engines[1]!.available = true;
    world.answer(1, 1);
    expect(asked[6]?.handler.calls).toEqual(['started reused']);
    expect(asked[7]?.handler.calls).toEqual([]);
    world.factory.engines[0]!.available = true;
    world.deliver(0, streamsAvailable(5));
    expect(asked[7]?.handler.calls).toEqual(['started reused']);
  });

  it('that the first connection has again are used before those of the others, which grow idle', async () => {
    const world = new World({ idleTimeout: 100 });
    world.factory.streams = 1;
    world.ask();
    world.ask();
    await world.connect();
    await world.connect();
    world.factory.engines[0]!.available = true;
    world.answer(0, 1);
    world.answer(1, 1);
    world.networking.clock.advance(60);
    const { handler } = world.ask();
    expect(handler.calls).toEqual(['started reused']);
    expect(world.factory.engines[0]!.nextStreamId).toBe(3);
    world.networking.clock.advance(60);
    expect(world.factory.engines[1]!.calls).toContain('shutdown');
    expect(world.factory.engines[0]!.calls).not.toContain('shutdown');
  });
});

describe('GOAWAY (RFC 9113 section 6.8)', () => {
  it('lets what runs be finished, and sends what waits and what comes over a new connection', async () => {
    const world = new World({ maxConnectionsPerOrigin: 2 });
    world.factory.streams = 1;
    const running = world.ask();
    await world.connect();
    const waiting = world.ask();
    const engine = world.factory.engines[0]!;
    engine.available = false;
    engine.expired = true;
    world.deliver(0, goawayReceived(1, 0, new Uint8Array(0)));
    const coming = world.ask();
    world.factory.streams = 10;
    await world.connect();
    expect(calls([running, waiting, coming])).toEqual([['started'], ['started'], ['started reused']]);
    world.answer(0, 1);
    expect(running.handler.calls).toEqual(['started', '200', 'closed']);
    expect(engine.calls.filter((call) => call === 'shutdown')).toHaveLength(1);
  });

  it('fails the streams above its number as not processed, one by one, the others not at all', async () => {
    const world = new World();
    const asked = [world.ask(), world.ask(), world.ask()];
    const engine = await world.connect();
    engine.available = false;
    engine.expired = true;
    const error = new StreamResetError('above GOAWAY', { errorCode: 7, initiator: 'peer' });
    world.deliver(
      0,
      goawayReceived(1, 0, new Uint8Array(0)),
      streamResetReceived(2, 7, 'no', error),
      streamClosed(2),
      streamResetReceived(3, 7, 'no', error),
      streamClosed(3),
    );
    expect(calls(asked)).toEqual([
      ['started'],
      ['started reused', 'failed no', 'closed'],
      ['started reused', 'failed no', 'closed'],
    ]);
    world.answer(0, 1);
    expect(asked[0]?.handler.calls).toEqual(['started', '200', 'closed']);
  });

  it('on a connection where nothing runs harms nobody, and the next request gets another', async () => {
    const world = new World();
    world.ask();
    const engine = await world.connect();
    world.answer(0, 1);
    engine.available = false;
    engine.expired = true;
    world.deliver(0, goawayReceived(0, 0, new Uint8Array(0)));
    const next = world.ask();
    expect(world.attempts).toBe(1);
    await world.connect();
    expect(next.handler.calls).toEqual(['started']);
  });
});

describe('extended CONNECT (RFC 8441 section 3)', () => {
  const WEBSOCKET: ClientExchangeRequest = { ...GET, method: 'CONNECT', protocol: 'websocket', endStream: false };

  it('waits for the SETTINGS of the server, without a further connection', async () => {
    const world = new World();
    const tunnel = new Recorder();
    world.pool.request(A, WEBSOCKET, tunnel);
    const behind = world.ask();
    const engine = await world.connect();
    expect([tunnel.calls, behind.handler.calls]).toEqual([[], []]);
    expect(world.networking.connects).toHaveLength(1);
    world.deliver(0, settingsReceived(new Map([[0x8, 1]])));
    expect([tunnel.calls, behind.handler.calls]).toEqual([['started'], ['started reused']]);
    expect(engine.calls).toContain(
      'headers 1 :method CONNECT :scheme https :authority a.example :path / :protocol websocket',
    );
    const next = new Recorder();
    world.pool.request(A, WEBSOCKET, next);
    expect(next.calls).toEqual(['started reused']);
  });

  it('is for the engine to refuse where the server does not allow it', async () => {
    const world = new World();
    const tunnel = new Recorder();
    world.pool.request(A, { ...WEBSOCKET, headers: ['bad', ''] }, tunnel);
    await world.connect();
    world.deliver(0, settingsReceived(new Map()));
    expect(tunnel.calls).toEqual(['failed no', 'closed']);
  });

  it('is none of Upgrade, which gets a connection that has it', async () => {
    const world = new World();
    world.ask();
    await world.connect();
    const { handler } = world.ask({ ...A, upgradable: true });
    expect(world.networking.connects[1]?.options).toMatchObject({ alpnProtocols: ['http/1.1'] });
    await world.connect('http/1.1');
    expect(handler.calls).toEqual(['started']);
    const only = new World();
    only.factory.alpnProtocols = ['h2'];
    const refused = only.ask({ ...A, upgradable: true });
    await turn();
    expect(refused.handler.calls).toEqual(['failed no', 'closed']);
  });
});

describe('aborting one request', () => {
  it('resets its stream and leaves the connection to the others', async () => {
    const world = new World();
    const [first, second] = [world.ask(), world.ask()];
    const engine = await world.connect();
    first.request.cancel();
    await turn();
    expect(first.handler.calls).toEqual(['started', 'failed maybe', 'closed']);
    expect(engine.calls).toContain('reset 1 4');
    world.answer(0, 2);
    expect(second.handler.calls).toEqual(['started reused', '200', 'closed']);
    expect(world.streams[0]?.calls).toEqual([]);
    expect(world.ask().handler.calls).toEqual(['started reused']);
  });
});

describe('a connection that goes idle while another origin wants a place', () => {
  it('makes room at once', async () => {
    const world = new World({ maxConnections: 1 });
    world.ask();
    const engine = await world.connect();
    const other = world.ask(at('c.example'));
    world.answer(0, 1);
    await turn();
    expect(engine.calls).toContain('shutdown');
    engine.events.push(connectionTerminated(0, '', 'maybe', undefined));
    world.streams[0]?.receive('');
    world.streams[0]?.gone(undefined);
    await turn();
    await world.connect();
    expect(other.handler.calls).toEqual(['started']);
  });
});

describe('sharing among origins (RFC 9113 section 9.1.1, RFC 8336)', () => {
  async function connected(
    origins: readonly string[],
    facts: Partial<TlsFacts> = {},
    target: PoolTarget = A,
    sharing?: boolean,
  ): Promise<World> {
    const world = new World({}, sharing);
    world.ask(target);
    await world.connect('h2', facts);
    world.deliver(0, originReceived(origins));
    return world;
  }

  it('is done where ORIGIN and the verified certificate allow it', async () => {
    const world = await connected(['https://x.b.example', 'https://192.0.2.1']);
    expect(world.ask(at('x.b.example')).handler.calls).toEqual(['started reused shared']);
    expect(world.ask(at('192.0.2.1')).handler.calls).toEqual(['started reused shared']);
    expect(world.networking.connects).toHaveLength(1);
    // The other origins keep nothing.
    expect(world.pool.state.origins).toBe(1);
  });

  it.each([
    ['that ORIGIN did not name', 'y.b.example', 443],
    ['that the certificate is not for', 'c.example', 443],
    ['with another port', 'x.b.example', 8443],
  ])('is not done with an origin %s', async (_why, host, port) => {
    const world = await connected(['https://x.b.example', 'https://c.example']);
    expect(world.ask(at(host, undefined, port)).handler.calls).toEqual([]);
    expect(world.networking.connects).toHaveLength(2);
  });

  it.each<[string, Partial<TlsFacts>, ClientTlsConfig | undefined]>([
    ['was not verified', { authorized: false }, undefined],
    ['was not shown', { peerCertificate: undefined }, undefined],
    ['is no certificate', { peerCertificate: new Uint8Array([1, 2, 3]) }, undefined],
    ['is accepted whatever it is', {}, { insecure: true }],
    ['was checked for a name of its own', {}, { serverName: 'a.example' }],
    ['is checked by the user', {}, { verify: () => undefined }],
  ])('is not done where the certificate %s', async (_why, facts, tls) => {
    const world = await connected(['https://x.b.example'], facts, at('a.example', tls));
    expect(world.ask(at('x.b.example', tls)).handler.calls).toEqual([]);
  });

  it('is not done with other TLS settings, over HTTP/1.1, or where it was switched off', async () => {
    const world = await connected(['https://x.b.example']);
    expect(world.ask(at('x.b.example', { pins: [] })).handler.calls).toEqual([]);
    const off = await connected(['https://x.b.example'], {}, A, false);
    expect(off.ask(at('x.b.example')).handler.calls).toEqual([]);
    const single = new World();
    single.ask();
    await single.connect('http/1.1');
    single.deliver(0, originReceived(['https://x.b.example']));
    expect(single.ask(at('x.b.example')).handler.calls).toEqual([]);
  });

  it('takes nothing that is no origin', async () => {
    const strange = [
      'https://x.b.example/path',
      'http://x.b.example',
      'https://X.b.example',
      '',
      'null',
      'https://u@x.b.example',
    ];
    const world = await connected(strange);
    expect(world.ask(at('x.b.example')).handler.calls).toEqual([]);
  });

  it('ends with the connection', async () => {
    const world = await connected(['https://x.b.example']);
    const engine = world.factory.engines[0]!;
    engine.available = false;
    engine.expired = true;
    world.deliver(0, goawayReceived(1, 0, new Uint8Array(0)));
    expect(world.ask(at('x.b.example')).handler.calls).toEqual([]);
  });

  it('ends for an origin whose request asks for a connection of its own, after 421 (RFC 9110 section 15.5.20)', async () => {
    const world = await connected(['https://x.b.example', 'https://y.b.example']);
    const { handler } = world.ask(at('x.b.example'), { own: true });
    expect(handler.calls).toEqual([]);
    await world.connect();
    expect(handler.calls).toEqual(['started']);
    expect(world.ask(at('x.b.example')).handler.calls).toEqual(['started reused']);
    expect(world.ask(at('y.b.example')).handler.calls).toEqual(['started reused shared']);
  });

  it('hands a malformed request its failure, and the connection goes on', async () => {
    const world = await connected(['https://x.b.example']);
    const handler = new Recorder();
    world.pool.request(at('x.b.example'), { ...GET, headers: ['bad', ''] }, handler);
    expect(handler.calls).toEqual(['failed no', 'closed']);
    expect(world.ask(at('x.b.example')).handler.calls).toEqual(['started reused shared']);
  });

  it('bounds what a server can make it keep', async () => {
    const origins = Array.from({ length: 300 }, (_, index) => `https://o${String(index)}.b.example`);
    const world = await connected(origins);
    expect(world.ask(at('o0.b.example')).handler.calls).toEqual(['started reused shared']);
    expect(world.ask(at('o299.b.example')).handler.calls).toEqual([]);
  });
});
