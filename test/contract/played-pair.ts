/**
 * A pair of engines as cases use it: what takes time is a step, so that one text serves engines that work at once and
 * engines that work asynchronously inside.
 *
 * A case is a generator. Between two synchronous engines no step ever waits, and {@link play} fails when one does. An
 * asynchronous engine is waited for while it announces by `onOutput`, and what it has without having announced it fails
 * the case.
 */
import { expect } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import type { EnginePair, Side } from './engine-pair.ts';
import { bytes, get } from './engine-pair.ts';

/** A case, or a part of one. */
export type Steps<Result = void> = Generator<undefined, Result, undefined>;

/** So many turns of the event loop without a word from either engine are silence. */
const QUIET_TURNS = 4;

/** Two engines and what most cases do with them. */
export class PlayedPair {
  readonly client: Side;
  readonly server: Side;
  readonly asynchronous: boolean;
  readonly #pair: EnginePair;
  #announced: boolean;

  constructor(pair: EnginePair, asynchronous: boolean) {
    this.client = pair.client;
    this.server = pair.server;
    this.asynchronous = asynchronous;
    this.#pair = pair;
    this.#announced = false;
    for (const { engine } of [pair.client, pair.server]) {
      engine.onOutput = () => {
        if (!asynchronous) throw new Error('a synchronous engine announces nothing');
        this.#announced = true;
      };
    }
  }

  /** The time. */
  get now(): number {
    return this.#pair.now;
  }

  /** Moves bytes until nothing moves any more. */
  *run(): Steps {
    this.#pair.run();
    if (!this.asynchronous) return;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      yield;
      if (!this.#announced) continue;
      this.#announced = false;
      this.#pair.run();
      quiet = -1;
    }
    expect(this.#pair.run(), 'something was ready that had not been announced').toBe(false);
  }

  /** Lets the engines come to rest, and moves no bytes. */
  *settle(): Steps {
    for (let turn = 0; this.asynchronous && turn < QUIET_TURNS; turn += 1) yield;
    this.client.pull();
    this.server.pull();
  }

  /** Lets time pass. */
  *advance(milliseconds: number): Steps {
    this.#pair.advance(milliseconds);
    yield* this.run();
  }

  /** The connection breaks. */
  *lose(): Steps {
    this.#pair.lose();
    yield* this.settle();
  }

  /** What was given away by either engine is as it was. */
  checkOwnership(): void {
    this.#pair.checkOwnership();
  }

  /** Opens a request and lets it arrive; answers its id. */
  *request(headers: HeaderList = get(), endStream = true, options: { readonly upgrade?: string } = {}): Steps<number> {
    const streamId = this.client.engine.getAvailableStreamId();
    this.client.engine.submitHeaders(streamId, headers, { endStream, ...options });
    yield* this.run();
    return streamId;
  }

  /** Answers a request and lets the answer arrive. */
  *respond(streamId: number, status = 200, headers: HeaderList = [], body?: string): Steps {
    const { engine } = this.server;
    const endStream = body === undefined;
    engine.submitHeaders(streamId, [':status', String(status), ...headers], { endStream });
    if (body !== undefined) engine.submitData(streamId, bytes(body), { endStream: true });
    engine.submitHandlerEnd(streamId);
    yield* this.run();
  }

  /** A whole exchange without content, to show that the connection still works. */
  *exchange(): Steps {
    const streamId = yield* this.request();
    yield* this.respond(streamId, 204);
    expect(this.client.events.at(-1)).toMatchObject({ type: 'StreamClosed', streamId });
  }
}

/** Plays a case to its end. Synchronous engines are never waited for. */
export async function play(pair: PlayedPair, steps: Steps): Promise<void> {
  while (steps.next().done !== true) {
    if (!pair.asynchronous) throw new Error('a case waits for engines that work at once');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
