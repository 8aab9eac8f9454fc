/**
 * The Huffman code of HPACK and QPACK (RFC 7541 section 5.2 and appendix B).
 *
 * Owns: the code, encoding and decoding of whole strings, and the rules on padding. Does not own limits: a string
 * grows to at most eight fifths of its encoded length, which the caller knows before.
 *
 * The code is canonical: ordered by length and then by symbol, each code is the one before it plus one. So the lengths
 * say everything, and they are all that stands here. The tables are made when they are first needed.
 *
 * The decoder is a machine that takes four bits at a time. Its states are the inner nodes of the code's tree; the
 * shortest code has five bits, so a step ends at most one symbol.
 *
 * @module
 */

/** The length of each symbol's code in bits, as a digit of base 36; symbols 0 to 255, then EOS. */
const CODE_LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f565' +
  '65666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmp' +
  'qqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';

const EOS = 256;
/** RFC 7541 section 5.2: padding is at most seven bits, and those the first ones of EOS, which are all set. */
const MAX_PADDING = 7;

/** Up to seven bits wait, and a register has 32. */
const LONGEST_AT_ONCE = 25;

const EMITS_SHIFT = 8;
const EMITS = 1 << EMITS_SHIFT;
const FAILS = 0x200;
const SYMBOL_SHIFT = 16;

/** Strings up to this many octets are decoded in memory that is used again. */
const SCRATCH_SIZE = 4096;

interface Codes {
  readonly lengths: Uint8Array;
  readonly values: Uint32Array;
}

interface Machine {
  /** By state and four bits: the next state in bits 0 to 7, {@link EMITS}, {@link FAILS}, the symbol from bit 16 on. */
  readonly steps: Uint32Array;
  /** Whether a string may end in this state. */
  readonly accepting: Uint8Array;
}

let codes: Codes | undefined;
let machine: Machine | undefined;
let scratch: Buffer | undefined;

/** How many octets a string takes when encoded. Its characters are octets, up to U+00FF. */
export function huffmanLength(text: string): number {
  const { lengths } = (codes ??= makeCodes());
  let bits = 0;
  for (let index = 0; index < text.length; index += 1) bits += lengths[text.charCodeAt(index)]!;
  return Math.ceil(bits / 8);
}

/** Encodes a string, one octet a character, at a position; answers the position behind it. */
export function huffmanEncode(text: string, target: Uint8Array, position: number): number {
  const { lengths, values } = (codes ??= makeCodes());
  let at = position;
  // The last bits: `pending` of them, fewer than eight, wait for an octet to be full. What stands above them is spent.
  let bits = 0;
  let pending = 0;
  for (let index = 0; index < text.length; index += 1) {
    const symbol = text.charCodeAt(index);
    const code = values[symbol]!;
    let length = lengths[symbol]!;
    if (length > LONGEST_AT_ONCE) {
      // Its first octet goes by itself, so that 32 bits are enough.
      length -= 8;
      bits = (bits << 8) | (code >>> length);
      target[at] = bits >>> pending;
      at += 1;
    }
    bits = (bits << length) | (code & ((1 << length) - 1));
    pending += length;
    while (pending >= 8) {
      pending -= 8;
      target[at] = bits >>> pending;
      at += 1;
    }
  }
  if (pending === 0) return at;
  const free = 8 - pending;
  target[at] = (bits << free) | ((1 << free) - 1);
  return at + 1;
}

/**
 * Decodes a range of octets to a string, one character an octet. `undefined` if it is no encoding of one: the padding
 * has more than seven bits or a bit that is not set, or EOS stands in it (RFC 7541 section 5.2).
 */
export function huffmanDecode(bytes: Uint8Array, start = 0, end: number = bytes.length): string | undefined {
  const { steps, accepting } = (machine ??= makeMachine());
  const longest = Math.floor(((end - start) * 8) / 5);
  const target = longest <= SCRATCH_SIZE ? (scratch ??= Buffer.alloc(SCRATCH_SIZE)) : Buffer.allocUnsafe(longest);
  let length = 0;
  let state = 0;
  let seen = 0;
  for (let index = start; index < end; index += 1) {
    const octet = bytes[index]!;
    // Every step writes, and only one that ends a symbol moves on: a branch would be guessed wrong every other time.
    const high = steps[(state << 4) | (octet >>> 4)]!;
    target[length] = high >>> SYMBOL_SHIFT;
    length += (high >>> EMITS_SHIFT) & 1;
    const low = steps[((high & 0xff) << 4) | (octet & 0x0f)]!;
    target[length] = low >>> SYMBOL_SHIFT;
    length += (low >>> EMITS_SHIFT) & 1;
    seen |= high | low;
    state = low & 0xff;
  }
  if ((seen & FAILS) !== 0 || accepting[state] === 0) return undefined;
  return target.toString('latin1', 0, length);
}

/**
 * How many characters {@link huffmanDecode} would answer for a range of octets, or -1 where it would answer
 * `undefined`. For who wants to know before memory is taken.
 */
export function huffmanDecodedLength(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const { steps, accepting } = (machine ??= makeMachine());
  let length = 0;
  let state = 0;
  for (let index = start; index < end; index += 1) {
    const octet = bytes[index]!;
    const high = steps[(state << 4) | (octet >>> 4)]!;
    const low = steps[((high & 0xff) << 4) | (octet & 0x0f)]!;
    if (((high | low) & FAILS) !== 0) return -1;
    length += ((high & EMITS) + (low & EMITS)) / EMITS;
    state = low & 0xff;
  }
  return accepting[state] === 1 ? length : -1;
}

function makeCodes(): Codes {
  const lengths = Uint8Array.from(CODE_LENGTHS, (digit) => Number.parseInt(digit, 36));
  const values = new Uint32Array(lengths.length);
  const longest = Math.max(...lengths);
  let code = 0;
  for (let length = 1; length <= longest; length += 1) {
    code *= 2;
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] !== length) continue;
      values[symbol] = code;
      code += 1;
    }
  }
  return { lengths, values };
}

/** The tree of the code: two children a node; a child is an inner node (not negative) or a symbol (its complement). */
function makeTree(): Int16Array {
  const { lengths, values } = (codes ??= makeCodes());
  const children = new Int16Array(2 * lengths.length);
  let nodes = 1;
  for (let symbol = 0; symbol < lengths.length; symbol += 1) {
    let node = 0;
    for (let bit = lengths[symbol]! - 1; bit >= 0; bit -= 1) {
      const child = 2 * node + ((values[symbol]! >>> bit) & 1);
      if (bit === 0) {
        children[child] = ~symbol;
      } else {
        // The root is nobody's child, so 0 means that there is none yet.
        if (children[child] === 0) children[child] = nodes++;
        node = children[child]!;
      }
    }
  }
  return children;
}

function makeMachine(): Machine {
  const children = makeTree();
  const states = EOS;
  const steps = new Uint32Array(16 * states);
  for (let state = 0; state < states; state += 1) {
    for (let bits = 0; bits < 16; bits += 1) steps[(state << 4) | bits] = makeStep(children, state, bits);
  }
  const accepting = new Uint8Array(states);
  let node = 0;
  for (let ones = 0; ones <= MAX_PADDING; ones += 1) {
    accepting[node] = 1;
    node = children[2 * node + 1]!;
  }
  return { steps, accepting };
}

function makeStep(children: Int16Array, state: number, bits: number): number {
  let node = state;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const child = children[2 * node + ((bits >>> bit) & 1)]!;
    if (child >= 0) {
      node = child;
      continue;
    }
    const symbol = ~child;
    if (symbol === EOS) return FAILS;
    emitted = EMITS | (symbol << SYMBOL_SHIFT);
    node = 0;
  }
  return emitted | node;
}
