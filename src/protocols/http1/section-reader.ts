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
    const text = this.take(buffer, limit);
    if (text === undefined) this.look(buffer, 0, limit + 2);
    return text;
  }

  /** As {@link read}, but nothing of an incomplete section is looked at. */
  take(buffer: ReceiveBuffer, limit: number): string | undefined {
    const end = buffer.findHeadEnd(limit + 2);
    if (end < 0) return undefined;
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

  /**
   * Looks at the octets of an incomplete section that were not looked at before.
   *
   * @param from - where the lines begin
   * @param to - where to stop
   * @throws RemoteProtocolError
   */
  look(buffer: ReceiveBuffer, from: number, to: number): void {
    const end = Math.min(buffer.size, to);
    for (let at = Math.max(from, this.#looked); at < end; at += 1) {
      const octet = buffer.byteAt(at);
      judgeOctet(octet, this.#afterCr);
      this.#afterCr = octet === CR;
    }
    this.#looked = end;
  }
}

/** What {@link SectionReader.look} does, for a section that is complete: a piece of its text that begins with a line. */
export function judgeOctets(text: string, from: number, to: number): void {
  const end = Math.min(text.length, to);
  for (let at = from; at < end; at += 1) judgeOctet(text.charCodeAt(at), at > from && text.charCodeAt(at - 1) === CR);
}

function judgeOctet(octet: number, afterCr: boolean): void {
  if (afterCr !== (octet === LF)) throw fault(afterCr ? 'a bare CR' : 'a bare LF');
  if (!isFieldValueByte(octet) && octet !== CR && octet !== LF) {
    throw fault(`a control octet (0x${octet.toString(16).padStart(2, '0')}) in a head`);
  }
}
