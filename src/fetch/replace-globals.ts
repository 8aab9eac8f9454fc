/**
 * The globals `Response`, `Request` and `fetch`, replaced together.
 *
 * Owns the replacement, which only whoever runs a process asks for: the command line by `--fast-response`. A library
 * never does. `Headers` stays: either kind is taken everywhere.
 *
 * @module
 */
import { natives } from './platform.ts';
import { nativeInput, Request } from './request.ts';
import { Response } from './response.ts';

/**
 * Makes the classes of this module the global ones. `fetch` becomes one that takes requests of either kind.
 *
 * @returns puts back what was there before
 */
export function replaceGlobals(): () => void {
  natives();
  const names = ['Response', 'Request', 'fetch'] as const;
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  const values = { Response, Request, fetch: fetchOfEither };
  for (const name of names) {
    const value: unknown = values[name];
    Object.defineProperty(globalThis, name, {
      value,
      configurable: true,
      enumerable: name === 'fetch',
      writable: true,
    });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
    }
  };
}

/** The platform's fetch, for requests of either kind. */
function fetchOfEither(
  input: string | URL | globalThis.Request,
  init?: globalThis.RequestInit,
): Promise<globalThis.Response> {
  return natives().fetch(nativeInput(input), init);
}
