/**
 * Judging fields that are mostly the ones that were judged before.
 *
 * Owns: the comparison with the list that passed last. A connection's messages repeat each other; a field that stood
 * at the same place in the list before needs no second look. What is wrong with a field is field-rules.ts's to say.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { fieldProblem } from './field-rules.ts';

const NONE: HeaderList = [];

/** Judges lists of one kind. */
export class FieldJudge {
  /** What passed last, from `#lastStart` on. */
  #last: HeaderList;
  #lastStart: number;

  constructor() {
    this.#last = NONE;
    this.#lastStart = 0;
  }

  /** Compares with nothing. */
  forget(): void {
    this.#last = NONE;
    this.#lastStart = 0;
  }

  /** What is wrong with the fields from `start` on, which is an even index; `undefined` for nothing. */
  problem(headers: HeaderList, start: number): string | undefined {
    const last = this.#last;
    // Pseudo-header fields were not judged: what stands at their places passes by itself only.
    const comparable = Math.max(start, this.#lastStart);
    for (let index = start; index < headers.length; index += 2) {
      const name = headers[index] as string;
      const value = headers[index + 1] as string;
      if (index >= comparable && last[index] === name && last[index + 1] === value) continue;
      const problem = fieldProblem(name, value);
      if (problem !== undefined) return problem;
    }
    this.#last = headers;
    this.#lastStart = start;
    return undefined;
  }
}
