/**
 * A header block on its way in, over HEADERS and CONTINUATION.
 *
 * Owns: the fragments, the two limits on them (RFC 9113 section 10.5.1), and that nothing comes between (section 6.10).
 * A block in one frame passes without a copy. Does not own decoding.
 *
 * @module
 */
import { ByteWriter } from '../../wire/index.ts';
import { Http2ErrorCode } from '../semantics/index.ts';
import { connectionFault, limitFault } from './faults.ts';
import type { Http2Limits } from './limits.ts';

/** Puts header blocks together. */
export class HeaderBlock {
  readonly #maxBytes: number;
  readonly #maxFrames: number;
  /** The stream of the block that is open; 0 for none. */
  #streamId: number;
  #endStream: boolean;
  #frames: number;
  #fragments: ByteWriter | undefined;

  constructor(limits: Http2Limits) {
    this.#maxBytes = limits.maxHeaderBlockBytes;
    this.#maxFrames = limits.maxContinuationFrames;
    this.#streamId = 0;
    this.#endStream = false;
    this.#frames = 0;
    this.#fragments = undefined;
  }

  /** Whether only CONTINUATION may come. */
  get open(): boolean {
    return this.#streamId !== 0;
  }

  /** The END_STREAM of the HEADERS that began the block. */
  get endStream(): boolean {
    return this.#endStream;
  }

  /** A block begins that goes on in CONTINUATION. The octets are copied. */
  begin(streamId: number, endStream: boolean, fragment: Uint8Array): void {
    this.#streamId = streamId;
    this.#endStream = endStream;
    this.#frames = 0;
    this.#fragments = new ByteWriter(fragment.length);
    this.#append(fragment);
  }

  /** A CONTINUATION frame. Answers the block when it is whole. Throws the peer's faults. */
  goOn(streamId: number, endHeaders: boolean, fragment: Uint8Array): Uint8Array | undefined {
    if (streamId !== this.#streamId || streamId === 0) {
      throw connectionFault(Http2ErrorCode.PROTOCOL_ERROR, 'CONTINUATION without its HEADERS');
    }
    this.#frames += 1;
    if (this.#frames > this.#maxFrames) throw limitFault('maxContinuationFrames', this.#maxFrames);
    this.#append(fragment);
    if (!endHeaders) return undefined;
    const block = (this.#fragments as ByteWriter).finish();
    this.#fragments = undefined;
    this.#streamId = 0;
    return block;
  }

  #append(fragment: Uint8Array): void {
    const fragments = this.#fragments as ByteWriter;
    if (fragments.length + fragment.length > this.#maxBytes) throw limitFault('maxHeaderBlockBytes', this.#maxBytes);
    fragments.writeBytes(fragment);
  }
}
