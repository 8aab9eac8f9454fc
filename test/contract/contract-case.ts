import type { Capability } from '../../src/protocols/index.ts';
import type { Cut } from './engine-pair.ts';
import type { PlayedPair, Steps } from './played-pair.ts';

/** One case. */
export interface ContractCase {
  readonly name: string;
  readonly needs: readonly Capability[];
  /** How bytes are cut; by default as they were sent, singly, and in sevens. */
  readonly cuts?: readonly Cut[];
  /** The case is about engines over byte streams only. */
  readonly overTcpOnly?: boolean;
  readonly run: (pair: PlayedPair) => Steps;
}
