/**
 * A network between a client and a server of this host: it loses datagrams, and remembers what passed.
 *
 * Each of the client's ports has a socket of its own towards the server, so that a client that moves is seen to move.
 *
 * @module
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

/** What a relay does. */
export interface RelayOptions {
  /** Where the server listens, on 127.0.0.1. */
  readonly port: number;
  /** The part of datagrams that is lost, each way. Default 0. */
  readonly loss?: number;
  /** Called with each datagram that passes: the ports are those of the client and of this relay. */
  readonly onDatagram?: (data: Uint8Array, from: number, to: number, time: number) => void;
}

/** A relay at work. */
export interface Relay {
  readonly port: number;
  /** The version field of each long header that passed, by direction. */
  readonly versions: { readonly up: readonly number[]; readonly down: readonly number[] };
  /** How many ports the client was heard from. */
  readonly clients: number;
  readonly lost: number;
  readonly passed: number;
  stop(): Promise<void>;
}

const RECEIVE_BUFFER = 4 << 20;

/** Starts a relay. Which datagrams are lost is the same in each run, as far as they come in the same order. */
export async function startRelay({ port, loss = 0, onDatagram }: RelayOptions): Promise<Relay> {
  const front = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
  const backs = new Map<number, Promise<Socket>>();
  const versions: { readonly up: number[]; readonly down: number[] } = { up: [], down: [] };
  const counts = { lost: 0, passed: 0 };
  let state = 0x2545f491;
  /** xorshift: 0 to 1. */
  const draw = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
  const takes = (data: Buffer, seen: number[]): boolean => {
    if ((data[0] ?? 0) >= 0x80 && data.length > 5) seen.push(data.readUInt32BE(1));
    const lost = draw() < loss;
    if (lost) counts.lost += 1;
    else counts.passed += 1;
    return !lost;
  };
  const openBack = async (client: number): Promise<Socket> => {
    const back = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
    back.on('message', (data) => {
      if (!takes(data, versions.down)) return;
      onDatagram?.(data, front.address().port, client, performance.now());
      front.send(data, client, '127.0.0.1');
    });
    // The server may be gone before the client knows.
    back.on('error', () => {});
    await new Promise<void>((resolve) => back.bind(0, '127.0.0.1', resolve));
    return back;
  };
  front.on('message', (data, from) => {
    if (!takes(data, versions.up)) return;
    onDatagram?.(data, from.port, front.address().port, performance.now());
    let back = backs.get(from.port);
    if (back === undefined) {
      back = openBack(from.port);
      backs.set(from.port, back);
    }
    void back.then((socket) => socket.send(data, port, '127.0.0.1'));
  });
  front.on('error', () => {});
  await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
  const close = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.close(() => resolve()));
  return {
    port: front.address().port,
    versions,
    get clients() {
      return backs.size;
    },
    get lost() {
      return counts.lost;
    },
    get passed() {
      return counts.passed;
    },
    async stop() {
      await close(front);
      for (const back of backs.values()) await close(await back);
    },
  };
}
