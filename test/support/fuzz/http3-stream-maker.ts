/**
 * Draws what a peer sends that knows HTTP/3 and breaks its rules now and then: mostly right frames on right streams, so
 * that connections live on, and among them any other.
 *
 * @module
 */
import type { SeededRandom } from '../../../src/networking/simulation/index.ts';
import { concat, data, frame, headers, octets, settings, Type, varints } from '../http3-frames.ts';
import { pickOf, randomBytes } from './mutation.ts';

const FIELDS: readonly [readonly string[], ...(readonly string[])[]] = [
  [],
  [],
  ['cookie', 'a=1', 'cookie', 'b=2'],
  ['content-length', '5'],
  ['content-length', '0'],
  ['x-long', 'v'.repeat(300)],
  ['x-longer', 'v'.repeat(5000)],
  ['te', 'gzip'],
  ['connection', 'close'],
  ['X-Capital', 'a'],
  ['x-bad', 'a\r\nb'],
  ['host', 'b'],
  ['priority', 'u=1, i'],
];

/** Some bytes of one stream. */
export interface Sent {
  readonly streamId: number;
  readonly bytes: Uint8Array;
  readonly fin: boolean;
}

/** A peer of one engine. */
export class StreamMaker {
  readonly #random: SeededRandom;
  readonly #role: 'client' | 'server';
  /** How often a rule is broken. */
  readonly #wildness: number;
  /** The streams that have begun: requests whose head was sent, and the control stream. */
  readonly #begun: Set<number>;
  #nextRequest: number;
  #nextUnidirectional: number;

  /** @param role - whose streams are made */
  constructor(random: SeededRandom, role: 'client' | 'server') {
    this.#random = random;
    this.#role = role;
    this.#wildness = random.pick([0, 0.01, 0.05, 0.3]);
    this.#begun = new Set();
    this.#nextRequest = 0;
    this.#nextUnidirectional = role === 'client' ? 6 : 7;
  }

  /** @param requests - those that the engine knows */
  next(requests: readonly number[]): Sent {
    const random = this.#random;
    const sent = this.#tame(requests);
    if (!random.chance(this.#wildness)) return sent;
    switch (random.integer(0, 4)) {
      case 0:
        return { ...sent, bytes: sent.bytes.slice(0, random.integer(0, sent.bytes.length)) };
      case 1:
        return { ...sent, bytes: randomBytes(random, 60) };
      case 2:
        return { ...sent, fin: !sent.fin };
      case 3:
        return { ...sent, streamId: random.pick([0, 2, 3, 4, 6, 7, 1]) };
      default:
        return { ...sent, bytes: concat(this.#anyFrame(), sent.bytes) };
    }
  }

  #tame(requests: readonly number[]): Sent {
    const random = this.#random;
    const control = this.#role === 'client' ? 2 : 3;
    const choice = random.integer(0, 19);
    if (choice < 2 || !this.#begun.has(control))
      return { streamId: control, bytes: this.#controlBytes(control), fin: false };
    if (choice === 2) return this.#another();
    if (this.#role === 'client' && (choice < 9 || requests.length === 0)) return this.#request();
    if (requests.length === 0) return this.#another();
    return this.#message(pickOf(random, requests));
  }

  /** The control stream, which begins with SETTINGS. */
  #controlBytes(control: number): Uint8Array {
    const random = this.#random;
    if (!this.#begun.has(control)) {
      this.#begun.add(control);
      return concat(varints(0), settings([6, random.pick([100, 65_536])], [8, 1], [0x33, random.integer(0, 1)]));
    }
    const update = (): Uint8Array => concat(varints(random.pick([0, 4, 8, 400])), octets('u=2, i'));
    if (random.chance(0.3)) return frame(random.pick([0x21, 0x40, 0xffff]), randomBytes(random, 20));
    if (random.chance(0.05)) return frame(Type.GOAWAY, varints(random.pick([0, 4, 400])));
    if (this.#role === 'server') return frame(0x21);
    return random.chance(0.5) ? frame(Type.PRIORITY_UPDATE, update()) : frame(Type.MAX_PUSH_ID, varints(8));
  }

  #another(): Sent {
    const random = this.#random;
    const streamId = this.#nextUnidirectional;
    this.#nextUnidirectional += 4;
    const type = random.pick([0x21, 0x54, 2, 3]);
    const rest =
      type === 2 ? Uint8Array.of(0x20) : type === 3 ? Uint8Array.of(0x44, 0x7f, 0x05) : randomBytes(random, 30);
    return { streamId, bytes: concat(varints(type), rest), fin: type > 3 && random.chance(0.5) };
  }

  #request(): Sent {
    const random = this.#random;
    const streamId = this.#nextRequest;
    this.#nextRequest += 4;
    this.#begun.add(streamId);
    const method = random.pick(['GET', 'POST', 'HEAD', 'CONNECT']);
    const head = [':method', method, ':authority', 'a:80'];
    if (method !== 'CONNECT') head.push(':scheme', 'https', ':path', '/');
    else if (random.chance(0.5)) head.push(':scheme', 'https', ':path', '/', ':protocol', 'connect-udp');
    return { streamId, bytes: headers([...head, ...random.pick(FIELDS)]), fin: random.chance(0.3) };
  }

  /** Something of a message that goes on, or of a response that begins. */
  #message(streamId: number): Sent {
    const random = this.#random;
    const fin = random.chance(0.2);
    if (this.#role === 'server' && !this.#begun.has(streamId)) {
      const interim = random.chance(0.2);
      if (!interim) this.#begun.add(streamId);
      const status = interim ? '103' : random.pick(['200', '204', '404']);
      return { streamId, bytes: headers([':status', status, ...random.pick(FIELDS)]), fin: fin && !interim };
    }
    switch (random.integer(0, 9)) {
      case 0:
        return { streamId, bytes: concat(data('x'), headers(['x-trailer', 'a'])), fin: true };
      case 1:
        return { streamId, bytes: frame(random.pick([0x21, 0x40]), randomBytes(random, 50)), fin };
      case 2:
        return { streamId, bytes: new Uint8Array(0), fin: true };
      default:
        return { streamId, bytes: data(randomBytes(random, random.pick([0, 5, 500]))), fin };
    }
  }

  #anyFrame(): Uint8Array {
    const random = this.#random;
    const type = random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0d, 0x21, 0xf0700, 0xf0701]);
    return frame(type, randomBytes(random, 20));
  }
}
