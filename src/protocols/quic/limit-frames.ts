/**
 * Frames about the limits of a whole connection: MAX_DATA, MAX_STREAMS, STREAMS_BLOCKED.
 *
 * Owns when they are sent (RFC 9000 sections 4.2, 4.6 and 19.9, 19.11, 19.14), and again when they were lost: as long as
 * they are true, and a limit only when it is the last that was sent (section 13.3). DATA_BLOCKED is stream-sender.ts's,
 * which knows whether data waits.
 *
 * @module
 */
import type { ReceiveCredit } from './flow-control.ts';
import { FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import { LONGEST_CONTROL_FRAME } from './owed-frames.ts';
import type { SentFrame } from './sent-packets.ts';
import type { StreamTable } from './stream-table.ts';

type LimitFrame = Extract<SentFrame, { readonly kind: 'maxData' | 'maxStreams' | 'streamsBlocked' }>;

/** The frames that are due. */
export class LimitFrames {
  readonly #credit: ReceiveCredit;
  readonly #table: StreamTable;
  #maxDataLost: boolean;
  #maxBidiLost: boolean;
  #maxUniLost: boolean;

  constructor(credit: ReceiveCredit, table: StreamTable) {
    this.#credit = credit;
    this.#table = table;
    this.#maxDataLost = false;
    this.#maxBidiLost = false;
    this.#maxUniLost = false;
  }

  get hasPending(): boolean {
    return this.#maxDataDue || this.#isDue(true) || this.#isDue(false);
  }

  write(writer: FrameWriter, sent: SentFrame[]): void {
    if (this.#maxDataDue && writer.room >= LONGEST_CONTROL_FRAME) {
      const maximum = this.#credit.advertise();
      this.#maxDataLost = false;
      writer.numbers(FrameType.maxData, maximum);
      sent.push({ kind: 'maxData', maximum });
    }
    if (this.#isDue(true)) this.#writeStreams(true, writer, sent);
    if (this.#isDue(false)) this.#writeStreams(false, writer, sent);
  }

  lost(frame: LimitFrame): void {
    if (frame.kind === 'maxData') {
      if (frame.maximum === this.#credit.advertised) this.#maxDataLost = true;
    } else if (frame.kind === 'maxStreams') {
      if (frame.maximum === this.#table.peerStreams(frame.bidirectional).advertised) {
        this.#setLost(frame.bidirectional, true);
      }
    } else {
      const count = this.#table.localStreams(frame.bidirectional);
      if (frame.limit === count.limit) count.told(false);
    }
  }

  get #maxDataDue(): boolean {
    return this.#maxDataLost || this.#credit.isDue;
  }

  #maxStreamsDue(bidirectional: boolean): boolean {
    return (bidirectional ? this.#maxBidiLost : this.#maxUniLost) || this.#table.peerStreams(bidirectional).isDue;
  }

  #isDue(bidirectional: boolean): boolean {
    return this.#maxStreamsDue(bidirectional) || this.#table.localStreams(bidirectional).mayTell;
  }

  #writeStreams(bidirectional: boolean, writer: FrameWriter, sent: SentFrame[]): void {
    if (this.#maxStreamsDue(bidirectional) && writer.room >= LONGEST_CONTROL_FRAME) {
      const maximum = this.#table.peerStreams(bidirectional).advertise();
      this.#setLost(bidirectional, false);
      writer.numbers(bidirectional ? FrameType.maxStreamsBidi : FrameType.maxStreamsUni, maximum);
      sent.push({ kind: 'maxStreams', bidirectional, maximum });
    }
    const local = this.#table.localStreams(bidirectional);
    if (local.mayTell && writer.room >= LONGEST_CONTROL_FRAME) {
      local.told(true);
      writer.numbers(bidirectional ? FrameType.streamsBlockedBidi : FrameType.streamsBlockedUni, local.limit);
      sent.push({ kind: 'streamsBlocked', bidirectional, limit: local.limit });
    }
  }

  #setLost(bidirectional: boolean, lost: boolean): void {
    if (bidirectional) this.#maxBidiLost = lost;
    else this.#maxUniLost = lost;
  }
}
