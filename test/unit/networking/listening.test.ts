/** Listening by the system: addresses, ports, unix sockets, and the messages of what goes wrong. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigurationError, NetworkError } from '../../../src/common/index.ts';
import type { Endpoint, IpAddress } from '../../../src/common/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { TcpListener } from '../../../src/networking/index.ts';
import { bindAll, closeAll } from '../../../src/networking/tcp-bind.ts';
import type { BindOptions } from '../../../src/networking/tcp-bind.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { ListenerRecorder, loopback, portOf, withSocketPath } from '../../support/networking-environment.ts';
import { bytesOf, StreamRecorder } from '../../support/stream-recorder.ts';

const baseline = openSockets();
const networking = new SystemNetworking();
const hasIpv6 = await listens('::1');

async function listens(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(0, host, () => server.close(() => resolve(true)));
  });
}

function listen(endpoint: Endpoint, handler = new ListenerRecorder()): Promise<TcpListener> {
  return networking.listenTcp({ endpoint }, handler);
}

async function failure(endpoint: Endpoint): Promise<NetworkError> {
  return (await listen(endpoint).catch((error: unknown) => error)) as NetworkError;
}

/** Takes a port on one address with a plain Node server. */
async function occupy(host: string, port = 0): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: true }, resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const LOCALHOST = [
  { host: '127.0.0.1', optional: true },
  { host: '::1', optional: true },
];

/** Binding on a machine of which the test says what it answers: an errno, another address in its place, or as it is. */
function bindOptions(answer: (host: string) => string | undefined): BindOptions {
  return {
    endpoint: loopback('http', 'localhost'),
    backlog: 10,
    reusePort: false,
    createServer: () => {
      const server = net.createServer();
      const listenOf = server.listen.bind(server) as (options: net.ListenOptions) => net.Server;
      server.listen = ((options: net.ListenOptions) => {
        const answered = answer(options.host ?? '');
        if (answered?.startsWith('E') !== true) return listenOf({ ...options, host: answered ?? options.host ?? '' });
        process.nextTick(() => server.emit('error', Object.assign(new Error(answered), { code: answered })));
        return server;
      }) as typeof server.listen;
      return server;
    },
  };
}

describe('addresses of a listener', () => {
  it('localhost is every loopback address with one port, also when the system chooses it', async () => {
    const listener = await listen(loopback('http', 'localhost'));
    const hosts = listener.addresses.map((address) => (address as IpAddress).host);
    expect(hosts).toEqual(hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']);
    expect(new Set(listener.addresses.map((address) => (address as IpAddress).port)).size).toBe(1);
    expect(portOf(listener)).toBeGreaterThan(0);
    await listener.close();
  });

  it('names below .localhost are loopback as well (RFC 6761 section 6.3)', async () => {
    const listener = await listen(loopback('http', 'app.localhost'));
    expect((listener.addresses[0] as IpAddress).host).toBe('127.0.0.1');
    await listener.close();
  });

  it.skipIf(!hasIpv6)('a port that is busy on one loopback address only is an error for localhost', async () => {
    const taken = await occupy('::1');
    const error = await failure(loopback('http', 'localhost', taken.port));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ code: 'ERR_ADDRESS_IN_USE', phase: 'listen' });
    expect(error.message).toBe(
      `cannot listen on http://localhost:${String(taken.port)} ([::1]:${String(taken.port)}): the address is in use`,
    );
    // The other address is free again.
    const again = await occupy('127.0.0.1', taken.port);
    await again.release();
    await taken.release();
  });

  it('tries another port when the chosen one is busy on the second address', async () => {
    const tried: string[] = [];
    const servers = await bindAll(
      bindOptions((host) => {
        tried.push(host);
        return host === '::1' && tried.length < 8 ? 'EADDRINUSE' : host === '::1' ? '127.0.0.2' : undefined;
      }),
      LOCALHOST,
    );
    expect(tried).toEqual(['127.0.0.1', '::1', '127.0.0.1', '::1', '127.0.0.1', '::1', '127.0.0.1', '::1']);
    expect(new Set(servers.map((server) => (server.address() as net.AddressInfo).port)).size).toBe(1);
    await closeAll(servers);
  });

  it('gives up when every choice is busy, with the reason', async () => {
    let tries = 0;
    const binding = bindAll(
      bindOptions((host) => {
        tries += 1;
        return host === '::1' ? 'EADDRINUSE' : undefined;
      }),
      LOCALHOST,
    );
    await expect(binding).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE' });
    expect(tries).toBe(40);
  });

  it.each(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])(
    'carries on with IPv4 alone on a machine without IPv6 (%s)',
    async (errno) => {
      const servers = await bindAll(
        bindOptions((host) => (host.includes(':') ? errno : undefined)),
        LOCALHOST,
      );
      expect(servers.map((server) => (server.address() as net.AddressInfo).address)).toEqual(['127.0.0.1']);
      await closeAll(servers);
      const wildcard = await bindAll(
        bindOptions((host) => (host.includes(':') ? errno : undefined)),
        [{ host: '::', optional: true }],
      );
      expect(wildcard.map((server) => (server.address() as net.AddressInfo).address)).toEqual(['0.0.0.0']);
      await closeAll(wildcard);
      const none = bindAll(
        bindOptions(() => errno),
        LOCALHOST,
      );
      await expect(none).rejects.toMatchObject({ code: 'ERR_ADDRESS_NOT_AVAILABLE' });
    },
  );

  it.each(['*', '0.0.0.0', '::'])('%s is reached over IPv4 loopback, whose peer shows as IPv4', async (host) => {
    if (host === '::' && !hasIpv6) {
      await expect(listen(loopback('http', host))).rejects.toMatchObject({ code: 'ERR_ADDRESS_NOT_AVAILABLE' });
      return;
    }
    const accepted = new ListenerRecorder();
    const listener = await listen(loopback('http', host), accepted);
    const client = await networking.connectTcp({ target: { host: '127.0.0.1', port: portOf(listener) } });
    const server = await accepted.stream();
    expect(server.remoteAddress).toMatchObject({ family: 'ipv4', host: '127.0.0.1' });
    expect(server.localAddress).toEqual({ family: 'ipv4', host: '127.0.0.1', port: portOf(listener) });
    client.abort();
    server.abort();
    await listener.close();
  });

  it('a name is resolved, and every address of it is bound', async () => {
    const custom = new SystemNetworking({
      resolver: (_host, port) =>
        Promise.resolve([
          { family: 'ipv4', host: '127.0.0.1', port },
          { family: 'ipv4', host: '127.0.0.2', port },
        ]),
    });
    const listener = await custom.listenTcp({ endpoint: loopback('http', 'two.test') }, new ListenerRecorder());
    expect(listener.addresses.map((address) => (address as IpAddress).host)).toEqual(['127.0.0.1', '127.0.0.2']);
    await listener.close();
  });
});

describe('what goes wrong when listening', () => {
  it('a busy port', async () => {
    const taken = await occupy('127.0.0.1');
    const error = await failure(loopback('http', '127.0.0.1', taken.port));
    expect(error).toMatchObject({ code: 'ERR_ADDRESS_IN_USE', phase: 'listen', initiator: 'network' });
    expect(error.message).toBe(`cannot listen on http://127.0.0.1:${String(taken.port)}: the address is in use`);
    await taken.release();
  });

  it('an address that the machine does not have', async () => {
    const error = await failure(loopback('http', '192.0.2.77'));
    expect(error).toMatchObject({ code: 'ERR_ADDRESS_NOT_AVAILABLE', phase: 'listen' });
    expect(error.message).toContain('this machine does not have the address');
  });

  it('a name that does not exist', async () => {
    const custom = new SystemNetworking({
      resolver: () =>
        Promise.reject(new NetworkError('cannot resolve nowhere.test: the name is unknown', { phase: 'resolve' })),
    });
    const listening = custom.listenTcp({ endpoint: loopback('http', 'nowhere.test') }, new ListenerRecorder());
    await expect(listening).rejects.toMatchObject({ phase: 'resolve' });
  });

  it('a port that is none, TLS that is missing, a system without reusePort', async () => {
    await expect(listen(loopback('http', '127.0.0.1', 70_000))).rejects.toBeInstanceOf(ConfigurationError);
    await expect(listen(loopback('https'))).rejects.toThrow(/needs a certificate/);
    const { hasReusePort } = await import('../../../src/networking/platform.ts');
    const shared = networking.listenTcp({ endpoint: loopback(), reusePort: true }, new ListenerRecorder());
    if (hasReusePort) await (await shared).close();
    else await expect(shared).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('replacing the TLS of a listener that has none', async () => {
    const listener = await listen(loopback());
    expect(() => listener.updateTls({})).toThrow(ConfigurationError);
    await listener.close();
  });
});

describe('unix sockets', () => {
  const at = (unixPath: string): Endpoint => ({ scheme: 'http', host: '', port: 0, unixPath });

  it('have a file as long as somebody listens', () =>
    withSocketPath(async (path) => {
      const listener = await listen(at(path));
      expect(statSync(path).isSocket()).toBe(true);
      expect(listener.addresses).toEqual([{ family: 'unix', path }]);
      await listener.close();
      expect(existsSync(path)).toBe(false);
    }));

  it('a stale file is replaced', () =>
    withSocketPath(async (path) => {
      const server = net.createServer().listen(path);
      await new Promise((resolve) => server.once('listening', resolve));
      const { linkSync, renameSync } = await import('node:fs');
      linkSync(path, `${path}.kept`);
      await new Promise((resolve) => server.close(resolve));
      renameSync(`${path}.kept`, path);
      expect(statSync(path).isSocket()).toBe(true);
      const accepted = new ListenerRecorder();
      const listener = await listen(at(path), accepted);
      const client = StreamRecorder.start(
        await networking.connectTcp({ target: { host: '', port: 0 }, unixPath: path }),
      );
      const stream = StreamRecorder.start(await accepted.stream());
      client.stream.write(bytesOf('new'));
      await stream.bytes(3);
      expect(stream.text).toBe('new');
      client.stream.abort();
      stream.stream.abort();
      await listener.close();
    }));

  it('a file on which somebody listens is in use', () =>
    withSocketPath(async (path) => {
      const accepted = new ListenerRecorder();
      const listener = await listen(at(path), accepted);
      const error = await failure(at(path));
      expect(error).toMatchObject({ code: 'ERR_ADDRESS_IN_USE', phase: 'listen' });
      expect(error.message).toContain(path);
      expect(existsSync(path)).toBe(true);
      // Whether anybody listens is found out by a connection.
      (await accepted.stream()).abort();
      await listener.close();
    }));

  it('a file that is no socket is never touched', () =>
    withSocketPath(async (path) => {
      writeFileSync(path, 'precious');
      const error = await failure(at(path));
      expect(error).toMatchObject({ code: 'ERR_ADDRESS_IN_USE' });
      expect(statSync(path).size).toBe(8);
    }));

  it('a folder that does not exist, a path that is too long', () =>
    withSocketPath(async (path) => {
      expect(await failure(at(`${path}/deeper/socket`))).toMatchObject({ code: 'ERR_NO_SUCH_PATH', phase: 'listen' });
      await expect(listen(at(`${path}${'x'.repeat(200)}`))).rejects.toThrow(/longer than/);
      await expect(listen(at(''))).rejects.toBeInstanceOf(ConfigurationError);
    }));
});

describe('accepting', () => {
  it('tells of an accept that failed and goes on', async () => {
    const accepted = new ListenerRecorder();
    const failures: NetworkError[] = [];
    const handler = Object.assign(accepted, { acceptFailed: (error: NetworkError) => void failures.push(error) });
    const spy: net.Server[] = [];
    const listenOf = net.Server.prototype.listen;
    net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
      spy.push(this);
      return Reflect.apply(listenOf, this, args) as net.Server;
    } as typeof listenOf;
    const listener = await listen(loopback(), handler).finally(() => {
      net.Server.prototype.listen = listenOf;
    });
    spy[0]?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: 'ERR_TOO_MANY_FILES', phase: 'listen' });
    const client = await networking.connectTcp({ target: { host: '127.0.0.1', port: portOf(listener) } });
    const server = await accepted.stream();
    expect(server.remoteAddress).toEqual(client.localAddress);
    client.abort();
    server.abort();
    await listener.close();
  });
});

afterAll(() => expectNoSocketsBesides(baseline));
