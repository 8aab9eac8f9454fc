/**
 * Memory that is written whole before anybody reads it.
 *
 * @module
 */

/**
 * Memory with whatever stands in it: zeros would cost as much as what is written over them. Not for anything of which a
 * part could be handed on unwritten.
 */
export function freshMemory(size: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
}
