import { describe, expect, it } from 'vitest';
import { SendOrder } from '../../../src/protocols/send-order.ts';

class Stream {
  readonly id: number;
  urgency: number;
  incremental: boolean;
  heapIndex = -1;
  next: Stream | undefined = undefined;
  previous: Stream | undefined = undefined;

  constructor(id: number, urgency = 3, incremental = false) {
    this.id = id;
    this.urgency = urgency;
    this.incremental = incremental;
  }
}

function orderOf(...streams: readonly Stream[]): SendOrder<Stream> {
  const order = new SendOrder<Stream>();
  for (const stream of streams) order.add(stream);
  return order;
}

/** Who sends the next frames. */
function turns(order: SendOrder<Stream>, count: number): number[] {
  return Array.from({ length: count }, () => {
    const stream = order.peek() as Stream;
    order.sent(stream);
    return stream.id;
  });
}

describe('the order of sending (RFC 9218)', () => {
  it('sections 4.1 and 10: the least urgency first, and within it the ids one after the other', () => {
    const streams = [9, 4, 7, 0, 2].map((id) => new Stream(id, id % 2 === 0 ? 5 : 1));
    const order = orderOf(...streams);
    const sent: number[] = [];
    for (let stream = order.peek(); stream !== undefined; stream = order.peek()) {
      expect(order.urgency).toBe(stream.urgency);
      sent.push(...turns(order, 2));
      order.remove(stream);
    }
    expect(sent).toEqual([7, 7, 9, 9, 0, 0, 2, 2, 4, 4]);
    expect([order.empty, order.urgency]).toEqual([true, 8]);
  });

  it('section 4.2: incremental streams take turns, a new one behind the others', () => {
    const [one, two, three] = [new Stream(1, 3, true), new Stream(2, 3, true), new Stream(3, 3, true)];
    const order = orderOf(one, two);
    expect(turns(order, 3)).toEqual([1, 2, 1]);
    order.add(three);
    expect(turns(order, 4)).toEqual([2, 1, 3, 2]);
    order.remove(one);
    expect(turns(order, 3)).toEqual([3, 2, 3]);
  });

  it('where an urgency has both kinds neither starves', () => {
    const order = orderOf(new Stream(1), new Stream(2, 3, true), new Stream(3), new Stream(4, 3, true));
    expect(turns(order, 6)).toEqual([1, 2, 1, 4, 1, 2]);
  });

  it('a stream is in it once, and leaves no trace', () => {
    const streams = [new Stream(1), new Stream(2, 3, true)];
    const order = orderOf(...streams, ...streams);
    expect(streams.map((stream) => order.has(stream))).toEqual([true, true]);
    for (const stream of [...streams, ...streams]) order.remove(stream);
    order.rest();
    expect([order.empty, order.peek()]).toEqual([true, undefined]);
    expect(streams.map((stream) => order.has(stream))).toEqual([false, false]);
    order.add(streams[1] as Stream);
    expect(order.peek()?.id).toBe(2);
  });

  it('keeps the order of ids however streams come and go', () => {
    const order = new SendOrder<Stream>();
    const streams = Array.from({ length: 50 }, (_, index) => new Stream((index * 29) % 50));
    for (const stream of streams) order.add(stream);
    for (const stream of streams.filter(({ id }) => id % 3 === 0)) order.remove(stream);
    const left: number[] = [];
    for (let stream = order.peek(); stream !== undefined; stream = order.peek()) {
      left.push(stream.id);
      order.remove(stream);
    }
    expect(left).toEqual(Array.from({ length: 50 }, (_, id) => id).filter((id) => id % 3 !== 0));
  });
});
