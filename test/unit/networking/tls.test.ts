/** TLS over the system's sockets: identities, client certificates, ALPN, resumption, deadlines, and bad peers. */
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigurationError, NetworkError } from '../../../src/common/index.ts';
import type { ClientTlsConfig, ServerTlsConfig } from '../../../src/common/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { ByteStream, ConnectTimings, ListenTcpOptions, TcpListener } from '../../../src/networking/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { ListenerRecorder, loopback, portOf, trustingTls } from '../../support/networking-environment.ts';
import { bytesOf, StreamRecorder } from '../../support/stream-recorder.ts';
import { makeCertificate, testPki } from '../../support/test-certificates.ts';

const baseline = openSockets();
const networking = new SystemNetworking();
const { ca, server: serverIdentity, client: clientIdentity } = testPki();
const example = makeCertificate({ issuer: ca, names: ['example.test', '*.wild.test'] });
const identityOf = (made: { cert: string; key: string }): ServerTlsConfig => ({ cert: made.cert, key: made.key });

/** A listener that was closed with all it accepted after the test's body. */
async function withListener(
  config: ServerTlsConfig,
  body: (listener: TcpListener, accepted: ListenerRecorder) => Promise<void>,
  options: Partial<ListenTcpOptions> = {},
): Promise<void> {
  const accepted = new ListenerRecorder();
  const listener = await networking.listenTcp({ endpoint: loopback('https'), tls: config, ...options }, accepted);
  try {
    await body(listener, accepted);
  } finally {
    await listener.close();
    for (const stream of accepted.streams) stream.abort();
  }
}

function connect(
  listener: TcpListener,
  config: ClientTlsConfig = trustingTls(),
  alpnProtocols: readonly string[] = [],
  host = '127.0.0.1',
): Promise<ByteStream> {
  return networking.connectTcpTls({ target: { host, port: portOf(listener) }, tls: config, alpnProtocols });
}

async function failureOf(promise: Promise<ByteStream>): Promise<NetworkError> {
  return (await promise.then(
    (stream) => {
      stream.abort();
      return undefined;
    },
    (error: unknown) => error,
  )) as NetworkError;
}

/** One exchange of bytes over a connection, so that tickets arrive. */
async function exchange(client: ByteStream, server: ByteStream): Promise<void> {
  const clientSide = StreamRecorder.start(client);
  const serverSide = StreamRecorder.start(server);
  client.write(bytesOf('?'));
  await serverSide.bytes(1);
  server.write(bytesOf('!'));
  await clientSide.bytes(1);
  client.end();
  server.end();
  await Promise.all([clientSide.closing(), serverSide.closing()]);
}

describe('a TLS connection', () => {
  it('tells its facts on both sides', () =>
    withListener(
      identityOf(serverIdentity),
      async (listener, accepted) => {
        const timings: ConnectTimings = { started: 0, resolved: undefined, connected: undefined, secured: undefined };
        const client = await networking.connectTcpTls({
          target: { host: 'localhost', port: portOf(listener) },
          family: 'ipv4',
          tls: trustingTls(),
          alpnProtocols: ['h2', 'http/1.1'],
          timings,
        });
        const server = await accepted.stream();
        expect(client.tls).toMatchObject({
          version: 'TLSv1.3',
          alpn: 'http/1.1',
          serverName: 'localhost',
          resumed: false,
          authorized: true,
        });
        expect(client.tls?.cipher).toMatch(/^TLS_/);
        const leaf = new Uint8Array(new (await import('node:crypto')).X509Certificate(serverIdentity.certPem).raw);
        expect(Buffer.from(client.tls?.peerCertificate ?? []).equals(leaf)).toBe(true);
        expect(server.tls).toMatchObject({
          version: 'TLSv1.3',
          alpn: 'http/1.1',
          serverName: 'localhost',
          authorized: false,
          peerCertificate: undefined,
        });
        expect(timings.secured).toBeGreaterThanOrEqual(timings.connected as number);
        client.abort();
      },
      { alpnProtocols: ['http/1.1'] },
    ));

  it('sends no server name for an address literal (RFC 6066 section 3)', () =>
    withListener(identityOf(serverIdentity), async (listener, accepted) => {
      const client = await connect(listener);
      expect((await accepted.stream()).tls?.serverName).toBeUndefined();
      expect(client.tls?.serverName).toBeUndefined();
      client.abort();
    }));

  it('has no protocol when one side offers none', () =>
    withListener(
      identityOf(serverIdentity),
      async (listener, accepted) => {
        const client = await connect(listener);
        expect(client.tls?.alpn).toBeUndefined();
        expect((await accepted.stream()).tls?.alpn).toBeUndefined();
        client.abort();
      },
      { alpnProtocols: ['h2'] },
    ));

  it('the server chooses by its own order', () =>
    withListener(
      identityOf(serverIdentity),
      async (listener) => {
        const client = await connect(listener, trustingTls(), ['http/1.1', 'h2']);
        expect(client.tls?.alpn).toBe('h2');
        client.abort();
      },
      { alpnProtocols: ['h2', 'http/1.1'] },
    ));

  it('without a protocol in common the server sends no_application_protocol (RFC 7301 section 3.2)', () =>
    withListener(
      identityOf(serverIdentity),
      async (listener, accepted) => {
        const error = await failureOf(connect(listener, trustingTls(), ['http/1.1']));
        expect(error).toMatchObject({ code: 'ERR_TLS_NO_ALPN', phase: 'tls' });
        await accepted.outcomes(1);
        expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_TLS_NO_ALPN', phase: 'tls' });
        expect(accepted.streams).toEqual([]);
      },
      { alpnProtocols: ['h2'] },
    ));

  // Node crashes when a TLS socket and the one below it are destroyed in the wrong order at this moment.
  it.each(['abort', 'close', 'end and abort', 'end and close', 'throw'] as const)(
    '%s as soon as it is accepted closes it for good',
    (how) =>
      withListener(identityOf(serverIdentity), async (listener, accepted) => {
        accepted.streamAccepted = (stream) => {
          if (how === 'throw') throw new Error('no');
          accepted.streams.push(stream);
          if (how.startsWith('end')) stream.end();
          if (how.endsWith('abort')) stream.abort();
          else stream.close();
        };
        for (let round = 0; round < 5; round += 1) {
          const client = await connect(listener).then(StreamRecorder.start, () => undefined);
          await client?.until(() => client.ended || client.closings > 0);
          client?.stream[round % 2 === 0 ? 'abort' : 'close']();
          await client?.closing();
        }
        expect(accepted.failures).toEqual([]);
        expect(accepted.streams.length).toBe(how === 'throw' ? 0 : 5);
      }),
  );

  it.each(['abort', 'close'] as const)('%s as soon as it is opened, and after writing', (how) =>
    withListener(identityOf(serverIdentity), async (listener, accepted) => {
      for (let round = 0; round < 6; round += 1) {
        const stream = await connect(listener);
        if (round % 3 === 1) stream.write(new Uint8Array(1_000_000));
        if (round % 3 === 2) stream.end();
        stream[how]();
        const client = StreamRecorder.start(stream);
        await client.closing();
        expect(client.log).toEqual(['closed']);
        // It may have gone before the server was done.
        await accepted.outcomes(round + 1);
      }
      for (const stream of accepted.streams) {
        const server = StreamRecorder.start(stream);
        await server.until(() => server.ended || server.closings > 0);
        stream.abort();
        await server.closing();
      }
      for (const { error } of accepted.failures) expect(error.code).toBe('ERR_CONNECTION_RESET');
      expect(accepted.streams.length + accepted.failures.length).toBe(6);
    }),
  );

  it('tells lines of the key log on both sides, and survives a log that throws', async () => {
    const lines: string[] = [];
    const keylog = (line: string): void => void lines.push(line);
    await withListener({ ...identityOf(serverIdentity), keylog }, async (listener, accepted) => {
      const client = await connect(listener, { ...trustingTls(), keylog });
      await accepted.stream();
      client.abort();
      expect(lines.filter((line) => line.startsWith('CLIENT_TRAFFIC_SECRET_0 ')).length).toBe(2);
      expect(lines.every((line) => !line.endsWith('\n'))).toBe(true);
    });
    const throwing = (): void => {
      throw new Error('disk full');
    };
    await withListener({ ...identityOf(serverIdentity), keylog: throwing }, async (listener) => {
      const client = await connect(listener, { ...trustingTls(), keylog: throwing });
      expect(client.tls?.version).toBe('TLSv1.3');
      client.abort();
    });
  });
});

describe('identities by server name', () => {
  const config: ServerTlsConfig = {
    ...identityOf(serverIdentity),
    serverNames: { 'Example.test': identityOf(example), '*.wild.test': identityOf(example) },
  };
  const named = (serverName: string): ClientTlsConfig => ({ ...trustingTls(), serverName });

  it.each(['example.test', 'EXAMPLE.test', 'a.wild.test'])('%s gets its own', (serverName) =>
    withListener(config, async (listener) => {
      const client = await connect(listener, named(serverName));
      expect(client.tls?.serverName).toBe(serverName);
      client.abort();
    }),
  );

  it.each(['wild.test', 'a.b.wild.test', 'other.test'])('%s gets the default, which is not for it', (serverName) =>
    withListener(config, async (listener) => {
      expect(await failureOf(connect(listener, named(serverName)))).toMatchObject({ code: 'ERR_CERT_NAME' });
    }),
  );

  it('a function answers, at once or later; what it answers is prepared once', async () => {
    const asked: string[] = [];
    const identity = identityOf(example);
    const choose: ServerTlsConfig['serverNames'] = (name) => {
      asked.push(name);
      if (name === 'example.test') return identity;
      return Promise.resolve(name === 'x.wild.test' ? identity : undefined);
    };
    await withListener({ ...identityOf(serverIdentity), serverNames: choose }, async (listener) => {
      for (const name of ['example.test', 'x.wild.test', 'localhost']) {
        const client = await connect(listener, named(name));
        expect(client.tls?.serverName).toBe(name);
        client.abort();
      }
      expect(asked).toEqual(['example.test', 'x.wild.test', 'localhost']);
    });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['rejects', () => Promise.reject(new Error('boom'))],
    ['rejects with nothing', () => Promise.reject(undefined as unknown as Error)],
    ['answers a broken identity', () => ({ cert: 'broken', key: 'broken' })],
    ['answers nonsense', () => 7 as never],
  ] as const)('a function that %s fails that handshake only (CVE-2026-21637)', (_what, choose) =>
    withListener(
      { ...identityOf(serverIdentity), serverNames: (name) => (name === 'bad.test' ? choose() : undefined) },
      async (listener, accepted) => {
        const error = await failureOf(connect(listener, named('bad.test')));
        expect(error).toMatchObject({ phase: 'tls' });
        await accepted.outcomes(1);
        expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_TLS_IDENTITY', phase: 'tls' });
        expect(accepted.failures[0]?.error.message).toContain('bad.test');
        const client = await connect(listener, named('localhost'));
        expect(client.tls?.authorized).toBe(true);
        client.abort();
      },
    ),
  );
});

describe('client certificates', () => {
  const asking = (clientCertificate: 'request' | 'require'): ServerTlsConfig => ({
    ...identityOf(serverIdentity),
    clientCertificate,
    ca: ca.cert,
  });
  const showing = (identity: { cert: string; key: string }): ClientTlsConfig => ({
    ...trustingTls(),
    identity: { cert: identity.cert, key: identity.key },
  });
  const stranger = makeCertificate({ usage: 'client', names: ['stranger.test'] });

  it.each(['request', 'require'] as const)('%s: one that is verified is told', (kind) =>
    withListener(asking(kind), async (listener, accepted) => {
      const client = await connect(listener, showing(clientIdentity));
      const facts = (await accepted.stream()).tls;
      expect(facts?.authorized).toBe(true);
      expect(facts?.peerCertificate?.length).toBeGreaterThan(300);
      client.abort();
    }),
  );

  it('request: without one, or with one of a stranger, the client comes in unauthorized', () =>
    withListener(asking('request'), async (listener, accepted) => {
      const one = await connect(listener);
      expect((await accepted.stream()).tls).toMatchObject({ authorized: false, peerCertificate: undefined });
      const two = await connect(listener, showing(stranger));
      expect((await accepted.stream(1)).tls).toMatchObject({ authorized: false });
      one.abort();
      two.abort();
    }));

  it.each([
    ['no certificate', trustingTls()],
    ['a certificate of a stranger', showing(stranger)],
    ['a server certificate', showing(serverIdentity)],
  ] as const)('require: with %s nothing of the client is delivered', (_what, config) =>
    withListener(asking('require'), async (listener, accepted) => {
      // With TLS 1.3 the client is done before the server has looked; its data is on the way already.
      const outcome = await connect(listener, config).then(
        async (stream) => {
          const client = StreamRecorder.start(stream);
          stream.write(bytesOf('secret'));
          await client.until(() => client.ended || client.closings > 0);
          expect(client.byteCount).toBe(0);
          stream.abort();
          return new NetworkError('closed', { phase: 'read' });
        },
        (error: unknown) => error,
      );
      expect(outcome).toBeInstanceOf(NetworkError);
      await accepted.outcomes(1);
      expect(accepted.streams).toEqual([]);
      expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_TLS_CLIENT_CERTIFICATE', phase: 'tls' });
    }),
  );

  it('require without authorities verifies nobody, least of all by public ones', () =>
    withListener({ ...identityOf(serverIdentity), clientCertificate: 'require' }, async (listener, accepted) => {
      const stream = await connect(listener, showing(clientIdentity)).catch(() => undefined);
      await accepted.outcomes(1);
      expect(accepted.streams).toEqual([]);
      stream?.abort();
    }));
});

describe('resumption', () => {
  it.each(['TLSv1.3', 'TLSv1.2'] as const)('%s: a second connection resumes', (version) => {
    const fresh = new SystemNetworking();
    return withListener(identityOf(serverIdentity), async (listener, accepted) => {
      const resumed: (boolean | undefined)[] = [];
      for (let index = 0; index < 3; index += 1) {
        const old = tls.DEFAULT_MAX_VERSION;
        tls.DEFAULT_MAX_VERSION = version;
        // A configuration with the same content shares its sessions.
        const client = await fresh
          .connectTcpTls({ target: { host: '127.0.0.1', port: portOf(listener) }, tls: { ca: ca.cert, pins: [] } })
          .finally(() => {
            tls.DEFAULT_MAX_VERSION = old;
          });
        expect(client.tls?.version).toBe(version);
        resumed.push(client.tls?.resumed);
        expect((await accepted.stream(index)).tls?.resumed).toBe(client.tls?.resumed);
        await exchange(client, await accepted.stream(index));
      }
      expect(resumed).toEqual([false, true, true]);
    });
  });

  it.each([
    ['the client does not want it', { resumption: false }, {}],
    ['the user checks each connection', { verify: () => undefined }, {}],
    ['the server does not want it', {}, { resumption: false }],
  ] as const)('not when %s', (_why, clientConfig, serverConfig) =>
    withListener({ ...identityOf(serverIdentity), ...serverConfig }, async (listener, accepted) => {
      const config = { ...trustingTls(), ...clientConfig };
      for (let index = 0; index < 2; index += 1) {
        const client = await connect(listener, config);
        expect(client.tls?.resumed).toBe(false);
        await exchange(client, await accepted.stream(index));
      }
    }),
  );

  it('never across configurations that trust differently, nor across names', () =>
    withListener(identityOf(serverIdentity), async (listener, accepted) => {
      const first = await connect(listener, { insecure: true });
      await exchange(first, await accepted.stream(0));
      const second = await connect(listener, trustingTls());
      expect(second.tls?.resumed).toBe(false);
      await exchange(second, await accepted.stream(1));
      expect(await failureOf(connect(listener, { ...trustingTls(), serverName: 'other.test' }))).toMatchObject({
        code: 'ERR_CERT_NAME',
      });
    }));
});

describe('updateTls', () => {
  it('serves the new identity to handshakes to come and keeps connections', () =>
    withListener(identityOf(serverIdentity), async (listener, accepted) => {
      const client = StreamRecorder.start(await connect(listener));
      const server = StreamRecorder.start(await accepted.stream());
      listener.updateTls(identityOf(example));
      const renewed = await connect(listener, { ...trustingTls(), serverName: 'example.test' });
      expect(renewed.tls?.authorized).toBe(true);
      client.stream.write(bytesOf('still'));
      await server.bytes(5);
      expect(server.text).toBe('still');
      expect(() => listener.updateTls({ cert: example.cert, key: serverIdentity.key })).toThrow(ConfigurationError);
      const third = await connect(listener, { ...trustingTls(), serverName: 'example.test' });
      expect(third.tls?.serverName).toBe('example.test');
      for (const stream of [client.stream, renewed, third]) stream.abort();
    }));
});

describe('ticketKeys', () => {
  const keys = (byte: number): Uint8Array => new Uint8Array(48).fill(byte);
  /** One connection. With `session` it answers whether that was resumed, else with a session for the next. */
  async function once(listener: TcpListener, accepted: ListenerRecorder, session?: Buffer): Promise<Buffer | boolean> {
    const count = accepted.streams.length;
    const options = { port: portOf(listener), host: '127.0.0.1', servername: 'localhost', ca: ca.certPem };
    const client = tls.connect(session === undefined ? options : { ...options, session });
    const ticket = new Promise<Buffer>((resolve) => client.once('session', resolve));
    const secure = new Promise((resolve) => client.once('secureConnect', resolve));
    (await accepted.stream(count)).write(bytesOf('!'));
    await secure;
    client.resume();
    // A client that resumes gets no further ticket of Node.
    const result = session === undefined ? await ticket : client.isSessionReused();
    client.destroy();
    return result;
  }

  /** Whether the second configuration accepts the tickets of the first: at the same listener, or at another. */
  async function resumes(first: ServerTlsConfig, second: ServerTlsConfig, same: boolean): Promise<boolean> {
    let resumed: unknown;
    await withListener(first, async (listener, accepted) => {
      const ticket = (await once(listener, accepted)) as Buffer;
      if (same) {
        listener.updateTls(second);
        resumed = await once(listener, accepted, ticket);
      } else {
        await withListener(second, async (other, others) => {
          resumed = await once(other, others, ticket);
        });
      }
    });
    return resumed as boolean;
  }

  it("let listeners accept each other's tickets (RFC 8446 section 4.6.1)", async () => {
    const config = { ...identityOf(serverIdentity), ticketKeys: keys(7) };
    expect(await resumes(config, config, false)).toBe(true);
    expect(await resumes(config, { ...config, ticketKeys: keys(8) }, false)).toBe(false);
  });

  it('are kept over an update only when both configurations have the same', async () => {
    const plain = identityOf(serverIdentity);
    expect(await resumes(plain, plain, true)).toBe(false);
    const config = { ...plain, ticketKeys: keys(7) };
    expect(await resumes(config, config, true)).toBe(true);
    expect(await resumes(config, plain, true)).toBe(false);
  });

  it('are 48 bytes', async () => {
    const config = { ...identityOf(serverIdentity), ticketKeys: new Uint8Array(32) };
    const listening = networking.listenTcp({ endpoint: loopback('https'), tls: config }, new ListenerRecorder());
    await expect(listening).rejects.toMatchObject({ code: 'ERR_TLS_TICKET_KEYS' });
  });
});

describe('a certificate or key that cannot be used', () => {
  it.each([
    ['ERR_TLS_CERTIFICATE', 'no certificate at all', {}],
    ['ERR_TLS_CERTIFICATE', 'a certificate that is none', { cert: 'nonsense', key: serverIdentity.key }],
    ['ERR_TLS_KEY', 'no key', { cert: serverIdentity.cert }],
    ['ERR_TLS_KEY', 'a key that is none', { cert: serverIdentity.cert, key: 'nonsense' }],
    ['ERR_TLS_KEY_MISMATCH', 'the key of another', { cert: serverIdentity.cert, key: example.key }],
    ['ERR_TLS_SWAPPED', 'the two swapped', { cert: serverIdentity.key, key: serverIdentity.cert }],
    ['ERR_TLS_PFX', 'PKCS#12 that is none', { pfx: bytesOf('nonsense') }],
  ] as const)('%s for %s', async (code, _what, config) => {
    const listening = networking.listenTcp({ endpoint: loopback('https'), tls: config }, new ListenerRecorder());
    const error = (await listening.catch((thrown: unknown) => thrown)) as ConfigurationError;
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.code).toBe(code);
  });

  it('names the server name it is for', async () => {
    const config = { ...identityOf(serverIdentity), serverNames: { 'a.test': { cert: example.cert, key: 'no' } } };
    const listening = networking.listenTcp({ endpoint: loopback('https'), tls: config }, new ListenerRecorder());
    await expect(listening).rejects.toThrow(/for a\.test: the private key cannot be read/);
  });

  it('tells a client before it connects', async () => {
    const target = { host: '127.0.0.1', port: 1 };
    const bad = { identity: { cert: clientIdentity.cert, key: example.key } };
    await expect(networking.connectTcpTls({ target, tls: bad })).rejects.toMatchObject({
      code: 'ERR_TLS_KEY_MISMATCH',
    });
    await expect(networking.connectTcpTls({ target, tls: { ca: 'nonsense' } })).rejects.toMatchObject({
      code: 'ERR_TLS_CA',
    });
    await expect(networking.connectTcpTls({ target, tls: { pins: ['short'] } })).rejects.toMatchObject({
      code: 'ERR_PIN_SYNTAX',
    });
  });
});

describe('handshakes that do not come to an end', () => {
  async function slowListener(): Promise<{ clock: ManualClock; accepted: ListenerRecorder; listener: TcpListener }> {
    const clock = new ManualClock();
    const accepted = new ListenerRecorder();
    const listener = await new SystemNetworking({ clock }).listenTcp(
      { endpoint: loopback('https'), tls: identityOf(serverIdentity), handshakeTimeout: 5_000 },
      accepted,
    );
    return { clock, accepted, listener };
  }

  async function rawClient(
    listener: TcpListener,
  ): Promise<{ socket: net.Socket; closed: Promise<string | undefined> }> {
    const socket = net.connect(portOf(listener), '127.0.0.1');
    const closed = new Promise<string | undefined>((resolve) => {
      let code: string | undefined;
      socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
      socket.on('close', () => resolve(code));
    });
    await new Promise((resolve) => socket.once('connect', resolve));
    return { socket, closed };
  }

  it('a client that says nothing is cut off by the deadline', async () => {
    const { clock, accepted, listener } = await slowListener();
    const { closed } = await rawClient(listener);
    while (accepted.asked.length === 0) await settled();
    await clock.advance(4_999);
    expect(accepted.failures).toEqual([]);
    await clock.advance(1);
    expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_TLS_TIMEOUT', phase: 'tls' });
    expect(await closed).toBe('ECONNRESET');
    expect(clock.scheduled).toBe(0);
    await listener.close();
  });

  it('close ends them', async () => {
    const { clock, accepted, listener } = await slowListener();
    const { closed } = await rawClient(listener);
    while (accepted.asked.length === 0) await settled();
    await listener.close();
    expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_LISTENER_CLOSED', phase: 'tls' });
    expect(await closed).toBe('ECONNRESET');
    await clock.advance(0);
    expect(clock.scheduled).toBe(0);
  });

  it.each([
    ['plain HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'ERR_TLS_NOT_TLS'],
    ['noise', '\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008', 'ERR_TLS_NOT_TLS'],
    ['a record that is too long', '\u0016\u0003\u0001\u00ff\u00ff', undefined],
  ])('%s in place of a handshake fails it', async (_what, bytes, code) => {
    const { accepted, listener } = await slowListener();
    const { socket, closed } = await rawClient(listener);
    socket.write(Buffer.from(bytes, 'latin1'));
    socket.end();
    socket.resume();
    await closed;
    await accepted.outcomes(1);
    expect(accepted.streams).toEqual([]);
    expect(accepted.failures).toHaveLength(1);
    if (code !== undefined) expect(accepted.failures[0]?.error).toMatchObject({ code, phase: 'tls' });
    await listener.close();
  });

  it.each(['', '160301'])('a client that ends in the middle is not waited for (after "%s")', async (bytes) => {
    const { clock, accepted, listener } = await slowListener();
    const { socket, closed } = await rawClient(listener);
    socket.resume();
    socket.end(Buffer.from(bytes, 'hex'));
    await accepted.outcomes(1);
    expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_CONNECTION_RESET', phase: 'tls' });
    await closed;
    await clock.advance(0);
    expect(clock.scheduled).toBe(0);
    await listener.close();
  });

  it('a client that goes away in the middle is told as a reset', async () => {
    const { accepted, listener } = await slowListener();
    const { socket } = await rawClient(listener);
    while (accepted.asked.length === 0) await settled();
    socket.resetAndDestroy();
    await accepted.outcomes(1);
    expect(accepted.failures).toHaveLength(1);
    expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_CONNECTION_RESET', phase: 'tls' });
    await listener.close();
  });

  it('a server that says nothing: the client’s handshake timer is named', async () => {
    const silent = net.createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as net.AddressInfo;
    const clock = new ManualClock();
    const connecting = new SystemNetworking({ clock }).connectTcpTls({
      target: { host: '127.0.0.1', port },
      handshakeTimeout: 700,
    });
    const outcome = connecting.catch((error: unknown) => error);
    const arrived = new Promise((resolve) => silent.once('connection', resolve));
    await arrived;
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(100);
    expect(await outcome).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'handshake', milliseconds: 700 });
    expect(clock.scheduled).toBe(0);
    silent.close();
  });

  it('a server that does not speak TLS', async () => {
    const plain = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as net.AddressInfo;
    const error = await failureOf(networking.connectTcpTls({ target: { host: '127.0.0.1', port } }));
    expect(error).toMatchObject({ code: 'ERR_TLS_NOT_TLS', phase: 'tls' });
    expect(error.message).toBe(`TLS with 127.0.0.1:${String(port)} failed: the peer does not speak TLS here`);
    plain.close();
  });

  it('a version that the server no longer accepts', () =>
    withListener({ ...identityOf(serverIdentity), minVersion: 'TLSv1.3' }, async (listener) => {
      const old = tls.DEFAULT_MAX_VERSION;
      tls.DEFAULT_MAX_VERSION = 'TLSv1.2';
      const target = { host: '127.0.0.1', port: portOf(listener) };
      const connecting = new SystemNetworking().connectTcpTls({ target, tls: trustingTls() });
      const error = await failureOf(connecting).finally(() => {
        tls.DEFAULT_MAX_VERSION = old;
      });
      expect(error).toMatchObject({ code: 'ERR_TLS_NO_COMMON', phase: 'tls' });
    }));

  it('an abort in the handshake ends it with the reason', async () => {
    const silent = net.createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const controller = new AbortController();
    const connecting = networking.connectTcpTls({
      target: { host: '127.0.0.1', port: (silent.address() as net.AddressInfo).port },
      signal: controller.signal,
    });
    const [peer] = await Promise.all([
      new Promise<net.Socket>((resolve) => silent.once('connection', resolve)),
      settled(),
    ]);
    await new Promise((resolve) => peer.once('data', resolve));
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    silent.close();
  });
});

afterAll(() => expectNoSocketsBesides(baseline));
