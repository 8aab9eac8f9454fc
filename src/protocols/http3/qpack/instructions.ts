/**
 * The peer's two QPACK streams, read under a dynamic table capacity of 0 on both sides.
 *
 * Theory of operation. The peer's encoder may say on its stream nothing but that it sets the capacity to 0: every
 * insertion would be larger than the table (RFC 9204 sections 3.2.2 and 4.3). The peer's decoder can acknowledge neither
 * sections nor insertions, since none referred to the table; it may tell of streams that it gave up (section 4.4.2),
 * which means nothing. So each reader needs to keep no more than the beginning of one integer.
 *
 * Owns: which instructions are faults. A reader answers a sentence, or `undefined`; what becomes of it is its user's:
 * QPACK_ENCODER_STREAM_ERROR or QPACK_DECODER_STREAM_ERROR.
 *
 * @module
 */

/** RFC 9204 section 4.3.1, with a capacity of 0. */
const SET_CAPACITY_0 = 0x20;
/** A capacity of 31 and more: the rest of it follows. */
const SET_CAPACITY_LONG = 0x3f;
/** Octets of an integer of 62 bits behind its first (RFC 9204 section 4.1.1). */
const MOST_OCTETS = 9;
const ABOVE_LIMIT = 'a table capacity above what was allowed';

/** Reads a stream of instructions, however it is cut. */
abstract class InstructionReader {
  /** Octets of an instruction's integer behind its first; 0: between instructions. */
  protected continued: number;

  constructor() {
    this.continued = 0;
  }

  /** What is wrong with the next bytes. Of an instruction that is cut nothing is said before the rest has come. */
  problem(bytes: Uint8Array): string | undefined {
    for (const octet of bytes) {
      const problem = this.continued > 0 ? this.goOn(octet) : this.begin(octet);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** The first octet of an instruction. */
  protected abstract begin(octet: number): string | undefined;

  /** A later one. */
  protected abstract goOn(octet: number): string | undefined;
}

/** Reads the peer's encoder stream. If it ends within a capacity, that is what is wrong. */
export class EncoderStreamReader extends InstructionReader {
  protected begin(octet: number): string | undefined {
    if (octet === SET_CAPACITY_0) return undefined;
    if (octet < 0x20 || octet >= 0x40) return 'an insertion into a table without room';
    if (octet !== SET_CAPACITY_LONG) return ABOVE_LIMIT;
    this.continued = 1;
    return undefined;
  }

  protected goOn(octet: number): string | undefined {
    this.continued += 1;
    return octet < 0x80 || this.continued > MOST_OCTETS ? ABOVE_LIMIT : undefined;
  }
}

/** Reads the peer's decoder stream. */
export class DecoderStreamReader extends InstructionReader {
  protected begin(octet: number): string | undefined {
    // Section 4.4.1.
    if (octet >= 0x80) return 'the acknowledgment of a section that needed none';
    // Section 4.4.3.
    if (octet < 0x40) return 'an Insert Count Increment without an insertion';
    this.continued = octet === 0x7f ? 1 : 0;
    return undefined;
  }

  /** A stream id has at most 62 bits (RFC 9204 section 4.1.1). */
  protected goOn(octet: number): string | undefined {
    if (octet < 0x80) {
      this.continued = 0;
      return undefined;
    }
    this.continued += 1;
    return this.continued > MOST_OCTETS ? 'a stream id of more than 62 bits' : undefined;
  }
}
