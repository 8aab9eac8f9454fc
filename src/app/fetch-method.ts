/**
 * What methods a `Request` can carry.
 *
 * Owns what a `Request` can say and what it cannot: CONNECT, TRACE and methods that it would respell have none, and
 * GET and HEAD have no body in it.
 *
 * @module
 */

/** Whether a `Request` can carry the method as it is (Fetch standard, "forbidden method", "normalize a method"). */
export function isFetchMethod(method: string): boolean {
  if (COMMON_METHODS.has(method)) return true;
  const upper = method.toUpperCase();
  return upper !== 'CONNECT' && upper !== 'TRACE' && upper !== 'TRACK' && !COMMON_METHODS.has(upper);
}

/** Whether a `Request` with that method has a body. */
export function hasFetchBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/** Methods that the Fetch standard spells in capitals; all others it leaves alone. */
const COMMON_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
