/**
 * What is to be seen to at the end of a turn of the event loop.
 *
 * Owns the one tick behind all drivers that were woken in a turn. It runs behind the microtasks of that turn: an
 * application that has answered, and whose promise is then fulfilled by way of a few more microtasks, is seen to once.
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

let waiting: TurnTaker[] = [];
let spare: TurnTaker[] = [];

/** Calls `takeTurn` when the microtasks have run. */
export function awaitTurn(taker: TurnTaker): void {
  if (waiting.push(taker) === 1) process.nextTick(takeTurns);
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
