/**
 * Networking without a system below: streams whose input the benchmark hands in and whose output it counts.
 *
 * @module
 */
import type { SocketAddress } from '../../src/common/index.ts';
import { systemNetworking } from '../../src/connections/index.ts';
import type { ClientOptions } from '../../src/client/index.ts';
import type { AppServerOptions } from '../../src/server/index.ts';
import type { ByteStream, ByteStreamHandler, TcpListener, TcpListenerHandler } from '../../src/networking/index.ts';

type TcpServerNetworking = NonNullable<AppServerOptions['networking']>;
type TcpClientNetworking = NonNullable<ClientOptions['networking']>;

const ADDRESS: SocketAddress = { family: 'ipv4', host: '127.0.0.1', port: 1 };

/** A stream that ends in the benchmark. */
export class SilentStream implements ByteStream {
  readonly localAddress: SocketAddress = ADDRESS;
  readonly remoteAddress: SocketAddress = ADDRESS;
  readonly tls = undefined;
  readonly bufferedBytes = 0;
  readonly bytesRead = 0;
  bytesWritten = 0;
  /** How often something was written. */
  writes = 0;
  /** The last piece of what was written last. */
  last: Uint8Array = new Uint8Array(0);
  #handler: ByteStreamHandler | undefined = undefined;

  start(handler: ByteStreamHandler): void {
    this.#handler = handler;
  }

  /** Bytes come. */
  receive(chunk: Uint8Array): void {
    this.#handler?.dataReceived(chunk);
  }

  write(chunks: Uint8Array | readonly Uint8Array[]): boolean {
    this.writes += 1;
    for (const chunk of chunks instanceof Uint8Array ? [chunks] : chunks) {
      this.bytesWritten += chunk.length;
      this.last = chunk;
    }
    return true;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}

  abort(): void {
    this.#handler?.closed(undefined);
  }

  close(): void {
    this.#handler?.closed(undefined);
  }
}

/** Accepts silent streams. */
export class SilentNetworking implements TcpServerNetworking {
  readonly clock: TcpServerNetworking['clock'] = systemNetworking().clock;
  readonly random: TcpServerNetworking['random'] = systemNetworking().random;
  #handler: TcpListenerHandler | undefined = undefined;

  listenTcp(_options: unknown, handler: TcpListenerHandler): Promise<TcpListener> {
    this.#handler = handler;
    return Promise.resolve({ addresses: [ADDRESS], updateTls: () => undefined, close: () => Promise.resolve() });
  }

  /** A stream is accepted. */
  accept(): SilentStream {
    const stream = new SilentStream();
    if (this.#handler?.admit(ADDRESS) !== true) throw new Error('nobody listens');
    this.#handler.streamAccepted(stream);
    return stream;
  }
}

/** Connects to silent streams. */
export class SilentClientNetworking implements TcpClientNetworking {
  readonly clock: TcpClientNetworking['clock'] = systemNetworking().clock;
  readonly random: TcpClientNetworking['random'] = systemNetworking().random;
  /** Those that were opened, in order. */
  readonly streams: SilentStream[] = [];

  connectTcp(): Promise<SilentStream> {
    const stream = new SilentStream();
    this.streams.push(stream);
    return Promise.resolve(stream);
  }

  connectTcpTls(): Promise<SilentStream> {
    return this.connectTcp();
  }
}
