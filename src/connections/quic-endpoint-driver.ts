/**
 * The sockets of a QUIC endpoint, its time and its connections.
 *
 * Owns the loop. Datagrams of one turn of the event loop are given to the endpoint as they come; behind the last one,
 * and behind every turn in which an application submitted something, each connection concerned gives its events away,
 * then what there is to send is sent. A turn sends a bounded number of packets, of which the endpoint gives each
 * connection its share; the rest follows in the next turn, so that what comes in is read between. A socket whose queue
 * is full stops sending until it tells of room; meanwhile engines are told the time and see their output wait.
 *
 * There is one timer of the endpoint's own (answers without a connection, closed connections) and one of each
 * connection, all on the clock's one queue.
 *
 * Invariants: nothing is sent from inside a call of the application's; after `close` no socket, timer or connection is
 * left.
 *
 * @module
 */
import { formatSocketAddress } from '../common/index.ts';
import type { Clock, HfaceError, NetworkError, NetworkPath } from '../common/index.ts';
import { CancelledError } from '../concurrency/index.ts';
import type { Timer, TimerTarget } from '../concurrency/index.ts';
import type { UdpSocket, UdpSocketHandler } from '../networking/index.ts';
import type { QuicConnectionHandle, QuicEndpoint, QuicIncoming } from '../protocols/quic/index.ts';
import { OverQuicDriver } from './over-quic-driver.ts';
import type { OverQuicDriverParts, QuicDriverOwner } from './over-quic-driver.ts';
import { timerOn } from './timers.ts';
import { awaitTurn } from './turns.ts';
import type { TurnTaker } from './turns.ts';

/** How many packets a turn sends before others of this process have theirs. */
const PACKETS_PER_TURN = 256;

/** What a {@link QuicEndpointDriver} is made of. */
export interface QuicEndpointDriverParts {
  readonly endpoint: QuicEndpoint;
  readonly clock: Clock;
  /** Server: a client wants a connection. */
  readonly incoming?: ((incoming: QuicIncoming, now: number) => void) | undefined;
  /** The system has refused a datagram, or was told that one did not arrive. */
  readonly datagramFailed?: ((error: NetworkError, path: NetworkPath | undefined) => void) | undefined;
  /** The last socket is gone. True: somebody sees to another one; otherwise the connections are lost. */
  readonly socketLost?: ((error: NetworkError) => boolean) | undefined;
  /** A datagram came. */
  readonly heard?: (() => void) | undefined;
}

/** Runs a QUIC endpoint on UDP sockets. */
export class QuicEndpointDriver implements UdpSocketHandler, QuicDriverOwner, TimerTarget, TurnTaker {
  readonly clock: Clock;
  readonly endpoint: QuicEndpoint;
  readonly #parts: QuicEndpointDriverParts;
  readonly #timer: Timer;
  readonly #sockets: Map<string, UdpSocket>;
  /** Each knows its place, and its handle has the same one: see connection-set.ts for why there is no Map. */
  readonly #drivers: OverQuicDriver[];
  readonly #handles: QuicConnectionHandle[];
  /** Connections that are to be seen to in this turn, each once: a Set would make its table anew each time. */
  #touched: OverQuicDriver[];
  /** Sockets without room. */
  readonly #full: Set<UdpSocket>;
  readonly #later: () => void;
  /** A turn is being worked on. */
  #busy: boolean;
  /** Datagrams have come, and the end of their turn will be told. */
  #receiving: boolean;
  /** A microtask is on its way. */
  #woken: boolean;
  /** Sending goes on in the next turn. */
  #yielding: boolean;
  #received: number;
  /** Nothing is done any more. */
  #over: boolean;
  #closing: Promise<void> | undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(parts: QuicEndpointDriverParts) {
    this.clock = parts.clock;
    this.endpoint = parts.endpoint;
    this.#parts = parts;
    this.#timer = timerOn(parts.clock, this);
    this.#sockets = new Map();
    this.#drivers = [];
    this.#handles = [];
    this.#touched = [];
    this.#full = new Set();
    this.#later = () => {
      this.#yielding = false;
      this.#turn();
    };
    this.#busy = false;
    this.#receiving = false;
    this.#woken = false;
    this.#yielding = false;
    this.#received = 0;
    this.#over = false;
    this.#closing = undefined;
    this.#whenEmpty = undefined;
  }

  /** Datagrams received so far. */
  get received(): number {
    return this.#received;
  }

  /** Names sockets, those at first or further ones. What came before this call was held by nobody: QUIC sends it again. */
  open(sockets: readonly UdpSocket[]): void {
    for (const socket of sockets) this.#sockets.set(formatSocketAddress(socket.localAddress), socket);
  }

  /** Runs a protocol on one of the endpoint's connections. */
  add(handle: QuicConnectionHandle, parts: OverQuicDriverParts): OverQuicDriver {
    const driver = new OverQuicDriver(this, parts);
    handle.attachment = driver;
    driver.place = this.#drivers.push(driver) - 1;
    this.#handles.push(handle);
    this.wake(driver);
    return driver;
  }

  /** See {@link UdpSocketHandler.datagramReceived}. */
  datagramReceived(data: Uint8Array, path: NetworkPath): void {
    if (this.#closing !== undefined || this.#sockets.size === 0) return;
    this.#received += 1;
    this.#parts.heard?.();
    this.#receiving = true;
    const now = this.clock.now();
    const handle = this.endpoint.datagramReceived(data, path, now);
    if (handle !== undefined) this.#touchOf(handle);
  }

  /** See {@link UdpSocketHandler.turnEnded}. */
  turnEnded(): void {
    this.#receiving = false;
    this.#turn();
  }

  /** See {@link UdpSocketHandler.drained}. */
  drained(socket: UdpSocket): void {
    this.#full.delete(socket);
    this.#turn();
  }

  /** See {@link UdpSocketHandler.datagramFailed}. */
  datagramFailed(error: NetworkError, path: NetworkPath | undefined): void {
    this.#parts.datagramFailed?.(error, path);
  }

  /** See {@link UdpSocketHandler.closed}. */
  closed(socket: UdpSocket, error: NetworkError | undefined): void {
    this.#sockets.delete(formatSocketAddress(socket.localAddress));
    this.#full.delete(socket);
    if (error === undefined || this.#sockets.size > 0 || this.#parts.socketLost?.(error) === true) return;
    this.lost(error);
  }

  /** No socket is left and none will come: every connection ends. */
  lost(error: HfaceError): void {
    for (const driver of [...this.#drivers]) driver.lost(error);
  }

  /** See {@link QuicDriverOwner.wake}. */
  wake(driver: OverQuicDriver): void {
    this.#touch(driver);
    if (this.#busy || this.#receiving || this.#woken || this.#yielding || this.#closing !== undefined) return;
    this.#woken = true;
    awaitTurn(this);
  }

  /** See {@link QuicDriverOwner.ended}. */
  ended(driver: OverQuicDriver): void {
    this.#remove(driver);
    if (this.#drivers.length > 0) return;
    this.#whenEmpty?.();
    this.#whenEmpty = undefined;
  }

  /** The end of a turn in which something was submitted. */
  takeTurn(): void {
    this.#woken = false;
    if (!this.#receiving && !this.#yielding) this.#turn();
  }

  /** The endpoint's timer. */
  timedOut(now: number): void {
    if (this.#closing !== undefined) return;
    this.endpoint.handleTimeout(now);
    this.#turn();
  }

  /** Ends every connection with `error`, then the sockets. Resolves when nothing is left. */
  close(error: HfaceError = new CancelledError('the endpoint was closed')): Promise<void> {
    this.#closing ??= this.#close(error);
    return this.#closing;
  }

  async #close(error: HfaceError): Promise<void> {
    for (const driver of [...this.#drivers]) driver.abort(error);
    // Their last packets go out in this very turn, as far as there is room: within one, nobody would come back to them.
    if (this.#busy) this.#send(this.clock.now(), PACKETS_PER_TURN);
    else this.#turn();
    for (const driver of [...this.#drivers]) driver.lost(error);
    this.#over = true;
    this.#timer.cancel();
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()));
  }

  /** Resolves when no connection is left. */
  empty(): Promise<void> {
    if (this.#drivers.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#whenEmpty;
      this.#whenEmpty = () => {
        before?.();
        resolve();
      };
    });
  }

  /** Events, output, and what follows from both. */
  #turn(): void {
    if (this.#busy || this.#over) return;
    this.#busy = true;
    const now = this.clock.now();
    try {
      this.#work(now);
    } finally {
      this.#busy = false;
    }
    if (this.#yielding) return;
    const touched = this.#touched;
    this.#touched = [];
    for (const driver of touched) driver.touched = false;
    for (const driver of touched) driver.finishTurn();
    // With its last connection the endpoint itself may have ended.
    if (!this.#isOver()) this.#timer.set(this.endpoint.nextTimeout());
  }

  /** The state as calls in between may have left it. */
  #isOver(): boolean {
    return this.#over;
  }

  #work(now: number): void {
    let left = PACKETS_PER_TURN;
    for (;;) {
      this.#advance(now);
      if (this.#full.size > 0) return;
      const sent = this.#send(now, left);
      if (sent === 0) return;
      left -= sent;
      if (left > 0) continue;
      if (!this.#yielding) setImmediate(this.#later);
      this.#yielding = true;
      return;
    }
  }

  /** Lets connections give their events away, those that have just begun too. */
  #advance(now: number): void {
    this.#touchReady();
    for (let incoming = this.endpoint.nextIncoming(); incoming !== undefined; incoming = this.endpoint.nextIncoming()) {
      if (this.#parts.incoming === undefined) incoming.ignore();
      else this.#parts.incoming(incoming, now);
    }
    // One that was touched meanwhile stands behind the others.
    for (const driver of this.#touched) {
      driver.advance(now);
      // Nothing is asked of a connection that has ended meanwhile.
      if (!driver.isOver) this.#handles[driver.place]?.wake();
    }
  }

  #touch(driver: OverQuicDriver): void {
    if (driver.touched) return;
    driver.touched = true;
    this.#touched.push(driver);
  }

  /** Connections of which the endpoint says that something happened to them: a timer of theirs ran, mostly. */
  #touchReady(): void {
    for (let ready = this.endpoint.nextReady(); ready !== undefined; ready = this.endpoint.nextReady()) {
      this.#touchOf(ready);
    }
  }

  #touchOf(handle: QuicConnectionHandle): void {
    const driver = handle.attachment as OverQuicDriver | undefined;
    if (driver !== undefined) this.#touch(driver);
  }

  /** The last one takes its place. */
  #remove(driver: OverQuicDriver): void {
    const { place } = driver;
    if (this.#drivers[place] !== driver) return;
    (this.#handles[place] as QuicConnectionHandle).attachment = undefined;
    const last = this.#drivers.pop() as OverQuicDriver;
    const lastHandle = this.#handles.pop() as QuicConnectionHandle;
    if (last === driver) return;
    this.#drivers[place] = last;
    this.#handles[place] = lastHandle;
    last.place = place;
  }

  /** Sends up to so many packets; how many it were. */
  #send(now: number, most: number): number {
    let packets = 0;
    for (const { data, segmentSize, path } of this.endpoint.datagramsToSend(now, most)) {
      packets += Math.ceil(data.length / segmentSize);
      const socket = this.#sockets.get(path.local) ?? this.#onlySocket();
      if (socket?.send(data, segmentSize, path) === false) this.#full.add(socket);
    }
    return packets;
  }

  /** A client's path may have a name of its own for the one socket there is. */
  #onlySocket(): UdpSocket | undefined {
    if (this.#sockets.size !== 1) return undefined;
    for (const socket of this.#sockets.values()) return socket;
    return undefined;
  }
}
