/**
 * The members of a protocol that HTTP/1 does not cover: priorities, datagrams, and what QUIC's handshake asks.
 *
 * Owns the refusals (`ERR_UNSUPPORTED`), for the engines of both sides and for what stands in their place.
 *
 * @module
 */
import type { TlsIdentity } from '../../common/index.ts';
import { unsupported } from '../../common/index.ts';
import type { CertificateVerdict, ClaimedStreamHandler } from '../http-protocol.ts';

/** Refuses what HTTP/1 does not have. */
export abstract class UncoveredMembers {
  submitPriority(_streamId: number, _urgency: number, _incremental: boolean): void {
    throw unsupported('submitPriority');
  }

  submitDatagram(_streamId: number, _data: Uint8Array): boolean {
    return false;
  }

  submitCertificateVerdict(_verdict: CertificateVerdict): void {
    throw unsupported('submitCertificateVerdict');
  }

  submitServerIdentity(_identity: TlsIdentity | number): void {
    throw unsupported('submitServerIdentity');
  }

  submitTicketVerdict(_accepted: boolean): void {
    throw unsupported('submitTicketVerdict');
  }

  claimStream(_type: number, _handler: ClaimedStreamHandler): void {
    throw unsupported('claimStream');
  }
}
