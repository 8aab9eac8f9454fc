/**
 * A look at a request-line that is still coming.
 *
 * A request-line is judged from left to right (request-parser.ts), so what is wrong with it is known as soon as the
 * first wrong octet is there, and it is the same wherever the bytes were cut. This finds that moment, or the line's end;
 * each octet is looked at once.
 *
 * Owns the position in the line. Does not own the judgement: whoever asks has the parser say what is wrong.
 *
 * @module
 */
import type { ReceiveBuffer } from '../../wire/index.ts';
import { isTokenByte, isVisibleByte } from '../../wire/index.ts';
import type { Http1ServerLimits } from './limits.ts';

/** `more`: nothing is known yet. `wrong`, `whole`: the first {@link RequestLineScan.length} octets are wrong, or a line. */
export type LineFinding = 'more' | 'wrong' | 'whole';

const SP = 0x20;
const HASH = 0x23;
/** What follows the second space; a digit stands where 0 is. */
const VERSION = 'HTTP/0.0\r\n';

/** Looks at one request-line after the other. */
export class RequestLineScan {
  /** How many octets tell it. */
  length: number;
  #part: 'method' | 'target' | 'version';
  /** Where the part begins. */
  #start: number;

  constructor() {
    this.length = 0;
    this.#part = 'method';
    this.#start = 0;
  }

  /** Begins another line. */
  begin(): void {
    this.length = 0;
    this.#part = 'method';
    this.#start = 0;
  }

  /** Looks at what has come. */
  read(input: ReceiveBuffer, limits: Http1ServerLimits): LineFinding {
    while (this.length < input.size) {
      const at = this.length;
      const octet = input.byteAt(at);
      this.length = at + 1;
      if (this.#part === 'version') {
        const index = at - this.#start;
        if (!isVersionOctet(octet, index)) return 'wrong';
        if (index === VERSION.length - 1) return 'whole';
      } else if (octet === SP) {
        if (at === this.#start) return 'wrong';
        this.#part = this.#part === 'method' ? 'target' : 'version';
        this.#start = at + 1;
      } else {
        const method = this.#part === 'method';
        if (method ? !isTokenByte(octet) : !isVisibleByte(octet) || octet === HASH) return 'wrong';
        if (at >= (method ? limits.maxMethodBytes : limits.maxRequestLineBytes)) return 'wrong';
      }
    }
    return 'more';
  }
}

function isVersionOctet(octet: number, index: number): boolean {
  const expected = VERSION.charCodeAt(index);
  return expected === 0x30 ? octet >= 0x30 && octet <= 0x39 : octet === expected;
}
