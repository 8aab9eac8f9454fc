import { describe, expect, it } from 'vitest';
import { initialWindow } from '../../../../src/protocols/quic/congestion.ts';
import { Cubic } from '../../../../src/protocols/quic/cubic.ts';
import { LossRecovery } from '../../../../src/protocols/quic/loss-recovery.ts';
import type { PacketSpace, RecoveryContext } from '../../../../src/protocols/quic/loss-recovery.ts';
import { NewReno } from '../../../../src/protocols/quic/new-reno.ts';
import { Pacer } from '../../../../src/protocols/quic/pacer.ts';
import { MAX_ACK_RANGES, ReceivedPackets } from '../../../../src/protocols/quic/received-packets.ts';
import { INITIAL_RTT, RttEstimator } from '../../../../src/protocols/quic/rtt.ts';
import type { SentPacket } from '../../../../src/protocols/quic/sent-packets.ts';

const SIZE = 1_200;

function packet(number: number, sentAt: number, over: Partial<SentPacket> = {}): SentPacket {
  return {
    number,
    sentAt,
    size: SIZE,
    ackEliciting: true,
    inFlight: true,
    limited: true,
    frames: [],
    path: 0,
    mtuProbe: false,
    ...over,
  };
}

const connected: RecoveryContext = {
  handshakeConfirmed: true,
  peerValidated: true,
  hasHandshakeKeys: true,
  maxAckDelay: 25,
};

function recovery(): LossRecovery {
  return new LossRecovery(new NewReno(SIZE));
}

function sendAll(
  loss: LossRecovery,
  numbers: readonly number[],
  at: (number: number) => number,
  space: PacketSpace = 'application',
): void {
  for (const number of numbers) loss.sent(space, packet(number, at(number)));
}

const numbersOf = (packets: readonly SentPacket[]): number[] => packets.map(({ number }) => number);

describe('RFC 9002 section 5: round-trip time', () => {
  it('5.2 and 5.3: the first sample is taken as it is, later ones smooth', () => {
    const rtt = new RttEstimator();
    expect([rtt.smoothed, rtt.variation]).toEqual([INITIAL_RTT, INITIAL_RTT / 2]);
    rtt.update(100, 50, 0);
    expect([rtt.smoothed, rtt.variation, rtt.min]).toEqual([100, 50, 100]);
    rtt.update(200, 20, 1);
    expect([rtt.smoothed, rtt.variation, rtt.min]).toEqual([(7 * 100 + 180) / 8, (3 * 50 + 80) / 4, 100]);
    // The delay is not subtracted below the least sample.
    rtt.update(110, 20, 2);
    expect(rtt.smoothed).toBeCloseTo((7 * 110 + 110) / 8);
  });

  it('6.2.1: the probe timeout', () => {
    const rtt = new RttEstimator();
    expect(rtt.probeTimeout(0)).toBe(INITIAL_RTT * 3);
    rtt.update(100, 0, 0);
    expect(rtt.probeTimeout(25)).toBe(100 + 200 + 25);
  });
});

describe('RFC 9002 section 6: loss', () => {
  it('6.1.1: three packets later is lost', () => {
    const loss = recovery();
    sendAll(loss, [0, 1, 2, 3, 4], () => 0);
    expect(numbersOf(loss.acknowledged('application', [2, 2], 0, 10, true).lost)).toEqual([]);
    expect(numbersOf(loss.acknowledged('application', [3, 2], 0, 11, true).lost)).toEqual([0]);
    expect(numbersOf(loss.acknowledged('application', [4, 2], 0, 12, true).lost)).toEqual([1]);
    expect(loss.bytesInFlight).toBe(0);
  });

  it('6.1.2: overtaken for nine eighths of a round trip is lost, by a timer', () => {
    const loss = recovery();
    sendAll(loss, [0, 1], (number) => number);
    expect(numbersOf(loss.acknowledged('application', [1, 1], 0, 101, true).lost)).toEqual([]);
    expect(loss.nextTimer(connected, 101)).toEqual({ kind: 'loss', space: 'application', at: 112.5 });
    expect(numbersOf(loss.lossTimeout('application', 112))).toEqual([]);
    expect(numbersOf(loss.lossTimeout('application', 112.5))).toEqual([0]);
    expect(loss.nextTimer(connected, 113)).toBeUndefined();
  });

  it('6.1.2: what the timer says is lost is lost when it goes off, however sums are rounded', () => {
    for (let step = 0; step < 2_000; step += 1) {
      const loss = recovery();
      const sentAt = 1_000 / 3 + step * 0.137;
      sendAll(loss, [0, 1], () => sentAt);
      loss.acknowledged('application', [1, 1], 0, sentAt + 50.1 + step / 7, true);
      const timer = loss.nextTimer(connected, sentAt);
      expect(timer?.kind).toBe('loss');
      expect(numbersOf(loss.lossTimeout('application', timer?.at ?? 0))).toEqual([0]);
    }
  });

  it('6.2.1: probes are due after a probe timeout, and back off', () => {
    const loss = recovery();
    // A packet without frames that could be sent again, such as an earlier probe, is not worth a probe of its own.
    loss.sent('application', packet(8, 0, { inFlight: false }));
    loss.sent('application', packet(0, 0, { frames: [{ kind: 'handshakeDone' }] }));
    const timeout = INITIAL_RTT * 3 + 25;
    expect(loss.nextTimer(connected, 0)).toEqual({ kind: 'probe', space: 'application', at: timeout });
    loss.probeCount = 2;
    expect(loss.nextTimer(connected, 0)?.at).toBe(4 * timeout);
    expect(loss.nextTimer({ ...connected, handshakeConfirmed: false }, 0)).toBeUndefined();
    loss.sent('application', packet(1, 300, { ackEliciting: false, inFlight: false }));
    expect(loss.nextTimer(connected, 300)?.at).toBe(4 * timeout);
    expect(numbersOf(loss.oldest('application', 2))).toEqual([0]);
  });

  it('6.2.2.1: a client probes while the server may be held by its amplification limit', () => {
    const loss = recovery();
    const context = { ...connected, peerValidated: false, handshakeConfirmed: false };
    expect(loss.nextTimer(context, 5)).toEqual({ kind: 'probe', space: 'handshake', at: 5 + INITIAL_RTT * 3 });
    expect(loss.nextTimer({ ...context, hasHandshakeKeys: false }, 5)?.space).toBe('initial');
    // 0-RTT packets on their way are no reason to wait for a server that may not send.
    sendAll(loss, [0], () => 5);
    const unconfirmed = { ...context, handshakeConfirmed: false };
    expect(loss.nextTimer(unconfirmed, 5)?.space).toBe('handshake');
  });

  it('6.4: packets of a discarded space count no more', () => {
    const loss = recovery();
    sendAll(loss, [0, 1], () => 0, 'initial');
    sendAll(loss, [0], () => 0);
    loss.discard('initial');
    expect(loss.bytesInFlight).toBe(SIZE);
    expect(loss.nextTimer(connected, 0)?.space).toBe('application');
  });

  it('acknowledgements that come twice change nothing', () => {
    const loss = recovery();
    sendAll(loss, [0, 1, 2], () => 0);
    expect(numbersOf(loss.acknowledged('application', [2, 0], 0, 10, true).acknowledged)).toEqual([0, 1, 2]);
    expect(loss.acknowledged('application', [2, 0], 0, 11, true)).toEqual({ acknowledged: [], lost: [] });
    expect(loss.bytesInFlight).toBe(0);
  });

  it('7.6: everything over a long time lost is persistent congestion', () => {
    for (const gap of [false, true]) {
      const loss = recovery();
      loss.sent('application', packet(0, 0));
      loss.acknowledged('application', [0, 0], 0, 100, true);
      // Between the first and the last of them lie three probe timeouts of 100 + 4 * 50 + 25.
      sendAll(loss, [1, 2, 3, 4], (number) => 200 + (number - 1) * 330);
      if (gap) loss.acknowledged('application', [2, 2], 0, 531, true);
      sendAll(loss, [5, 6, 7], () => 1_300);
      loss.acknowledged('application', gap ? [7, 5, 2, 2] : [7, 5], 0, 1_400, true);
      expect(loss.controller.window === 2 * SIZE).toBe(!gap);
    }
  });

  it('RFC 9000 section 9.4: another path begins anew', () => {
    const loss = recovery();
    sendAll(loss, [0, 1, 2, 3], () => 0);
    loss.acknowledged('application', [0, 0], 0, 50, true);
    loss.pathChanged(new NewReno(SIZE));
    expect([loss.bytesInFlight, loss.rtt.smoothed]).toEqual([0, INITIAL_RTT]);
    loss.sent('application', packet(4, 60, { path: 1 }));
    // Packets of the old path neither shrink the new window nor tell its round-trip time.
    const { window } = loss.controller;
    loss.acknowledged('application', [3, 3], 0, 70, true);
    expect([loss.controller.window, loss.bytesInFlight, loss.rtt.smoothed]).toEqual([window, SIZE, INITIAL_RTT]);
  });
});

describe('RFC 9002 section 7: NewReno', () => {
  it('7.2: the first window', () => {
    expect([1_200, 1_472, 9_000].map(initialWindow)).toEqual([12_000, 14_720, 18_000]);
  });

  it('7.3: doubles, halves once for each round trip, and then grows by one datagram', () => {
    const reno = new NewReno(SIZE);
    for (let number = 0; number < 10; number += 1) reno.acknowledged(packet(number, 0), 100, 100, true);
    expect(reno.window).toBe(24_000);
    reno.congested(50, 110);
    reno.congested(60, 111);
    reno.congested(110, 112);
    expect([reno.window, reno.slowStartThreshold]).toEqual([12_000, 12_000]);
    reno.acknowledged(packet(20, 100), 200, 100, true);
    expect(reno.window).toBe(12_000);
    for (let number = 0; number < 10; number += 1) reno.acknowledged(packet(number, 120), 220, 100, true);
    expect(reno.window).toBe(13_200);
    reno.persistentlyCongested();
    expect(reno.window).toBe(2_400);
  });

  it('7.8: does not grow while it is not used', () => {
    const reno = new NewReno(SIZE);
    reno.acknowledged(packet(0, 0), 100, 100, false);
    expect(reno.window).toBe(12_000);
  });
});

describe('RFC 9438: CUBIC', () => {
  /** Windows round trip by round trip after one loss, the application never the limit. */
  function trace(rounds: number, rtt: number): number[] {
    const cubic = new Cubic(SIZE);
    cubic.window = 100 * SIZE;
    cubic.congested(1, 2);
    const windows = [cubic.window / SIZE];
    let now = 2;
    for (let round = 0; round < rounds; round += 1) {
      now += rtt;
      for (let left = Math.round(cubic.window / SIZE); left > 0; left -= 1) {
        cubic.acknowledged(packet(0, now - rtt + 1), now, rtt, true);
      }
      windows.push(cubic.window / SIZE);
    }
    return windows;
  }

  it('4.6: multiplies by 0.7', () => expect(trace(0, 100)[0]).toBeCloseTo(70));

  it('4.2: follows W(t) = C (t - K)^3 + Wmax', () => {
    const rtt = 100;
    const k = Math.cbrt((100 - 70) / 0.4);
    const windows = trace(90, rtt);
    for (const round of [20, 40, 60, 90]) {
      const seconds = (round * rtt) / 1_000;
      const expected = 0.4 * (seconds - k) ** 3 + 100;
      expect(Math.abs((windows[round] as number) - expected)).toBeLessThan(0.05 * expected);
    }
  });

  it('4.3: is no slower than Reno on short paths', () => {
    const windows = trace(200, 5);
    const reno = 70 + 0.53 * 200;
    expect(windows.at(-1)).toBeGreaterThan(Math.min(reno, 100) - 1);
  });

  it('4.7: leaves room when it did not reach its old maximum', () => {
    const cubic = new Cubic(SIZE);
    cubic.window = 100 * SIZE;
    cubic.congested(1, 2);
    cubic.congested(3, 4);
    // The plateau lies at 70 * 1.7 / 2 instead of at 70, and is reached after cbrt(10.5 / 0.4) seconds.
    let now = 4;
    for (let round = 0; round < 6; round += 1) {
      now += 500;
      for (let left = Math.round(cubic.window / SIZE); left > 0; left -= 1) {
        cubic.acknowledged(packet(0, now - 499), now, 500, true);
      }
    }
    expect(Math.abs(cubic.window / SIZE - 59.5)).toBeLessThan(3);
  });

  it('RFC 9406: leaves slow start when round trips grow', () => {
    const cubic = new Cubic(SIZE);
    let now = 0;
    for (let round = 0; round < 20 && cubic.inSlowStart; round += 1) {
      const rtt = round < 4 ? 50 : 50 + (round - 3) * 20;
      now += rtt;
      for (let index = 0; index < 10; index += 1) {
        cubic.rttSampled(rtt);
        cubic.acknowledged(packet(0, now - rtt + 1), now, rtt, true);
      }
    }
    expect(cubic.inSlowStart).toBe(false);
    expect(cubic.slowStartThreshold).toBeLessThanOrEqual(cubic.window);
  });
});

describe('RFC 9002 section 7.7: pacing', () => {
  it('lets a burst out, and then one and a quarter windows a round trip', () => {
    const pacer = new Pacer(SIZE, 0);
    let now = 0;
    let sent = 0;
    while (now < 1_000) {
      const at = pacer.nextAt(now, 100 * SIZE, 100, SIZE);
      if (at > now) now = at;
      else {
        pacer.sent(SIZE);
        sent += 1;
      }
    }
    expect(sent).toBeGreaterThanOrEqual(1_250);
    expect(sent).toBeLessThanOrEqual(1_262);
  });

  it('saves up no more than a burst', () => {
    const pacer = new Pacer(SIZE, 0);
    let burst = 0;
    while (pacer.nextAt(1_000_000, 1_000 * SIZE, 1, SIZE) <= 1_000_000) {
      pacer.sent(SIZE);
      burst += 1;
    }
    expect(burst).toBe(64);
  });
});

describe('RFC 9000 section 13.2: acknowledging', () => {
  it('13.2.1: at once in Initial and Handshake, and when something is missing', () => {
    const early = new ReceivedPackets(true);
    early.add(0, true, 10, 25);
    expect(early.ackAt).toBe(10);
    const late = new ReceivedPackets(false);
    late.add(0, true, 10, 25);
    expect(late.ackAt).toBe(35);
    late.add(2, true, 11, 25);
    expect(late.ackAt).toBe(11);
    expect(late.ranges()).toEqual([2, 2, 0, 0]);
    late.acknowledged();
    expect([late.ackAt, late.hasNews]).toEqual([undefined, false]);
    late.add(1, true, 12, 25);
    expect(late.ackAt).toBe(12);
  });

  it('13.2.2: for every second packet', () => {
    const packets = new ReceivedPackets(false);
    packets.add(0, true, 0, 25);
    packets.add(1, true, 5, 25);
    expect(packets.ackAt).toBe(5);
  });

  it('13.2.1: never for packets that ask for none', () => {
    const packets = new ReceivedPackets(true);
    packets.add(0, false, 0, 25);
    expect(packets.ackAt).toBeUndefined();
    expect(packets.delay(7)).toBe(7);
  });

  it('13.2.3: forgets old ranges, and takes none of them again', () => {
    const packets = new ReceivedPackets(false);
    for (let number = 0; number < 1_000; number += 2) packets.add(number, true, 0, 25);
    expect(packets.ranges().length).toBe(2 * MAX_ACK_RANGES);
    expect([1, 500, 901, 998].map((number) => packets.has(number))).toEqual([true, true, true, true]);
    expect(packets.has(997)).toBe(false);
  });

  it('13.2.4: what the peer knows is not told again', () => {
    const packets = new ReceivedPackets(false);
    for (const number of [0, 1, 2, 5, 6]) packets.add(number, true, 0, 25);
    packets.forget(5);
    expect(packets.ranges()).toEqual([6, 6]);
    expect(packets.has(3)).toBe(true);
    packets.forget(6);
    expect(packets.ranges()).toEqual([6, 6]);
  });
});
