/**
 * What engines on Node's own HTTP modules have in common.
 *
 * Owns: the queue of events and its announcement, and the refusal of what belongs to QUIC. Such an engine works
 * asynchronously inside: Node tells much in a later turn, so every event and all output is announced by `onOutput`.
 *
 * @module
 */
import type { TlsIdentity } from '../common/index.ts';
import { unsupported } from '../common/index.ts';
import type { CertificateVerdict, ClaimedStreamHandler, HttpEvent } from '../protocols/index.ts';

/** Events and refusals. */
export abstract class NodeEngine {
  onOutput: (() => void) | undefined;
  #events: HttpEvent[];
  #taken: number;

  constructor() {
    this.onOutput = undefined;
    this.#events = [];
    this.#taken = 0;
  }

  /** See `Engine`. */
  nextEvent(): HttpEvent | undefined {
    const event = this.#events[this.#taken];
    if (event === undefined) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#events.length) {
      this.#events = [];
      this.#taken = 0;
    }
    return event;
  }

  /** Not covered. */
  submitPriority(_streamId: number, _urgency: number, _incremental: boolean): void {
    throw unsupported('submitPriority');
  }

  /** False: nothing was taken. */
  submitDatagram(_streamId: number, _data: Uint8Array): boolean {
    return false;
  }

  /** QUIC's. */
  submitCertificateVerdict(_verdict: CertificateVerdict): void {
    throw unsupported('submitCertificateVerdict');
  }

  /** QUIC's. */
  submitServerIdentity(_identity: TlsIdentity | number): void {
    throw unsupported('submitServerIdentity');
  }

  /** QUIC's. */
  submitTicketVerdict(_accepted: boolean): void {
    throw unsupported('submitTicketVerdict');
  }

  /** HTTP/3's. */
  claimStream(_type: number, _handler: ClaimedStreamHandler): void {
    throw unsupported('claimStream');
  }

  /** Queues an event and announces it. */
  protected tell(event: HttpEvent): void {
    this.#events.push(event);
    this.announce();
  }

  /** Events that were told and not pulled; the queue is empty afterwards. */
  protected withdrawEvents(): HttpEvent[] {
    const events = this.#events.slice(this.#taken);
    this.#events = [];
    this.#taken = 0;
    return events;
  }

  /** Says that there are events or output. */
  protected announce(): void {
    this.onOutput?.();
  }
}
