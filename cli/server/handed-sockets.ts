/**
 * The sockets of a worker: accepted by the command, handed over one by one.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { SocketAddress } from '../../src/common/index.ts';
import { formatEndpoint } from '../../src/common/index.ts';
import type { OpenSockets, OpenSocketsOptions, SocketReceiver, SocketSource } from '../../src/networking/index.ts';
import type { OpenEndpoint } from './worker-messages.ts';

/** {@link SocketSource} of endpoints that another process has opened. */
export class HandedSockets implements SocketSource {
  readonly #endpoints: readonly OpenEndpoint[];
  readonly #receivers: (SocketReceiver | undefined)[];

  constructor(endpoints: readonly OpenEndpoint[]) {
    this.#endpoints = endpoints;
    this.#receivers = endpoints.map(() => undefined);
  }

  /** @inheritdoc */
  async open({ endpoint }: OpenSocketsOptions, receiver: SocketReceiver): Promise<OpenSockets> {
    const wanted = formatEndpoint(endpoint);
    const index = this.#endpoints.findIndex((open) => formatEndpoint(open.endpoint) === wanted);
    if (index === -1) throw new Error(`${wanted} was not opened for this process`);
    this.#receivers[index] = receiver;
    return {
      addresses: this.#endpoints[index]?.addresses ?? [],
      close: async () => {
        this.#receivers[index] = undefined;
      },
    };
  }

  /** Takes a socket that was accepted at the endpoint of that number. False: the endpoint is closed here. */
  take(socket: Socket, endpoint: number, bound: SocketAddress): boolean {
    const receiver = this.#receivers[endpoint];
    if (receiver === undefined) return false;
    socket.on('error', ignore);
    // That it sends without delay was set where it was accepted: that is the system's to keep.
    socket.allowHalfOpen = true;
    receiver.connected(socket, bound);
    return true;
  }
}

function ignore(): void {}
