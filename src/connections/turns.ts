/**
 * What is to be seen to at the end of a turn of the event loop.
 *
 * Owns the one microtask behind all drivers that were woken in a turn. A microtask of each would cost a promise and a
 * closure for every response that an application makes outside of a batch.
 *
 * Invariant: whoever asks is called exactly once for each time it asks, in the order of asking, before the event loop
 * goes on. Who asks while others are called is called behind
 * them, in the same turn.
 *
 * @module
 */

import { toHfaceError } from '../common/index.ts';

/** Who is called at the end of a turn. */
export interface TurnTaker {
  /** The turn has come. Throws nothing. */
  takeTurn(): void;
}

const RESOLVED: Promise<void> = Promise.resolve();
let waiting: TurnTaker[] = [];
let spare: TurnTaker[] = [];

/** Calls `takeTurn` in a microtask. */
export function awaitTurn(taker: TurnTaker): void {
  // A third of what queueMicrotask costs, in the same queue.
  if (waiting.push(taker) === 1) void RESOLVED.then(takeTurns);
}

function takeTurns(): void {
  const takers = waiting;
  waiting = spare;
  spare = [];
  for (const taker of takers) {
    try {
      taker.takeTurn();
    } catch (error) {
      // A defect of the taker's, told as the promise of its own turn would have told it. The others have their turns.
      void Promise.reject(toHfaceError(error, 'engine'));
    }
  }
  // A long list is given back, so that one burst is not paid for for good.
  if (takers.length <= KEPT) {
    takers.length = 0;
    spare = takers;
  }
}

const KEPT = 1024;
