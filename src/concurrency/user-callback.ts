/**
 * Callbacks that are the user's.
 *
 * Owns calling one so that nothing it does goes further. The type system lets an async function pass for one that
 * returns nothing; its rejection would end the process, since nobody holds the promise. {@link callUser} is for
 * callbacks that are told of something now and then; on the hot path the caller wraps the call itself and hands the
 * answer to {@link holdAnswer}.
 *
 * @module
 */

/**
 * Calls it. What it throws goes to `failed`, and so does, later, what its promise is rejected with.
 *
 * @param failed - must not throw
 */
export function callUser<Arguments extends readonly unknown[]>(
  callback: (...args: Arguments) => unknown,
  args: Arguments,
  failed: (error: unknown) => void = ignore,
): void {
  try {
    holdAnswer(callback(...args), failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * Holds what a callback answered that should have answered nothing: where it is a promise, its rejection goes to
 * `failed`.
 *
 * @param failed - must not throw
 */
export function holdAnswer(answer: unknown, failed: (error: unknown) => void = ignore): void {
  if (answer !== undefined && isThenable(answer)) Promise.resolve(answer).then(undefined, failed);
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';
}

function ignore(): void {}
