/**
 * Streams of QUIC under whatever a network does: every byte once and in order, nothing kept that arrived.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QuicFault } from '../../src/protocols/quic/error-codes.ts';
import { QuicError } from '../../src/protocols/quic/error-codes.ts';
import { ReceiveStream } from '../../src/protocols/quic/receive-stream.ts';
import { SendStream } from '../../src/protocols/quic/send-stream.ts';
import type { SendPiece } from '../../src/protocols/quic/send-stream.ts';

const bytesFrom = (offset: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => ((offset + index) * 31 + ((offset + index) >> 8)) & 0xff);

function readAll(stream: ReceiveStream): Buffer {
  const pieces: Uint8Array[] = [];
  for (let piece = stream.read(); piece !== undefined; piece = stream.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('receiving', () => {
  const stretches = fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 80 })), { maxLength: 60 });

  it('puts overlapping stretches in order, whichever come first', () => {
    fc.assert(
      fc.property(stretches, fc.boolean(), (list, eager) => {
        const stream = new ReceiveStream();
        const all = [...list, [0, 400] as const];
        const read: Buffer[] = [];
        let highest = 0;
        for (const [offset, length] of all) {
          const risen = stream.receive(offset, bytesFrom(offset, length), false);
          expect(risen).toBe(Math.max(0, offset + length - highest));
          highest = Math.max(highest, offset + length);
          if (eager) read.push(readAll(stream));
        }
        read.push(readAll(stream));
        expect(Buffer.concat(read).equals(bytesFrom(0, 400))).toBe(true);
        expect(stream.consumed).toBe(400);
        expect(stream.receive(400, new Uint8Array(0), true)).toBe(0);
        expect(stream.isOver).toBe(true);
      }),
    );
  });

  it('RFC 9000 section 4.5: has one size', () => {
    const fault = (act: (stream: ReceiveStream) => void): number | undefined => {
      const stream = new ReceiveStream();
      try {
        act(stream);
        return undefined;
      } catch (error) {
        return (error as QuicFault).code;
      }
    };
    const ten = bytesFrom(0, 10);
    expect(fault((stream) => (stream.receive(0, ten, true), stream.receive(0, ten, true)))).toBeUndefined();
    expect(fault((stream) => (stream.receive(0, ten, true), stream.reset(10)))).toBeUndefined();
    expect(fault((stream) => (stream.receive(0, ten, true), stream.receive(5, ten, false)))).toBe(
      QuicError.finalSizeError,
    );
    expect(fault((stream) => (stream.receive(0, ten, true), stream.reset(11)))).toBe(QuicError.finalSizeError);
    expect(fault((stream) => (stream.receive(5, ten, false), stream.receive(0, ten, true)))).toBe(
      QuicError.finalSizeError,
    );
    expect(fault((stream) => (stream.receive(0, ten, false), stream.reset(9)))).toBe(QuicError.finalSizeError);
  });

  it('section 3.2: a reset counts what was never sent, and gives nothing more', () => {
    const stream = new ReceiveStream();
    stream.receive(0, bytesFrom(0, 10), false);
    expect(stream.reset(50)).toBe(40);
    expect([stream.isOver, stream.read(), stream.receive(10, bytesFrom(10, 10), false)]).toEqual([true, undefined, 0]);
  });

  it('keeps a bounded number of pieces', () => {
    const stream = new ReceiveStream();
    expect(() => {
      for (let offset = 1; offset < 10_000; offset += 2) stream.receive(offset, bytesFrom(offset, 1), false);
    }).toThrow(expect.objectContaining({ code: QuicError.internalError }));
  });
});

describe('sending', () => {
  const writes = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 20 });
  const fates = fc.infiniteStream(fc.constantFrom('arrives', 'is lost', 'is late'));

  it('brings every byte and the end across a network that loses', () => {
    fc.assert(
      fc.property(writes, fates, fc.integer({ min: 1, max: 300 }), (list, fate, room) => {
        const sender = new SendStream();
        const receiver = new ReceiveStream();
        let total = 0;
        for (const length of list) {
          sender.write(bytesFrom(total, length), false);
          total += length;
        }
        sender.write(new Uint8Array(0), true);
        const late: SendPiece[] = [];
        const read: Buffer[] = [];
        const settle = (piece: SendPiece, arrives: boolean): void => {
          if (!arrives) {
            sender.lost(piece.offset, piece.data.length, piece.fin);
            return;
          }
          receiver.receive(piece.offset, piece.data, piece.fin);
          read.push(readAll(receiver));
          sender.acknowledged(piece.offset, piece.data.length, piece.fin);
        };
        let limit = 100;
        let losses = 0;
        for (let step = 0; !sender.isComplete; step += 1) {
          expect(step).toBeLessThan(20_000);
          const piece = sender.next(room, limit);
          if (piece === undefined) {
            // Nothing to send: what is on its way arrives, and the window opens.
            for (const other of late.splice(0)) settle(other, true);
            limit += 200;
            continue;
          }
          expect(piece.data.length).toBeLessThanOrEqual(room);
          expect(piece.offset + piece.data.length).toBeLessThanOrEqual(Math.max(limit, sender.sent));
          sender.took(piece);
          const what = losses > 200 ? 'arrives' : fate.next().value;
          if (what === 'is late') late.push(piece);
          else {
            if (what === 'is lost') losses += 1;
            settle(piece, what === 'arrives');
          }
        }
        expect(Buffer.concat(read).equals(bytesFrom(0, total))).toBe(true);
        expect([receiver.isOver, sender.buffered, sender.hasPending]).toEqual([true, 0, false]);
      }),
    );
  });

  it('is told late that something arrived which it holds for lost', () => {
    const sender = new SendStream();
    sender.write(bytesFrom(0, 100), true);
    const piece = sender.next(200, 200) as SendPiece;
    sender.took(piece);
    sender.lost(0, 100, true);
    expect(sender.hasPending).toBe(true);
    sender.acknowledged(0, 100, true);
    expect([sender.hasPending, sender.isComplete, sender.buffered]).toEqual([false, true, 0]);
    // And the other way round.
    sender.lost(0, 100, true);
    expect(sender.hasPending).toBe(false);
  });
});
