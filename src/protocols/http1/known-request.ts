/**
 * The request that came last, octet for octet, and what it said.
 *
 * Clients ask again in the same words: the same client for the same resource, or many clients of one kind. A chunk that
 * equals the whole of a request without content means what that one meant (RFC 9112 leaves nothing of one request to the
 * next), so it need not be parsed. One instance serves all connections of a factory, whose limits are the same.
 *
 * Owns the memory: one request of at most {@link MAX_KNOWN} octets. Only what follows the plain way is kept: HTTP/1.1, no
 * content, no Expect, no Upgrade, a connection that goes on. The lists are shared by all events made of it.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { Framing } from './framing.ts';
import type { RequestParser } from './request-parser.ts';

/** The longest request that is kept, in octets. */
export const MAX_KNOWN = 2048;
/** Memory above this size, in bytes, is not held for the sake of a view. */
const MAX_PINNED = 4096;

/** A request without content that may come again. */
export class KnownRequest {
  method: string;
  headers: HeaderList;
  rawNames: readonly string[];
  #bytes: Buffer;
  #secure: boolean;

  constructor() {
    this.method = '';
    this.headers = [];
    this.rawNames = [];
    this.#bytes = Buffer.alloc(0);
    this.#secure = false;
  }

  /** Whether a chunk is this request, whole and alone. `secure`: what decides the scheme. */
  is(chunk: Uint8Array, secure: boolean): boolean {
    return (
      chunk.length === this.#bytes.length && chunk.length > 0 && secure === this.#secure && this.#bytes.equals(chunk)
    );
  }

  /** Keeps what a parser has made of a chunk that held nothing else, if it is of the plain kind. */
  keep(chunk: Uint8Array, secure: boolean, parser: RequestParser): void {
    const { section } = parser;
    const plain =
      parser.framing === Framing.none &&
      parser.persistent &&
      parser.httpVersion === '1.1' &&
      parser.upgrade.length === 0 &&
      section.expect === undefined &&
      parser.method !== 'CONNECT';
    if (!plain || chunk.length > MAX_KNOWN) return;
    this.method = parser.method;
    this.headers = section.headers;
    this.rawNames = section.rawNames;
    const { buffer, byteOffset, byteLength } = chunk;
    this.#bytes = buffer.byteLength > MAX_PINNED ? Buffer.from(chunk) : Buffer.from(buffer, byteOffset, byteLength);
    this.#secure = secure;
  }
}
