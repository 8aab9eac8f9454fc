/**
 * The members of a protocol that not every version covers: priorities, datagrams, what QUIC's handshake asks, detaching.
 *
 * Owns the refusals (`ERR_UNSUPPORTED`). An engine covers what its version has.
 *
 * @module
 */
import type { TlsIdentity } from '../common/index.ts';
import { unsupported } from '../common/index.ts';
import type { CertificateVerdict, ClaimedStreamHandler } from './http-protocol.ts';

/** Refuses all of them. */
export abstract class UncoveredMembers {
  /** Not covered. */
  submitPriority(_streamId: number, _urgency: number, _incremental: boolean): void {
    throw unsupported('submitPriority');
  }

  /** False: nothing was taken. */
  submitDatagram(_streamId: number, _data: Uint8Array): boolean {
    return false;
  }

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

  /** Not covered. */
  claimStream(_type: number, _handler: ClaimedStreamHandler): void {
    throw unsupported('claimStream');
  }

  /** Not covered. */
  detach(): Uint8Array[] {
    throw unsupported('detach');
  }
}
