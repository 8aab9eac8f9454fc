/**
 * The part of a protocol that has no streams: every member that concerns one refuses.
 *
 * Owns the refusals, so that a protocol that only prepares another (detection.ts) need not repeat them.
 *
 * @module
 */
import type { HeaderList } from '../common/index.ts';
import { LocalProtocolError } from '../common/index.ts';
import type { EndStream, SubmitHeadersOptions } from './http-protocol.ts';
import { UncoveredMembers } from './uncovered-members.ts';

/** A protocol without streams. */
export abstract class UnopenedProtocol extends UncoveredMembers {
  /** There are no streams yet. */
  getAvailableStreamId(): number {
    throw noStream();
  }

  /** There are no streams yet. */
  submitHeaders(_streamId: number, _headers: HeaderList, _options: SubmitHeadersOptions): void {
    throw noStream();
  }

  /** There are no streams yet. */
  submitInformational(_streamId: number, _headers: HeaderList, _rawNames?: readonly string[]): void {
    throw noStream();
  }

  /** There are no streams yet. */
  submitData(_streamId: number, _data: Uint8Array, _options: EndStream): void {
    throw noStream();
  }

  /** There are no streams yet. */
  submitTrailers(_streamId: number, _headers: HeaderList, _rawNames?: readonly string[]): void {
    throw noStream();
  }

  /** There are no streams yet. */
  submitStreamReset(_streamId: number, _errorCode: number): void {
    throw noStream();
  }

  /** Nothing is owed. */
  submitHandlerEnd(_streamId: number): void {}

  /** 0: there are no streams yet. */
  sendCapacity(_streamId: number): number {
    return 0;
  }

  /** Legal in every state. */
  dataConsumed(_streamId: number, _flowControlledLength: number): void {}
}

function noStream(): LocalProtocolError {
  return new LocalProtocolError('the protocol of this connection is not known yet');
}
