import net from 'node:net';
import type { AppServerOptions, RunningServer } from '../../../src/server/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import type { ByteStream, ListenTcpOptions, TcpListener, TcpListenerHandler } from '../../../src/networking/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { App } from '../../../src/app/index.ts';

/** A server on loopback, closed by the caller. */
export async function start(app: App, options: AppServerOptions = {}): Promise<RunningServer> {
  return new AppServer(app, options).listen('http://127.0.0.1:0');
}

/** A client that speaks bytes. */
export class RawClient {
  readonly socket: net.Socket;
  /** How much came. */
  length = 0;
  received: Buffer = Buffer.alloc(0);
  ended = false;
  closed = false;
  #wake: (() => void) | undefined;

  /** @param options - `keep: false`: count what comes, and forget it */
  constructor(server: RunningServer, options: { readonly keep: boolean } = { keep: true }) {
    const [endpoint] = server.endpoints;
    this.socket = net.connect({ host: '127.0.0.1', port: endpoint?.port ?? 0, allowHalfOpen: true });
    this.socket.on('data', (chunk) => {
      this.length += chunk.length;
      if (options.keep) this.received = Buffer.concat([this.received, chunk]);
      this.#wake?.();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.#wake?.();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake?.();
    });
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Resolves with all that was received once it holds `text`, or once the connection is over. */
  async until(text: string): Promise<string> {
    while (!this.text.includes(text) && !this.ended && !this.closed) await this.#more();
    return this.text;
  }

  /** Resolves with all that was received when the server has ended its side. */
  async end(): Promise<string> {
    while (!this.ended && !this.closed) await this.#more();
    this.socket.destroy();
    return this.text;
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** One request on a connection of its own. */
export async function request(server: RunningServer, text: string | Uint8Array): Promise<string> {
  const client = new RawClient(server);
  client.write(text);
  return client.end();
}

/** Lets a turn of the event loop pass. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Lets turns pass until something is so. The test's own time limit ends what never is. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

/** Sockets whose streams a test can look at. */
export class WatchedNetworking extends SystemNetworking {
  readonly streams: ByteStream[] = [];

  override listenTcp(options: ListenTcpOptions, handler: TcpListenerHandler): Promise<TcpListener> {
    return super.listenTcp(options, {
      admit: (address) => handler.admit(address),
      streamAccepted: (stream) => {
        this.streams.push(stream);
        handler.streamAccepted(stream);
      },
      streamFailed: (address, error) => handler.streamFailed(address, error),
      listenerFailed: (error) => handler.listenerFailed(error),
    });
  }
}

/** Something that a test lets happen. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** A gate that is shut. */
export function gate(): Gate {
  let open: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open?.() };
}
