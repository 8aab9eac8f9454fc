/**
 * Randomness as something handed in, so that a simulation replays from its seed.
 *
 * Owns the interface only. The system's source lives in networking/, the seeded one in the simulation.
 *
 * @module
 */

/** A source of random bytes. */
export interface Random {
  /** Fills `target` with random bytes and returns it. */
  fill(target: Uint8Array): Uint8Array;
}
