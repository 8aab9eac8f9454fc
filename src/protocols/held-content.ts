/**
 * What came for a tunnel before the application accepted it.
 *
 * Owns: that it is kept, told whole once the tunnel is accepted, with its end, or dropped and given back.
 *
 * @module
 */
import { RingQueue } from '../wire/index.ts';
import type { HttpEvent } from './events.ts';
import { dataReceived } from './events.ts';

/** A stream that may hold content. */
export interface Holding {
  readonly id: number;
  held: RingQueue<Uint8Array> | undefined;
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Keeps a piece. */
export function hold(stream: Holding, piece: Uint8Array): void {
  (stream.held ??= new RingQueue<Uint8Array>()).push(piece);
}

/** Tells all of it. @param ended - and the end behind it */
export function tellHeld(stream: Holding, ended: boolean, events: RingQueue<HttpEvent>): void {
  const { held } = stream;
  stream.held = undefined;
  let told = false;
  for (let piece = held?.shift(); piece !== undefined; piece = held?.shift()) {
    told = ended && held?.length === 0;
    events.push(dataReceived(stream.id, piece, piece.length, told, false));
  }
  if (ended && !told) events.push(dataReceived(stream.id, EMPTY, 0, true, false));
}

/** Drops all of it. Answers how much that was. */
export function dropHeld(stream: Holding): number {
  const { held } = stream;
  stream.held = undefined;
  let length = 0;
  for (let piece = held?.shift(); piece !== undefined; piece = held?.shift()) length += piece.length;
  return length;
}
