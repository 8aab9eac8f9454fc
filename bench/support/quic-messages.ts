/**
 * What bench/quic and its server tell each other.
 *
 * @module
 */

/** Sizes of datagrams, and how many there were of each. */
export type Sizes = readonly (readonly [size: number, times: number])[];

/** The server shall play the bound. */
export interface QuicBoundRequest {
  /** What it sends. */
  readonly down: Sizes;
  /** What it is sent. */
  readonly up: Sizes;
  /** The port that takes what it sends. */
  readonly sink: number;
}

/** What the server is asked. */
export type QuicServerQuestion = 'computed' | 'traffic' | QuicBoundRequest;

/** What it answers. */
export interface QuicServerAnswer {
  readonly url?: string;
  readonly port?: number;
  /** Of node:tls's servers. */
  readonly ports?: { readonly bare: number; readonly canned: number; readonly https: number };
  /** Microseconds. */
  readonly computed?: number;
  readonly down?: Sizes;
  readonly up?: Sizes;
}

/** Packets of the bound look like those of a connection: a byte of flags, an id of eight bytes, a number. */
export const NUMBER_LENGTH = 2;
/** With the packet number. */
export const HEADER_LENGTH: number = 1 + 8 + NUMBER_LENGTH;
/** Of the bound's keys: they protect nothing. */
export const SECRET: Uint8Array = new Uint8Array(32).fill(7);
