/**
 * A client's question for versions, on the socket that its connection will use.
 *
 * Owns the socket until the answer has come: sending the question again while there is none, at the distances of a first
 * packet's probes (RFC 9002 section 6.2), and passing everything on from then on.
 *
 * Invariant: the promise settles once; afterwards no timer is armed.
 *
 * @module
 */
import type { Clock, NetworkError, NetworkPath, Random } from '../common/index.ts';
import { onAbort } from '../concurrency/index.ts';
import type { Timer } from '../concurrency/index.ts';
import type { UdpSocket, UdpSocketHandler } from '../networking/index.ts';
import { VersionProbe } from '../protocols/quic/index.ts';
import { timerOn } from './timers.ts';

/** How long the first answer is waited for, in milliseconds; then twice as long each time. */
const PATIENCE = 1_000;

/** Asks, and is the socket's handler in front of the endpoint's. */
export class QuicVersionAsker implements UdpSocketHandler {
  readonly #next: UdpSocketHandler;
  readonly #heard: () => void;
  #answered: ((datagram: Uint8Array) => void) | undefined;

  /**
   * @param next - who gets everything once the answer has come, and all but datagrams before
   * @param heard - a datagram came before
   */
  constructor(next: UdpSocketHandler, heard: () => void) {
    this.#next = next;
    this.#heard = heard;
    this.#answered = undefined;
  }

  /** The versions of the socket's peer. Rejects with the signal's reason; without an answer it waits for that. */
  ask(
    socket: UdpSocket,
    path: NetworkPath,
    clock: Clock,
    random: Random,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const probe = new VersionProbe(random);
    return new Promise((resolve, reject) => {
      let patience = PATIENCE;
      const timer: Timer = timerOn(clock, (now) => send(now));
      const send = (now: number): void => {
        const datagram = probe.datagram();
        socket.send(datagram, datagram.length, path);
        timer.set(now + patience);
        patience *= 2;
      };
      const stopListening = onAbort(signal, (reason) => {
        timer.cancel();
        this.#answered = undefined;
        reject(reason instanceof Error ? reason : new Error(String(reason)));
      });
      if (signal.aborted) return;
      this.#answered = (datagram) => {
        const versions = probe.answer(datagram);
        if (versions === undefined) return;
        this.#answered = undefined;
        timer.cancel();
        stopListening();
        resolve(versions);
      };
      send(clock.now());
    });
  }

  datagramReceived(data: Uint8Array, path: NetworkPath): void {
    if (this.#answered === undefined) {
      this.#next.datagramReceived(data, path);
      return;
    }
    this.#heard();
    this.#answered(data);
  }

  turnEnded(): void {
    this.#next.turnEnded();
  }

  drained(socket: UdpSocket): void {
    this.#next.drained(socket);
  }

  datagramFailed(error: NetworkError, path: NetworkPath | undefined): void {
    this.#next.datagramFailed(error, path);
  }

  closed(socket: UdpSocket, error: NetworkError | undefined): void {
    this.#next.closed(socket, error);
  }
}
