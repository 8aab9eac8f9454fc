/**
 * Comparing contenders: in rounds, each with every contender once, beginning with another one each time. What counts is a
 * contender's ratio to the reference in the same round, and of these ratios the median: whatever else the machine does
 * touches both.
 *
 * @module
 */

/** What was measured of one contender in one round. */
export interface Measurement {
  /** Requests a second. */
  readonly rate: number;
  /** Microseconds of computing a request. */
  readonly cost: number;
}

/** Medians of a contender. */
export interface Result {
  readonly name: string;
  readonly rate: number;
  readonly cost: number;
  /** Rate, as a ratio to the reference's: more is better. */
  readonly rateRatio: number;
  /** The reference's cost, as a ratio to this one's: more is better. */
  readonly costRatio: number;
}

/**
 * Measures all in rounds.
 *
 * @param names - the first is the reference
 */
export async function compare(
  names: readonly string[],
  rounds: number,
  measure: (name: string) => Promise<Measurement>,
): Promise<Result[]> {
  const measured: Map<string, Measurement>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const row = new Map<string, Measurement>();
    for (let step = 0; step < names.length; step += 1) {
      const name = names[(round + step) % names.length] as string;
      row.set(name, await measure(name));
    }
    measured.push(row);
  }
  const reference = names[0] as string;
  return names.map((name) => {
    const of = (pick: (own: Measurement, other: Measurement) => number): number =>
      median(measured.map((row) => pick(row.get(name) as Measurement, row.get(reference) as Measurement)));
    return {
      name,
      rate: of((own) => own.rate),
      cost: of((own) => own.cost),
      rateRatio: of((own, other) => own.rate / other.rate),
      costRatio: of((own, other) => other.cost / own.cost),
    };
  });
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Prints them. */
export function printResults(results: readonly Result[]): void {
  const reference = results[0]?.name ?? '';
  console.log(`${''.padEnd(22)} ${'requests/s'.padStart(11)} ${'µs/request'.padStart(11)}   against ${reference}`);
  for (const { name, rate, cost, rateRatio, costRatio } of results) {
    const figures = `${rate.toFixed(0).padStart(11)} ${cost.toFixed(1).padStart(11)}`;
    console.log(`${name.padEnd(22)} ${figures}   rate ${rateRatio.toFixed(2)}, cost ${costRatio.toFixed(2)}`);
  }
}
