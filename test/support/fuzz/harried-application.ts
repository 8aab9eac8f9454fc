/**
 * The application of an engine with streams whose peer sends what it likes: it does this and that, at moments that suit or
 * not, and watches what it is told.
 *
 * Owns: what an application may do in each version alike, and what has to be true of an engine behind its end.
 *
 * @module
 */
import { expect } from 'vitest';
import { LocalProtocolError } from '../../../src/common/index.ts';
import type { SeededRandom } from '../../../src/networking/simulation/index.ts';
import type { HttpEvent, HttpProtocol } from '../../../src/protocols/index.ts';
import { EventOrder } from './event-order.ts';
import { pickOf } from './mutation.ts';

/** What differs from version to version. */
export interface ApplicationOptions {
  /** Of an application that does not want a stream any more. */
  readonly resetCode: number;
  /** The largest piece of content. */
  readonly mostContent: number;
}

/** An application on one engine. */
export class HarriedApplication {
  readonly order: EventOrder;
  /** The streams that it knows of. */
  readonly streams: number[];
  readonly #random: SeededRandom;
  readonly #engine: HttpProtocol;
  readonly #options: ApplicationOptions;
  readonly #unconsumed: [streamId: number, length: number][];
  /** Handlers whose end is due. */
  readonly #owed: Set<number>;

  constructor(random: SeededRandom, engine: HttpProtocol, options: ApplicationOptions) {
    this.order = new EventOrder(engine.role);
    this.streams = [];
    this.#random = random;
    this.#engine = engine;
    this.#options = options;
    this.#unconsumed = [];
    this.#owed = new Set();
  }

  /** A client begins with a few requests. */
  begin(): void {
    if (this.#engine.role === 'server') return;
    for (let count = this.#random.integer(0, 4); count > 0; count -= 1) this.#request();
  }

  /** Something, at a moment that suits or not: it is refused, or done. */
  act(): void {
    const random = this.#random;
    const streamId = this.streams.length === 0 ? random.integer(0, 1) : pickOf(random, this.streams);
    try {
      this.#operate(streamId, random.chance(0.4));
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
    }
  }

  /** Takes what it is told. */
  takeEvents(): void {
    for (let event = this.#engine.nextEvent(); event !== undefined; event = this.#engine.nextEvent()) this.#take(event);
  }

  /** Gives back all credit. */
  consumeAll(): void {
    while (this.#unconsumed.length > 0) this.#consume();
  }

  /** All handlers have ended. */
  endHandlers(): void {
    for (const streamId of this.#owed) this.#engine.submitHandlerEnd(streamId);
  }

  /** Fails where an engine has left something behind its end. */
  expectOver(): void {
    if (!this.order.terminated) expect.fail('the end was not told');
    if (this.order.open.length > 0) expect.fail(`left open: ${this.order.open.join()}`);
    if (this.#engine.nextTimeout() !== undefined) expect.fail('a timer behind the end');
    if (this.#engine.isAvailable()) expect.fail('available behind the end');
  }

  #operate(streamId: number, endStream: boolean): void {
    const random = this.#random;
    const engine = this.#engine;
    const { mostContent, resetCode } = this.#options;
    switch (random.integer(0, 10)) {
      case 0:
      case 1:
        if (engine.role === 'client') this.#request();
        else engine.submitHeaders(streamId, [':status', random.pick(['200', '204', '404'])], { endStream });
        break;
      case 2:
      case 3:
        if (engine.sendCapacity(streamId) < 0) expect.fail('a negative capacity');
        engine.submitData(streamId, new Uint8Array(random.pick([0, 1, 1000, mostContent])), { endStream });
        break;
      case 4:
        engine.submitTrailers(streamId, ['x-trailer', 'a']);
        break;
      case 5:
        engine.submitStreamReset(streamId, resetCode);
        break;
      case 6:
        this.#consume();
        break;
      case 7:
        engine.submitPriority(streamId, random.integer(0, 7), random.chance(0.5));
        break;
      case 8:
        if (engine.role === 'server') engine.submitInformational(streamId, [':status', '103']);
        break;
      case 9:
        engine.submitDatagram(streamId, new Uint8Array(random.integer(0, 2000)));
        break;
      default:
        if (random.chance(0.1)) engine.submitShutdown();
        else if (this.#owed.delete(streamId)) engine.submitHandlerEnd(streamId);
    }
  }

  #request(): void {
    const engine = this.#engine;
    if (!engine.isAvailable()) return;
    const streamId = engine.getAvailableStreamId();
    const method = this.#random.pick(['GET', 'POST', 'HEAD', 'CONNECT']);
    const target = method === 'CONNECT' ? [] : [':scheme', 'https', ':path', '/'];
    const head = [':method', method, ':authority', 'a:80', ...target];
    engine.submitHeaders(streamId, head, { endStream: this.#random.chance(0.5) });
    this.order.opened(streamId);
    this.streams.push(streamId);
  }

  #consume(): void {
    const next = this.#unconsumed.shift();
    if (next !== undefined) this.#engine.dataConsumed(...next);
  }

  #take(event: HttpEvent): void {
    this.order.take(event);
    if (event.type === 'HeadersReceived' && this.#engine.role === 'server') {
      this.streams.push(event.streamId);
      this.#owed.add(event.streamId);
    }
    if (event.type === 'DataReceived' && event.flowControlledLength > 0) {
      this.#unconsumed.push([event.streamId, event.flowControlledLength]);
    }
  }
}
