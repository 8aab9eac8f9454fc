/** Opening TCP connections by the system: names, families, timers, aborts, and the messages of what goes wrong. */
import net from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import type { NetworkError } from '../../../src/common/index.ts';
import { ConfigurationError, TimeoutError } from '../../../src/common/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { ConnectTimings } from '../../../src/networking/index.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { ListenerRecorder, loopback, portOf, withSocketPath } from '../../support/networking-environment.ts';

const baseline = openSockets();
const networking = new SystemNetworking();

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const listener = await networking.listenTcp({ endpoint: loopback() }, new ListenerRecorder());
  const port = portOf(listener);
  await listener.close();
  return port;
}

describe('connectTcp', () => {
  it('localhost tries both loopback addresses and needs no name server', async () => {
    const accepted = new ListenerRecorder();
    const listener = await networking.listenTcp({ endpoint: loopback('http', '127.0.0.1') }, accepted);
    const timings: ConnectTimings = { started: 0, resolved: undefined, connected: undefined, secured: undefined };
    const stream = await networking.connectTcp({ target: { host: 'localhost', port: portOf(listener) }, timings });
    expect(stream.remoteAddress).toEqual({ family: 'ipv4', host: '127.0.0.1', port: portOf(listener) });
    expect(timings.resolved).toBeGreaterThan(0);
    expect(timings.connected).toBeGreaterThanOrEqual(timings.resolved as number);
    expect(timings.secured).toBeUndefined();
    stream.abort();
    (await accepted.stream()).abort();
    await listener.close();
  });

  it('keeps to the family asked for', async () => {
    const accepted = new ListenerRecorder();
    const listener = await networking.listenTcp({ endpoint: loopback('http', 'localhost') }, accepted);
    const target = { host: 'localhost', port: portOf(listener) };
    const stream = await networking.connectTcp({ target, family: 'ipv4' });
    expect(stream.remoteAddress).toMatchObject({ family: 'ipv4' });
    stream.abort();
    await expect(networking.connectTcp({ target: { ...target, host: '127.0.0.1' }, family: 'ipv6' })).rejects.toThrow(
      'cannot resolve 127.0.0.1: the name has no IPv6 address',
    );
    for (const accept of accepted.streams) accept.abort();
    await listener.close();
  });

  it('a port on which nobody listens', async () => {
    const port = await closedPort();
    const one = networking.connectTcp({ target: { host: '127.0.0.1', port } });
    await expect(one).rejects.toMatchObject({
      code: 'ERR_CONNECTION_REFUSED',
      phase: 'connect',
      message: `cannot connect to 127.0.0.1:${String(port)}: connection refused`,
    });
    const both = (await networking
      .connectTcp({ target: { host: 'localhost', port } })
      .catch((error: unknown) => error)) as NetworkError;
    expect(both.message).toContain(`cannot connect to localhost:${String(port)}: `);
    expect(both.message).toContain(`127.0.0.1:${String(port)}: connection refused`);
    expect(both.message).toContain(`[::1]:${String(port)}`);
  });

  it('a name that is unknown', async () => {
    const unknown = networking.connectTcp({ target: { host: 'does-not-exist.invalid', port: 80 } });
    await expect(unknown).rejects.toMatchObject({ phase: 'resolve' });
    await expect(unknown).rejects.toThrow(/^cannot resolve does-not-exist\.invalid: /);
  });

  it('a unix socket that is not there', () =>
    withSocketPath(async (unixPath) => {
      const connecting = networking.connectTcp({ target: { host: '', port: 0 }, unixPath });
      await expect(connecting).rejects.toMatchObject({ code: 'ERR_NO_SUCH_PATH', phase: 'connect' });
    }));

  it.each([
    { host: '127.0.0.1', port: 0 },
    { host: '127.0.0.1', port: 65_536 },
    { host: '127.0.0.1', port: 1.5 },
    { host: '', port: 80 },
    { host: 'a\0b', port: 80 },
  ])('refuses the target $host:$port', async (target) => {
    await expect(networking.connectTcp({ target })).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('the connect timer covers resolving and connecting, and is named', async () => {
    const clock = new ManualClock();
    const slow = new SystemNetworking({ clock, resolver: () => new Promise(() => {}) });
    const connecting = slow.connectTcp({ target: { host: 'slow.test', port: 80 }, connectTimeout: 3_000 });
    const outcome = connecting.catch((error: unknown) => error);
    await clock.advance(2_999);
    await clock.advance(1);
    const error = (await outcome) as TimeoutError;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timer: 'connect', milliseconds: 3_000, code: 'ERR_TIMEOUT' });
    expect(error.message).toContain('slow.test:80');
    expect(clock.scheduled).toBe(0);
  });

  it('the connect timer ends attempts that get no answer', async () => {
    const clock = new ManualClock();
    const cancelled: string[] = [];
    const silent = new SystemNetworking({
      clock,
      resolver: (_host, port) =>
        Promise.resolve([
          { family: 'ipv4', host: '192.0.2.1', port },
          { family: 'ipv6', host: '2001:db8::1', port },
        ]),
      dial: (address) => () => void cancelled.push(address.host),
    });
    const connecting = silent.connectTcp({ target: { host: 'silent.test', port: 80 } });
    const outcome = connecting.catch((error: unknown) => error);
    await clock.advance(10_000);
    expect(await outcome).toMatchObject({ timer: 'connect', milliseconds: 10_000 });
    expect(cancelled).toEqual(['2001:db8::1', '192.0.2.1']);
    expect(clock.scheduled).toBe(0);
  });

  it('an abort ends it at every step, with the reason', async () => {
    const reason = new Error('changed my mind');
    const clock = new ManualClock();
    const resolving = new SystemNetworking({ clock, resolver: () => new Promise(() => {}) });
    const controller = new AbortController();
    const target = { host: 'slow.test', port: 80 };
    const first = resolving.connectTcp({ target, signal: controller.signal });
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    await expect(resolving.connectTcp({ target, signal: controller.signal })).rejects.toBe(reason);
    const again = new AbortController();
    const dialling = new SystemNetworking({ clock, dial: () => () => {} });
    const second = dialling.connectTcp({ target: { host: '127.0.0.1', port: 80 }, signal: again.signal });
    await settled();
    again.abort('a text as the reason');
    await expect(second).rejects.toMatchObject({ code: 'ERR_CANCELLED', message: 'a text as the reason' });
    expect(clock.scheduled).toBe(0);
  });

  it('a connection that is reset by the peer tells so', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as net.AddressInfo;
    const stream = await networking.connectTcp({ target: { host: '127.0.0.1', port } });
    const error = await new Promise((resolve) => {
      stream.start({ dataReceived() {}, endReceived() {}, drained() {}, closed: resolve });
      stream.write(new Uint8Array(1));
    });
    expect(error).toMatchObject({ code: 'ERR_CONNECTION_RESET', phase: 'read', initiator: 'network' });
    expect((error as NetworkError).message).toBe('connection lost: reset by the peer');
    server.close();
  });
});

afterAll(() => expectNoSocketsBesides(baseline));
