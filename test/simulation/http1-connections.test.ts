/**
 * HTTP/1.1 connections driven by hand, with promises and `for await`, over a simulated network: exchanges, trailers,
 * interim responses, tunnels by CONNECT and Upgrade, and streams taken out of their connections.
 */
import { describe, expect, it } from 'vitest';
import { TaskGroup } from '../../src/concurrency/index.ts';
import {
  defaultClientFactory,
  defaultServerFactory,
  HttpOverTcpListener,
  HttpOverTcpOpener,
} from '../../src/connections/index.ts';
import type { HttpConnection } from '../../src/connections/index.ts';
import { headerValue } from '../../src/common/index.ts';
import { AsyncByteStream } from '../../src/networking/index.ts';
import { drawConditions, runSimulation, SeededRandom } from '../../src/networking/simulation/index.ts';
import type { Simulation } from '../../src/networking/simulation/index.ts';
import type { HeadersReceived } from '../../src/protocols/index.ts';
import { patternPiece } from './support/plan.ts';

const SEEDS = Number(process.env['HFACE_SEEDS'] ?? 250);
const FIRST = Number(process.env['HFACE_FIRST_SEED'] ?? 1);
const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index);
const PORT = 8080;

/** What the client of a seed does, in order. */
type Step = 'echo' | 'trailers' | 'interim' | 'connect' | 'upgrade' | 'detach';

/** Answers everything on one connection. */
async function serve(connection: HttpConnection): Promise<void> {
  const tunnels = new Set<number>();
  for await (const event of connection) {
    switch (event.type) {
      case 'HeadersReceived':
        if (await begin(connection, event)) tunnels.add(event.streamId);
        if (headerValue(event.headers, 'x-detach') !== undefined) {
          await echoOutside(connection);
          return;
        }
        if (event.endStream && !tunnels.has(event.streamId)) await finish(connection, event.streamId, []);
        break;
      case 'DataReceived':
        // Whatever comes goes back.
        if (event.data.length > 0) await connection.sendData(event.streamId, event.data, { endStream: false });
        if (event.endStream) await finish(connection, event.streamId, []);
        break;
      case 'TrailersReceived':
        await finish(connection, event.streamId, event.headers);
        break;
      default:
        break;
    }
  }
}

/** The head of an answer; true for a tunnel. */
async function begin(connection: HttpConnection, event: HeadersReceived): Promise<boolean> {
  const { streamId, headers, upgrade } = event;
  if (headerValue(headers, 'x-interim') !== undefined) {
    connection.sendInformational(streamId, [':status', '103', 'link', '</style.css>']);
  }
  const isConnect = headerValue(headers, ':method') === 'CONNECT';
  const token = upgrade[0];
  if (token === undefined) connection.sendHeaders(streamId, [':status', '200'], { endStream: false });
  else connection.sendHeaders(streamId, [':status', '101'], { endStream: false, upgrade: token });
  return isConnect || token !== undefined;
}

async function finish(connection: HttpConnection, streamId: number, trailers: readonly string[]): Promise<void> {
  if (trailers.length > 0) connection.sendTrailers(streamId, trailers);
  else await connection.sendData(streamId, new Uint8Array(0), { endStream: true });
  connection.handlerEnded(streamId);
}

/** Takes the stream out of its connection and echoes on it. */
async function echoOutside(connection: HttpConnection): Promise<void> {
  const { stream, unread } = connection.detach();
  const bytes = new AsyncByteStream(stream);
  stream.resume();
  for (const chunk of unread) await bytes.write(chunk);
  for await (const chunk of bytes) await bytes.write(chunk);
  bytes.end();
}

/** One client connection with its own steps. */
class Visitor {
  readonly #connection: HttpConnection;
  readonly #random: SeededRandom;
  readonly #scale: number;

  constructor(connection: HttpConnection, random: SeededRandom, scale: number) {
    this.#connection = connection;
    this.#random = random;
    this.#scale = scale;
  }

  async run(step: Step): Promise<void> {
    switch (step) {
      case 'echo':
        return this.#exchange([], []);
      case 'interim':
        return this.#exchange(['x-interim', 'yes'], []);
      case 'trailers':
        return this.#exchange([], ['x-sum', '42', 'x-other', 'a b']);
      case 'connect':
        return this.#tunnel([':method', 'CONNECT', ':authority', 'db.example:5432'], undefined);
      case 'upgrade':
        return this.#tunnel(this.#head('GET'), 'echo/1');
      case 'detach':
        return this.#outside();
    }
  }

  #head(method: string): string[] {
    return [':method', method, ':scheme', 'http', ':authority', 'a.example', ':path', '/'];
  }

  async #exchange(headers: readonly string[], trailers: readonly string[]): Promise<void> {
    const connection = this.#connection;
    const streamId = connection.getAvailableStreamId();
    connection.sendHeaders(streamId, [...this.#head('POST'), ...headers], { endStream: false });
    const total = this.#random.integer(0, this.#scale);
    const sending = this.#send(streamId, total, trailers);
    const seen = await this.#receive(streamId, 'StreamClosed');
    await sending;
    expect(Buffer.compare(seen.content, patternPiece(streamId, 'request', 0, total))).toBe(0);
    expect(seen.trailers).toEqual(trailers);
    expect(seen.interim).toBe(headers.length > 0 ? 1 : 0);
  }

  async #tunnel(head: readonly string[], upgrade: string | undefined): Promise<void> {
    const connection = this.#connection;
    const streamId = connection.getAvailableStreamId();
    connection.sendHeaders(streamId, head, { endStream: upgrade !== undefined, upgrade });
    await this.#receive(streamId, 'HeadersReceived');
    const total = this.#random.integer(0, this.#scale);
    const sending = this.#send(streamId, total, []);
    const seen = await this.#receive(streamId, 'StreamClosed');
    await sending;
    expect(Buffer.compare(seen.content, patternPiece(streamId, 'request', 0, total))).toBe(0);
  }

  async #outside(): Promise<void> {
    const connection = this.#connection;
    const streamId = connection.getAvailableStreamId();
    const head = [':method', 'CONNECT', ':authority', 'db.example:5432', 'x-detach', 'yes'];
    connection.sendHeaders(streamId, head, { endStream: false });
    await this.#receive(streamId, 'HeadersReceived');
    const { stream, unread } = connection.detach();
    expect(unread).toEqual([]);
    await connection.closed;
    const bytes = new AsyncByteStream(stream);
    stream.resume();
    const total = this.#random.integer(0, this.#scale);
    const sending = bytes.write(patternPiece(streamId, 'request', 0, total)).then(() => bytes.end());
    const pieces: Uint8Array[] = [];
    for await (const chunk of bytes) pieces.push(chunk);
    await sending;
    expect(Buffer.compare(Buffer.concat(pieces), patternPiece(streamId, 'request', 0, total))).toBe(0);
  }

  async #send(streamId: number, total: number, trailers: readonly string[]): Promise<void> {
    let sent = 0;
    while (sent < total) {
      const size = Math.min(total - sent, this.#random.integer(1, Math.max(1, Math.ceil(this.#scale / 4))));
      await this.#connection.sendData(streamId, patternPiece(streamId, 'request', sent, size), { endStream: false });
      sent += size;
    }
    if (trailers.length > 0) this.#connection.sendTrailers(streamId, trailers);
    else await this.#connection.sendData(streamId, new Uint8Array(0), { endStream: true });
  }

  /** Takes events until one of that kind. */
  async #receive(
    streamId: number,
    until: string,
  ): Promise<{ content: Uint8Array; trailers: readonly string[]; interim: number }> {
    const pieces: Uint8Array[] = [];
    let trailers: readonly string[] = [];
    let interim = 0;
    for (;;) {
      const event = await this.#connection.receiveEvent();
      if (event === undefined) throw new Error(`the connection ended before ${until}`);
      if (event.type === 'ConnectionTerminated') throw new Error(`terminated before ${until}: ${event.reason}`);
      if (!('streamId' in event) || event.streamId !== streamId) continue;
      if (event.type === 'InformationalReceived') interim += 1;
      if (event.type === 'DataReceived') pieces.push(event.data);
      if (event.type === 'TrailersReceived') trailers = event.headers;
      if (event.type === until) return { content: new Uint8Array(Buffer.concat(pieces)), trailers, interim };
    }
  }
}

/** Some visitors and the server that echoes to them. */
async function visit(simulation: Simulation, scale: number): Promise<number> {
  const { networking, random } = simulation;
  await using server = new TaskGroup({ name: 'server' });
  const listener = new HttpOverTcpListener({ networking, factory: defaultServerFactory() });
  const listening = await listener.listen({ scheme: 'http', host: '10.0.0.1', port: PORT, unixPath: undefined });
  server.spawn(async () => {
    for await (const connection of listening) server.spawn(() => serve(connection));
  });
  const away = simulation.networkingAt('10.0.0.2');
  const opener = new HttpOverTcpOpener({ networking: away, factory: defaultClientFactory() });
  await using visitors = new TaskGroup({ name: 'visitors' });
  simulation.watch(visitors);
  simulation.watch(server);
  let steps = 0;
  for (let count = random.integer(1, 4); count > 0; count -= 1) {
    visitors.spawn(async () => {
      const connection = await opener.open({ origin: { scheme: 'http', host: '10.0.0.1', port: PORT } });
      const visitor = new Visitor(connection, random.fork(`visitor ${String(count)}`), scale);
      for (let index = random.integer(0, 4); index > 0; index -= 1) {
        await visitor.run(random.pick<Step>(['echo', 'echo', 'trailers', 'interim']));
        steps += 1;
        // A request that is answered before its end takes the connection with it.
        if (!connection.protocol.isAvailable()) break;
      }
      if (connection.protocol.isAvailable()) {
        await visitor.run(random.pick<Step>(['echo', 'connect', 'upgrade', 'detach']));
        steps += 1;
      }
      await connection.close();
    });
  }
  await visitors.join();
  await listening.close();
  await server.join();
  return steps;
}

function run(seed: number): ReturnType<typeof runSimulation<number>> {
  const conditions = drawConditions(new SeededRandom(seed).fork('link'));
  const tiny = Math.min(conditions.segmentSize, conditions.window) < 100;
  const rate = Math.min(conditions.bandwidth, (conditions.window / (2 * conditions.latency + 1)) * 1_000);
  const scale = tiny ? 300 : Math.floor(Math.min(100_000, rate * 5));
  return runSimulation(seed, (simulation) => visit(simulation, scale), { conditions });
}

describe('connections by hand', () => {
  it.each(seeds)('seed %i: what goes out comes back, and nothing is left', async (seed) => {
    const { value, leftovers } = await run(seed);
    expect(value).toBeGreaterThan(0);
    expect(leftovers).toEqual([]);
  });

  it.each(seeds.slice(0, 20))('seed %i replays exactly', async (seed) => {
    expect((await run(seed)).digest).toBe((await run(seed)).digest);
  });
});
