/**
 * Runs one function with one seed after the other.
 *
 * In `npm test` that is a fixed number of seeds, always the same; in `npm run long` it is ten minutes of seeds that were
 * never tried, and what came of them is written down. A seed says everything about its turn, so a failure names the one
 * to try again: `HFACE_FUZZ_SEED=17 HFACE_FUZZ_COUNT=1 npx vitest run --project main test/fuzz/hpack.test.ts`.
 *
 * A turn fails by what it throws. What all turns together leave in memory is bounded; and so is the time that one takes,
 * by so much that only a loop without end, or one that grows with the square of its input, goes beyond. Where it begins is
 * said before it does: a run that is cut off, or whose turn does not end, can be taken up again.
 *
 * @module
 */
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../src/networking/simulation/index.ts';
import { retainedBytes } from '../attack/memory.ts';
import { mebibytes, recordFigures } from '../figures.ts';

const long = process.env['HFACE_LONG'] === '1';
const minutes = Number(process.env['HFACE_FUZZ_MINUTES'] ?? 10);
const firstSeed = Number(process.env['HFACE_FUZZ_SEED'] ?? (long ? Date.now() % 0x1_0000_0000 : 1));

const MIB = 1 << 20;
/** What all turns may leave: code that was compiled, and what the collector has not looked at. */
const MOST_LEFT = 32 * MIB;
/** Turns of a warm-up: memory is compared with what it was behind them. */
const WARM_UP = 200;
/** A turn's input has some kilobytes. */
const MOST_MILLISECONDS = 20_000;
const BREATH = 100;

/** One try. */
type Turn = (random: SeededRandom) => void | Promise<void>;

interface Outcome {
  turns: number;
  slowest: number;
  slowestSeed: number;
  left: number;
}

/**
 * Declares a test.
 *
 * @param count - how many seeds `npm test` tries
 * @param turn - one try; all that it draws comes from its argument
 */
export function fuzz(name: string, count: number, turn: Turn): void {
  it(name, { timeout: long ? 2 * minutes * 60_000 : 120_000 }, async () => {
    const fixed = Number(process.env['HFACE_FUZZ_COUNT'] ?? (long ? Infinity : count));
    const end = performance.now() + minutes * 60_000;
    const outcome: Outcome = { turns: 0, slowest: 0, slowestSeed: 0, left: 0 };
    let before = 0;
    let breath = performance.now();
    if (long) process.stderr.write(`${name}: seeds from ${String(firstSeed)}\n`);
    while (outcome.turns < fixed && !(long && performance.now() >= end)) {
      await oneTurn(name, (firstSeed + outcome.turns) >>> 0, turn, outcome);
      if (outcome.turns === WARM_UP) before = await settledBytes(0);
      if (performance.now() - breath > BREATH) {
        await nextTurn();
        breath = performance.now();
      }
    }
    if (outcome.turns > WARM_UP) outcome.left = (await settledBytes(before + MOST_LEFT)) - before;
    const seeds = `${name}, ${String(outcome.turns)} seeds from ${String(firstSeed)}`;
    expect(outcome.turns, seeds).toBeGreaterThan(0);
    expect(outcome.left, seeds).toBeLessThan(MOST_LEFT);
    expect(outcome.slowest, `${seeds}; the slowest is ${String(outcome.slowestSeed)}`).toBeLessThan(MOST_MILLISECONDS);
    if (long) writeDown(name, outcome);
  });
}

async function oneTurn(name: string, seed: number, turn: Turn, outcome: Outcome): Promise<void> {
  const started = performance.now();
  try {
    await turn(new SeededRandom(seed));
  } catch (error) {
    throw new Error(`${name}, seed ${String(seed)}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const taken = performance.now() - started;
  outcome.turns += 1;
  if (taken > outcome.slowest) {
    outcome.slowest = taken;
    outcome.slowestSeed = seed;
  }
}

function writeDown(name: string, outcome: Outcome): void {
  recordFigures(`Fuzzing: ${name}`, [
    {
      minutes,
      turns: outcome.turns,
      'first seed': firstSeed,
      'slowest turn': `${outcome.slowest.toFixed(1)} ms`,
      'left in memory': mebibytes(Math.max(0, outcome.left)),
      failures: 0,
    },
  ]);
}

/** What is reachable. Buffers are let go a moment after the collection that found them unreachable. */
async function settledBytes(enough: number): Promise<number> {
  let least = retainedBytes();
  for (let look = 0; look < 10 && least > enough; look += 1) {
    await nextTurn();
    least = Math.min(least, retainedBytes());
  }
  return least;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
