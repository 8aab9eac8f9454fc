/**
 * Heads on their way out, judged, joined and encoded once for as long as they stay the same.
 *
 * A server sends the same few fields with nearly every response, a client with every request. So the line of the value
 * that a name had last is kept, and a line that is asked for again costs a look-up; and the head that was joined last is
 * kept, and one that consists of the same lines costs a comparison of references. One instance serves all connections
 * of a factory, one head at a time: {@link FieldLines.begin}, {@link FieldLines.add} for each field,
 * {@link FieldLines.join}. It is bounded: {@link MAX_NAMES} names, values up to {@link MAX_VALUE} characters, one head.
 *
 * Owns the memory and the refusal of what may not be sent (semantics/ judges). Does not own which fields make a head.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import { fieldProblem, quoted } from '../semantics/index.ts';
import { RequestStart } from './head-writer.ts';
import { KnownMessage } from './known-message.ts';

const MAX_NAMES = 64;
const MAX_VALUE = 128;
/** Longer heads are not encoded in advance. */
const MAX_HEAD = 2048;

interface KnownLine {
  value: string;
  line: string;
}

/** Writes heads. */
export class FieldLines {
  /** Begins the heads of requests. */
  readonly requestStart: RequestStart;
  /** The whole message that was written last. */
  readonly message: KnownMessage;
  readonly #known: Map<string, KnownLine>;
  /** The lines of the head at hand, and behind #count those of the one before. */
  #lines: string[];
  #count: number;
  /** Whether they are those of the head before, so far. */
  #same: boolean;
  #lastCount: number;
  #lastStart: string;
  #lastText: string;
  #lastBytes: Uint8Array | undefined;
  #bytes: Uint8Array | undefined;
  /** The head that {@link FieldLines.whole} answered last, and of what. */
  #whole: string;
  #wholeText: string;
  #wholeLength: number;
  #wholePersists: boolean;

  constructor() {
    this.requestStart = new RequestStart();
    this.message = new KnownMessage();
    this.#known = new Map();
    this.#lines = [];
    this.#count = 0;
    this.#same = true;
    this.#lastCount = 0;
    this.#lastStart = '';
    this.#lastText = '';
    this.#lastBytes = undefined;
    this.#bytes = undefined;
    this.#whole = '';
    this.#wholeText = '';
    this.#wholeLength = -1;
    this.#wholePersists = true;
  }

  /**
   * A whole head with its empty line, of fields and a length that this adds; `undefined` where a field frames the
   * message itself.
   *
   * @param persists - whether the connection goes on behind the message
   * @throws LocalProtocolError for a field that may not be sent
   */
  whole(startLine: string, headers: HeaderList, length: number, persists: boolean): string | undefined {
    this.begin();
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] as string;
      if ((name.length === 14 && name === 'content-length') || (name.length === 7 && name === 'trailer'))
        return undefined;
      this.add(name, headers[index + 1] as string);
    }
    const text = this.join(startLine);
    if (length !== this.#wholeLength || text !== this.#wholeText || persists !== this.#wholePersists) {
      this.#wholeText = text;
      this.#wholeLength = length;
      this.#wholePersists = persists;
      this.#whole = `${text}content-length: ${String(length)}\r\n${persists ? '' : 'connection: close\r\n'}\r\n`;
    }
    return this.#whole;
  }

  /** Begins a head. */
  begin(): void {
    this.#count = 0;
    this.#same = true;
  }

  /**
   * Adds a field.
   *
   * @throws LocalProtocolError for one that may not be sent
   */
  add(name: string, value: string): void {
    const known = this.#known.get(name);
    const line = known?.value === value ? known.line : this.#judge(name, value, known);
    const index = this.#count;
    if (this.#lines[index] !== line) {
      this.#lines[index] = line;
      this.#same = false;
      // The head before is gone, even if this one is never joined.
      this.#lastCount = -1;
    }
    this.#count = index + 1;
  }

  /** The start-line and the fields, without the empty line. */
  join(startLine: string): string {
    const count = this.#count;
    if (this.#same && count === this.#lastCount && startLine === this.#lastStart) {
      // Twice the same: it will be so again.
      if (this.#lastBytes === undefined && this.#lastText.length <= MAX_HEAD) {
        this.#lastBytes = Buffer.from(`${this.#lastText}\r\n`, 'latin1');
      }
      this.#bytes = this.#lastBytes;
      return this.#lastText;
    }
    let text = startLine;
    for (let index = 0; index < count; index += 1) text += this.#lines[index] as string;
    this.#lastCount = count;
    this.#lastStart = startLine;
    this.#lastText = text;
    this.#lastBytes = undefined;
    this.#bytes = undefined;
    return text;
  }

  /** What {@link join} answered last, with the empty line, as octets that nobody writes to; `undefined` mostly if new. */
  get encoded(): Uint8Array | undefined {
    return this.#bytes;
  }

  #judge(name: string, value: string, known: KnownLine | undefined): string {
    const problem = fieldProblem(name, value);
    if (problem !== undefined) {
      const pseudo = name.charCodeAt(0) === 0x3a;
      throw new LocalProtocolError(pseudo ? `${quoted(name)} stands where it may not` : problem);
    }
    const line = `${name}: ${value}\r\n`;
    if (value.length <= MAX_VALUE) {
      if (known !== undefined) {
        known.value = value;
        known.line = line;
      } else if (this.#known.size < MAX_NAMES) {
        this.#known.set(name, { value, line });
      }
    }
    return line;
  }
}
