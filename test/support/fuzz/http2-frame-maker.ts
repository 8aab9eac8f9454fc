/**
 * Draws frames of a peer that knows HTTP/2 and breaks its rules now and then: mostly right ones in a right order, so that
 * connections live on, and among them any other.
 *
 * @module
 */
import type { SeededRandom } from '../../../src/networking/simulation/index.ts';
import { HpackEncoder } from '../../../src/protocols/http2/hpack/index.ts';
import { ByteWriter } from '../../../src/wire/index.ts';
import type { Frame } from '../../vectors/support/http2-frames.ts';
import { randomBytes } from './mutation.ts';

const NUMBERS = [0, 1, 2, 5, 100, 16_383, 16_384, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as const;
const FIELDS: readonly [readonly string[], ...(readonly string[])[]] = [
  [],
  ['cookie', 'a=1', 'cookie', 'b=2'],
  ['content-length', '5'],
  ['content-length', '0'],
  ['x-long', 'v'.repeat(300)],
  ['te', 'trailers'],
  ['te', 'gzip'],
  ['connection', 'close'],
  ['X-Capital', 'a'],
  ['x-bad', 'a\r\nb'],
  ['host', 'b'],
  ['priority', 'u=1, i'],
  ['expect', '100-continue'],
];

/** A peer of one engine. */
export class FrameMaker {
  readonly #random: SeededRandom;
  readonly #role: 'client' | 'server';
  readonly #encoder: HpackEncoder;
  /** How often a rule is broken. */
  readonly #wildness: number;
  #nextStream: number;

  /** @param role - whose frames are made */
  constructor(random: SeededRandom, role: 'client' | 'server') {
    this.#random = random;
    this.#role = role;
    this.#encoder = new HpackEncoder();
    this.#wildness = random.pick([0, 0.01, 0.05, 0.3]);
    this.#nextStream = 1;
  }

  /** Frames that are sent together: a header block takes several. */
  next(): Frame[] {
    const random = this.#random;
    const frames = this.#tame();
    if (!random.chance(this.#wildness)) return frames;
    const frame = frames[0] as Frame;
    switch (random.integer(0, 6)) {
      case 0:
        return [{ ...frame, flags: random.integer(0, 255) }];
      case 1:
        return [{ ...frame, streamId: random.pick([0, 1, 2, 3, 5, 99, 0x7fff_ffff]) }];
      case 2:
        return [{ ...frame, payload: frame.payload.slice(0, random.integer(0, frame.payload.length)) }];
      case 3:
        return [{ ...frame, type: random.integer(0, 16) }];
      case 4:
        return [{ ...frame, payload: randomBytes(random, 30) }];
      case 5:
        return frames.reverse();
      default:
        return [
          {
            type: random.integer(0, 20),
            flags: random.integer(0, 255),
            streamId: this.#stream(),
            payload: randomBytes(random, 40),
          },
        ];
    }
  }

  #tame(): Frame[] {
    const random = this.#random;
    const kind = random.integer(0, 15);
    if (kind <= 4) return this.#headers(this.#role === 'client' ? this.#open() : this.#stream(), false);
    if (kind <= 8) return [this.#data()];
    if (kind === 9) return this.#headers(this.#stream(), true);
    if (kind === 10)
      return [
        this.#frame(8, random.chance(0.4) ? 0 : this.#stream(), [
          [random.chance(0.8) ? random.integer(1, 70_000) : random.pick(NUMBERS), 4],
        ]),
      ];
    if (kind === 11) return [this.#frame(3, this.#stream(), [[random.integer(0, 14), 4]])];
    if (kind === 12) return [this.#settings()];
    if (kind === 13)
      return [
        {
          ...this.#frame(6, 0, [
            [1, 4],
            [2, 4],
          ]),
          flags: random.integer(0, 1),
        },
      ];
    if (kind === 14) return [this.#other()];
    return [{ type: 4, flags: 1, streamId: 0, payload: new Uint8Array(0) }];
  }

  #open(): number {
    const streamId = this.#nextStream;
    this.#nextStream += 2;
    return streamId;
  }

  /** A stream that was used. */
  #stream(): number {
    return this.#role === 'server'
      ? 1 + 2 * this.#random.integer(0, 3)
      : Math.max(1, this.#nextStream - 2 * this.#random.integer(1, 4));
  }

  #headers(streamId: number, trailers: boolean): Frame[] {
    const random = this.#random;
    const head = trailers
      ? []
      : this.#role === 'client'
        ? this.#request()
        : [':status', random.pick(['200', '100', '103', '204', '304', '404', '999'])];
    const writer = new ByteWriter();
    if (random.chance(0.05)) this.#encoder.setMaxTableSize(random.pick([0, 100, 4096]));
    this.#encoder.encode([...head, ...random.pick(FIELDS), ...random.pick(FIELDS)], writer);
    const block = writer.finish();
    const ends = trailers || random.chance(0.5) ? 1 : 0;
    if (random.chance(0.2)) return this.#split(streamId, block, ends);
    if (random.chance(0.1)) {
      const padding = random.integer(0, 20);
      return [
        {
          type: 1,
          flags: ends | 4 | 8,
          streamId,
          payload: Uint8Array.of(padding, ...block, ...new Uint8Array(padding)),
        },
      ];
    }
    return [{ type: 1, flags: ends | 4, streamId, payload: block }];
  }

  #split(streamId: number, block: Uint8Array, ends: number): Frame[] {
    const at = this.#random.integer(0, block.length);
    return [
      { type: 1, flags: ends, streamId, payload: block.slice(0, at) },
      { type: 9, flags: 4, streamId, payload: block.slice(at) },
    ];
  }

  #request(): string[] {
    const random = this.#random;
    const method = random.pick(['GET', 'GET', 'POST', 'HEAD', 'CONNECT']);
    if (method === 'CONNECT') {
      return random.chance(0.5)
        ? [':method', method, ':authority', 'a:80']
        : [':method', method, ':scheme', 'https', ':authority', 'a', ':path', '/', ':protocol', 'websocket'];
    }
    return [':method', method, ':scheme', 'https', ':authority', 'a', ':path', '/'];
  }

  #data(): Frame {
    const random = this.#random;
    const ends = random.chance(0.3) ? 1 : 0;
    const content = new Uint8Array(random.pick([0, 1, 5, 100, 3000, 16_384])).fill(0x61);
    if (!random.chance(0.2) || content.length === 16_384)
      return { type: 0, flags: ends, streamId: this.#stream(), payload: content };
    const padding = random.integer(0, 255);
    return {
      type: 0,
      flags: ends | 8,
      streamId: this.#stream(),
      payload: Uint8Array.of(padding, ...content, ...new Uint8Array(padding)),
    };
  }

  #settings(): Frame {
    const random = this.#random;
    const values: [number, number][] = [];
    for (let count = random.integer(0, 4); count > 0; count -= 1) {
      const id = random.integer(1, 10);
      const tame: Readonly<Record<number, number>> = { 2: 0, 4: random.integer(0, 100_000), 5: 16_384, 8: 1, 9: 1 };
      values.push([id, 2], [random.chance(0.9) ? (tame[id] ?? random.integer(0, 10_000)) : random.pick(NUMBERS), 4]);
    }
    return this.#frame(4, 0, values);
  }

  #other(): Frame {
    const random = this.#random;
    switch (random.integer(0, 4)) {
      case 0:
        return this.#frame(2, this.#stream(), [
          [0, 4],
          [15, 1],
        ]);
      case 1:
        return this.#frame(7, 0, [
          [random.pick([0, 1, 0x7fff_ffff]), 4],
          [0, 4],
        ]);
      case 2: {
        const field = Uint8Array.from(Buffer.from(random.pick(['u=1', 'u=7, i', 'u=9', 'i', '(', ''])));
        const { payload } = this.#frame(16, 0, [[this.#stream(), 4]]);
        return { type: 16, flags: 0, streamId: 0, payload: Uint8Array.of(...payload, ...field) };
      }
      case 3:
        return {
          type: random.pick([10, 12]),
          flags: 0,
          streamId: random.pick([0, 1]),
          payload: Uint8Array.of(0, 1, 0x61, ...randomBytes(random, 20)),
        };
      default:
        return { type: 0x21, flags: 0xff, streamId: random.integer(0, 9), payload: randomBytes(random, 20) };
    }
  }

  /** A frame of numbers, each with its size in octets. */
  #frame(type: number, streamId: number, numbers: readonly (readonly [value: number, size: number])[]): Frame {
    const octets = numbers.flatMap(([value, size]) =>
      Array.from({ length: size }, (_, index) => Math.floor(value / 2 ** (8 * (size - 1 - index))) % 256),
    );
    return { type, flags: 0, streamId, payload: Uint8Array.from(octets) };
  }
}
