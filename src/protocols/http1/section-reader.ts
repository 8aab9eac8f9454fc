/**
 * Cuts one section of lines, a head or trailers, out of the received bytes.
 *
 * Owns: finding the empty line that ends it, within a limit, and refusing early what can never become a section: a
 * bare CR or LF, a control octet (RFC 9112 section 2.2). A section in one piece is searched by the native search
 * alone and judged by its parser; only the bytes of one that is still incomplete are looked at here, each once, so
 * that a peer who sends nonsense need not be waited for. Does not own the grammar.
 *
 * @module
 */
import type { ReceiveBuffer } from '../../wire/index.ts';
import { isFieldValueByte } from '../../wire/index.ts';
import { fault } from './faults.ts';

const CR = 0x0d;
const LF = 0x0a;

/** Reads sections; one instance serves a connection. */
export class SectionReader {
  /** How many bytes of an incomplete section were looked at. */
  #looked: number;
  #afterCr: boolean;

  constructor() {
    this.#looked = 0;
    this.#afterCr = false;
  }

  /**
   * The section's text with the CRLF of its last line, the empty line taken too; `undefined` while it is incomplete.
   *
   * @param limit - the greatest length of that text; beyond it {@link overrun} tells
   * @throws RemoteProtocolError
   */
  read(buffer: ReceiveBuffer, limit: number): string | undefined {
    const end = buffer.findHeadEnd(limit + 2);
    if (end < 0) {
      this.#look(buffer, limit);
      return undefined;
    }
    this.#looked = 0;
    this.#afterCr = false;
    const text = buffer.latin1(0, end + 2);
    buffer.skip(end + 4);
    return text;
  }

  /** Whether a section that {@link read} found incomplete can no longer keep within the limit. */
  overrun(buffer: ReceiveBuffer, limit: number): boolean {
    return buffer.size >= limit + 2;
  }

  #look(buffer: ReceiveBuffer, limit: number): void {
    const end = Math.min(buffer.size, limit + 2);
    for (let at = this.#looked; at < end; at += 1) {
      const octet = buffer.byteAt(at);
      if (this.#afterCr !== (octet === LF)) throw fault(this.#afterCr ? 'a bare CR' : 'a bare LF');
      this.#afterCr = octet === CR;
      if (!isFieldValueByte(octet) && octet !== CR && octet !== LF) {
        throw fault(`a control octet (0x${octet.toString(16).padStart(2, '0')}) in a head`);
      }
    }
    this.#looked = end;
  }
}
