/**
 * Callbacks that are the user's.
 *
 * Owns calling one so that nothing it does goes further. The type system lets an async function pass for one that
 * returns nothing; its rejection would end the process, since nobody holds the promise. For callbacks that are told of
 * something now and then; those of the hot path are the caller's to wrap.
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
    const answer = callback(...args);
    if (isThenable(answer)) Promise.resolve(answer).then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';
}

function ignore(): void {}
