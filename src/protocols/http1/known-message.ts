/**
 * The whole response that was written last, as octets.
 *
 * Many servers say the same again and again: a constant, an error, a redirect. A response whose head and content are
 * those of the one before goes out as the same octets. What is remembered is what was written anyway, so that a server
 * that never repeats itself pays a comparison of references or lengths.
 *
 * Owns the memory: one short message for all connections of a factory.
 *
 * @module
 */

/** The longest content that is compared, in octets: comparing more would cost what it saves. */
const MAX_CONTENT = 128;
const NOTHING: Uint8Array = new Uint8Array(0);

/** A message that may be sent again. */
export class KnownMessage {
  /** Nobody writes to it. */
  bytes: Uint8Array;
  #head: string;
  /** The content, if it was text. */
  #text: string | undefined;

  constructor() {
    this.bytes = NOTHING;
    this.#head = '';
    this.#text = undefined;
  }

  /** Whether a message is this one. `length`: of the content in octets. */
  is(head: string, body: Uint8Array | string, length: number): boolean {
    const { bytes } = this;
    if (length > MAX_CONTENT || head.length + length !== bytes.length || head !== this.#head) return false;
    if (typeof body === 'string') return body === this.#text;
    const start = head.length;
    for (let index = 0; index < length; index += 1) if (body[index] !== bytes[start + index]) return false;
    return true;
  }

  /** Keeps a message. `bytes`: as it was written, where that is one piece. */
  keep(head: string, body: Uint8Array | string, bytes: Uint8Array | undefined): void {
    if (bytes === undefined || bytes.length - head.length > MAX_CONTENT) return;
    this.bytes = bytes;
    this.#head = head;
    this.#text = typeof body === 'string' ? body : undefined;
  }
}
