import { describe, expect, it } from 'vitest';
import { MessageOrder } from '../../../../src/protocols/semantics/index.ts';

type Input = 'informational' | 'final' | 'finalEnd' | 'data' | 'dataEnd' | 'trailers';

function apply(order: MessageOrder, input: Input): string | undefined {
  switch (input) {
    case 'informational':
      return order.informational();
    case 'final':
      return order.final(false);
    case 'finalEnd':
      return order.final(true);
    case 'data':
      return order.data(false);
    case 'dataEnd':
      return order.data(true);
    case 'trailers':
      return order.trailers();
  }
}

describe('the order of a message (RFC 9110 section 6, RFC 9113 section 8.1)', () => {
  it.each<[Input[], string]>([
    [['final'], 'content'],
    [['informational', 'informational', 'finalEnd'], 'ended'],
    [['final', 'data', 'data', 'dataEnd'], 'ended'],
    [['final', 'data', 'trailers'], 'ended'],
    [['final', 'trailers'], 'ended'],
  ])('takes %j', (inputs, phase) => {
    const order = new MessageOrder();
    for (const input of inputs) expect(apply(order, input)).toBeUndefined();
    expect(order.phase).toBe(phase);
  });

  it.each<[Input[], Input]>([
    [[], 'data'],
    [[], 'dataEnd'],
    [[], 'trailers'],
    [['informational'], 'data'],
    [['final'], 'informational'],
    [['final'], 'final'],
    [['final'], 'finalEnd'],
    [['finalEnd'], 'informational'],
    [['finalEnd'], 'final'],
    [['finalEnd'], 'data'],
    [['finalEnd'], 'trailers'],
    [['final', 'dataEnd'], 'data'],
    [['final', 'trailers'], 'trailers'],
    [['final', 'trailers'], 'data'],
  ])('after %j refuses %s and stays as it was', (inputs, last) => {
    const order = new MessageOrder();
    for (const input of inputs) apply(order, input);
    const before = order.phase;
    expect(apply(order, last)).toMatch(/./);
    expect(order.phase).toBe(before);
  });

  it('knows tunnels: data without trailers', () => {
    const order = new MessageOrder();
    expect(order.final(false, true)).toBeUndefined();
    expect(order.data(false)).toBeUndefined();
    expect(order.trailers()).toMatch(/tunnel/);
    expect(order.data(true)).toBeUndefined();
  });
});
