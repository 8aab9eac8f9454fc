import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, createServer, Server as NetServer, Socket as NodeSocket } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { ByteStream, ByteStreamHandler } from '../../../src/networking/index.ts';
import { newSocketReader, SocketReader } from '../../../src/networking/socket-reader.ts';

class Gathered implements ByteStreamHandler {
  readonly chunks: Uint8Array[] = [];
  length = 0;
  ended = false;
  over = false;
  /** Called with each chunk. */
  each: () => void = () => undefined;

  dataReceived(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
    this.each();
  }

  endReceived(): void {
    this.ended = true;
  }

  drained(): void {}

  closed(): void {
    this.over = true;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const patience = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > patience) throw new Error('it never came');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What the n-th octet of a transfer is. */
function octet(position: number): number {
  return (position * 7 + (position >> 8)) & 0xff;
}

function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, position) => octet(position)));
}

const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

async function connected(serve: (socket: Socket) => void): Promise<ByteStream> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    closings.push(() => socket.destroy());
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closings.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const stream = await new SystemNetworking().connectTcp({ target: { host: '127.0.0.1', port } });
  closings.push(() => stream.abort());
  return stream;
}

/** The same seen from the other side: our networking accepts, the peer serves. */
async function accepted(serve: (socket: Socket) => void): Promise<ByteStream> {
  const { stream, close } = await acceptOne((port) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => serve(socket));
    socket.on('error', () => undefined);
    closings.push(() => socket.destroy());
  });
  closings.push(() => void close());
  return stream;
}

async function acceptOne(dial: (port: number) => void): Promise<{ stream: ByteStream; close: () => Promise<void> }> {
  let take: (stream: ByteStream) => void;
  const taken = new Promise<ByteStream>((resolve) => (take = resolve));
  const listener = await new SystemNetworking().listenTcp(
    { endpoint: { scheme: 'http', host: '127.0.0.1', port: 0, unixPath: undefined } },
    {
      admit: () => true,
      streamAccepted: (stream) => take(stream),
      streamFailed: () => undefined,
      listenerFailed: () => undefined,
    },
  );
  const [address] = listener.addresses;
  dial(address?.family === 'ipv4' ? address.port : 0);
  const stream = await taken;
  closings.push(() => stream.abort());
  return { stream, close: () => listener.close() };
}

describe.each([
  ['that we connect', connected],
  ['that we accept', accepted],
])('a reader of sockets %s', (_whose, connected) => {
  it('gives what comes before anybody reads, once somebody does', async () => {
    const stream = await connected((socket) => socket.end('greeting'));
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const gathered = new Gathered();
    stream.start(gathered);
    await until(() => gathered.ended);
    expect(Buffer.concat(gathered.chunks).toString()).toBe('greeting');
    expect(stream.bytesRead).toBe(8);
  });

  it('gives many megabytes unchanged, each chunk for good', async () => {
    const size = 8 * 0x100000 + 77;
    const all = pattern(size);
    const stream = await connected((socket) => socket.end(all));
    const gathered = new Gathered();
    stream.start(gathered);
    await until(() => gathered.ended);
    // Compared only now: memory that was given away has not been read into again.
    expect(Buffer.concat(gathered.chunks).equals(all)).toBe(true);
    expect(stream.bytesRead).toBe(size);
  });

  it('keeps the memory of several sockets apart', async () => {
    const parts = [3_000, 200_000, 14, 70_000];
    const gathered = await Promise.all(
      parts.map(async (size, index) => {
        const own = Buffer.alloc(size, 0x41 + index);
        const stream = await connected((socket) => {
          for (let at = 0; at < size; at += 10_000) socket.write(own.subarray(at, at + 10_000));
          socket.end();
        });
        const handler = new Gathered();
        stream.start(handler);
        await until(() => handler.ended);
        return handler;
      }),
    );
    gathered.forEach((handler, index) => {
      expect(Buffer.concat(handler.chunks).equals(Buffer.alloc(parts[index] ?? 0, 0x41 + index))).toBe(true);
    });
  });

  it('stops while paused, with one chunk held at most, and goes on', async () => {
    const size = 4 * 0x100000;
    const stream = await connected((socket) => socket.end(pattern(size)));
    const gathered = new Gathered();
    gathered.each = () => stream.pause();
    stream.start(gathered);
    await until(() => gathered.length > 0);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(gathered.chunks).toHaveLength(1);
    expect(stream.bytesRead - gathered.length).toBeLessThanOrEqual(0x10000);
    gathered.each = () => {
      stream.pause();
      setImmediate(() => stream.resume());
    };
    stream.resume();
    await until(() => gathered.ended);
    expect(Buffer.concat(gathered.chunks).equals(pattern(size))).toBe(true);
  });
});

describe('a reader of ours', () => {
  it('copies a little, and passes a well filled buffer that is its own', () => {
    const reader = new SocketReader();
    const chunks: Uint8Array[] = [];
    reader.start((chunk) => chunks.push(chunk));
    const first = reader.buffer();
    first.fill(1);
    expect(reader.callback(10, first)).toBe(true);
    expect(reader.buffer()).toBe(first);
    first.fill(2);
    reader.callback(40_000, first);
    const own = reader.buffer();
    expect(own).not.toBe(first);
    own.fill(3);
    reader.callback(50_000, own);
    expect(reader.buffer()).not.toBe(own);
    expect(chunks.map((chunk) => [chunk.length, chunk[0]])).toEqual([
      [10, 1],
      [40_000, 2],
      [50_000, 3],
    ]);
    expect(chunks.map((chunk) => chunk.buffer === own.buffer)).toEqual([false, false, true]);
    // Little again: back to the buffer that all share.
    const last = reader.buffer();
    reader.callback(5, last);
    expect(reader.buffer()).toBe(first);
  });

  it('is made wherever the system reads synchronously', () => {
    expect(newSocketReader() === undefined).toBe(process.platform === 'win32');
  });
});

describe('a server whose sockets read by our callback', () => {
  const SPY = 'onread';
  const dial = (port: number): Socket => connect(port, '127.0.0.1').on('error', () => undefined);

  it('does read so, where the system reads synchronously', async () => {
    let dialled: Socket | undefined;
    const { stream } = await acceptOne((port) => (dialled = dial(port)));
    closings.push(() => dialled?.destroy());
    const gathered = new Gathered();
    stream.start(gathered);
    const chunk = (): number => gathered.chunks[0]?.buffer.byteLength ?? 0;
    dialled?.write(SPY);
    await until(() => gathered.length > 0);
    // Node's own reads would have brought memory of the chunk's own, or a large one.
    expect(chunk()).toBe(process.platform === 'win32' ? SPY.length : 4096);
  });

  it('closes when its last connection is gone, and not before', async () => {
    const servers: NetServer[] = [];
    const listen = NetServer.prototype.listen;
    NetServer.prototype.listen = function (this: NetServer, ...args: unknown[]) {
      servers.push(this);
      return (listen as (...all: unknown[]) => NetServer).apply(this, args);
    } as typeof listen;
    closings.push(() => (NetServer.prototype.listen = listen));
    let dialled: Socket | undefined;
    const { stream, close } = await acceptOne((port) => (dialled = dial(port)));
    closings.push(() => dialled?.destroy());
    const [server] = servers;
    let isClosed = false;
    server?.once('close', () => (isClosed = true));
    const count = (): Promise<number> =>
      new Promise((resolve) => server?.getConnections((_error, counted) => resolve(counted)));
    expect(await count()).toBe(1);
    await close();
    expect(isClosed).toBe(false);
    stream.abort();
    await until(() => isClosed);
  });

  it('tells those who observe the process of each socket (diagnostics_channel)', async () => {
    const seen: unknown[] = [];
    const note = (message: unknown): void => void seen.push(message);
    subscribe('net.server.socket', note);
    closings.push(() => void unsubscribe('net.server.socket', note));
    let dialled: Socket | undefined;
    await acceptOne((port) => (dialled = dial(port)));
    closings.push(() => dialled?.destroy());
    await until(() => seen.length > 0);
    expect(seen).toEqual([{ socket: expect.any(NodeSocket) as unknown }]);
  });

  it("leaves the sockets to Node's way where things are not as expected", async () => {
    const listen = NetServer.prototype.listen;
    NetServer.prototype.listen = function (this: NetServer, ...args: unknown[]) {
      // What counts connections is missing.
      Reflect.deleteProperty(this, '_connections');
      return (listen as (...all: unknown[]) => NetServer).apply(this, args);
    } as typeof listen;
    closings.push(() => (NetServer.prototype.listen = listen));
    const stream = await accepted((socket) => socket.end('greeting'));
    const gathered = new Gathered();
    stream.start(gathered);
    await until(() => gathered.ended);
    expect(Buffer.concat(gathered.chunks).toString()).toBe('greeting');
  });
});
