/**
 * An attacker in another process, told by a test what bytes to speak.
 *
 * Owns the way to `peer-process.js` and the handles of its connections. What the attacker says and expects is the
 * test's; nothing here knows HTTP.
 *
 * @module
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../child.ts';

/** What the other process knows of a connection. */
export interface LineState {
  readonly id: number;
  /** What came, as latin1; the first MiB. */
  readonly text: string;
  /** How many bytes came. */
  readonly received: number;
  /** The other side has ended. */
  readonly ended: boolean;
  /** The connection is gone. */
  readonly closed: boolean;
  /** TLS was agreed. */
  readonly secured: boolean;
  readonly error: string | undefined;
  readonly alpn: string | undefined;
  /** Of what was waited for: whether it came (or the end came first), rather than the time being over. */
  readonly reached?: boolean;
}

/** TLS of a connection, as seen from the attacker: it trusts everybody. */
export interface PeerTls {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly servername?: string;
  readonly alpn?: readonly string[];
  readonly minVersion?: string;
  readonly maxVersion?: string;
}

/** Where to connect. */
export interface PeerTarget {
  readonly port: number;
  readonly host?: string;
  readonly localAddress?: string;
  readonly secure?: PeerTls;
  readonly timeout?: number;
}

/** How a flood ended. */
export interface FloodResult {
  /** How many bytes the system took. */
  readonly sent: number;
  /** The other side stopped reading. */
  readonly stalled: boolean;
  /** The connection ended meanwhile. */
  readonly over: boolean;
}

/** What is flooded with. */
export interface Flood {
  readonly unit: string | Uint8Array;
  readonly total: number;
  /** How long nothing may be taken before it counts as stalled, in milliseconds. */
  readonly stall?: number;
}

interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly failure?: string;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Latin1 bytes of a text; bytes as they are. */
export function octets(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
}

/** The other process. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, Waiting>;
  readonly #gone: Promise<void>;
  #calls: number;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#waiting = new Map();
    this.#calls = 0;
    child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.call);
      this.#waiting.delete(answer.call);
      if (answer.failure === undefined) waiting?.resolve(answer.value);
      else waiting?.reject(new Error(answer.failure));
    });
    this.#gone = new Promise((resolve) => {
      child.once('exit', () => {
        for (const { reject } of this.#waiting.values()) reject(new Error('the other process has ended'));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** Starts one. The caller ends it with `stop`. */
  static start(): Peer {
    const script = fileURLToPath(new URL('peer-process.js', import.meta.url));
    return new Peer(
      fork(script, {
        serialization: 'advanced',
        execArgv: [],
        env: childEnvironment(),
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
  }

  /** Asks for an operation by name. */
  call(operation: string, details: object = {}): Promise<unknown> {
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#child.send({ call, operation, ...details });
    });
  }

  /** Connects; resolves when connected (with TLS: agreed), refused or failed. */
  async connect(target: PeerTarget): Promise<PeerSocket> {
    return new PeerSocket(this, (await this.call('connect', target)) as LineState);
  }

  /** Opens many connections to a port. */
  async connectMany(target: PeerTarget, count: number, data?: string): Promise<readonly number[]> {
    const bytes = data === undefined ? undefined : octets(data);
    return (await this.call('connectMany', { ...target, count, data: bytes })) as number[];
  }

  /** What is known of many connections. */
  async states(sockets: readonly number[]): Promise<readonly LineState[]> {
    return (await this.call('states', { sockets })) as LineState[];
  }

  /** Gives connections up; a reset is more than the end that the system sends otherwise. */
  async destroy(sockets: readonly number[], how: { readonly reset?: boolean } = {}): Promise<void> {
    await this.call('destroy', { sockets, ...how });
  }

  /** Listens on loopback. */
  async listen(secure?: PeerTls): Promise<PeerServer> {
    const { id, port } = (await this.call('listen', { secure })) as { id: number; port: number };
    return new PeerServer(this, id, port);
  }

  /** One exchange on a connection of its own: what comes until the other side ends. */
  async exchange(target: PeerTarget, data: string | Uint8Array, timeout = 10_000): Promise<LineState> {
    const socket = await this.connect(target);
    try {
      await socket.write(data);
      return await socket.untilEnd(timeout);
    } finally {
      await socket.destroy();
    }
  }

  /** Ends the other process and with it all its connections. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.#gone;
    clearTimeout(kill);
  }
}

/** A connection of the other process. */
export class PeerSocket {
  readonly id: number;
  /** What was known when it was connected or accepted. */
  readonly opened: LineState;
  readonly #peer: Peer;

  constructor(peer: Peer, state: LineState) {
    this.id = state.id;
    this.opened = state;
    this.#peer = peer;
  }

  /** Writes; does not wait for anything. */
  async write(data: string | Uint8Array): Promise<void> {
    await this.#call('write', { data: octets(data) });
  }

  /** Writes pieces apart from each other. */
  async pieces(pieces: readonly (string | Uint8Array)[], every = 0): Promise<void> {
    await this.#call('pieces', { pieces: pieces.map(octets), every });
  }

  /** Writes the same again and again. */
  async flood(flood: Flood): Promise<FloodResult> {
    return (await this.#call('flood', { ...flood, unit: octets(flood.unit) })) as FloodResult;
  }

  /** Waits until `text` has come (`count` times) or the other side has ended. */
  async until(text: string, options: { readonly count?: number; readonly timeout?: number } = {}): Promise<LineState> {
    return (await this.#call('until', { text, ...options })) as LineState;
  }

  /** Waits until the other side has ended, or the time is over. */
  async untilEnd(timeout = 10_000): Promise<LineState> {
    return (await this.#call('until', { end: true, timeout })) as LineState;
  }

  /** Waits until so many bytes have come. */
  async untilReceived(bytes: number, timeout = 10_000): Promise<LineState> {
    return (await this.#call('received', { bytes, timeout })) as LineState;
  }

  /** What has come so far. */
  async state(): Promise<LineState> {
    return (await this.#call('state')) as LineState;
  }

  /** Stops reading. */
  async pause(): Promise<void> {
    await this.#call('pause');
  }

  /** Reads again. */
  async resume(): Promise<void> {
    await this.#call('resume');
  }

  /** Ends its side. */
  async end(): Promise<void> {
    await this.#call('end');
  }

  /** Resets. */
  async reset(): Promise<void> {
    await this.#call('reset');
  }

  /** Asks for a renegotiation (TLS 1.2). */
  async renegotiate(): Promise<string> {
    return (await this.#call('renegotiate')) as string;
  }

  /** Gives it up. */
  async destroy(): Promise<void> {
    await this.#peer.destroy([this.id]);
  }

  #call(operation: string, details: object = {}): Promise<unknown> {
    return this.#peer.call(operation, { socket: this.id, ...details });
  }
}

/** A listening socket of the other process. */
export class PeerServer {
  readonly port: number;
  readonly #id: number;
  readonly #peer: Peer;

  constructor(peer: Peer, id: number, port: number) {
    this.port = port;
    this.#id = id;
    this.#peer = peer;
  }

  /** The next connection. Rejects when none comes in time. */
  async accept(timeout = 5_000): Promise<PeerSocket> {
    return new PeerSocket(this.#peer, (await this.#peer.call('accept', { server: this.#id, timeout })) as LineState);
  }

  /** Answers every connection to come by itself: each time `after` has come. */
  async answerAll(answer: {
    readonly after: string;
    readonly reply: string | Uint8Array;
    readonly flood?: Flood;
    readonly end?: boolean;
  }): Promise<void> {
    const { reply, flood } = answer;
    const unit = flood === undefined ? undefined : { ...flood, unit: octets(flood.unit) };
    await this.#peer.call('answerAll', { ...answer, server: this.#id, reply: octets(reply), flood: unit });
  }

  /** Listens no more; connections stay. */
  async close(): Promise<void> {
    await this.#peer.call('close', { server: this.#id });
  }
}
