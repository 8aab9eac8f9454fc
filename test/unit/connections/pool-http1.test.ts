/**
 * The pool upon our HTTP/1 client: what happens within one turn, octet for octet.
 */
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/concurrency/index.ts';
import { HttpOverTcpOpener, HttpPool } from '../../../src/connections/index.ts';
import type { ClientExchangeRequest, PoolRequestHandler, PoolTarget } from '../../../src/connections/index.ts';
import { Http1ClientFactory } from '../../../src/protocols/http1/index.ts';
import { FakeNetworking } from './fake-networking.ts';
import type { FakeStream } from './fakes.ts';
import { turn } from './fakes.ts';

const TARGET: PoolTarget = { origin: { scheme: 'http', host: 'a.example', port: 80 } };
const HEAD = ' HTTP/1.1\r\nhost: a.example\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi';

function get(path: string): ClientExchangeRequest {
  return {
    method: 'GET',
    scheme: 'http',
    authority: 'a.example',
    path,
    protocol: undefined,
    upgrade: undefined,
    headers: [],
    rawNames: undefined,
    endStream: true,
  };
}

class Asking implements PoolRequestHandler {
  readonly told: string[] = [];
  whenClosed: () => void = () => undefined;

  started({ reused }: { readonly reused: boolean }): void {
    this.told.push(reused ? 'started reused' : 'started');
  }

  informationalReceived(): void {
    this.told.push('informational');
  }

  headersReceived(status: number): void {
    this.told.push(String(status));
  }

  dataReceived(data: Uint8Array, _length: number, endStream: boolean): void {
    this.told.push(`${Buffer.from(data).toString('latin1')}${endStream ? ' END' : ''}`);
  }

  trailersReceived(): void {
    this.told.push('trailers');
  }

  writable(): void {
    this.told.push('writable');
  }

  failed(_error: unknown, processed: string): void {
    this.told.push(`failed ${processed}`);
  }

  closed(): void {
    this.told.push('closed');
    this.whenClosed();
  }
}

class World {
  readonly networking = new FakeNetworking();
  readonly pool: HttpPool;

  constructor(limits: { readonly maxConnectionsPerOrigin?: number; readonly idleTimeout?: number } = {}) {
    const opener = new HttpOverTcpOpener({ networking: this.networking, factory: new Http1ClientFactory() });
    this.pool = new HttpPool({ opener, clock: this.networking.clock, limits });
  }

  ask(path: string, target = TARGET): { asking: Asking; cancel: () => void } {
    const asking = new Asking();
    const request = this.pool.request(target, get(path), asking);
    return { asking, cancel: () => request.cancel(new CancelledError('mine')) };
  }

  /** The attempt that was made last succeeds. */
  async connect(): Promise<FakeStream> {
    const stream = this.networking.connects.at(-1)!.succeed();
    await turn();
    return stream;
  }

  /** A connection on which one request has been answered. */
  async idle(): Promise<FakeStream> {
    this.ask('/first');
    const stream = await this.connect();
    stream.receive(ANSWER);
    stream.writes.length = 0;
    return stream;
  }
}

describe('a pooled HTTP/1 connection', () => {
  it('takes a request that is made when the one before has closed, within the same turn', async () => {
    const world = new World();
    const first = world.ask('/1');
    const stream = await world.connect();
    let second: Asking | undefined;
    first.asking.whenClosed = () => (second = world.ask('/2').asking);
    stream.receive(ANSWER);
    expect(first.asking.told).toEqual(['started', '200', 'hi END', 'closed']);
    expect(second?.told).toEqual(['started reused']);
    // Written in the batch of the answer, in one piece, and no other connection was opened.
    expect(stream.text).toBe(`GET /1${HEAD}|GET /2${HEAD}`);
    expect(world.networking.connects).toHaveLength(1);
  });

  it('gives way to what has waited longer', async () => {
    const world = new World({ maxConnectionsPerOrigin: 1 });
    const first = world.ask('/1');
    const waiting = world.ask('/2');
    const stream = await world.connect();
    let late: Asking | undefined;
    first.asking.whenClosed = () => (late = world.ask('/3').asking);
    stream.receive(ANSWER);
    expect(waiting.asking.told).toEqual(['started reused']);
    expect(late?.told).toEqual([]);
    expect(stream.text).toBe(`GET /1${HEAD}|GET /2${HEAD}`);
    stream.receive(ANSWER);
    expect(late?.told).toEqual(['started reused']);
  });

  it('never carries a request behind another: no pipelining', async () => {
    const world = new World({ maxConnectionsPerOrigin: 1 });
    const stream = await world.idle();
    const asked = ['/a', '/b', '/c'].map((path) => world.ask(path).asking);
    await turn();
    expect(stream.text).toBe(`GET /a${HEAD}`);
    stream.receive('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh');
    await turn();
    expect(stream.text).toBe(`GET /a${HEAD}`);
    stream.receive('i');
    await turn();
    expect(stream.text).toBe(`GET /a${HEAD}|GET /b${HEAD}`);
    expect(asked.map(({ told }) => told[0])).toEqual(['started reused', 'started reused', undefined]);
  });

  it('is ended by a request that is given up in the turn in which it was made, and nothing was written', async () => {
    const world = new World();
    const stream = await world.idle();
    const { asking, cancel } = world.ask('/gone');
    expect(asking.told).toEqual(['started reused']);
    cancel();
    await turn();
    expect(asking.told).toEqual(['started reused', 'failed maybe', 'closed']);
    expect(stream.writes).toEqual([]);
    expect(stream.calls).toContain('abort');
    const next = world.ask('/next');
    expect(world.networking.connects).toHaveLength(2);
    await world.connect();
    expect(next.asking.told).toEqual(['started']);
  });

  it('that is closed between taking a request and writing it has not sent it', async () => {
    const world = new World();
    const stream = await world.idle();
    stream.handler?.endReceived();
    const late = world.ask('/late');
    // The end was seen first: another connection is opened.
    expect(late.asking.told).toEqual([]);

    const other = new World();
    const gone = await other.idle();
    const { asking } = other.ask('/gone');
    gone.handler?.closed(undefined);
    await turn();
    expect(asking.told).toEqual(['started reused', 'failed no', 'closed']);
    expect(gone.writes).toEqual([]);
  });

  it('counts its idle time from the end of the last request', async () => {
    const world = new World({ idleTimeout: 100 });
    const stream = await world.idle();
    world.networking.clock.advance(60);
    world.ask('/again');
    await turn();
    world.networking.clock.advance(60);
    expect(stream.calls).not.toContain('end');
    stream.receive(ANSWER);
    world.networking.clock.advance(99);
    expect(stream.calls).not.toContain('end');
    world.networking.clock.advance(1);
    await turn();
    expect(stream.calls).toContain('end');
  });

  it('is found by a target that says the same in another object', async () => {
    const world = new World();
    const stream = await world.idle();
    world.ask('/same', { origin: { scheme: 'http', host: 'a.example', port: 80 } });
    world.ask('/other', { origin: { scheme: 'http', host: 'b.example', port: 80 } });
    await turn();
    expect(stream.text).toBe(`GET /same${HEAD}`);
    expect(world.networking.connects).toHaveLength(2);
  });

  it('is found no more when its origin has been emptied meanwhile', async () => {
    const world = new World();
    const stream = await world.idle();
    stream.handler?.closed(undefined);
    await turn();
    expect(world.pool.state).toEqual({ origins: 0, connections: 0, waiting: 0 });
    const { asking } = world.ask('/anew');
    expect(world.pool.state).toEqual({ origins: 1, connections: 1, waiting: 1 });
    await world.connect();
    expect(asking.told).toEqual(['started']);
  });
});
