import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Dispatcher, MAX_UNCONFIRMED, MAX_WAITING } from '../../../../cli/server/dispatcher.ts';
import type { SocketTaker } from '../../../../cli/server/dispatcher.ts';
import type { ToWorker } from '../../../../cli/server/worker-messages.ts';

const address = { family: 'ipv4', host: '127.0.0.1', port: 80 } as const;

/** A socket, as far as a dispatcher knows it. */
class FakeSocket {
  closed = 0;
  destroy(): this {
    this.closed += 1;
    return this;
  }
}

class FakeTaker implements SocketTaker {
  readonly got: { readonly id: number; readonly socket: FakeSocket }[] = [];

  sendSocket(message: ToWorker, socket: Socket): void {
    if (message.type === 'connection') this.got.push({ id: message.id, socket: socket as unknown as FakeSocket });
  }
}

function dispatching(): {
  readonly dispatcher: Dispatcher;
  readonly reset: unknown[];
  readonly offer: (count?: number) => FakeSocket[];
} {
  const reset: unknown[] = [];
  const dispatcher = new Dispatcher((socket) => reset.push(socket));
  const offer = (count = 1): FakeSocket[] =>
    Array.from({ length: count }, () => {
      const socket = new FakeSocket();
      dispatcher.offer(socket as unknown as Socket, 0, address);
      return socket;
    });
  return { dispatcher, reset, offer };
}

const socketsOf = (taker: FakeTaker): FakeSocket[] => taker.got.map(({ socket }) => socket);

describe('Dispatcher', () => {
  it('gives sockets in turn, and closes its own end when they are confirmed', () => {
    const { dispatcher, offer } = dispatching();
    const [one, two] = [new FakeTaker(), new FakeTaker()];
    dispatcher.add(one);
    dispatcher.add(two);
    dispatcher.add(two);
    const sockets = offer(4);
    expect(socketsOf(one)).toEqual([sockets[0], sockets[2]]);
    expect(socketsOf(two)).toEqual([sockets[1], sockets[3]]);
    expect(sockets.map(({ closed }) => closed)).toEqual([0, 0, 0, 0]);
    dispatcher.taken(one, one.got[1]?.id ?? 0);
    // What was never sent to it is nobody's.
    dispatcher.taken(one, two.got[0]?.id ?? 0);
    expect(sockets.map(({ closed }) => closed)).toEqual([0, 0, 1, 0]);
  });

  it('keeps sockets until there is a worker, as many as a system would', () => {
    const { dispatcher, reset, offer } = dispatching();
    const sockets = offer(MAX_WAITING + 2);
    expect(dispatcher.waiting).toBe(MAX_WAITING);
    expect(reset).toEqual(sockets.slice(-2));
    expect(dispatcher.refused).toBe(2);
    const worker = new FakeTaker();
    dispatcher.add(worker);
    expect(worker.got).toHaveLength(MAX_UNCONFIRMED);
    expect(socketsOf(worker)).toEqual(sockets.slice(0, MAX_UNCONFIRMED));
  });

  it('gives no more to a worker that confirms nothing, and the rest to others', () => {
    const { dispatcher, offer } = dispatching();
    const [stuck, well] = [new FakeTaker(), new FakeTaker()];
    dispatcher.add(stuck);
    dispatcher.add(well);
    for (let round = 0; round < 50; round += 1) {
      offer();
      const last = well.got.at(-1);
      if (last !== undefined) dispatcher.taken(well, last.id);
    }
    expect(stuck.got).toHaveLength(MAX_UNCONFIRMED);
    expect(well.got.length + stuck.got.length).toBe(50);
    expect(dispatcher.waiting).toBe(0);
  });

  it('gives what a lost worker had not confirmed to others, first come first', () => {
    const { dispatcher, reset, offer } = dispatching();
    const [lost, other] = [new FakeTaker(), new FakeTaker()];
    dispatcher.add(lost);
    const sockets = offer(MAX_UNCONFIRMED + 3);
    dispatcher.taken(lost, lost.got[0]?.id ?? 0);
    dispatcher.lose(lost);
    dispatcher.lose(lost);
    dispatcher.add(other);
    expect(socketsOf(other)).toEqual(sockets.slice(1, 1 + MAX_UNCONFIRMED));
    expect(dispatcher.waiting).toBe(2);
    expect(reset).toEqual([]);
  });

  it('takes back what a worker declines, and what one that is retired does not confirm', () => {
    const { dispatcher, offer } = dispatching();
    const [old, young] = [new FakeTaker(), new FakeTaker()];
    dispatcher.add(old);
    const [first, second] = offer(2);
    dispatcher.retire(old);
    dispatcher.retire(young);
    expect(dispatcher.waiting).toBe(0);
    dispatcher.add(young);
    dispatcher.declined(old, old.got[0]?.id ?? 0);
    expect(socketsOf(young)).toEqual([first]);
    dispatcher.taken(old, old.got[1]?.id ?? 0);
    expect(second?.closed).toBe(1);
    dispatcher.lose(old);
    expect(young.got).toHaveLength(1);
  });

  it('gives away or resets all that waits when it is closed, and whatever comes later', () => {
    const { dispatcher, reset, offer } = dispatching();
    const worker = new FakeTaker();
    dispatcher.add(worker);
    const sockets = offer(MAX_UNCONFIRMED + 5);
    dispatcher.close();
    expect(socketsOf(worker)).toEqual(sockets);
    const [late] = offer();
    dispatcher.declined(worker, worker.got[0]?.id ?? 0);
    expect(reset).toEqual([late, sockets[0]]);
    const nobody = dispatching();
    const [waiting] = nobody.offer();
    nobody.dispatcher.close();
    expect(nobody.reset).toEqual([waiting]);
  });
});
