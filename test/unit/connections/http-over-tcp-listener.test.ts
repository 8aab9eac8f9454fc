import { describe, expect, it } from 'vitest';
import { ConfigurationError, NetworkError } from '../../../src/common/index.ts';
import type { Endpoint, SocketAddress } from '../../../src/common/index.ts';
import {
  admissionKey,
  ConnectionAdmission,
  HttpMultiListener,
  HttpOverTcpListener,
} from '../../../src/connections/index.ts';
import type { HttpConnection, HttpListenerHandler, HttpListening } from '../../../src/connections/index.ts';
import { connectionTerminated } from '../../../src/protocols/index.ts';
import type { HttpOverTcpFactory, ProtocolContext } from '../../../src/protocols/index.ts';
import { FakeNetworking } from './fake-networking.ts';
import type { FakeListener } from './fake-networking.ts';
import { FakeEngine, turn } from './fakes.ts';
import { tripsLimit } from '../../support/limits.ts';

class Factory implements HttpOverTcpFactory {
  readonly role = 'server';
  readonly alpnProtocols = ['http/1.1'];
  readonly engines: FakeEngine[] = [];
  readonly contexts: ProtocolContext[] = [];
  throwing = false;

  create(context: ProtocolContext): FakeEngine {
    if (this.throwing) throw new Error('no engine');
    this.contexts.push(context);
    const engine = new FakeEngine('server');
    engine.onShutdown = engine.onClose = () => {
      engine.wantsEof = true;
      engine.events.push(connectionTerminated(0, '', 'maybe', undefined));
    };
    this.engines.push(engine);
    return engine;
  }
}

const endpoint = (port: number, scheme: 'http' | 'https' = 'http'): Endpoint => ({
  scheme,
  host: 'localhost',
  port,
  unixPath: undefined,
});

async function setUp(
  limits = {},
  handler?: HttpListenerHandler,
): Promise<{ networking: FakeNetworking; factory: Factory; listening: HttpListening; tcp: FakeListener }> {
  const networking = new FakeNetworking();
  const factory = new Factory();
  const listener = new HttpOverTcpListener({ networking, factory, limits });
  const listening = await listener.listen(endpoint(80), handler);
  return { networking, factory, listening, tcp: networking.listeners[0]! };
}

/** The peer ends every stream that was half-closed. */
async function peersLeave(listening: HttpListening, streams: { gone: (error: undefined) => void }[]): Promise<void> {
  await turn();
  for (const stream of streams) stream.gone(undefined);
  await turn();
  expect(listening.connections.size).toBe(0);
}

describe('addresses', () => {
  const ip = (host: string): SocketAddress => ({ family: host.includes(':') ? 'ipv6' : 'ipv4', host, port: 1 });

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::9', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0'],
    ['1:2:3::4:5:6:7', '1:2:3:0'],
  ])('%s counts as %s (IPv6 by its /64)', (host, key) => {
    expect(admissionKey(ip(host))).toBe(key);
  });

  it('of unix sockets have no count of their own', () => {
    expect(admissionKey({ family: 'unix', path: '' })).toBeUndefined();
    const admission = new ConnectionAdmission(2, 1);
    const unix: SocketAddress = { family: 'unix', path: '' };
    expect([admission.take(unix), admission.take(unix), admission.take(unix)]).toEqual([
      undefined,
      undefined,
      'maxConnections',
    ]);
    expect(admission.refused).toBe(1);
    admission.release(unix);
    expect(admission.total).toBe(1);
  });
});

describe('admission', () => {
  it('limits connections from one address, before any engine is made', async () => {
    tripsLimit('listenerLimits.maxConnectionsPerAddress');
    const refused: string[] = [];
    const { tcp, factory, listening } = await setUp(
      { maxConnectionsPerAddress: 2 },
      { connectionAccepted: () => undefined, connectionRefused: (_address, limit) => refused.push(limit) },
    );
    const streams = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map((host) => tcp.accept(host));
    expect(streams.map((stream) => stream !== undefined)).toEqual([true, true, false, true]);
    expect(refused).toEqual(['maxConnectionsPerAddress']);
    expect(factory.engines).toHaveLength(3);
    expect(listening.connections.size).toBe(3);
  });

  it('limits connections in total, failed handshakes included, and gives places back', async () => {
    tripsLimit('listenerLimits.maxConnections');
    const failed: string[] = [];
    const { tcp, listening } = await setUp(
      { maxConnections: 2 },
      {
        connectionAccepted: (connection) => connection.setEventHandler(() => undefined),
        connectionFailed: (_address, error) => {
          failed.push(error.message);
          throw new Error('of no concern');
        },
      },
    );
    const first = tcp.accept('192.0.2.1');
    expect(tcp.fail(new NetworkError('handshake', { phase: 'tls' }), '192.0.2.2')).toBe(true);
    expect(failed).toEqual(['handshake']);
    expect(tcp.accept('192.0.2.3')).toBeDefined();
    expect(tcp.accept('192.0.2.4')).toBeUndefined();
    first?.gone(undefined);
    await turn();
    expect(listening.connections.size).toBe(1);
    expect(tcp.accept('192.0.2.4')).toBeDefined();
  });

  it('holds over several listeners that share it', async () => {
    const networking = new FakeNetworking();
    const admission = new ConnectionAdmission(1, 1);
    const make = (): HttpOverTcpListener => new HttpOverTcpListener({ networking, factory: new Factory(), admission });
    const handler = { connectionAccepted: (): void => undefined };
    await make().listen(endpoint(80), handler);
    await make().listen(endpoint(81), handler);
    expect(networking.listeners[0]?.accept()).toBeDefined();
    expect(networking.listeners[1]?.accept()).toBeUndefined();
  });

  it('has limits that exist', () => {
    expect(
      () =>
        new HttpOverTcpListener({
          networking: new FakeNetworking(),
          factory: new Factory(),
          limits: { maxConections: 3 } as object,
        }),
    ).toThrow(ConfigurationError);
  });
});

describe('a listener', () => {
  it('says where it is, and passes on what TLS needs', async () => {
    const { listening, tcp, factory } = await setUp({ handshakeTimeout: 77 });
    expect(listening.endpoints).toEqual([endpoint(8080)]);
    expect(listening.addresses).toEqual(tcp.addresses);
    expect(tcp.options).toMatchObject({ alpnProtocols: ['http/1.1'], handshakeTimeout: 77, tls: undefined });
    listening.updateTls({ cert: 'x' });
    expect(tcp.tls).toEqual({ cert: 'x' });
    const stream = tcp.accept()!;
    expect(factory.contexts[0]).toMatchObject({ secure: false, alpn: undefined });
    const closing = listening.close();
    await peersLeave(listening, [stream]);
    await closing;
  });

  it('gives TLS to https endpoints only', async () => {
    const networking = new FakeNetworking();
    const listener = new HttpOverTcpListener({ networking, factory: new Factory(), tls: { cert: 'c', key: 'k' } });
    await listener.listen(endpoint(80));
    await listener.listen(endpoint(443, 'https'));
    expect(networking.listeners.map(({ options }) => options.tls?.cert)).toEqual([undefined, 'c']);
  });

  it('yields connections by for await, within a bound, and ends with close', async () => {
    const { listening, tcp } = await setUp({ maxWaitingConnections: 2 });
    const taken: HttpConnection[] = [];
    const streams = [tcp.accept('192.0.2.1'), tcp.accept('192.0.2.2')];
    expect(tcp.accept('192.0.2.3')).toBeUndefined();
    const loop = (async () => {
      for await (const connection of listening) taken.push(connection);
    })();
    await turn();
    streams.push(tcp.accept('192.0.2.3'));
    await turn();
    expect(taken).toHaveLength(3);
    const closing = listening.close();
    await peersLeave(listening, streams as { gone: (error: undefined) => void }[]);
    await Promise.all([closing, loop]);
    expect(tcp.closed).toBe(true);
    expect(tcp.accept()).toBeUndefined();
  });

  it('tells who waits that accepting failed', async () => {
    const { listening, tcp } = await setUp();
    const waiting = listening[Symbol.asyncIterator]().next();
    tcp.handler.listenerFailed(new NetworkError('gone', { phase: 'listen' }));
    await expect(waiting).rejects.toThrow('gone');
    await expect(listening[Symbol.asyncIterator]().next()).rejects.toThrow('gone');
  });

  it('resets what no engine or no handler takes, and goes on', async () => {
    let calls = 0;
    const { tcp, factory, listening } = await setUp(
      { maxConnections: 1 },
      {
        connectionAccepted: () => {
          calls += 1;
          throw new Error('mine');
        },
      },
    );
    const thrown = tcp.accept();
    await turn();
    expect(thrown?.calls).toEqual(['abort']);
    factory.throwing = true;
    expect(tcp.accept()?.calls).toEqual(['abort']);
    expect([calls, listening.connections.size]).toEqual([1, 0]);
  });
});

describe('the end of a listener', () => {
  it('by drain: accepting stops, connections are wound down, nothing is left', async () => {
    const { listening, tcp, factory, networking } = await setUp({}, { connectionAccepted: () => undefined });
    const stream = tcp.accept();
    const draining = listening.drain({ timeout: 5000 });
    await peersLeave(listening, [stream!]);
    await draining;
    expect(factory.engines[0]?.calls).toContain('shutdown');
    expect(factory.engines[0]?.calls).not.toContain('close 0');
    expect(networking.clock.pending).toBe(0);
  });

  it.each(['timeout', 'signal'])('by drain: what does not end in time is closed, then aborted (%s)', async (bound) => {
    const { listening, tcp, factory, networking } = await setUp({}, { connectionAccepted: () => undefined });
    const stream = tcp.accept();
    factory.engines[0]!.onShutdown = undefined;
    factory.engines[0]!.onClose = undefined;
    const controller = new AbortController();
    const draining = listening.drain({ timeout: 5000, signal: controller.signal });
    await turn();
    if (bound === 'timeout') networking.clock.advance(5000);
    else controller.abort();
    expect(factory.engines[0]?.calls).toContain('close 0');
    await turn();
    expect(stream?.calls).toEqual([]);
    networking.clock.advance(1000);
    await draining;
    expect(stream?.calls).toEqual(['abort']);
    expect(listening.connections.size).toBe(0);
  });

  it('by drain with a signal that has aborted: it is closed at once', async () => {
    const { listening, tcp, factory } = await setUp({}, { connectionAccepted: () => undefined });
    const stream = tcp.accept();
    factory.engines[0]!.onShutdown = undefined;
    const draining = listening.drain({ signal: AbortSignal.abort() });
    await peersLeave(listening, [stream!]);
    await draining;
    expect(factory.engines[0]?.calls).toContain('close 0');
  });

  it('winds down what becomes ready while it stops', async () => {
    const { listening, tcp, factory } = await setUp({}, { connectionAccepted: () => undefined });
    const address: SocketAddress = { family: 'ipv4', host: '192.0.2.1', port: 50_000 };
    expect(tcp.handler.admit(address)).toBe(true);
    const stopping = listening.stop();
    const { FakeStream } = await import('./fakes.ts');
    const stream = new FakeStream();
    tcp.handler.streamAccepted(stream);
    await stopping;
    expect(factory.engines[0]?.calls).toContain('shutdown');
    const closing = listening[Symbol.asyncDispose]();
    await peersLeave(listening, [stream]);
    await closing;
  });
});

describe('several endpoints', () => {
  it('open and close as one', async () => {
    const networking = new FakeNetworking();
    const listener = new HttpOverTcpListener({ networking, factory: new Factory(), tls: { cert: 'c', key: 'k' } });
    const multi = new HttpMultiListener([
      { listener, endpoint: endpoint(80) },
      { listener, endpoint: endpoint(443, 'https') },
    ]);
    const listening = await multi.listen();
    expect(listening.endpoints.map(({ scheme, port }) => `${scheme}:${port}`)).toEqual(['http:8080', 'https:8443']);
    expect(listening.addresses).toHaveLength(2);
    const iterator = listening[Symbol.asyncIterator]();
    const first = iterator.next();
    const streams = [networking.listeners[1]!.accept()!, networking.listeners[0]!.accept()!];
    expect((await first).done).toBe(false);
    expect((await iterator.next()).done).toBe(false);
    expect(listening.connections.size).toBe(2);
    listening.updateTls({ cert: 'new' });
    expect(networking.listeners[1]?.tls).toEqual({ cert: 'new' });
    // The cleartext one has none to replace.
    expect(networking.listeners[0]?.tls).toBeUndefined();
    listening.updateTls({ cert: 'newer' }, endpoint(8443, 'https'));
    expect(networking.listeners[1]?.tls).toEqual({ cert: 'newer' });
    expect(() => listening.updateTls({ cert: 'x' }, endpoint(8080))).toThrow(/no https endpoint http:/);
    const closing = listening.close();
    await peersLeave(listening, streams);
    await closing;
    expect(networking.listeners.every(({ closed }) => closed)).toBe(true);
    expect((await iterator.next()).done).toBe(true);
  });

  it('open all or none', async () => {
    const networking = new FakeNetworking();
    networking.failPort = 443;
    networking.failure = new NetworkError('in use', { phase: 'listen', code: 'ERR_ADDRESS_IN_USE' });
    const listener = new HttpOverTcpListener({ networking, factory: new Factory() });
    const multi = new HttpMultiListener([
      { listener, endpoint: endpoint(80) },
      { listener, endpoint: endpoint(443) },
    ]);
    await expect(multi.listen()).rejects.toBe(networking.failure);
    expect(networking.listeners).toHaveLength(1);
    expect(networking.listeners[0]?.closed).toBe(true);
  });
});
