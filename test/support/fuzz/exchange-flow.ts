/**
 * Content whose every octet follows from its place, and the book that is kept of it.
 *
 * @module
 */
import { expect } from 'vitest';

/** Content of one direction of one stream. */
export interface Flow {
  submitted: number;
  received: number;
  submittedEnd: boolean;
  receivedEnd: boolean;
  trailers: boolean;
  gotTrailers: boolean;
}

/** Whose content it is. */
export interface FlowOwner {
  readonly streamId: number;
}

/** Nothing was submitted, nothing has come. */
export function newFlow(): Flow {
  return { submitted: 0, received: 0, submittedEnd: false, receivedEnd: false, trailers: false, gotTrailers: false };
}

/** What a flow is when all of it has come. */
export function arrived(flow: Flow): Partial<Flow> {
  return { received: flow.submitted, submittedEnd: true, receivedEnd: true, gotTrailers: flow.trailers };
}

/** The content of a stream from a place on. */
export function contentOf(owner: FlowOwner, toServer: boolean, from: number, size: number): Uint8Array {
  const data = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) data[index] = octetAt(owner, toServer, from + index);
  return data;
}

/** Fails where content is not what it is to be. */
export function checkContent(owner: FlowOwner, toServer: boolean, from: number, data: Uint8Array): void {
  for (let index = 0; index < data.length; index += 1) {
    if (data[index] !== octetAt(owner, toServer, from + index)) {
      expect.fail(`another octet at ${String(from + index)} of stream ${String(owner.streamId)}`);
    }
  }
}

function octetAt(owner: FlowOwner, toServer: boolean, at: number): number {
  return (owner.streamId * 31 + at * 7 + (at >>> 8) * 13 + (toServer ? 101 : 0)) & 0xff;
}
