import type { NetworkError, Random, ServerTlsConfig, SocketAddress } from '../../../src/common/index.ts';
import type {
  TcpClientNetworking,
  ConnectTcpOptions,
  ListenTcpOptions,
  TcpServerNetworking,
  TcpListener,
  TcpListenerHandler,
} from '../../../src/networking/index.ts';
import { ManualClock } from '../concurrency/manual-clock.ts';
import { FakeStream } from './fakes.ts';

/** Networking that the test plays. */
export class FakeNetworking implements TcpServerNetworking, TcpClientNetworking {
  readonly clock: ManualClock = new ManualClock();
  readonly random: Random = { fill: (target) => target };
  readonly listeners: FakeListener[] = [];
  readonly connects: FakeConnect[] = [];
  /** Thrown by `listenTcp` for this port. */
  failPort: number | undefined = undefined;
  failure: Error = new Error('cannot listen');

  async listenTcp(options: ListenTcpOptions, handler: TcpListenerHandler): Promise<TcpListener> {
    await Promise.resolve();
    if (options.endpoint.port === this.failPort) throw this.failure;
    const listener = new FakeListener(options, handler);
    this.listeners.push(listener);
    return listener;
  }

  connectTcp(options: ConnectTcpOptions): Promise<FakeStream> {
    return new Promise((resolve, reject) => {
      this.connects.push(new FakeConnect(options, resolve, reject));
    });
  }

  connectTcpTls(options: ConnectTcpOptions): Promise<FakeStream> {
    return this.connectTcp(options);
  }
}

/** A connection being opened. */
export class FakeConnect {
  readonly options: ConnectTcpOptions;
  readonly #resolve: (stream: FakeStream) => void;
  readonly fail: (error: Error) => void;
  settled = false;

  constructor(options: ConnectTcpOptions, resolve: (stream: FakeStream) => void, reject: (error: Error) => void) {
    this.options = options;
    this.#resolve = resolve;
    this.fail = (error) => {
      this.settled = true;
      reject(error);
    };
    options.signal?.addEventListener('abort', () => this.fail(new Error('aborted')));
  }

  succeed(stream: FakeStream = new FakeStream()): FakeStream {
    this.settled = true;
    this.#resolve(stream);
    return stream;
  }
}

/** An open listener. */
export class FakeListener implements TcpListener {
  readonly options: ListenTcpOptions;
  readonly handler: TcpListenerHandler;
  readonly addresses: readonly SocketAddress[];
  closed = false;
  tls: ServerTlsConfig | undefined = undefined;

  constructor(options: ListenTcpOptions, handler: TcpListenerHandler) {
    this.options = options;
    this.handler = handler;
    this.addresses = [{ family: 'ipv4', host: '127.0.0.1', port: 8000 + (options.endpoint.port % 1000) }];
  }

  updateTls(tls: ServerTlsConfig): void {
    this.tls = tls;
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.closed = true;
  }

  /** A peer connects. Answers its stream, or `undefined` when it was not admitted. */
  accept(host = '192.0.2.1'): FakeStream | undefined {
    const stream = new FakeStream(host);
    if (!this.handler.admit(stream.remoteAddress)) return undefined;
    this.handler.streamAccepted(stream);
    return stream;
  }

  /** A peer connects and its handshake fails. */
  fail(error: NetworkError, host = '192.0.2.1'): boolean {
    const address = new FakeStream(host).remoteAddress;
    if (!this.handler.admit(address)) return false;
    this.handler.streamFailed(address, error);
    return true;
  }
}
