/**
 * Accepted sockets on their way to workers.
 *
 * Owns the turn: workers get sockets one after the other, and none gets more before it has confirmed some. A socket is
 * kept open here until its worker has confirmed it, and nothing of it is read: so one that was on its way to a worker
 * that went is given to another, and its client notices nothing.
 *
 * Invariants: every socket that is offered is taken by one worker, or reset; at most {@link MAX_WAITING} wait.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { SocketAddress } from '../../src/common/index.ts';
import type { ToWorker } from './worker-messages.ts';

/** A worker, as far as sockets are concerned. */
export interface SocketTaker {
  sendSocket(message: ToWorker, socket: Socket): void;
}

/** A socket, and where it was accepted. */
interface Waiting {
  readonly socket: Socket;
  readonly endpoint: number;
  readonly address: SocketAddress;
}

/** Gives sockets to workers. */
export class Dispatcher {
  /** Of each worker what it has not confirmed. In the order of their turn. */
  readonly #workers: Map<SocketTaker, Map<number, Waiting>>;
  /** The same of those that get no more. */
  readonly #retired: Map<SocketTaker, Map<number, Waiting>>;
  readonly #reset: (socket: Socket) => void;
  #waiting: Waiting[];
  #lastId: number;
  #refused: number;
  #closed: boolean;

  /** @param reset - ends a socket that nobody takes */
  constructor(reset: (socket: Socket) => void) {
    this.#workers = new Map();
    this.#retired = new Map();
    this.#reset = reset;
    this.#waiting = [];
    this.#lastId = 0;
    this.#refused = 0;
    this.#closed = false;
  }

  /** How many sockets no worker was sent yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many were reset since too many waited. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes an accepted socket, with the number of its endpoint and the address there. */
  offer(socket: Socket, endpoint: number, address: SocketAddress): void {
    if (this.#closed || this.#waiting.length >= MAX_WAITING) {
      this.#refused += 1;
      this.#reset(socket);
      return;
    }
    this.#waiting.push({ socket, endpoint, address });
    this.#next(MAX_UNCONFIRMED);
  }

  /** A worker takes sockets from now on. */
  add(worker: SocketTaker): void {
    if (this.#workers.has(worker)) return;
    this.#workers.set(worker, new Map());
    this.#next(MAX_UNCONFIRMED);
  }

  /** A worker gets no more; what it was sent it may still confirm. */
  retire(worker: SocketTaker): void {
    const unconfirmed = this.#workers.get(worker);
    if (unconfirmed === undefined) return;
    this.#retired.set(worker, unconfirmed);
    this.#workers.delete(worker);
  }

  /** A worker is gone: what it did not confirm is given to others, before all that came later. */
  lose(worker: SocketTaker): void {
    const unconfirmed = this.#workers.get(worker) ?? this.#retired.get(worker);
    this.#workers.delete(worker);
    this.#retired.delete(worker);
    if (unconfirmed === undefined) return;
    this.#again([...unconfirmed.values()]);
  }

  /** A worker has the socket of that number. */
  taken(worker: SocketTaker, id: number): void {
    this.#settle(worker, id)?.socket.destroy();
    this.#next(MAX_UNCONFIRMED);
  }

  /** A worker did not take the socket of that number. */
  declined(worker: SocketTaker, id: number): void {
    const waiting = this.#settle(worker, id);
    if (waiting !== undefined) this.#again([waiting]);
  }

  /** Takes none any more. Those that wait go to the workers that there are, whatever these have confirmed. */
  close(): void {
    this.#closed = true;
    this.#next(Number.POSITIVE_INFINITY);
    for (const { socket } of this.#waiting.splice(0)) this.#reset(socket);
  }

  #settle(worker: SocketTaker, id: number): Waiting | undefined {
    const unconfirmed = this.#workers.get(worker) ?? this.#retired.get(worker);
    const waiting = unconfirmed?.get(id);
    unconfirmed?.delete(id);
    return waiting;
  }

  #again(returned: readonly Waiting[]): void {
    if (this.#closed) {
      for (const { socket } of returned) this.#reset(socket);
      return;
    }
    this.#waiting = [...returned, ...this.#waiting];
    this.#next(MAX_UNCONFIRMED);
  }

  #next(most: number): void {
    let given = 0;
    while (given < this.#waiting.length) {
      const worker = this.#choose(most);
      if (worker === undefined) break;
      const waiting = this.#waiting[given] as Waiting;
      given += 1;
      this.#lastId += 1;
      this.#workers.get(worker)?.set(this.#lastId, waiting);
      const { socket, endpoint, address } = waiting;
      worker.sendSocket({ type: 'connection', id: this.#lastId, endpoint, address }, socket);
    }
    if (given > 0) this.#waiting.splice(0, given);
  }

  /** The worker whose turn it is among those that have room; it is the last one then. */
  #choose(most: number): SocketTaker | undefined {
    for (const [worker, unconfirmed] of this.#workers) {
      if (unconfirmed.size >= most) continue;
      this.#workers.delete(worker);
      this.#workers.set(worker, unconfirmed);
      return worker;
    }
    return undefined;
  }
}

/** Sockets that no worker was sent yet: as many as a system keeps that nobody accepts. */
export const MAX_WAITING = 1_024;
/** Sockets that one worker has not confirmed: a worker that computes for long gets no more than these. */
export const MAX_UNCONFIRMED = 16;
