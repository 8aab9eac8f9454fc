/**
 * Octets as text and back, one character an octet.
 *
 * Owns: doing it in the quickest way for the length at hand. A call into native code costs as much as some tens of
 * characters one by one, so short texts are written in JavaScript and long ones by Node.
 *
 * @module
 */

/** From this length on, the native way is the quicker one. */
const NATIVE_FROM = 24;

/** The native functions behind Buffer's methods: they take any Uint8Array, where the methods want a Buffer. */
interface NativeText {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string;
  readonly latin1Write: (this: Uint8Array, text: string, position: number, length: number) => number;
}

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as NativeText;

/** The octets from `start` up to, not including, `end` as a string of characters up to U+00FF. */
export function latin1Text(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/** Puts the characters of a text, up to U+00FF each, into memory that has room for them. */
export function putLatin1(text: string, target: Uint8Array, position: number): void {
  const length = text.length;
  if (length >= NATIVE_FROM) {
    latin1Write.call(target, text, position, length);
    return;
  }
  for (let index = 0; index < length; index += 1) target[position + index] = text.charCodeAt(index);
}
