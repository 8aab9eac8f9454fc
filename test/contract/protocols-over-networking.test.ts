/**
 * The contract of engines once more, this time through connections over a simulated network, plain and with TLS's
 * stand-in: every client with every server in the registry, over links from calm to narrow.
 */
import { describe, expect, it } from 'vitest';
import type { ClientTlsConfig, HeaderList, ServerTlsConfig } from '../../src/common/index.ts';
import { StreamResetError } from '../../src/common/index.ts';
import { HttpOverTcpListener, HttpOverTcpOpener } from '../../src/connections/index.ts';
import type { HttpConnection, HttpListening } from '../../src/connections/index.ts';
import { drawConditions, runSimulation, SeededRandom } from '../../src/networking/simulation/index.ts';
import type { Simulation } from '../../src/networking/simulation/index.ts';
import { AsyncByteStream } from '../../src/networking/index.ts';
import { register as registerWrapper } from '../../src/engines/http2-wrapper/index.ts';
import { register as registerNodeHttp } from '../../src/engines/node-http/index.ts';
import { register as registerNodeHttp2 } from '../../src/engines/node-http2/index.ts';
import { protocolRegistry } from '../../src/protocols/index.ts';
import type { Capability, HttpEvent, ProtocolRegistryEntry, RegistryVersion } from '../../src/protocols/index.ts';
import { makeCertificate } from '../support/test-certificates.ts';
import { bytes, connect, get, post, text } from './engine-pair.ts';
import type { EventOf, HttpEventType } from './event-types.ts';

/** Both ends of one connection. */
interface World {
  readonly simulation: Simulation;
  readonly listening: HttpListening;
  readonly client: HttpConnection;
  readonly server: HttpConnection;
}

interface NetworkCase {
  readonly name: string;
  readonly needs: readonly Capability[];
  readonly run: (world: World) => Promise<void>;
}

/** The next event of a kind; others are passed over. */
async function next<Type extends HttpEventType>(connection: HttpConnection, type: Type): Promise<EventOf<Type>> {
  for (;;) {
    const event: HttpEvent | undefined = await connection.receiveEvent();
    if (event === undefined) throw new Error(`the connection ended before ${type}`);
    if (event.type === type) return event as EventOf<Type>;
  }
}

/** Content until its end. */
async function content(connection: HttpConnection): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const event = await next(connection, 'DataReceived');
    pieces.push(event.data);
    if (event.endStream) return new Uint8Array(Buffer.concat(pieces));
  }
}

async function ask(world: World, headers: HeaderList, endStream: boolean, upgrade?: string): Promise<number> {
  const streamId = world.client.getAvailableStreamId();
  world.client.sendHeaders(streamId, headers, { endStream, upgrade });
  const head = await next(world.server, 'HeadersReceived');
  expect(head.streamId).toBe(streamId);
  return streamId;
}

/** Opens a tunnel and sends a word each way, then ends it from both sides. */
async function useTunnel(world: World, streamId: number): Promise<void> {
  const { client, server } = world;
  await client.sendData(streamId, bytes('ping'), { endStream: true });
  expect(text(await content(server))).toBe('ping');
  await server.sendData(streamId, bytes('pong'), { endStream: true });
  expect(text(await content(client))).toBe('pong');
  await next(client, 'StreamClosed');
}

const big = new Uint8Array(200_000).map((_, index) => index * 7);

const cases: readonly NetworkCase[] = [
  {
    name: 'an exchange without content',
    needs: [],
    run: async (world) => {
      const streamId = await ask(world, get('/', ['x', 'y']), true);
      world.server.sendHeaders(streamId, [':status', '204'], { endStream: true });
      world.server.handlerEnded(streamId);
      const head = await next(world.client, 'HeadersReceived');
      expect(head).toMatchObject({ headers: [':status', '204'], endStream: true });
      await next(world.client, 'StreamClosed');
      await next(world.server, 'StreamClosed');
    },
  },
  {
    name: 'content both ways at once, with readers that hold up their senders',
    needs: ['flowControl'],
    run: async (world) => {
      const { client, server, simulation } = world;
      const streamId = await ask(world, post(), false);
      server.sendHeaders(streamId, [':status', '200'], { endStream: false });
      const send = async (connection: HttpConnection): Promise<void> => {
        for (let at = 0; at < big.length; at += 20_000) {
          await connection.sendData(streamId, big.slice(at, at + 20_000), { endStream: at + 20_000 >= big.length });
        }
      };
      const sending = Promise.all([send(client), send(server)]);
      await simulation.sleep(1_000);
      const received = await Promise.all([content(server), content(client)]);
      await sending;
      for (const one of received) expect(Buffer.compare(one, big)).toBe(0);
    },
  },
  {
    name: 'room for a writer who pulls events only afterwards',
    needs: ['flowControl'],
    run: async (world) => {
      const { client, server } = world;
      const streamId = await ask(world, post(), false);
      const reading = content(server);
      // This event, and content behind it, wait at the client; the windows that the server opens come behind them.
      server.sendHeaders(streamId, [':status', '200'], { endStream: false });
      await server.sendData(streamId, bytes('ans'), { endStream: false });
      for (let round = 1; round <= 4; round += 1) {
        await client.sendData(streamId, big.slice(), { endStream: round === 4 });
      }
      expect((await reading).length).toBe(4 * big.length);
      await server.sendData(streamId, bytes('wer'), { endStream: true });
      await next(client, 'HeadersReceived');
      expect(text(await content(client))).toBe('answer');
    },
  },
  {
    name: 'trailers and interim responses',
    needs: ['trailers', 'informational'],
    run: async (world) => {
      const { client, server } = world;
      const streamId = await ask(world, post(), false);
      await client.sendData(streamId, bytes('content'), { endStream: false });
      client.sendTrailers(streamId, ['sum', '7']);
      expect((await next(server, 'TrailersReceived')).headers).toEqual(['sum', '7']);
      server.sendInformational(streamId, [':status', '103', 'link', '</a>']);
      server.sendHeaders(streamId, [':status', '200'], { endStream: false });
      await server.sendData(streamId, bytes('answer'), { endStream: false });
      server.sendTrailers(streamId, ['sum', '6']);
      expect((await next(client, 'InformationalReceived')).headers).toEqual([':status', '103', 'link', '</a>']);
      expect((await next(client, 'TrailersReceived')).headers).toEqual(['sum', '6']);
    },
  },
  {
    name: 'a tunnel by CONNECT',
    needs: ['connect'],
    run: async (world) => {
      const streamId = await ask(world, connect(), false);
      world.server.sendHeaders(streamId, [':status', '200'], { endStream: false });
      await next(world.client, 'HeadersReceived');
      await useTunnel(world, streamId);
    },
  },
  {
    name: 'a tunnel by Upgrade',
    needs: ['upgrade'],
    run: async (world) => {
      const streamId = await ask(world, get(), true, 'echo/1');
      world.server.sendHeaders(streamId, [':status', '101'], { endStream: false, upgrade: 'echo/1' });
      expect((await next(world.client, 'HeadersReceived')).upgrade).toEqual(['echo/1']);
      await useTunnel(world, streamId);
    },
  },
  {
    name: 'a stream taken out of its connection',
    needs: ['connect', 'detach'],
    run: async (world) => {
      const streamId = await ask(world, connect(), false);
      world.server.sendHeaders(streamId, [':status', '200'], { endStream: false });
      await next(world.client, 'HeadersReceived');
      await world.simulation.sleep(1_000);
      const [near, far] = [world.client.detach(), world.server.detach()];
      const [one, other] = [new AsyncByteStream(near.stream), new AsyncByteStream(far.stream)];
      near.stream.resume();
      far.stream.resume();
      await one.write(bytes('raw'));
      one.end();
      other.end();
      const pieces: Uint8Array[] = [...far.unread];
      for await (const chunk of other) pieces.push(chunk);
      expect(text(Buffer.concat(pieces))).toBe('raw');
      expect(await one.read()).toBeUndefined();
      await Promise.all([one.closed(), other.closed(), world.client.closed, world.server.closed]);
    },
  },
  {
    name: 'a reset by the client, which the server’s sender is told',
    needs: [],
    run: async (world) => {
      const { client, server } = world;
      const streamId = await ask(world, get(), true);
      server.sendHeaders(streamId, [':status', '200'], { endStream: false });
      const sending = (async () => {
        for (;;) await server.sendData(streamId, big, { endStream: false });
      })();
      const outcome = expect(sending).rejects.toThrow();
      await next(client, 'DataReceived');
      client.sendStreamReset(streamId);
      expect((await next(server, 'StreamResetReceived')).streamId).toBe(streamId);
      await outcome;
    },
  },
  {
    name: 'a reset by the server, with its reason as an error',
    needs: [],
    run: async (world) => {
      const streamId = await ask(world, get(), true);
      world.server.sendStreamReset(streamId, world.server.protocol.errorCodes.internalError);
      const event = await next(world.client, 'StreamResetReceived');
      expect(event.streamId).toBe(streamId);
      expect(event.error).toBeInstanceOf(Error);
      await expect(world.server.sendData(streamId, bytes('late'), { endStream: true })).rejects.toThrow(
        StreamResetError,
      );
    },
  },
  {
    name: 'winding down while a request runs',
    needs: ['gracefulShutdown'],
    run: async (world) => {
      const { client, server, listening } = world;
      const streamId = await ask(world, get(), true);
      const draining = listening.drain({ timeout: 60_000 });
      await world.simulation.sleep(500);
      server.sendHeaders(streamId, [':status', '200'], { endStream: false });
      await server.sendData(streamId, bytes('last'), { endStream: true });
      server.handlerEnded(streamId);
      expect(text(await content(client))).toBe('last');
      await next(client, 'StreamClosed');
      expect(client.protocol.isAvailable()).toBe(false);
      expect((await next(client, 'ConnectionTerminated')).error).toBeUndefined();
      await draining;
      expect(server.isClosed).toBe(true);
      expect(server.error).toBeUndefined();
    },
  },
  {
    name: 'a connection that breaks, on both sides',
    needs: [],
    run: async (world) => {
      const { client, server } = world;
      await ask(world, get(), true);
      client.abort();
      expect((await next(server, 'ConnectionTerminated')).error).toBeDefined();
      await Promise.all([client.closed, server.closed]);
      expect((await next(client, 'StreamResetReceived')).processed).toBe('maybe');
    },
  },
];

registerNodeHttp();
registerNodeHttp2();
await registerWrapper();

const versions: readonly RegistryVersion[] = ['http1', 'http2', 'http3'];
const label = (entry: ProtocolRegistryEntry): string => `${entry.version}/${entry.name}`;
const pairings = versions.flatMap((version) =>
  protocolRegistry
    .entries(version)
    .filter(({ createClientFactory }) => createClientFactory !== undefined)
    .flatMap((client) =>
      protocolRegistry
        .entries(version)
        .filter(({ createServerFactory }) => createServerFactory !== undefined)
        .map((server) => ({ name: `${label(client)} client, ${label(server)} server`, client, server })),
    ),
);

const { cert, key } = makeCertificate({ names: ['a.example'] });
const serverTls: ServerTlsConfig = { cert, key };
const clientTls: ClientTlsConfig = { insecure: true };

async function play(
  simulation: Simulation,
  pairing: (typeof pairings)[number],
  scheme: 'http' | 'https',
  run: (world: World) => Promise<void>,
): Promise<void> {
  const listener = new HttpOverTcpListener({
    networking: simulation.networking,
    factory: pairing.server.createServerFactory!(),
    tls: serverTls,
  });
  const listening = await listener.listen({ scheme, host: '10.0.0.1', port: 443, unixPath: undefined });
  const opener = new HttpOverTcpOpener({
    networking: simulation.networkingAt('10.0.0.2'),
    factory: pairing.client.createClientFactory!(),
  });
  const accepting = listening[Symbol.asyncIterator]().next();
  const client = await opener.open({ origin: { scheme, host: '10.0.0.1', port: 443 }, tls: clientTls });
  const accepted = await accepting;
  if (accepted.done === true) throw new Error('the listener ended');
  const server = accepted.value;
  expect(server.facts.tls?.alpn).toBe(
    scheme === 'https' ? pairing.client.createClientFactory!().alpnProtocols[0] : undefined,
  );
  await run({ simulation, listening, client, server });
  await Promise.all([client.close(), listening.close()]);
}

describe.each(pairings)('$name', (pairing) => {
  const covered = (needs: readonly Capability[]): boolean =>
    needs.every((need) => pairing.client.capabilities.has(need) && pairing.server.capabilities.has(need));

  for (const one of cases.filter(({ needs }) => covered(needs))) {
    it.each(['http', 'https'] as const)(`${one.name} (%s)`, async (scheme) => {
      for (const seed of [1, 2, 3, 4]) {
        // The first link is calm.
        const conditions = seed === 1 ? {} : wide(drawConditions(new SeededRandom(seed)));
        const { leftovers } = await runSimulation(seed, (simulation) => play(simulation, pairing, scheme, one.run), {
          conditions,
        });
        expect(leftovers).toEqual([]);
      }
    });
  }

  it('leaves out no case but what its version does not have', () => {
    const missing = pairing.client.version === 'http1' ? [] : ['upgrade', 'detach'];
    const left = cases.filter(({ needs }) => !covered(needs));
    expect(left.filter(({ needs }) => !needs.some((need) => missing.includes(need)))).toEqual([]);
  });
});

/** Wide enough that the cases' content is no matter of hours. */
function wide<Conditions extends { readonly window: number; readonly segmentSize: number }>(
  conditions: Conditions,
): Conditions {
  return {
    ...conditions,
    window: Math.max(conditions.window, 0x4000),
    segmentSize: Math.max(conditions.segmentSize, 100),
  };
}
