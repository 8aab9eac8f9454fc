/**
 * The part of a protocol that has no streams: every member that concerns one refuses.
 *
 * Owns the refusals, so that a protocol that only prepares another (detection.ts) need not repeat them.
 *
 * @module
 */
import type { HeaderList, TlsIdentity } from '../common/index.ts';
import { LocalProtocolError, unsupported } from '../common/index.ts';
import type { CertificateVerdict, ClaimedStreamHandler, EndStream, SubmitHeadersOptions } from './http-protocol.ts';

/** A protocol without streams. */
export abstract class UnopenedProtocol {
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

  /** Not covered. */
  submitPriority(_streamId: number, _urgency: number, _incremental: boolean): void {
    throw unsupported('submitPriority');
  }

  /** False: nothing was taken. */
  submitDatagram(_streamId: number, _data: Uint8Array): boolean {
    return false;
  }

  /** 0: there are no streams yet. */
  sendCapacity(_streamId: number): number {
    return 0;
  }

  /** Legal in every state. */
  dataConsumed(_streamId: number, _flowControlledLength: number): void {}

  /** Not covered. */
  submitCertificateVerdict(_verdict: CertificateVerdict): void {
    throw unsupported('submitCertificateVerdict');
  }

  /** Not covered. */
  submitServerIdentity(_identity: TlsIdentity | number): void {
    throw unsupported('submitServerIdentity');
  }

  /** Not covered. */
  submitTicketVerdict(_accepted: boolean): void {
    throw unsupported('submitTicketVerdict');
  }

  /** There is no tunnel. */
  detach(): Uint8Array[] {
    throw unsupported('detach');
  }

  /** Not covered. */
  claimStream(_type: number, _handler: ClaimedStreamHandler): void {
    throw unsupported('claimStream');
  }
}

function noStream(): LocalProtocolError {
  return new LocalProtocolError('the protocol of this connection is not known yet');
}
