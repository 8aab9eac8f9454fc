/** Simulated networking: it replays, keeps bytes whole under any conditions, and fails as networks fail. */
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../src/common/index.ts';
import type { HfaceError, IpAddress, ServerTlsConfig } from '../../src/common/index.ts';
import type { ByteStream, ConnectTimings } from '../../src/networking/index.ts';
import { drawConditions, runSimulation } from '../../src/networking/simulation/index.ts';
import type { Simulation, SimulationOptions, SimulationResult } from '../../src/networking/simulation/index.ts';
import { ListenerRecorder, loopback, portOf, trustingTls } from '../support/networking-environment.ts';
import { bytesOf, patternBytes, StreamRecorder } from '../support/stream-recorder.ts';
import { makeCertificate, testPki } from '../support/test-certificates.ts';

const { ca, server, client } = testPki();
const wallStart = Date.now();

/** Writes bytes in pieces cut at random, waiting for room, with pauses. */
async function sendAll(simulation: Simulation, recorder: StreamRecorder, bytes: Uint8Array): Promise<void> {
  const { random } = simulation;
  for (let at = 0; at < bytes.length;) {
    const size = random.integer(1, random.pick([3, 900, 20_000]));
    const chunk = bytes.subarray(at, at + size);
    const drains = recorder.drains;
    at += size;
    if (!recorder.stream.write(random.chance(0.5) ? chunk : [chunk.subarray(0, 1), chunk.subarray(1)])) {
      await recorder.until(() => recorder.drains > drains || recorder.closings > 0);
    }
    if (recorder.closings > 0) return;
    if (random.chance(0.1)) await simulation.sleep(random.integer(0, 40));
  }
  recorder.stream.end();
}

/** Reads with pauses at random times. */
function readHesitantly(simulation: Simulation, recorder: StreamRecorder): void {
  const random = simulation.random.fork(`reader ${recorder.stream.constructor.name}`);
  recorder.react = (event) => {
    if (event !== 'data' || !random.chance(0.2)) return;
    recorder.stream.pause();
    simulation.clock.schedule(simulation.clock.now() + random.integer(0, 50), () => recorder.stream.resume());
  };
}

/** Two connections with bytes both ways. */
async function exchange(simulation: Simulation, tls: boolean): Promise<string[]> {
  const { networking, random } = simulation;
  const accepted = new ListenerRecorder();
  const listener = await networking.listenTcp(
    tls
      ? { endpoint: loopback('https'), tls: { cert: server.cert, key: server.key }, alpnProtocols: ['a', 'b'] }
      : { endpoint: loopback() },
    accepted,
  );
  const target = { host: '127.0.0.1', port: portOf(listener) };
  const outcomes: string[] = [];
  const one = async (number: number): Promise<void> => {
    const stream = tls
      ? await networking.connectTcpTls({ target, tls: trustingTls(), alpnProtocols: ['b'] })
      : await networking.connectTcp({ target });
    const near = StreamRecorder.start(stream);
    const far = StreamRecorder.start(
      await accepted.stream(accepted.streams.findIndex((other) => samePort(other, stream))),
    );
    readHesitantly(simulation, near);
    readHesitantly(simulation, far);
    const up = patternBytes(random.integer(0, 6_000), number);
    const down = patternBytes(random.integer(0, 6_000), number + 100);
    await Promise.all([sendAll(simulation, near, up), sendAll(simulation, far, down), near.closing(), far.closing()]);
    const whole = Buffer.concat(far.chunks).equals(up) && Buffer.concat(near.chunks).equals(down);
    outcomes.push(`${String(number)} ${String(whole)} ${near.log.at(-1) ?? ''} ${far.log.at(-1) ?? ''}`);
  };
  await Promise.all([one(1), one(2)]);
  await listener.close();
  return outcomes.sort();
}

function samePort(accepted: ByteStream, opened: ByteStream): boolean {
  return (accepted.remoteAddress as IpAddress).port === (opened.localAddress as IpAddress).port;
}

function run(seed: number, tls: boolean, options: SimulationOptions = {}): Promise<SimulationResult<string[]>> {
  return runSimulation(seed, (simulation) => exchange(simulation, tls), {
    wallStart,
    conditions: (_number, random) => ({ ...drawConditions(random) }),
    ...options,
  });
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a simulation', () => {
  it('replays: 20 seeds twice give the same digests, and each seed one of its own', async () => {
    const digests = new Set<string>();
    for (const seed of seeds(20)) {
      const first = await run(seed, seed % 2 === 0);
      const second = await run(seed, seed % 2 === 0);
      expect(second.digest, `seed ${String(seed)}`).toBe(first.digest);
      expect(second.elapsed).toBe(first.elapsed);
      expect(second.events).toBe(first.events);
      digests.add(first.digest);
    }
    expect(digests.size).toBe(20);
  });

  it('keeps bytes whole and closes everything under any conditions: 150 seeds', async () => {
    for (const seed of seeds(150)) {
      const { value, leftovers } = await run(seed, seed % 3 === 0);
      expect(value, `seed ${String(seed)}`).toEqual(['1 true closed closed', '2 true closed closed']);
      expect(leftovers, `seed ${String(seed)}`).toEqual([]);
    }
  });
});

describe('trouble on the way', () => {
  /** A transfer over a connection that may break; tells how each side ended. */
  function transfer(seed: number, trouble: Record<string, number>): Promise<SimulationResult<string>> {
    return runSimulation(
      seed,
      async (simulation) => {
        const accepted = new ListenerRecorder();
        const listener = await simulation.networking.listenTcp({ endpoint: loopback() }, accepted);
        const target = { host: '127.0.0.1', port: portOf(listener) };
        const stream = await simulation.networking
          .connectTcp({ target })
          .catch((error: unknown) => error as HfaceError);
        if (!('start' in stream)) {
          await listener.close();
          return stream.code;
        }
        const near = StreamRecorder.start(stream);
        const far = StreamRecorder.start(await accepted.stream());
        const bytes = patternBytes(50_000);
        const sending = sendAll(simulation, near, bytes);
        const watchdog = simulation.clock.schedule(simulation.clock.now() + 30_000, () => {
          near.stream.abort();
          far.stream.abort();
        });
        far.react = (event) => {
          if (event === 'end') far.stream.end();
        };
        await Promise.all([near.closing(), far.closing()]);
        watchdog.cancel();
        await sending;
        await listener.close();
        // Whatever came is a beginning of what was sent.
        expect(Buffer.concat(far.chunks).equals(bytes.subarray(0, far.byteCount))).toBe(true);
        expect([near.closings, far.closings]).toEqual([1, 1]);
        return `${near.log.at(-1) ?? ''}, ${far.log.at(-1) ?? ''}${far.byteCount === bytes.length ? ', whole' : ''}`;
      },
      { conditions: { latency: 5, bandwidth: 100_000, ...trouble } },
    );
  }

  it('resets at random times are told to both sides', async () => {
    const outcomes = new Set<string>();
    for (const seed of seeds(40)) {
      const { value, leftovers } = await transfer(seed, { resetChance: 0.5, troubleWithin: 700 });
      outcomes.add(value);
      expect(leftovers).toEqual([]);
    }
    expect([...outcomes].sort()).toEqual([
      'closed ERR_CONNECTION_RESET, closed ERR_CONNECTION_RESET',
      'closed, closed, whole',
    ]);
  });

  it('silence is told to nobody: only a timer of one’s own ends it', async () => {
    const outcomes = new Set<string>();
    for (const seed of seeds(30)) {
      const { value, elapsed, leftovers } = await transfer(seed, { silenceChance: 0.5, troubleWithin: 400 });
      outcomes.add(value);
      if (!value.endsWith('whole')) expect(elapsed).toBeGreaterThan(29_999);
      expect(leftovers).toEqual([]);
    }
    expect([...outcomes].sort()).toEqual(['closed, closed', 'closed, closed, whole']);
  });

  it('connections are refused although somebody listens', async () => {
    const outcomes = new Set<string>();
    for (const seed of seeds(20)) outcomes.add((await transfer(seed, { refuseChance: 0.5 })).value);
    expect([...outcomes].sort()).toEqual(['ERR_CONNECTION_REFUSED', 'closed, closed, whole']);
  });
});

describe('simulated connections take the time that they should', () => {
  const listened = async (
    simulation: Simulation,
    host = '127.0.0.1',
  ): Promise<{ accepted: ListenerRecorder; target: { host: string; port: number }; close(): Promise<void> }> => {
    const accepted = new ListenerRecorder();
    const listener = await simulation.networking.listenTcp({ endpoint: loopback('http', host) }, accepted);
    return { accepted, target: { host, port: portOf(listener) }, close: () => listener.close() };
  };

  it('a round trip to connect, the time of the line to transfer', async () => {
    const { value } = await runSimulation(
      1,
      async (simulation) => {
        const { accepted, target, close } = await listened(simulation);
        const timings: ConnectTimings = {
          started: simulation.clock.now(),
          resolved: undefined,
          connected: undefined,
          secured: undefined,
        };
        const near = StreamRecorder.start(await simulation.networking.connectTcp({ target, timings }));
        const far = StreamRecorder.start(await accepted.stream());
        const start = simulation.clock.now();
        near.stream.write(patternBytes(100_000));
        near.stream.end();
        await far.end();
        const took = simulation.clock.now() - start;
        far.stream.end();
        await Promise.all([near.closing(), far.closing(), close()]);
        return [(timings.connected ?? 0) - timings.started, took];
      },
      { conditions: { latency: 40, bandwidth: 1_000_000, window: 1 << 20 } },
    );
    expect(value[0]).toBe(80);
    expect(value[1]).toBeCloseTo(140, 6);
  });

  it('an address that does not answer: the other family 250 ms later (RFC 8305 section 5)', async () => {
    const { value, leftovers } = await runSimulation(
      1,
      async (simulation) => {
        const { accepted, target, close } = await listened(simulation, 'localhost');
        const start = simulation.clock.now();
        const stream = await simulation.networking.connectTcp({ target });
        const took = simulation.clock.now() - start;
        stream.abort();
        (await accepted.stream()).abort();
        await close();
        return { took, address: stream.remoteAddress };
      },
      { unreachable: ['::1'], conditions: { latency: 10 } },
    );
    expect(value).toMatchObject({ took: 1 + 250 + 20, address: { family: 'ipv4', host: '127.0.0.1' } });
    expect(leftovers).toEqual([]);
  });

  it('nobody answers: the connect timer, by name', async () => {
    const { value, elapsed, leftovers } = await runSimulation(
      1,
      async ({ networking }) => {
        const target = { host: 'far.test', port: 80 };
        return networking.connectTcp({ target, connectTimeout: 4_000 }).catch((error: unknown) => error);
      },
      { names: { 'far.test': ['192.0.2.1'] }, unreachable: ['192.0.2.1'] },
    );
    expect(value).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'connect', milliseconds: 4_000 });
    expect(elapsed).toBe(4_000);
    expect(leftovers).toEqual([]);
  });

  it('names, ports and addresses behave as on a machine', async () => {
    const { value } = await runSimulation(
      1,
      async (simulation) => {
        const { networking } = simulation;
        const both = await networking.listenTcp({ endpoint: loopback('http', 'localhost') }, new ListenerRecorder());
        const named = await networking.listenTcp(
          { endpoint: loopback('http', 'app.test', 80) },
          new ListenerRecorder(),
        );
        const busy = networking.listenTcp({ endpoint: loopback('http', 'app.test', 80) }, new ListenerRecorder());
        await expect(busy).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE', phase: 'listen' });
        const unknown = networking.connectTcp({ target: { host: 'nowhere.test', port: 80 } });
        await expect(unknown).rejects.toMatchObject({ code: 'ERR_NAME_NOT_FOUND', phase: 'resolve' });
        const refused = networking.connectTcp({ target: { host: 'app.test', port: 81 } });
        await expect(refused).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED', phase: 'connect' });
        const six = networking.connectTcp({ target: { host: 'app.test', port: 80 }, family: 'ipv6' });
        await expect(six).rejects.toBeInstanceOf(NetworkError);
        const other = simulation.networkingAt('10.0.0.9');
        const stream = await other.connectTcp({ target: { host: 'app.test', port: 80 } });
        const addresses = [both.addresses, stream.localAddress, stream.remoteAddress];
        stream.abort();
        await Promise.all([both.close(), named.close()]);
        return addresses;
      },
      {},
    );
    expect(value).toEqual([
      [
        { family: 'ipv4', host: '127.0.0.1', port: 49_152 },
        { family: 'ipv6', host: '::1', port: 49_152 },
      ],
      { family: 'ipv4', host: '10.0.0.9', port: expect.any(Number) as number },
      { family: 'ipv4', host: '10.0.0.1', port: 80 },
    ]);
  });
});

describe('simulated TLS', () => {
  const example = makeCertificate({ issuer: ca, names: ['example.test', '*.wild.test'] });

  function secured<Value>(
    config: ServerTlsConfig,
    body: (simulation: Simulation, accepted: ListenerRecorder, port: number) => Promise<Value>,
    alpnProtocols: readonly string[] = [],
  ): Promise<SimulationResult<Value>> {
    return runSimulation(
      2,
      async (simulation) => {
        const accepted = new ListenerRecorder();
        const listener = await simulation.networking.listenTcp(
          { endpoint: loopback('https'), tls: config, alpnProtocols, handshakeTimeout: 5_000 },
          accepted,
        );
        const value = await body(simulation, accepted, portOf(listener));
        await listener.close();
        for (const stream of accepted.streams) stream.abort();
        return value;
      },
      { wallStart, conditions: { latency: 10, segmentSize: 100 } },
    );
  }

  const identity = { cert: server.cert, key: server.key };

  it('chooses the identity by name and the protocol by ALPN, in one round trip', () =>
    secured(
      { ...identity, serverNames: (name) => Promise.resolve(name.endsWith('wild.test') ? example : undefined) },
      async ({ networking, clock }, accepted, port) => {
        const timings: ConnectTimings = { started: 0, resolved: undefined, connected: undefined, secured: undefined };
        const stream = await networking.connectTcpTls({
          target: { host: '127.0.0.1', port },
          tls: { ...trustingTls(), serverName: 'a.wild.test' },
          alpnProtocols: ['x', 'h2'],
          timings,
        });
        expect(stream.tls).toMatchObject({ alpn: 'h2', serverName: 'a.wild.test', authorized: true, resumed: false });
        expect((await accepted.stream()).tls).toMatchObject({
          alpn: 'h2',
          serverName: 'a.wild.test',
          authorized: false,
        });
        expect((timings.secured ?? 0) - (timings.connected ?? 0)).toBe(20);
        expect(clock.elapsed).toBe(40);
        stream.abort();
      },
      ['h2', 'http/1.1'],
    ).then(({ leftovers }) => expect(leftovers).toEqual([])));

  it('no protocol in common', () =>
    secured(
      identity,
      async ({ networking }, accepted, port) => {
        const connecting = networking.connectTcpTls({
          target: { host: '127.0.0.1', port },
          tls: trustingTls(),
          alpnProtocols: ['x'],
        });
        await expect(connecting).rejects.toMatchObject({ code: 'ERR_TLS_NO_ALPN', phase: 'tls' });
        expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_TLS_NO_ALPN' });
      },
      ['h2'],
    ).then(({ leftovers }) => expect(leftovers).toEqual([])));

  it('client certificates: required, shown, missing', () =>
    secured({ ...identity, clientCertificate: 'require', ca: ca.cert }, async ({ networking }, accepted, port) => {
      const target = { host: '127.0.0.1', port };
      const known = { cert: client.cert, key: client.key };
      const stream = await networking.connectTcpTls({ target, tls: { ...trustingTls(), identity: known } });
      expect((await accepted.stream()).tls?.authorized).toBe(true);
      stream.abort();
      await expect(networking.connectTcpTls({ target, tls: trustingTls() })).rejects.toMatchObject({ phase: 'tls' });
      expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_TLS_CLIENT_CERTIFICATE' });
    }).then(({ leftovers }) => expect(leftovers).toEqual([])));

  it('a function for identities that throws or rejects harms its handshake only', () =>
    secured(
      {
        ...identity,
        serverNames: (name) => {
          if (name === 'throws.test') throw new Error('boom');
          return name === 'rejects.test' ? Promise.reject(new Error('boom')) : undefined;
        },
      },
      async ({ networking }, accepted, port) => {
        for (const serverName of ['throws.test', 'rejects.test']) {
          const target = { host: '127.0.0.1', port };
          const connecting = networking.connectTcpTls({ target, tls: { ...trustingTls(), serverName } });
          await expect(connecting).rejects.toMatchObject({ phase: 'tls' });
        }
        expect(accepted.failures.map(({ error }) => error.code)).toEqual(['ERR_TLS_IDENTITY', 'ERR_TLS_IDENTITY']);
      },
    ).then(({ leftovers }) => expect(leftovers).toEqual([])));

  it('a peer that does not speak it, and one that says nothing', () =>
    secured(identity, async ({ networking, clock }, accepted, port) => {
      const plain = StreamRecorder.start(await networking.connectTcp({ target: { host: '127.0.0.1', port } }));
      plain.stream.write(bytesOf('GET / HTTP/1.1\r\n\r\n'));
      await plain.closing();
      expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_TLS_NOT_TLS' });
      const silent = StreamRecorder.start(await networking.connectTcp({ target: { host: '127.0.0.1', port } }));
      const start = clock.now();
      await silent.closing();
      expect(clock.now() - start).toBe(5_010);
      expect(accepted.failures[1]?.error).toMatchObject({ code: 'ERR_TLS_TIMEOUT' });
    }).then(({ leftovers }) => expect(leftovers).toEqual([])));

  it('a server that says nothing: the client’s timer, by name', async () => {
    const { value } = await runSimulation(1, async ({ networking }) => {
      const accepted = new ListenerRecorder();
      const listener = await networking.listenTcp({ endpoint: loopback() }, accepted);
      accepted.streamAccepted = () => undefined;
      const target = { host: '127.0.0.1', port: portOf(listener) };
      const connecting = networking.connectTcpTls({ target, tls: trustingTls(), handshakeTimeout: 900 });
      const error: unknown = await connecting.catch((thrown: unknown) => thrown);
      await listener.close();
      return error;
    });
    expect(value).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'handshake', milliseconds: 900 });
  });

  it('close ends handshakes, updateTls serves those to come', () =>
    runSimulation(
      1,
      async ({ networking }) => {
        const accepted = new ListenerRecorder();
        const listener = await networking.listenTcp({ endpoint: loopback('https'), tls: identity }, accepted);
        const target = { host: '127.0.0.1', port: portOf(listener) };
        listener.updateTls({ cert: example.cert, key: example.key });
        const stream = await networking.connectTcpTls({
          target,
          tls: { ...trustingTls(), serverName: 'example.test' },
        });
        expect(stream.tls?.authorized).toBe(true);
        stream.abort();
        const silent = StreamRecorder.start(await networking.connectTcp({ target }));
        await listener.close();
        await silent.closing();
        expect(accepted.failures[0]?.error).toMatchObject({ code: 'ERR_LISTENER_CLOSED' });
        for (const other of accepted.streams) other.abort();
      },
      { wallStart },
    ).then(({ leftovers }) => expect(leftovers).toEqual([])));
});
