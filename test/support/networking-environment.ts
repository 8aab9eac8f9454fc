/**
 * Every kind of networking behind one face, for the contract suite.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { ClientTlsConfig, Endpoint, IpAddress, NetworkError, SocketAddress } from '../../src/common/index.ts';
import { SystemNetworking } from '../../src/networking/index.ts';
import type {
  ByteStream,
  ClientNetworking,
  ListenTcpOptions,
  ServerNetworking,
  TcpListener,
  TcpListenerHandler,
} from '../../src/networking/index.ts';
import { runSimulation } from '../../src/networking/simulation/index.ts';
import { testPki } from './test-certificates.ts';

/** What one test of the suite runs in. */
export interface NetworkingEnvironment {
  readonly networking: ServerNetworking & ClientNetworking;
  readonly listenOptions: ListenTcpOptions;
  /** Opens a stream to a listener. */
  connect(listener: TcpListener, options?: { readonly signal?: AbortSignal }): Promise<ByteStream>;
}

/** A kind of networking. */
export interface NetworkingKind {
  readonly name: string;
  /** An abort reaches the peer as a reset. */
  readonly resets: boolean;
  readonly tls: boolean;
  readonly unix: boolean;
  /** Runs a test's body in a new environment. */
  run(body: (environment: NetworkingEnvironment) => Promise<void>): Promise<void>;
}

/** A listener's handler that keeps what it is told. */
export class ListenerRecorder implements TcpListenerHandler {
  readonly streams: ByteStream[] = [];
  readonly failures: { readonly remoteAddress: SocketAddress; readonly error: NetworkError }[] = [];
  readonly asked: SocketAddress[] = [];
  admits: (remoteAddress: SocketAddress) => boolean = () => true;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** The stream of that number, when it has come. */
  async stream(index = 0): Promise<ByteStream> {
    if (this.streams.length <= index) {
      await new Promise<void>((resolve) => {
        this.#waiting.push({ count: index + 1, resolve });
      });
    }
    return this.streams[index] as ByteStream;
  }

  /** Resolves when so many streams and failures have been told together. */
  outcomes(count: number): Promise<void> {
    if (this.streams.length + this.failures.length >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ count, resolve });
    });
  }

  admit(remoteAddress: SocketAddress): boolean {
    this.asked.push(remoteAddress);
    return this.admits(remoteAddress);
  }

  streamAccepted(stream: ByteStream): void {
    this.streams.push(stream);
    this.#told();
  }

  streamFailed(remoteAddress: SocketAddress, error: NetworkError): void {
    this.failures.push({ remoteAddress, error });
    this.#told();
  }

  listenerFailed(error: NetworkError): void {
    throw error;
  }

  #told(): void {
    const count = this.streams.length + this.failures.length;
    const ready = this.#waiting.filter((waiter) => waiter.count <= count);
    this.#waiting = this.#waiting.filter((waiter) => waiter.count > count);
    for (const waiter of ready) waiter.resolve();
  }
}

/** An endpoint on loopback with a port that the system chooses. */
export function loopback(scheme: 'http' | 'https' = 'http', host = '127.0.0.1', port = 0): Endpoint {
  return { scheme, host, port, unixPath: undefined };
}

/** The port of a listener. */
export function portOf(listener: TcpListener): number {
  return (listener.addresses[0] as IpAddress).port;
}

/** Client TLS that trusts the test authority. */
export function trustingTls(): ClientTlsConfig {
  return { ca: testPki().ca.cert };
}

/** A path for a socket in a folder of its own. */
export async function withSocketPath(body: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hface-'));
  try {
    await body(path.join(folder, 'socket'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Networking by the system's sockets. */
export const systemKinds: readonly NetworkingKind[] = [
  {
    name: 'system TCP',
    resets: true,
    tls: false,
    unix: false,
    async run(body) {
      const networking = new SystemNetworking();
      await body({
        networking,
        listenOptions: { endpoint: loopback() },
        connect: (listener, options) =>
          networking.connectTcp({ target: { host: '127.0.0.1', port: portOf(listener) }, ...options }),
      });
    },
  },
  {
    name: 'system TLS',
    resets: true,
    tls: true,
    unix: false,
    async run(body) {
      const networking = new SystemNetworking();
      const { server } = testPki();
      await body({
        networking,
        listenOptions: { endpoint: loopback('https'), tls: { cert: server.cert, key: server.key } },
        connect: (listener, options) =>
          networking.connectTcpTls({
            target: { host: '127.0.0.1', port: portOf(listener) },
            tls: trustingTls(),
            ...options,
          }),
      });
    },
  },
  {
    name: 'system unix',
    resets: false,
    tls: false,
    unix: true,
    run(body) {
      return withSocketPath(async (unixPath) => {
        const networking = new SystemNetworking();
        await body({
          networking,
          listenOptions: { endpoint: { scheme: 'http', host: '', port: 0, unixPath } },
          connect: (_listener, options) =>
            networking.connectTcp({ target: { host: '', port: 0 }, unixPath, ...options }),
        });
      });
    },
  },
];

function simulatedKind(name: string, secure: boolean): NetworkingKind {
  return {
    name,
    resets: true,
    tls: secure,
    unix: false,
    async run(body) {
      const { server } = testPki();
      const result = await runSimulation(
        1,
        async ({ networking }) => {
          const tls = secure ? { tls: { cert: server.cert, key: server.key } } : {};
          await body({
            networking,
            listenOptions: { endpoint: loopback(secure ? 'https' : 'http'), ...tls },
            connect: (listener, options) => {
              const target = { host: '127.0.0.1', port: portOf(listener) };
              return secure
                ? networking.connectTcpTls({ target, tls: trustingTls(), ...options })
                : networking.connectTcp({ target, ...options });
            },
          });
        },
        { wallStart: Date.now() },
      );
      expect(result.leftovers).toEqual([]);
    },
  };
}

/** Networking in memory, under a virtual clock. */
export const simulatedKinds: readonly NetworkingKind[] = [
  simulatedKind('simulated TCP', false),
  simulatedKind('simulated TLS', true),
];
