/** One suite over byte streams and listeners, for every implementation of networking. */
import { afterAll, describe, expect, it } from 'vitest';
import { HfaceError, NetworkError } from '../../src/common/index.ts';
import type { ByteStream, TcpListener } from '../../src/networking/index.ts';
import { expectNoSocketsBesides, openSockets } from '../support/leaks.ts';
import { ListenerRecorder, simulatedKinds, systemKinds } from '../support/networking-environment.ts';
import type { NetworkingEnvironment, NetworkingKind } from '../support/networking-environment.ts';
import { bytesOf, patternBytes, StreamRecorder } from '../support/stream-recorder.ts';

const kinds: readonly NetworkingKind[] = [...systemKinds, ...simulatedKinds];

const baseline = openSockets();
afterAll(() => expectNoSocketsBesides(baseline));

/** A connection with both ends started. */
interface Pair {
  readonly client: StreamRecorder;
  readonly server: StreamRecorder;
  readonly listener: TcpListener;
  readonly accepted: ListenerRecorder;
}

/** Opens a listener, one connection to it, runs the body, and closes all. */
async function withPair(
  environment: NetworkingEnvironment,
  body: (pair: Pair) => Promise<void>,
  start: (stream: ByteStream) => StreamRecorder = (stream) => StreamRecorder.start(stream),
): Promise<void> {
  const accepted = new ListenerRecorder();
  const listener = await environment.networking.listenTcp(environment.listenOptions, accepted);
  const client = start(await environment.connect(listener));
  try {
    const server = start(await accepted.stream());
    await body({ client, server, listener, accepted });
  } finally {
    await listener.close();
    client.stream.abort();
    for (const stream of accepted.streams) stream.abort();
  }
}

/** Some round trips on a connection of their own: time for whatever else was on its way to arrive. */
async function roundTrips(environment: NetworkingEnvironment, pair: Pair, count = 3): Promise<void> {
  const number = pair.accepted.streams.length;
  const client = StreamRecorder.start(await environment.connect(pair.listener));
  const server = StreamRecorder.start(await pair.accepted.stream(number));
  for (let round = 1; round <= count; round += 1) {
    client.stream.write(bytesOf('?'));
    await server.bytes(round);
    server.stream.write(bytesOf('!'));
    await client.bytes(round);
  }
  client.stream.abort();
  await client.closing();
}

describe.each(kinds)('byte streams over $name', (kind) => {
  const test = (name: string, body: (environment: NetworkingEnvironment) => Promise<void>): void =>
    it(name, () => kind.run(body));

  test('carry bytes both ways in order, in one chunk and in a list', (environment) =>
    withPair(environment, async ({ client, server }) => {
      client.stream.write(bytesOf('hello'));
      await server.bytes(5);
      server.stream.write([bytesOf('he'), bytesOf(''), bytesOf('llo '), bytesOf('yourself')]);
      await client.bytes(14);
      expect(server.text).toBe('hello');
      expect(client.text).toBe('hello yourself');
      expect(client.stream.bytesWritten).toBe(5);
      expect(client.stream.bytesRead).toBe(14);
      expect(server.stream.bytesRead).toBe(5);
      expect(server.stream.bytesWritten).toBe(14);
    }));

  test('carry a large amount both ways at once, whatever the sizes of the chunks', (environment) =>
    withPair(environment, async ({ client, server }) => {
      const up = patternBytes(1_500_000, 1);
      const down = patternBytes(1_200_000, 2);
      const send = async (recorder: StreamRecorder, bytes: Uint8Array): Promise<void> => {
        let size = 1;
        for (let at = 0; at < bytes.length; at += size, size = (size * 7 + 13) % 90_000 || 1) {
          const drains = recorder.drains;
          const chunk = bytes.subarray(at, Math.min(at + size, bytes.length));
          const half = chunk.length >> 1;
          if (!recorder.stream.write([chunk.subarray(0, half), chunk.subarray(half)])) {
            await recorder.until(() => recorder.drains > drains);
          }
        }
        recorder.stream.end();
      };
      await Promise.all([send(client, up), send(server, down), client.closing(), server.closing()]);
      expect(Buffer.concat(server.chunks).equals(up)).toBe(true);
      expect(Buffer.concat(client.chunks).equals(down)).toBe(true);
      expect(client.error).toBeUndefined();
      expect(server.error).toBeUndefined();
    }));

  test('know their addresses', (environment) =>
    withPair(environment, async ({ client, server, listener }) => {
      if (kind.unix) {
        expect(server.stream.localAddress).toEqual(listener.addresses[0]);
        expect(client.stream.remoteAddress).toEqual(listener.addresses[0]);
        expect(server.stream.remoteAddress).toEqual({ family: 'unix', path: '' });
      } else {
        expect(server.stream.remoteAddress).toEqual(client.stream.localAddress);
        expect(client.stream.remoteAddress).toEqual(server.stream.localAddress);
        expect(client.stream.remoteAddress).toEqual(listener.addresses[0]);
      }
      expect(client.stream.tls === undefined).toBe(!kind.tls);
      client.stream.abort();
      await client.closing();
      expect(client.stream.remoteAddress).toEqual(listener.addresses[0]);
    }));

  test('half-close: the client ends, the server answers later', (environment) =>
    withPair(environment, async ({ client, server }) => {
      client.stream.write(bytesOf('question'));
      client.stream.end();
      await server.end();
      expect(server.log.at(-1)).toBe('end');
      expect(server.text).toBe('question');
      server.stream.write(bytesOf('answer'));
      await client.bytes(6);
      expect(client.ended).toBe(false);
      server.stream.end();
      await Promise.all([client.closing(), server.closing()]);
      expect(client.text).toBe('answer');
      expect(client.log.slice(-2)).toEqual(['end', 'closed']);
      expect(server.log.at(-1)).toBe('closed');
    }));

  test('half-close: the server ends, the client goes on sending', (environment) =>
    withPair(environment, async ({ client, server }) => {
      server.stream.end();
      await client.end();
      client.stream.write(bytesOf('still here'));
      await server.bytes(10);
      expect(server.text).toBe('still here');
      client.stream.end();
      await Promise.all([client.closing(), server.closing()]);
      expect([client.error, server.error]).toEqual([undefined, undefined]);
    }));

  test('end only once all that was written is gone', (environment) =>
    withPair(environment, async (pair) => {
      const { client, server } = pair;
      const bytes = patternBytes(3_000_000);
      server.stream.pause();
      client.stream.write(bytes);
      client.stream.end();
      client.stream.end();
      await roundTrips(environment, pair);
      server.stream.resume();
      await server.end();
      expect(server.byteCount).toBe(bytes.length);
      expect(Buffer.concat(server.chunks).equals(bytes)).toBe(true);
      server.stream.end();
      await Promise.all([client.closing(), server.closing()]);
      expect([client.error, server.error]).toEqual([undefined, undefined]);
    }));

  test('hold back: a paused reader bounds what is read, writers hear of room once', (environment) =>
    withPair(environment, async (pair) => {
      const { client, server } = pair;
      server.stream.pause();
      const chunk = patternBytes(0x10000);
      let written = 0;
      let room = true;
      // Loopback sockets take some megabytes before they are full.
      while (room && written < 64 << 20) {
        room = client.stream.write(chunk);
        written += chunk.length;
        if (client.stream.bufferedBytes > 0 && room) await roundTrips(environment, pair, 1);
      }
      expect(room).toBe(false);
      expect(client.stream.bufferedBytes).toBeGreaterThanOrEqual(0x40000);
      expect(client.stream.bufferedBytes).toBeLessThanOrEqual(0x40000 + chunk.length);
      await roundTrips(environment, pair);
      expect(server.byteCount).toBe(0);
      expect(client.drains).toBe(0);
      server.stream.resume();
      await client.until(() => client.drains > 0);
      await server.bytes(written);
      expect(client.drains).toBe(1);
      expect(client.stream.bufferedBytes).toBe(0);
      expect(server.byteCount).toBe(written);
    }));

  test('pause holds data and end, resume is never re-entrant', (environment) =>
    withPair(environment, async (pair) => {
      const { client, server } = pair;
      server.stream.pause();
      client.stream.write(bytesOf('one'));
      client.stream.end();
      await roundTrips(environment, pair);
      expect(server.log).toEqual([]);
      server.stream.pause();
      server.stream.resume();
      expect(server.log).toEqual([]);
      await server.end();
      expect(server.log.at(-1)).toBe('end');
      expect(server.text).toBe('one');
    }));

  test('pause from inside dataReceived takes effect at once, again and again', (environment) =>
    withPair(environment, async (pair) => {
      const { client, server } = pair;
      const bytes = patternBytes(700_000);
      server.react = (event) => {
        if (event === 'data') server.stream.pause();
      };
      client.stream.write(bytes);
      client.stream.end();
      let seen = 0;
      while (server.byteCount < bytes.length) {
        await server.until(() => server.chunks.length > seen);
        const count = server.chunks.length;
        expect(count).toBe(seen + 1);
        await Promise.resolve();
        expect(server.chunks.length).toBe(count);
        seen = count;
        server.stream.resume();
      }
      await server.end();
      expect(Buffer.concat(server.chunks).equals(bytes)).toBe(true);
    }));

  test('pause and resume many times between chunks lose nothing', (environment) =>
    withPair(environment, async ({ client, server }) => {
      const bytes = patternBytes(400_000);
      server.react = (event) => {
        if (event !== 'data') return;
        server.stream.pause();
        server.stream.resume();
        server.stream.pause();
        queueMicrotask(() => server.stream.resume());
      };
      for (let at = 0; at < bytes.length; at += 10_000) client.stream.write(bytes.subarray(at, at + 10_000));
      client.stream.end();
      await server.end();
      expect(Buffer.concat(server.chunks).equals(bytes)).toBe(true);
    }));

  test('abort without an error closes this side without one, the peer with a reset', (environment) =>
    withPair(environment, async ({ client, server }) => {
      server.stream.write(bytesOf('x'));
      await client.bytes(1);
      client.stream.abort();
      client.stream.abort();
      expect(client.closings).toBe(0);
      await Promise.all([client.closing(), kind.resets ? server.closing() : server.end()]);
      expect(client.error).toBeUndefined();
      if (!kind.resets) return;
      expect(server.error).toBeInstanceOf(NetworkError);
      expect(server.error?.code).toBe('ERR_CONNECTION_RESET');
      expect(server.ended).toBe(false);
    }));

  test('abort with an error closes this side with it', (environment) =>
    withPair(environment, async ({ client }) => {
      const error = new HfaceError('enough', { code: 'ERR_ENOUGH', initiator: 'application' });
      client.stream.write(patternBytes(5_000_000));
      client.stream.abort(error);
      await client.closing();
      expect(client.error).toBe(error);
      expect(client.closings).toBe(1);
    }));

  test('a reset that comes with data is a reset, not an end', (environment) =>
    withPair(environment, async ({ client, server }) => {
      if (!kind.resets) {
        expect(kind.unix).toBe(true);
        return;
      }
      server.stream.write(bytesOf('part of an answer'));
      setImmediate(() => server.stream.abort());
      await client.closing();
      expect(client.ended).toBe(false);
      expect(client.error?.code).toBe('ERR_CONNECTION_RESET');
    }));

  test('close lets go without a reset: what was written arrives, and then an end', (environment) =>
    withPair(environment, async ({ client, server }) => {
      server.stream.write(bytesOf('last words'));
      await client.bytes(10);
      server.stream.close();
      server.stream.close();
      await Promise.all([server.closing(), client.end()]);
      expect(server.log).toEqual(['closed']);
      expect(client.error).toBeUndefined();
      expect(client.text).toBe('last words');
      // To what comes now nobody listens any more.
      client.stream.write(bytesOf('?'));
      client.stream.write(bytesOf('?'));
      if (!kind.resets) client.stream.abort();
      await client.closing();
      expect(client.error?.code).toBe(kind.resets ? 'ERR_CONNECTION_RESET' : undefined);
    }));

  test('close right after the handshake, and with data held', (environment) =>
    withPair(environment, async (pair) => {
      const { client, server } = pair;
      client.stream.pause();
      server.stream.write(patternBytes(100_000));
      await roundTrips(environment, pair);
      client.stream.close();
      client.stream.resume();
      await client.closing();
      expect(client.log).toEqual(['closed']);
      server.stream.abort();
      await server.closing();
    }));

  test('abort right after end closes for good', (environment) =>
    withPair(environment, async ({ client, server }) => {
      client.stream.write(bytesOf('last words'));
      client.stream.end();
      client.stream.abort();
      await client.closing();
      expect(client.error).toBeUndefined();
      server.stream.abort();
      await server.closing();
      expect(server.closings).toBe(1);
    }));

  test('abort while paused with data held', (environment) =>
    withPair(environment, async (pair) => {
      const { client, server } = pair;
      server.stream.pause();
      client.stream.write(patternBytes(300_000));
      await roundTrips(environment, pair);
      server.stream.abort();
      server.stream.resume();
      await server.closing();
      expect(server.log).toEqual(['closed']);
    }));

  test('write is ignored after end and after abort, and still gives memory back', (environment) =>
    withPair(environment, async ({ client, server }) => {
      const flushed: string[] = [];
      client.stream.write(bytesOf('before'), () => flushed.push('before'));
      client.stream.end();
      expect(client.stream.write(bytesOf('after end'), () => flushed.push('after end'))).toBe(true);
      await server.end();
      expect(server.text).toBe('before');
      client.stream.abort();
      await new Promise<void>((resolve) => {
        client.stream.write(bytesOf('after abort'), () => {
          flushed.push('after abort');
          resolve();
        });
      });
      await client.closing();
      expect(flushed.sort()).toEqual(['after abort', 'after end', 'before']);
    }));

  test('onFlushed is called once each, in order, also when the stream is aborted', (environment) =>
    withPair(environment, async ({ client, server }) => {
      const flushed: number[] = [];
      server.stream.pause();
      for (let index = 0; index < 12; index += 1) {
        client.stream.write([patternBytes(500_000), patternBytes(100_000)], () => flushed.push(index));
      }
      expect(flushed).toEqual([]);
      client.stream.abort();
      await client.closing();
      await new Promise((resolve) => setImmediate(resolve));
      expect(flushed).toEqual(Array.from({ length: 12 }, (_, index) => index));
    }));

  test('an empty list is written as nothing', (environment) =>
    withPair(environment, async ({ client, server }) => {
      await new Promise<void>((resolve) => {
        expect(client.stream.write([], resolve)).toBe(true);
      });
      client.stream.write(bytesOf('a'));
      await server.bytes(1);
      expect(server.text).toBe('a');
    }));

  test('nothing is told before or inside start; what came meanwhile is told after', (environment) =>
    withPair(
      environment,
      async ({ client, server, ...rest }) => {
        client.stream.write(bytesOf('early'));
        client.stream.end();
        await roundTrips(environment, { client, server, ...rest });
        expect(server.log).toEqual([]);
        server.stream.start(server);
        expect(server.log).toEqual([]);
        await server.end();
        expect(server.text).toBe('early');
      },
      (stream) => new StreamRecorder(stream),
    ));

  test('an end that came before start is told', (environment) =>
    withPair(
      environment,
      async ({ client, server, ...rest }) => {
        client.stream.end();
        await roundTrips(environment, { client, server, ...rest });
        server.stream.start(server);
        expect(server.log).toEqual([]);
        await server.end();
        expect(server.log).toEqual(['end']);
      },
      (stream) => new StreamRecorder(stream),
    ));

  test('a stream that was over before start is told to be closed', (environment) =>
    withPair(
      environment,
      async ({ client, server, ...rest }) => {
        client.stream.abort();
        server.stream.write(bytesOf('x'));
        await roundTrips(environment, { client, server, ...rest });
        server.stream.abort();
        await roundTrips(environment, { client, server, ...rest });
        server.stream.start(server);
        expect(server.log).toEqual([]);
        await server.closing();
        expect(server.closings).toBe(1);
      },
      (stream) => new StreamRecorder(stream),
    ));

  test('a second start replaces the handler', (environment) =>
    withPair(environment, async ({ client, server }) => {
      client.stream.write(bytesOf('one'));
      await server.bytes(3);
      const next = StreamRecorder.start(server.stream);
      client.stream.write(bytesOf('two'));
      await next.bytes(3);
      client.stream.abort();
      server.stream.abort();
      await next.closing();
      expect(server.text).toBe('one');
      expect(server.closings).toBe(0);
      expect(next.text).toBe('two');
    }));
});

describe.each(kinds)('listeners over $name', (kind) => {
  const test = (name: string, body: (environment: NetworkingEnvironment) => Promise<void>): void =>
    it(name, () => kind.run(body));

  test('close leaves accepted streams alone and accepts no more', (environment) =>
    withPair(environment, async ({ client, server, listener }) => {
      await Promise.all([listener.close(), listener.close()]);
      client.stream.write(bytesOf('alive'));
      await server.bytes(5);
      expect(server.text).toBe('alive');
      const failure = await environment.connect(listener).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(NetworkError);
      expect((failure as NetworkError).phase).toBe('connect');
      expect((failure as NetworkError).code).toBe(kind.unix ? 'ERR_NO_SUCH_PATH' : 'ERR_CONNECTION_REFUSED');
    }));

  test('ask for admission first, and turn away without a word', async (environment) => {
    const accepted = new ListenerRecorder();
    accepted.admits = () => false;
    const listener = await environment.networking.listenTcp(environment.listenOptions, accepted);
    const outcome = await environment.connect(listener).then(
      async (stream) => {
        const client = StreamRecorder.start(stream);
        // A unix socket is closed only; the peer notices when it writes or ends.
        if (kind.resets) await client.closing();
        else {
          await client.end();
          client.stream.end();
          await client.closing();
        }
        return client.error;
      },
      (error: unknown) => error,
    );
    expect(accepted.asked).toHaveLength(1);
    expect(accepted.streams).toEqual([]);
    expect(accepted.failures).toEqual([]);
    if (kind.resets) expect((outcome as NetworkError).code).toBe('ERR_CONNECTION_RESET');
    accepted.admits = () => true;
    const client = StreamRecorder.start(await environment.connect(listener));
    const server = StreamRecorder.start(await accepted.stream());
    client.stream.write(bytesOf('now'));
    await server.bytes(3);
    await listener.close();
    client.stream.abort();
    server.stream.abort();
    await Promise.all([client.closing(), server.closing()]);
  });

  test('a handler that throws harms its own connection only', async (environment) => {
    const accepted = new ListenerRecorder();
    accepted.admits = () => {
      throw new Error('no admission today');
    };
    const listener = await environment.networking.listenTcp(environment.listenOptions, accepted);
    await environment.connect(listener).then(
      (stream) => stream.abort(),
      () => undefined,
    );
    accepted.admits = () => true;
    accepted.streamAccepted = () => {
      throw new Error('no stream either');
    };
    const client = await environment.connect(listener).then(StreamRecorder.start, () => undefined);
    if (client !== undefined) await (kind.resets ? client.closing() : client.end());
    expect(accepted.streams).toEqual([]);
    await listener.close();
    client?.stream.abort();
  });

  test('many connections at once, each with its own bytes', async (environment) => {
    const accepted = new ListenerRecorder();
    const listener = await environment.networking.listenTcp(environment.listenOptions, accepted);
    accepted.streamAccepted = (stream) => {
      const server = StreamRecorder.start(stream);
      server.react = (event, chunk) => {
        if (event === 'data') stream.write(chunk as Uint8Array);
        else if (event === 'end') stream.end();
      };
    };
    const texts = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const client = StreamRecorder.start(await environment.connect(listener));
        client.stream.write(bytesOf(`connection ${String(index)}`));
        client.stream.end();
        await client.closing();
        return client.text;
      }),
    );
    expect(texts).toEqual(Array.from({ length: 30 }, (_, index) => `connection ${String(index)}`));
    await listener.close();
  });

  test('an attempt that was aborted beforehand throws the reason', async (environment) => {
    const accepted = new ListenerRecorder();
    const listener = await environment.networking.listenTcp(environment.listenOptions, accepted);
    const reason = new Error('never mind');
    await expect(environment.connect(listener, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const attempt = environment.connect(listener, { signal: controller.signal });
    controller.abort(reason);
    await expect(attempt).rejects.toBe(reason);
    // On a unix socket the listener has the connection already when it is given up.
    const client = await environment.connect(listener);
    await accepted.stream();
    await listener.close();
    client.abort();
    for (const stream of accepted.streams) stream.abort();
  });
});

describe.each(kinds)('what a handler throws on $name', (kind) => {
  it.each(['data', 'end', 'drained', 'closed'] as const)('in %s aborts the stream', (event) =>
    kind.run((environment) =>
      withPair(environment, async ({ client, server }) => {
        const thrown = new Error(`thrown in ${event}`);
        server.react = (told) => {
          if (told === event) throw thrown;
        };
        if (event === 'drained') {
          client.stream.pause();
          server.stream.write(patternBytes(20_000_000));
          client.stream.resume();
        } else if (event === 'end') client.stream.end();
        else client.stream.write(bytesOf('x'));
        if (event === 'closed') server.stream.abort();
        await server.closing();
        expect(server.closings).toBe(1);
        if (event === 'closed') expect(server.error).toBeUndefined();
        else expect(server.error?.cause).toBe(thrown);
      }),
    ),
  );
});
