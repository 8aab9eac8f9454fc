import { describe, expect, it } from 'vitest';
import { nodeCryptoProvider } from '../../../src/crypto/index.ts';
import type { ConnectionIdChange } from '../../../src/protocols/quic/connection-ids.ts';
import { LocalConnectionIds } from '../../../src/protocols/quic/connection-ids.ts';
import type { ConnectionIdSource } from '../../../src/protocols/quic/connection-config.ts';
import { QuicError, QuicFault } from '../../../src/protocols/quic/error-codes.ts';
import { parseFrames } from '../../../src/protocols/quic/frame-parser.ts';
import type { FrameSource } from '../../../src/protocols/quic/frame-source.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import { FrameWriter } from '../../../src/protocols/quic/frame-writer.ts';
import { PeerConnectionIds } from '../../../src/protocols/quic/peer-connection-ids.ts';
import type { SentFrame } from '../../../src/protocols/quic/sent-packets.ts';
import { VARINT_SATURATED } from '../../../src/wire/index.ts';
import { recordFrames } from '../protocols/quic/recorder.ts';

/** An id that can be told from others. */
const id = (number: number, length = 8): Uint8Array => new Uint8Array(length).fill(number);
/** An id that no other number has. */
const numbered = (number: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, number);
  return bytes;
};
const token = (number: number): Uint8Array => new Uint8Array(16).fill(number);

function counting(length = 8): ConnectionIdSource {
  let next = 100;
  return {
    length,
    next: () => {
      next += 1;
      return { id: id(next, length), resetToken: token(next) };
    },
  };
}

/** What a source writes into one packet, parsed again. */
function written(source: FrameSource, kind: PacketKind = 'oneRtt', room = 1_200) {
  const memory = new Uint8Array(room);
  const writer = new FrameWriter(memory, 0, room);
  const sent: SentFrame[] = [];
  source.write(writer, sent, kind, 0);
  const { handler, frames } = recordFrames();
  if (writer.position > 0) parseFrames(memory.subarray(0, writer.position), kind, handler);
  return { sent, frames };
}

/** All changes, in short. */
function changes(ids: { nextIdChange(): ConnectionIdChange | undefined }): string[] {
  const all: string[] = [];
  for (let change = ids.nextIdChange(); change !== undefined; change = ids.nextIdChange()) {
    const bytes = 'id' in change ? change.id : change.token;
    all.push(`${change.type} ${String(bytes[0])}`);
  }
  return all;
}

function faultOf(step: () => void): number | undefined {
  try {
    step();
  } catch (error) {
    if (error instanceof QuicFault) return error.code;
    throw error;
  }
  return undefined;
}

describe('ids by which the peer calls us', () => {
  const local = (original?: Uint8Array): LocalConnectionIds =>
    new LocalConnectionIds(counting(), { id: id(1), resetToken: token(1) }, original);

  it('tells of the first id and of the one that the client chose (RFC 9000 section 5.1)', () => {
    const ids = local(id(9));
    expect(changes(ids)).toEqual(['ConnectionIdIssued 1', 'ConnectionIdIssued 9']);
    ids.forgetOriginal();
    ids.forgetOriginal();
    expect(changes(ids)).toEqual(['ConnectionIdRetired 9']);
  });

  it('issues as many as the peer keeps, and never more than eight (section 5.1.1)', () => {
    const ids = local();
    expect(ids.hasPending).toBe(false);
    ids.start(3);
    expect(ids.count).toBe(3);
    expect(ids.hasPending).toBe(true);
    expect(written(ids).frames).toEqual([
      ['newConnectionIdReceived', 1, 0, '65'.repeat(8), '65'.repeat(16)],
      ['newConnectionIdReceived', 2, 0, '66'.repeat(8), '66'.repeat(16)],
    ]);
    expect(ids.hasPending).toBe(false);
    const generous = local();
    generous.start(2 ** 40);
    expect(generous.count).toBe(8);
  });

  it('issues none when ids are empty (section 5.1.1)', () => {
    const ids = new LocalConnectionIds(counting(0), { id: new Uint8Array(0), resetToken: token(0) }, undefined);
    ids.start(4);
    expect([ids.hasPending, ids.count, ids.rotate()]).toEqual([false, 1, false]);
    expect(faultOf(() => ids.retireConnectionIdReceived(0, id(1)))).toBe(QuicError.protocolViolation);
  });

  it('puts in only what fits, and nothing in packets of the handshake (section 12.4)', () => {
    const ids = local();
    ids.start(4);
    expect(written(ids, 'handshake').frames).toEqual([]);
    expect(written(ids, 'oneRtt', 60).frames).toHaveLength(2);
    expect(written(ids).frames).toHaveLength(1);
  });

  it('sends again what was lost, unless it was retired (section 13.3)', () => {
    const ids = local();
    ids.start(3);
    const { sent } = written(ids);
    for (const frame of sent) ids.lost(frame);
    expect(written(ids).frames).toHaveLength(2);
    ids.retireConnectionIdReceived(1, id(1));
    for (const frame of sent) ids.lost(frame);
    expect(written(ids).frames.map(([, sequence]) => sequence)).toEqual([3, 2]);
  });

  it('sends no more what has arrived, whatever becomes of its copies (section 13.3)', () => {
    const ids = local();
    ids.start(3);
    const { sent } = written(ids);
    for (const frame of sent) ids.lost(frame);
    for (const frame of sent) ids.acknowledged(frame);
    expect(ids.hasPending).toBe(false);
    for (const frame of sent) ids.lost(frame);
    expect(ids.hasPending).toBe(false);
  });

  it('replaces what the peer retires (section 5.1.2)', () => {
    const ids = local();
    ids.start(2);
    written(ids);
    changes(ids);
    ids.retireConnectionIdReceived(0, id(0x65));
    expect(changes(ids)).toEqual(['ConnectionIdRetired 1', 'ConnectionIdIssued 102']);
    expect(ids.count).toBe(2);
    ids.retireConnectionIdReceived(0, id(0x65));
    expect(changes(ids)).toEqual([]);
  });

  it('refuses the retirement of what was never issued: PROTOCOL_VIOLATION (section 19.16)', () => {
    const ids = local();
    ids.start(2);
    expect(faultOf(() => ids.retireConnectionIdReceived(1, id(1)))).toBe(QuicError.protocolViolation);
    written(ids);
    expect(faultOf(() => ids.retireConnectionIdReceived(2, id(1)))).toBe(QuicError.protocolViolation);
    expect(faultOf(() => ids.retireConnectionIdReceived(1, id(1)))).toBeUndefined();
  });

  it('refuses the retirement of the id in use by that packet: PROTOCOL_VIOLATION (section 19.16)', () => {
    const ids = local();
    ids.start(2);
    expect(faultOf(() => ids.retireConnectionIdReceived(0, id(1)))).toBe(QuicError.protocolViolation);
  });

  it('asks the peer to give up all ids, once at a time (section 5.1.2)', () => {
    const ids = local();
    expect(ids.rotate()).toBe(false);
    ids.start(2);
    written(ids);
    expect(ids.rotate()).toBe(true);
    expect(written(ids).frames.map((frame) => frame.slice(1, 3))).toEqual([
      [2, 2],
      [3, 2],
    ]);
    expect(ids.rotate()).toBe(false);
    ids.retireConnectionIdReceived(0, id(0x66));
    ids.retireConnectionIdReceived(1, id(0x66));
    expect(ids.count).toBe(2);
    expect(ids.rotate()).toBe(true);
  });

  it('takes back what the peer was not told of when it rotates, so that numbers go up by one (section 5.1.1)', () => {
    const ids = local();
    ids.start(4);
    changes(ids);
    expect(ids.rotate()).toBe(true);
    expect(changes(ids).filter((change) => change.startsWith('ConnectionIdRetired'))).toHaveLength(3);
    expect(written(ids).frames.map((frame) => frame.slice(1, 3))).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
    ]);
  });

  it('gives the preferred address the sequence number 1 (section 5.1.1)', () => {
    const ids = local();
    expect(ids.issuePreferred().id).toEqual(id(101));
    ids.start(3);
    expect(written(ids).frames.map(([, sequence]) => sequence)).toEqual([2]);
    ids.retireConnectionIdReceived(1, id(1));
    expect(ids.count).toBe(3);
  });

  it('tells that nothing is routed any more when the connection is over', () => {
    const ids = local(id(9));
    ids.start(2);
    changes(ids);
    ids.terminate();
    expect(changes(ids).sort()).toEqual(['ConnectionIdRetired 1', 'ConnectionIdRetired 101', 'ConnectionIdRetired 9']);
    expect(ids.hasPending).toBe(false);
  });
});

describe('ids by which we call the peer', () => {
  const peer = (activeLimit = 4, first = id(1)): PeerConnectionIds =>
    new PeerConnectionIds({ crypto: nodeCryptoProvider, activeLimit, first });
  const learn = (ids: PeerConnectionIds, sequence: number, retirePriorTo = 0): void => {
    ids.newConnectionIdReceived(sequence, retirePriorTo, id(sequence + 1), token(sequence + 1));
  };

  it('calls it as it called itself in the handshake (section 7.2)', () => {
    const ids = peer();
    expect(ids.destination(0)).toEqual(id(1));
    ids.handshakeIdReceived(id(7));
    expect(ids.destination(0)).toEqual(id(7));
    ids.resetTokenReceived(token(7));
    expect(changes(ids)).toEqual(['ResetTokenExpected 7']);
    expect(ids.destination(0)).toEqual(id(7));
    expect(ids.destination(1)).toBeUndefined();
  });

  it('takes another id for another path, and retires it with the path (section 9.5)', () => {
    const ids = peer();
    expect(ids.assign(1)).toBe(false);
    learn(ids, 1);
    learn(ids, 2);
    expect(ids.unused).toBe(2);
    expect(ids.assign(1)).toBe(true);
    expect(ids.destination(1)).toEqual(id(2));
    expect(changes(ids)).toEqual(['ResetTokenExpected 2']);
    ids.release(1);
    expect(changes(ids)).toEqual(['ResetTokenForgotten 2']);
    expect(written(ids).frames).toEqual([['retireConnectionIdReceived', 1]]);
    expect(ids.assign(2)).toBe(true);
    expect(ids.destination(2)).toEqual(id(3));
  });

  it('retires an id that two paths share when both are gone (section 9.5)', () => {
    const ids = peer();
    expect(ids.share(1, 0)).toBe(true);
    expect(ids.share(2, 8)).toBe(false);
    ids.release(0);
    expect(ids.hasPending).toBe(false);
    expect(ids.destination(1)).toEqual(id(1));
    ids.release(1);
    expect(written(ids).frames).toEqual([['retireConnectionIdReceived', 0]]);
  });

  it('stops using what is below Retire Prior To, and retires it (section 5.1.2)', () => {
    const ids = peer();
    learn(ids, 1);
    expect(ids.share(5, 0)).toBe(true);
    learn(ids, 2, 2);
    expect(ids.destination(0)).toEqual(id(3));
    expect(ids.destination(5)).toBeUndefined();
    expect(written(ids).frames).toEqual([
      ['retireConnectionIdReceived', 0],
      ['retireConnectionIdReceived', 1],
    ]);
  });

  it('retires at once what comes below an earlier Retire Prior To, and but once (section 19.15)', () => {
    const ids = peer();
    learn(ids, 3, 3);
    written(ids);
    learn(ids, 1);
    expect(written(ids).frames).toEqual([['retireConnectionIdReceived', 1]]);
    learn(ids, 1);
    expect(ids.hasPending).toBe(false);
  });

  it('does not keep again what it has retired: a frame may come twice (section 19.15)', () => {
    const ids = peer();
    learn(ids, 1);
    ids.assign(1);
    ids.release(1);
    learn(ids, 1);
    expect(ids.unused).toBe(0);
  });

  it('sends retirements until they are acknowledged (section 13.3)', () => {
    const ids = peer();
    learn(ids, 1);
    ids.assign(1);
    ids.release(1);
    expect(written(ids, 'zeroRtt').frames).toEqual([]);
    const { sent } = written(ids);
    expect(sent).toEqual([{ kind: 'retireConnectionId', sequence: 1 }]);
    for (const frame of sent) ids.lost(frame);
    expect(written(ids).sent).toEqual(sent);
    for (const frame of sent) ids.acknowledged(frame);
    for (const frame of sent) ids.lost(frame);
    expect(ids.hasPending).toBe(false);
  });

  it('refuses what contradicts itself: PROTOCOL_VIOLATION (section 19.15)', () => {
    const ids = peer();
    learn(ids, 1);
    expect(faultOf(() => learn(ids, 1))).toBeUndefined();
    const again = (sequence: number, bytes: Uint8Array, reset: Uint8Array) =>
      faultOf(() => ids.newConnectionIdReceived(sequence, 0, bytes, reset));
    expect(again(1, id(50), token(2))).toBe(QuicError.protocolViolation);
    expect(again(1, id(2), token(50))).toBe(QuicError.protocolViolation);
    expect(again(2, id(2), token(2))).toBe(QuicError.protocolViolation);
    expect(again(2, id(1), token(3))).toBe(QuicError.protocolViolation);
  });

  it('refuses new ids of a peer whose id is empty: PROTOCOL_VIOLATION (section 19.15)', () => {
    const ids = peer(4, new Uint8Array(0));
    expect(faultOf(() => learn(ids, 1))).toBe(QuicError.protocolViolation);
  });

  it('refuses more than active_connection_id_limit: CONNECTION_ID_LIMIT_ERROR (section 5.1.1)', () => {
    const ids = peer(2);
    learn(ids, 1);
    expect(faultOf(() => learn(ids, 2))).toBe(QuicError.connectionIdLimitError);
    const retiring = peer(2);
    learn(retiring, 1);
    expect(faultOf(() => learn(retiring, 2, 1))).toBeUndefined();
  });

  it('refuses to owe more and more retirements: CONNECTION_ID_LIMIT_ERROR (section 5.1.2, CVE-2024-22189)', () => {
    const ids = peer(2);
    let code: number | undefined;
    let taken = 0;
    while (code === undefined && taken < 100) {
      taken += 1;
      code = faultOf(() => learn(ids, taken, taken));
    }
    expect(code).toBe(QuicError.connectionIdLimitError);
    expect(taken).toBe(7);
    const obedient = peer(2);
    for (let sequence = 1; sequence < 100; sequence += 1) {
      learn(obedient, sequence, sequence);
      for (const frame of written(obedient).sent) obedient.acknowledged(frame);
    }
    expect(obedient.destination(0)).toEqual(id(100));
  });

  it('costs nothing for large numbers, and refuses holes without end (CVE-2025-7054)', () => {
    const ids = peer();
    ids.newConnectionIdReceived(2 ** 40, 2 ** 40, id(50), token(50));
    expect(ids.destination(0)).toEqual(id(50));
    expect(written(ids).frames).toEqual([['retireConnectionIdReceived', 0]]);
    expect(faultOf(() => ids.newConnectionIdReceived(VARINT_SATURATED, 0, id(51), token(51)))).toBe(
      QuicError.protocolViolation,
    );
    let code: number | undefined;
    for (let sequence = 2 ** 41; code === undefined && sequence < 2 ** 41 + 1_000; sequence += 2) {
      code = faultOf(() => ids.newConnectionIdReceived(sequence, sequence, numbered(sequence), token(1)));
      for (const frame of written(ids).sent) ids.acknowledged(frame);
    }
    expect(code).toBe(QuicError.protocolViolation);
  });

  it('knows the reset tokens of ids in use only (section 10.3.1)', () => {
    const ids = peer();
    const reset = (value: number): Uint8Array => Uint8Array.of(...id(99, 30), ...token(value));
    ids.resetTokenReceived(token(1));
    learn(ids, 1);
    expect([1, 2, 3].map((value) => ids.isStatelessReset(reset(value)))).toEqual([true, false, false]);
    ids.assign(1);
    expect(ids.isStatelessReset(reset(2))).toBe(true);
    ids.release(1);
    expect(ids.isStatelessReset(reset(2))).toBe(false);
    expect(ids.isStatelessReset(token(1).subarray(1))).toBe(false);
    ids.terminate();
    expect(ids.isStatelessReset(reset(1))).toBe(false);
    expect(changes(ids)).toEqual([
      'ResetTokenExpected 1',
      'ResetTokenExpected 2',
      'ResetTokenForgotten 2',
      'ResetTokenForgotten 1',
    ]);
  });

  it('takes the id of the preferred address as sequence number 1 (section 5.1.1)', () => {
    const ids = peer();
    ids.preferredAddressReceived(id(60), token(60));
    expect(ids.assign(1)).toBe(true);
    expect(ids.destination(1)).toEqual(id(60));
    expect(faultOf(() => ids.newConnectionIdReceived(1, 0, id(61), token(61)))).toBe(QuicError.protocolViolation);
  });
});
