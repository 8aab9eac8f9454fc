/** What the contract cannot see of the system's UDP: the budget of a turn, the bound of the queue, the plan. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import type { NetworkError, NetworkPath } from '../../../src/common/index.ts';
import type { UdpSocketHandler } from '../../../src/networking/index.ts';
import { bindUdpAddresses } from '../../../src/networking/listen-plan.ts';
import { SystemUdpSocket } from '../../../src/networking/udp-socket.ts';
import { DatagramTurn } from '../../../src/networking/udp-turn.ts';

/** A Node socket whose system takes nothing until it is told to. */
class SlowSocket extends EventEmitter {
  queued = 0;
  readonly callbacks: (((error: Error | null) => void) | undefined)[] = [];
  readonly sent: { readonly length: number; readonly port: number; readonly host: string }[] = [];
  closed = false;

  send(data: Uint8Array, port: number, host: string, callback: ((error: Error | null) => void) | undefined): void {
    const { length } = data;
    this.queued += length;
    this.sent.push({ length, port, host });
    this.callbacks.push(callback);
  }

  getSendQueueSize(): number {
    return this.queued;
  }

  /** The system takes so many datagrams. */
  take(count: number, error: Error | null = null): void {
    const start = this.sent.length - this.callbacks.length;
    for (const [index, callback] of this.callbacks.splice(0, count).entries()) {
      this.queued -= this.sent[start + index]?.length ?? 0;
      callback?.(error);
    }
  }

  close(done: () => void): void {
    this.closed = true;
    setImmediate(done);
  }
}

function recorder(): UdpSocketHandler & { readonly log: string[]; readonly paths: NetworkPath[] } {
  const log: string[] = [];
  const paths: NetworkPath[] = [];
  return {
    log,
    paths,
    datagramReceived: (data, path) => {
      log.push(`received ${String(data.length)}`);
      paths.push(path);
    },
    turnEnded: () => log.push('turn'),
    drained: () => log.push('drained'),
    datagramFailed: (error: NetworkError) => log.push(error.code),
    closed: () => log.push('closed'),
  };
}

function socketWith(turn = new DatagramTurn()): {
  readonly slow: SlowSocket;
  readonly socket: SystemUdpSocket;
  readonly handler: ReturnType<typeof recorder>;
} {
  const slow = new SlowSocket();
  const handler = recorder();
  const address = { family: 'ipv4', host: '127.0.0.1', port: 4433 } as const;
  return { slow, handler, socket: new SystemUdpSocket(slow as unknown as Socket, address, undefined, handler, turn) };
}

const path = { local: '127.0.0.1:4433', remote: '[fe80::1%eth0]:5' };
const turnOver = (): Promise<void> => new Promise((resolve) => setImmediate(() => resolve()));

describe('the send queue', () => {
  it('is bounded at 256 KiB: send tells it, and drained comes once when half of it is gone', () => {
    const { slow, socket, handler } = socketWith();
    let sent = 0;
    while (socket.send(new Uint8Array(16_384), 1_024, path)) sent += 1;
    expect(sent).toBe(16);
    expect(slow.queued).toBe(17 * 16_384);
    slow.take(100);
    expect(handler.log).toEqual([]);
    slow.take(100);
    expect(handler.log).toEqual(['drained']);
    slow.take(100);
    expect(handler.log).toEqual(['drained']);
    expect(slow.sent[0]).toEqual({ length: 1_024, port: 5, host: 'fe80::1%eth0' });
  });

  it('an error of one datagram is told and nothing ends', () => {
    const { slow, socket, handler } = socketWith();
    socket.send(new Uint8Array(100), 100, path);
    slow.take(1, Object.assign(new Error('no route'), { code: 'ENETUNREACH' }));
    expect(handler.log).toEqual(['ERR_UNREACHABLE']);
    expect(socket.send(new Uint8Array(100), 100, path)).toBe(true);
  });

  it('one of eight datagrams of a call is told of, and the last: none would be too few to see the queue empty', () => {
    const { slow, socket } = socketWith();
    socket.send(new Uint8Array(20 * 1_000), 1_000, path);
    const told = slow.callbacks.flatMap((callback, index) => (callback === undefined ? [] : [index]));
    expect(told).toEqual([7, 15, 19]);
    expect(slow.sent.map(({ length }) => length)).toEqual(new Array(20).fill(1_000));
  });

  it('what the system throws at is told too', () => {
    const { slow, socket, handler } = socketWith();
    slow.send = () => {
      throw new RangeError('port');
    };
    socket.send(new Uint8Array(1), 1, path);
    expect(handler.log).toEqual(['ERR_NETWORK']);
  });
});

describe('the budget of a turn', () => {
  it('is 256 datagrams over all sockets; what is above is counted and dropped unread; its end is told', async () => {
    const turn = new DatagramTurn();
    const one = socketWith(turn);
    const other = socketWith(turn);
    const from = { address: '127.0.0.1', family: 'IPv4', port: 9, size: 1 };
    for (let count = 0; count < 200; count += 1) one.slow.emit('message', Buffer.alloc(1), from);
    for (let count = 0; count < 100; count += 1) other.slow.emit('message', Buffer.alloc(1), from);
    expect(one.handler.log).toHaveLength(200);
    expect(other.handler.log).toHaveLength(56);
    expect(one.socket.dropped).toBe(0);
    expect(other.socket.dropped).toBe(44);
    await turnOver();
    other.slow.emit('message', Buffer.alloc(1), from);
    expect(one.handler.log.at(-1)).toBe('turn');
    expect(other.handler.log.slice(-2)).toEqual(['turn', 'received 1']);
    expect(new Set(other.handler.paths).size).toBe(1);
  });
});

describe('after close', () => {
  it('nothing is told but the end, once', async () => {
    const { slow, socket, handler } = socketWith();
    const closing = socket.close();
    slow.emit('message', Buffer.alloc(1), { address: '127.0.0.1', family: 'IPv4', port: 9, size: 1 });
    slow.emit('error', new Error('late'));
    await Promise.all([closing, socket.close()]);
    expect(handler.log).toEqual(['closed']);
    expect(slow.closed).toBe(true);
  });
});

describe('the addresses of a UDP endpoint', () => {
  const endpoint = (host: string): Parameters<typeof bindUdpAddresses>[0] => ({
    scheme: 'https',
    host,
    port: 0,
    unixPath: undefined,
  });
  const resolver = (): Promise<never> => Promise.reject(new Error('nobody shall resolve'));

  it('of a wildcard are those of the interfaces, none of which has to be there', async () => {
    const addresses = await bindUdpAddresses(endpoint('0.0.0.0'), resolver);
    expect(addresses.map(({ host }) => host)).toContain('127.0.0.1');
    expect(addresses.every(({ host, optional }) => optional && !host.includes(':'))).toBe(true);
    for (const { host } of await bindUdpAddresses(endpoint('*'), resolver))
      expect(['::', '0.0.0.0']).not.toContain(host);
  });

  it('of a literal is itself', async () => {
    expect(await bindUdpAddresses(endpoint('127.0.0.2'), resolver)).toEqual([{ host: '127.0.0.2', optional: false }]);
  });
});
