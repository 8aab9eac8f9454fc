/**
 * Content-Length: how it is read, and the ledger that holds a message to it.
 *
 * Owns: RFC 9110 section 8.6 as 1*DIGIT and nothing else (no sign, no list, no second field line), and the comparison
 * of what was declared with what came or was sent. Does not own which messages have no content (status.ts).
 *
 * @module
 */
import { NOT_A_NUMBER, parseDecimal, TOO_LARGE } from '../../wire/index.ts';

/** What {@link parseContentLength} answers for a value that is not 1*DIGIT. */
export const CONTENT_LENGTH_MALFORMED: number = NOT_A_NUMBER;
/** What it answers for a value above 2^53-1. */
export const CONTENT_LENGTH_TOO_LARGE: number = TOO_LARGE;
/** The ledger's mark for a message that declares no length. */
export const UNDECLARED = -1;

/** The value of a Content-Length field: 0 to 2^53-1, or one of the two negative answers. */
export function parseContentLength(value: string): number {
  return parseDecimal(value);
}

/** Declared against counted, for one message in one direction. */
export class ContentLedger {
  #declared: number;
  #counted: number;

  constructor() {
    this.#declared = UNDECLARED;
    this.#counted = 0;
  }

  /** Begins a message. `declared`: its content-length, or {@link UNDECLARED}. */
  begin(declared: number): void {
    this.#declared = declared;
    this.#counted = 0;
  }

  /** What was declared, or {@link UNDECLARED}. */
  get declared(): number {
    return this.#declared;
  }

  /** How much content was counted. */
  get counted(): number {
    return this.#counted;
  }

  /** How much may still come; `Infinity` when nothing was declared. */
  get remaining(): number {
    return this.#declared === UNDECLARED ? Infinity : this.#declared - this.#counted;
  }

  /** Counts content. False, and nothing counted, when it would exceed what was declared. */
  count(length: number): boolean {
    if (this.#declared !== UNDECLARED && this.#counted + length > this.#declared) return false;
    this.#counted += length;
    return true;
  }

  /** Whether the content may end here: exactly what was declared, or nothing was. */
  get balanced(): boolean {
    return this.#declared === UNDECLARED || this.#counted === this.#declared;
  }
}
