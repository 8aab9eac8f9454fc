import { describe, expect, it } from 'vitest';
import { Gate, Latch } from '../../../src/concurrency/index.ts';
import { listeners, rejection, settle, stateOf } from './support.ts';

describe('Latch', () => {
  it('answers everybody who waits and everybody who comes later', async () => {
    const latch = new Latch<string>();
    const waiting = [latch.wait(), latch.wait()];
    expect(latch.settled).toBe(false);
    latch.open('value');
    latch.open('second');
    latch.fail(new Error('third'));
    expect(await Promise.all([...waiting, latch.wait()])).toEqual(['value', 'value', 'value']);
    expect(latch.settled).toBe(true);
  });

  it('refuses them when it fails', async () => {
    const latch = new Latch();
    const waiting = latch.wait();
    const error = new Error('x');
    latch.fail(error);
    latch.open();
    expect(await rejection(waiting)).toBe(error);
    expect(await rejection(latch.wait())).toBe(error);
  });

  it('fails without anybody waiting, and nothing is unhandled', async () => {
    const latch = new Latch();
    latch.fail(new Error('nobody looks'));
    await settle();
    expect(latch.settled).toBe(true);
  });

  it('lets those who wait leave on abort', async () => {
    const latch = new Latch<number>();
    const controller = new AbortController();
    const aborted = latch.wait(controller.signal);
    const other = latch.wait(new AbortController().signal);
    const reason = new Error('stop');
    controller.abort(reason);
    expect(await rejection(aborted)).toBe(reason);
    expect(await rejection(latch.wait(controller.signal))).toBe(reason);
    latch.open(7);
    expect(await other).toBe(7);
    expect(await latch.wait(controller.signal)).toBe(7);
  });
});

describe('Gate', () => {
  it('lets through while it is open', async () => {
    const gate = new Gate(true);
    await gate.wait();
    gate.close();
    const controller = new AbortController();
    const waiting = gate.wait(controller.signal);
    expect(gate.isOpen).toBe(false);
    expect(await stateOf(waiting)).toBe('pending');
    gate.open();
    await waiting;
    expect(gate.isOpen).toBe(true);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('lets through those who waited even if it closes at once', async () => {
    const gate = new Gate();
    const waiting = gate.wait();
    gate.open();
    gate.close();
    await waiting;
    expect(await stateOf(gate.wait())).toBe('pending');
  });

  it('lets those who wait leave on abort', async () => {
    const gate = new Gate();
    const controller = new AbortController();
    const waiting = gate.wait(controller.signal);
    controller.abort('stop');
    expect(((await rejection(waiting)) as Error).message).toBe('stop');
  });

  it('refuses everybody once it failed', async () => {
    const gate = new Gate();
    const waiting = gate.wait();
    const error = new Error('x');
    gate.fail(error);
    gate.fail(new Error('second'));
    gate.open();
    expect(gate.isOpen).toBe(false);
    expect(await rejection(waiting)).toBe(error);
    expect(await rejection(gate.wait())).toBe(error);
  });
});
