/**
 * Packet protection: keys of a level, sealing and opening.
 *
 * Owns RFC 9001 sections 5 and 6 as far as one packet goes: derivation of keys, nonces, header protection, the keys of
 * Initial packets, the integrity tag of Retry, and the next generation of keys. When keys change is the connection's.
 *
 * @module
 */
import {
  aes128GcmSha256,
  hkdfExpandLabel,
  hkdfExtract,
  MASK_LENGTH,
  NONCE_LENGTH,
  SAMPLE_LENGTH,
  TAG_LENGTH,
} from '../../crypto/index.ts';
import type { Aead, CipherSuite, CryptoProvider, HeaderProtection } from '../../crypto/index.ts';
import type { SealedHeaders } from './sealed-headers.ts';
import { applyMask } from './sealed-headers.ts';

const EMPTY = new Uint8Array(0);
/** RFC 9001 section 5.2. */
const INITIAL_SALT = Uint8Array.of(
  0x38,
  0x76,
  0x2c,
  0xf7,
  0xf5,
  0x59,
  0x34,
  0xb3,
  0x4d,
  0x17,
  0x9a,
  0xe6,
  0xa4,
  0xc8,
  0x0c,
  0xad,
  0xcc,
  0xbb,
  0x7f,
  0x0a,
);
/** RFC 9001 section 5.8. */
const RETRY_KEY = Uint8Array.of(
  0xbe,
  0x0c,
  0x69,
  0x0b,
  0x9f,
  0x66,
  0x57,
  0x5a,
  0x1d,
  0x76,
  0x6b,
  0x54,
  0xe3,
  0x68,
  0xc8,
  0x4e,
);
const RETRY_NONCE = Uint8Array.of(0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb);
/** A packet number is taken to be this long when the sample is placed (RFC 9001 section 5.4.2). */
const SAMPLE_OFFSET = 4;

/** Keys for one direction at one level. */
export class PacketKeys {
  readonly suite: CipherSuite;
  readonly #crypto: CryptoProvider;
  readonly #secret: Uint8Array;
  readonly #aead: Aead;
  readonly #iv: Uint8Array;
  readonly #protection: HeaderProtection;
  readonly #nonce: Uint8Array;
  readonly #mask: Uint8Array;

  /** @param protection - that of the keys before, since it is not updated (RFC 9001 section 6.1) */
  constructor(crypto: CryptoProvider, suite: CipherSuite, secret: Uint8Array, protection?: HeaderProtection) {
    const expand = (label: string, length: number): Uint8Array =>
      hkdfExpandLabel(crypto, suite.hash, secret, label, EMPTY, length);
    this.suite = suite;
    this.#crypto = crypto;
    this.#secret = secret;
    this.#aead = crypto.createAead(suite.aead, outside(expand('quic key', suite.keyLength)));
    this.#iv = expand('quic iv', NONCE_LENGTH);
    this.#protection =
      protection ?? crypto.createHeaderProtection(suite.aead, outside(expand('quic hp', suite.keyLength)));
    this.#nonce = outside(new Uint8Array(NONCE_LENGTH));
    this.#mask = new Uint8Array(MASK_LENGTH);
  }

  /** The next generation (RFC 9001 section 6.1). */
  next(): PacketKeys {
    const { suite } = this;
    const secret = hkdfExpandLabel(this.#crypto, suite.hash, this.#secret, 'quic ku', EMPTY, suite.hashLength);
    return new PacketKeys(this.#crypto, suite, secret, this.#protection);
  }

  /**
   * Seals a packet in place.
   *
   * @param packet - header, payload, and room for the tag of 16 bytes, nothing else
   * @param headerLength - packet number included
   */
  seal(packet: Uint8Array, headerLength: number, number: number, numberLength: number): void {
    this.sealPayload(packet, headerLength, number);
    const sampleAt = headerLength - numberLength + SAMPLE_OFFSET;
    this.#protection.masks(packet.subarray(sampleAt, sampleAt + SAMPLE_LENGTH), this.#mask);
    applyMask(packet, headerLength - numberLength, numberLength, this.#mask, 0);
  }

  /** Seals as {@link seal}, and leaves the header bare for {@link maskHeaders}. */
  sealPayload(packet: Uint8Array, headerLength: number, number: number): void {
    const header = packet.subarray(0, headerLength);
    const payload = packet.subarray(headerLength, packet.length - TAG_LENGTH);
    this.#aead.seal(this.#nonceOf(number), header, payload, packet, headerLength);
  }

  /** Protects the headers of a flight; any generation of these keys may have sealed it. */
  maskHeaders(headers: SealedHeaders): void {
    headers.mask(this.#protection);
  }

  /**
   * Takes the header protection off, in place.
   *
   * @param numberOffset - where the packet number begins
   * @returns how long it is; 0 when the packet is too short to have a sample
   */
  unmask(packet: Uint8Array, numberOffset: number): number {
    const sampleAt = numberOffset + SAMPLE_OFFSET;
    if (packet.length < sampleAt + SAMPLE_LENGTH) return 0;
    this.#protection.masks(packet.subarray(sampleAt, sampleAt + SAMPLE_LENGTH), this.#mask);
    const first = packet[0] as number;
    const bits = (first & 0x80) === 0 ? 0x1f : 0x0f;
    const numberLength = ((first ^ ((this.#mask[0] as number) & bits)) & 3) + 1;
    applyMask(packet, numberOffset, numberLength, this.#mask, 0);
    return numberLength;
  }

  /** Puts back the protection that {@link unmask} took off last. @param numberLength - what it said */
  remask(packet: Uint8Array, numberOffset: number, numberLength: number): void {
    applyMask(packet, numberOffset, numberLength, this.#mask, 0);
  }

  /** Opens a packet whose header is bare; `undefined` when it is not authentic. */
  open(packet: Uint8Array, headerLength: number, number: number): Uint8Array | undefined {
    return this.#aead.open(this.#nonceOf(number), packet.subarray(0, headerLength), packet.subarray(headerLength));
  }

  /** RFC 9001 section 5.3: the packet number over the end of the IV. */
  #nonceOf(number: number): Uint8Array {
    const nonce = this.#nonce;
    nonce.set(this.#iv);
    let rest = number;
    for (let at = NONCE_LENGTH - 1; rest > 0; at -= 1) {
      nonce[at] = (nonce[at] as number) ^ (rest % 0x100);
      rest = Math.floor(rest / 0x100);
    }
    return nonce;
  }
}

/**
 * What ciphers are given stands outside of the heap: V8 would move small arrays there one by one, each to memory of its
 * own. Those of some ten keys share a piece.
 */
let piece = new Uint8Array(0);
let pieceUsed = 0;
const PIECE_LENGTH = 1_024;

function outside(bytes: Uint8Array): Uint8Array {
  if (pieceUsed + bytes.length > piece.length) {
    piece = new Uint8Array(PIECE_LENGTH);
    pieceUsed = 0;
  }
  const own = piece.subarray(pieceUsed, pieceUsed + bytes.length);
  pieceUsed += bytes.length;
  for (let index = 0; index < bytes.length; index += 1) own[index] = bytes[index] as number;
  return own;
}

/** Keys of Initial packets, made when they are first used: what is not authentic costs those of one direction. */
export class InitialKeys {
  readonly #crypto: CryptoProvider;
  readonly #secret: Uint8Array;
  #client: PacketKeys | undefined;
  #server: PacketKeys | undefined;

  /** @param id - the client's first Destination Connection ID */
  constructor(crypto: CryptoProvider, id: Uint8Array) {
    this.#crypto = crypto;
    this.#secret = hkdfExtract(crypto, aes128GcmSha256.hash, INITIAL_SALT, id);
    this.#client = undefined;
    this.#server = undefined;
  }

  /** Of what the client sends. */
  get client(): PacketKeys {
    return (this.#client ??= this.#make('client in'));
  }

  /** Of what the server sends. */
  get server(): PacketKeys {
    return (this.#server ??= this.#make('server in'));
  }

  #make(label: string): PacketKeys {
    const suite = aes128GcmSha256;
    const { hash, hashLength } = suite;
    return new PacketKeys(
      this.#crypto,
      suite,
      hkdfExpandLabel(this.#crypto, hash, this.#secret, label, EMPTY, hashLength),
    );
  }
}

/** Keys of Initial packets for both directions. @param id - the client's first Destination Connection ID */
export function initialKeys(crypto: CryptoProvider, id: Uint8Array): InitialKeys {
  return new InitialKeys(crypto, id);
}

/** The tag of a Retry packet (RFC 9001 section 5.8). @param originalId - the client's first Destination Connection ID */
export function retryTag(crypto: CryptoProvider, originalId: Uint8Array, retry: Uint8Array): Uint8Array {
  const pseudo = new Uint8Array(1 + originalId.length + retry.length);
  pseudo[0] = originalId.length;
  pseudo.set(originalId, 1);
  pseudo.set(retry, 1 + originalId.length);
  const tag = new Uint8Array(TAG_LENGTH);
  crypto.createAead('aes-128-gcm', RETRY_KEY).seal(RETRY_NONCE, pseudo, EMPTY, tag, 0);
  return tag;
}
