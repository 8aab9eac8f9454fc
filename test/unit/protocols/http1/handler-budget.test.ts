import { describe, expect, it } from 'vitest';
import { HandlerBudget } from '../../../../src/protocols/http1/handler-budget.ts';

describe('what the application has in hand', () => {
  it('counts handlers until they end, once', () => {
    const budget = new HandlerBudget();
    budget.begin(1);
    budget.begin(2);
    expect(budget.handlers).toBe(2);
    expect(budget.end(1)).toBe(true);
    expect(budget.end(1)).toBe(false);
    expect(budget.end(7)).toBe(false);
    expect(budget.handlers).toBe(1);
  });

  it('counts content until it is consumed, or its handler has ended', () => {
    const budget = new HandlerBudget();
    budget.begin(1);
    budget.give(1, 100);
    budget.consume(1, 30);
    expect(budget.unconsumed).toBe(70);
    budget.consume(1, 1000);
    expect(budget.unconsumed).toBe(0);
    budget.give(1, 50);
    budget.begin(2);
    budget.give(2, 5);
    budget.end(1);
    expect(budget.unconsumed).toBe(5);
    budget.give(1, 50);
    budget.consume(1, 50);
    budget.consume(2, -5);
    budget.consume(2, Number.NaN);
    expect(budget.unconsumed).toBe(5);
  });
});
