/**
 * The platform's own fetch classes, and what differs between platforms.
 *
 * Owns their loading. Node loads its fetch when one of its globals is first touched, which takes as long as half of a
 * start; so nothing here touches one before the first object of ours is made. They are kept as they were then: a global
 * that is replaced later (see replace-globals.ts) changes nothing here.
 *
 * @module
 */
import { Readable } from 'node:stream';
import type { ReadableStream as WebReadableStream } from 'node:stream/web';

/** The platform's classes. */
export interface Natives {
  readonly Headers: typeof globalThis.Headers;
  readonly Request: typeof globalThis.Request;
  readonly Response: typeof globalThis.Response;
  readonly fetch: typeof globalThis.fetch;
}

let loaded: Natives | undefined;

/** The platform's classes as they were at the first call. */
export function natives(): Natives {
  loaded ??= {
    Headers: globalThis.Headers,
    Request: globalThis.Request,
    Response: globalThis.Response,
    fetch: globalThis.fetch,
  };
  return loaded;
}

/** Whether anything was read from a stream, or it was cancelled. */
export function isDisturbed(stream: WebReadableStream<unknown>): boolean {
  // Declared for streams of both kinds only since Node 22.
  return (Readable.isDisturbed as (stream: unknown) => boolean)(stream);
}

type Mark = (object: object) => void;

/** Node 22 and later: `structuredClone` refuses these objects, as it refuses the platform's. Before, both clone empty. */
export function markUncloneable(object: object): void {
  mark ??= platformMark();
  mark(object);
}

let mark: Mark | undefined;

/** Loaded with the first object: importing this is not to load threads. */
function platformMark(): Mark {
  const threads = process.getBuiltinModule('node:worker_threads') as { readonly markAsUncloneable?: Mark };
  return threads.markAsUncloneable ?? ((): void => undefined);
}

/** Says how Node prints the objects of a class (`util.inspect.custom`). */
export function defineInspect<Shown extends object>(prototype: Shown, show: (object: Shown) => unknown): void {
  const value = function (this: Shown): unknown {
    return show(this);
  };
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), { value, configurable: true });
}

/**
 * Puts a class of ours before the platform's: what `instanceof` says of the platform's class holds for our objects.
 *
 * Up to Node 22 the platform keeps an object's state under symbols and finds no state in ours; so each of these
 * symbols answers with the state of the real object that ours stands for. From Node 24 on it is private, and only
 * `native()` leads there.
 */
export function standBefore(
  own: { readonly prototype: object },
  native: { readonly prototype: object },
  sample: object,
  real: (object: object) => object,
): void {
  const { prototype } = own;
  Object.setPrototypeOf(prototype, native.prototype);
  for (const symbol of Object.getOwnPropertySymbols(sample)) {
    Object.defineProperty(prototype, symbol, {
      configurable: true,
      get(this: object): unknown {
        return Reflect.get(real(this), symbol);
      },
      set(this: object, value: unknown): void {
        Reflect.set(real(this), symbol, value);
      },
    });
  }
}
