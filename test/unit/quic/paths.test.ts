import { describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../../src/common/index.ts';
import { nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { FrameWriter } from '../../../src/protocols/quic/frame-writer.ts';
import type { Path, PathOptions } from '../../../src/protocols/quic/paths.ts';
import { PathManager } from '../../../src/protocols/quic/paths.ts';
import { parseFrames } from '../../../src/protocols/quic/frame-parser.ts';
import { PeerConnectionIds } from '../../../src/protocols/quic/peer-connection-ids.ts';
import type { SentFrame } from '../../../src/protocols/quic/sent-packets.ts';
import type { RecordedFrame } from '../protocols/quic/recorder.ts';
import { recordFrames } from '../protocols/quic/recorder.ts';
import { seeded } from './connection-pair.ts';

const network = (remote: string, local = '192.0.2.1:443'): NetworkPath => ({ local, remote });
const home = network('198.51.100.1:5000');
const rebound = network('198.51.100.1:6000');
const away = network('203.0.113.9:5000');
/** Our ids that the peer uses. */
const first = new Uint8Array(8).fill(1);
const second = new Uint8Array(8).fill(2);
const PTO = 100;

interface Rig {
  paths: PathManager;
  ids: PeerConnectionIds;
}

function rig(over: Partial<PathOptions> = {}, confirmed = true, spares = 4, idLength = 8): Rig {
  const own = new Uint8Array(idLength).fill(9);
  const ids = new PeerConnectionIds({ crypto: nodeCryptoProvider, activeLimit: 8, first: own });
  for (let sequence = 1; sequence <= spares; sequence += 1) {
    ids.newConnectionIdReceived(sequence, 0, new Uint8Array(8).fill(10 + sequence), new Uint8Array(16).fill(sequence));
  }
  const paths = new PathManager({
    role: 'server',
    random: seeded(5),
    ids,
    first: home,
    validated: false,
    refuseMigration: false,
    maxPaths: 4,
    maxPathResponses: 3,
    probeTimeout: () => PTO,
    ...over,
  });
  if (confirmed) {
    paths.handshakeConfirmed();
    arrive(paths, home, 0);
  }
  return { paths, ids };
}

/** An authentic 1-RTT packet in a datagram of `length` bytes. */
function arrive(
  paths: PathManager,
  path: NetworkPath,
  number: number,
  options: { probing?: boolean; id?: Uint8Array; length?: number; now?: number } = {},
): Path | undefined {
  const { probing = false, id = first, length = 1_200, now = 0 } = options;
  paths.datagramArrived(path, length);
  const found = paths.pathOf(path, length, id);
  if (found !== undefined) paths.packetProcessed(found, number, probing, id, now);
  return found;
}

/** What is due on a path, and how large its datagram shall be. */
function probe(paths: PathManager, now = 0): { path: Path; frames: RecordedFrame[]; size: number } | undefined {
  const path = paths.nextProbe(now);
  if (path === undefined) return undefined;
  const size = paths.probeSize(path);
  const memory = new Uint8Array(size);
  const writer = new FrameWriter(memory, 0, size);
  paths.writeProbe(path, writer, now);
  const { handler, frames } = recordFrames();
  parseFrames(memory.subarray(0, writer.position), 'oneRtt', handler);
  paths.datagramSent(path, size);
  return { path, frames, size };
}

const dataOf = (frame: RecordedFrame | undefined): Uint8Array => Buffer.from(String(frame?.[1]), 'hex');

function events(paths: PathManager): string[] {
  const all: string[] = [];
  for (let event = paths.nextEvent(); event !== undefined; event = paths.nextEvent()) {
    const kept = event.type === 'CurrentPathChanged' ? ` ${event.keepsCongestion ? 'kept' : 'reset'}` : '';
    all.push('path' in event ? `${event.type} ${event.path.network.remote}${kept}` : event.type);
  }
  return all;
}

/** Answers everything that is due, each on its own path. */
function answerAll(paths: PathManager, now: number): void {
  for (let due = probe(paths, now); due !== undefined; due = probe(paths, now)) {
    for (const frame of due.frames)
      if (frame[0] === 'pathChallengeReceived') paths.pathResponseReceived(dataOf(frame), now);
  }
}

describe('amplification', () => {
  it('sends an address without proof three times what it sent, junk counted (RFC 9000 section 8.1)', () => {
    const { paths } = rig({}, false);
    expect(paths.current.allowance).toBe(0);
    paths.datagramArrived(home, 1_200);
    paths.datagramArrived(home, 100);
    expect(paths.current.allowance).toBe(3_900);
    paths.datagramSent(paths.current, 3_800);
    expect(paths.current.allowance).toBe(100);
    paths.datagramSent(paths.current, 1_200);
    expect(paths.current.allowance).toBe(0);
    paths.addressValidated();
    expect(paths.current.allowance).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not bound a client, nor a server whose client showed a token (section 8.1)', () => {
    expect(rig({ role: 'client' }, false).paths.current.allowance).toBe(Number.POSITIVE_INFINITY);
    expect(rig({ validated: true }, false).paths.current.allowance).toBe(Number.POSITIVE_INFINITY);
  });

  it('counts a new path for itself', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second, length: 100 });
    expect(path?.allowance).toBe(300);
    paths.datagramArrived(away, 50);
    expect(path?.allowance).toBe(450);
  });
});

describe('path validation', () => {
  it('answers a challenge on the path on which it came, with at most three owed (section 8.2.2, CVE-2023-49295)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second, probing: true });
    for (let count = 1; count <= 5; count += 1) {
      if (path !== undefined) paths.pathChallengeReceived(path, new Uint8Array(8).fill(count), 0);
    }
    const due = probe(paths);
    expect(due?.path).toBe(path);
    const answers = due?.frames.filter(([name]) => name === 'pathResponseReceived');
    expect(answers).toEqual([1, 2, 3].map((value) => ['pathResponseReceived', `0${String(value)}`.repeat(8)]));
    expect(due?.size).toBe(1_200);
    expect(probe(paths)).toBeUndefined();
    expect(paths.current.network).toEqual(home);
  });

  it('asks back in the same datagram where the address is not proven, and once (sections 8.2 and 9)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second, probing: true }) as Path;
    paths.pathChallengeReceived(path, new Uint8Array(8).fill(7), 0);
    paths.pathChallengeReceived(path, new Uint8Array(8).fill(8), 0);
    const due = probe(paths);
    expect(due?.frames.map(([name]) => name)).toEqual([
      'pathResponseReceived',
      'pathResponseReceived',
      'pathChallengeReceived',
    ]);
    paths.pathResponseReceived(dataOf(due?.frames[2]), 1);
    expect(path.validated).toBe(true);
    // Proven when it comes: nothing has to be asked there any more, and nothing holds the server back.
    paths.pathChallengeReceived(path, new Uint8Array(8).fill(9), 2);
    arrive(paths, away, 2, { id: second, now: 2 });
    expect(paths.current).toBe(path);
    const frames = [probe(paths, 2), probe(paths, 2)].find((one) => one?.path === path)?.frames;
    expect(frames).toEqual([['pathResponseReceived', '09'.repeat(8)]]);
    expect(path.allowance).toBe(Number.POSITIVE_INFINITY);
  });

  it('forgets an address that only asked and does not answer (section 8.2.4)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second, probing: true }) as Path;
    paths.pathChallengeReceived(path, new Uint8Array(8).fill(7), 0);
    for (let at = paths.nextTimeout(); at !== undefined; at = paths.nextTimeout()) {
      paths.handleTimeout(at);
      while (probe(paths, at) !== undefined);
    }
    expect(events(paths)).toEqual(['PathClosed 203.0.113.9:5000']);
    expect([paths.has(away), paths.current.network]).toEqual([false, home]);
  });

  it('asks nothing back as a client, nor on the path in use', () => {
    const server = rig().paths;
    server.pathChallengeReceived(server.current, new Uint8Array(8), 0);
    const client = rig({ role: 'client' }).paths;
    client.pathChallengeReceived(client.current, new Uint8Array(8), 0);
    for (const paths of [server, client]) {
      expect(probe(paths)?.frames.map(([name]) => name)).toEqual(['pathResponseReceived']);
    }
  });

  it('does not expand an answer beyond the amplification limit (section 8.2.2)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second, probing: true, length: 60 });
    if (path !== undefined) paths.pathChallengeReceived(path, new Uint8Array(8), 0);
    expect(probe(paths)?.size).toBe(180);
  });

  it('sends each challenge with data of its own, and less and less often (sections 8.2.1, 8.2.4)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second });
    for (let count = 0; count < 20; count += 1) paths.datagramArrived(away, 1_200);
    const seen = new Set<string>();
    const times: number[] = [];
    for (let now = 0; now < 2_997; now += 1) {
      for (let due = probe(paths, now); due !== undefined; due = probe(paths, now)) {
        if (due.path !== path) continue;
        times.push(now);
        seen.add(String(due.frames[0]?.[1]));
      }
    }
    expect(times).toEqual([0, 100, 100, 300, 300, 700, 700, 1_500, 1_500]);
    expect(seen.size).toBe(9);
  });

  it('takes the answer to any of them, on whichever path (section 8.2.3)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second });
    const [challenge] = [probe(paths), probe(paths)].filter((due) => due?.path === path);
    events(paths);
    paths.pathResponseReceived(new Uint8Array(8).fill(0xee), 1);
    expect(path?.validated).toBe(false);
    expect(events(paths)).toEqual([]);
    paths.pathResponseReceived(dataOf(challenge?.frames[0]), 1);
    expect(path?.validated).toBe(true);
    expect(events(paths)).toEqual(['PathValidated 203.0.113.9:5000']);
  });

  it('validates again with 1200 bytes when the first challenge was smaller (section 8.2.1)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second, length: 200 });
    const challenge = [probe(paths), probe(paths)].find((due) => due?.path === path);
    expect(challenge?.size).toBe(600);
    paths.pathResponseReceived(dataOf(challenge?.frames[0]), 1);
    expect(path?.validated).toBe(true);
    const again = probe(paths, 1);
    expect([again?.path, again?.size]).toEqual([path, 1_200]);
  });

  it('stays where only that failed and no other path is left: the address was validated (section 9.3.2)', () => {
    const { paths } = rig();
    const path = arrive(paths, away, 1, { id: second, length: 200 });
    const challenge = [probe(paths), probe(paths)].find((due) => due?.path === path);
    paths.pathResponseReceived(dataOf(challenge?.frames[0]), 1);
    for (let at = paths.nextTimeout(); at !== undefined; at = paths.nextTimeout()) {
      paths.handleTimeout(at);
      while (probe(paths, at) !== undefined);
    }
    const told = events(paths);
    expect(told).toContain('PathClosed 198.51.100.1:5000');
    expect(told).not.toContain('NoPathLeft');
    expect(paths.current).toBe(path);
  });
});

describe('a peer that moves', () => {
  it('stays before the handshake is confirmed: other addresses are not looked at (section 9)', () => {
    const { paths } = rig({}, false);
    expect(arrive(paths, away, 1, { id: second })).toBeUndefined();
    expect(paths.current.network).toEqual(home);
  });

  it('keeps nothing for an address from which nothing authentic came', () => {
    const { paths } = rig();
    expect(paths.datagramArrived(away, 1_200)).toBeUndefined();
    expect(paths.nextTimeout()).toBeUndefined();
  });

  it('is followed at a packet that is more than a probe, and both paths are challenged (sections 9.3, 9.3.3)', () => {
    const { paths, ids } = rig();
    const probed = arrive(paths, away, 1, { id: second, probing: true });
    expect(paths.current.network).toEqual(home);
    expect(probe(paths)).toBeUndefined();
    arrive(paths, away, 2, { id: second });
    expect(paths.current).toBe(probed);
    expect(events(paths)).toEqual(['CurrentPathChanged 203.0.113.9:5000 reset']);
    const due = [probe(paths), probe(paths)].map((one) => one?.path.network.remote);
    expect(due.sort()).toEqual([home.remote, away.remote].sort());
    expect(ids.destination(probed?.id ?? -1)).toEqual(new Uint8Array(8).fill(11));
  });

  it('is followed by its newest packet only (section 9.3)', () => {
    const { paths } = rig();
    arrive(paths, home, 7);
    arrive(paths, away, 5, { id: second });
    expect(paths.current.network).toEqual(home);
  });

  it('keeps window and id when only the port differs: a NAT (sections 9.4, 9.5)', () => {
    const { paths, ids } = rig();
    const path = arrive(paths, rebound, 1);
    expect(events(paths)).toEqual(['CurrentPathChanged 198.51.100.1:6000 kept']);
    expect(ids.destination(path?.id ?? -1)).toEqual(ids.destination(0));
    expect(path?.sharesId).toBe(true);
  });

  it('is called by another id when it took another id (section 9.5)', () => {
    const { paths, ids } = rig();
    const path = arrive(paths, rebound, 1, { id: second });
    expect(path?.sharesId).toBe(false);
    expect(ids.destination(path?.id ?? -1)).toEqual(new Uint8Array(8).fill(11));
  });

  it('is followed without another id when its ids are empty, and never told to retire it (section 5.1.1)', () => {
    const { paths, ids } = rig({}, true, 0, 0);
    const path = arrive(paths, away, 1, { id: second });
    expect(paths.current.network).toEqual(away);
    expect(ids.destination(path?.id ?? -1)).toEqual(new Uint8Array(0));
    answerAll(paths, 1);
    for (let at = paths.nextTimeout(); at !== undefined; at = paths.nextTimeout()) paths.handleTimeout(at);
    expect([paths.has(home), ids.hasPending, ids.destination(path?.id ?? -1)?.length]).toEqual([false, false, 0]);
  });

  it('does not move itself towards a server whose ids are empty (section 9.5)', () => {
    const { paths } = rig({ role: 'client' }, true, 0, 0);
    expect(paths.probe(network(home.remote, '192.0.2.9:6000'), true, 0)).toBeUndefined();
  });

  it('is not answered elsewhere when there is no id left for another path (section 9.5)', () => {
    const { paths } = rig({}, true, 0);
    expect(arrive(paths, away, 1, { id: second })).toBeUndefined();
    expect(paths.current.network).toEqual(home);
  });

  it('is refused where we said disable_active_migration, but for its NAT (section 9.1)', () => {
    const { paths } = rig({ refuseMigration: true });
    expect(arrive(paths, away, 1, { id: second })).toBeUndefined();
    expect(arrive(paths, rebound, 2)?.network).toEqual(rebound);
  });

  it('leaves its old path behind once the new one has proved itself, and its id with it (section 5.1.2)', () => {
    const { paths, ids } = rig();
    arrive(paths, away, 1, { id: second });
    answerAll(paths, 0);
    events(paths);
    for (let at = paths.nextTimeout(); at !== undefined; at = paths.nextTimeout()) {
      expect(at).toBeLessThan(10_000);
      paths.handleTimeout(at);
    }
    expect(events(paths)).toEqual(['PathClosed 198.51.100.1:5000']);
    expect(ids.destination(0)).toBeUndefined();
    expect(ids.hasPending).toBe(true);
  });

  it('is looked for where it was when the new path fails (section 9.3.2)', () => {
    const { paths } = rig();
    arrive(paths, away, 1, { id: second });
    // The old path answers, the new one does not: somebody else sent from there (section 9.3.3).
    for (let due = probe(paths); due !== undefined; due = probe(paths)) {
      if (due.path.network.remote === home.remote) paths.pathResponseReceived(dataOf(due.frames[0]), 1);
    }
    events(paths);
    paths.handleTimeout(3_000);
    expect(events(paths)).toEqual(['CurrentPathChanged 198.51.100.1:5000 reset', 'PathClosed 203.0.113.9:5000']);
    expect(paths.nextTimeout()).toBeUndefined();
  });

  it('is given up when no path answers (section 9.3.2)', () => {
    const { paths } = rig();
    arrive(paths, away, 1, { id: second });
    for (
      let at = paths.nextTimeout(), count = 0;
      at !== undefined && count < 20;
      at = paths.nextTimeout(), count += 1
    ) {
      paths.handleTimeout(at);
      while (probe(paths, at) !== undefined);
    }
    expect(events(paths)).toContain('NoPathLeft');
  });

  it('goes back to its old path by sending there (section 9.3.3)', () => {
    const { paths } = rig();
    arrive(paths, away, 1, { id: second });
    arrive(paths, home, 2);
    expect(events(paths)).toEqual([
      'CurrentPathChanged 203.0.113.9:5000 reset',
      'CurrentPathChanged 198.51.100.1:5000 reset',
    ]);
    expect(paths.current.validated).toBe(true);
  });

  it('has at most four paths: the oldest that is not needed goes (a flood of copied packets)', () => {
    const { paths, ids } = rig({}, true, 7);
    for (let count = 1; count <= 50; count += 1) {
      for (let sequence = 8; ids.unused < 3; sequence += 1) {
        const next = count * 100 + sequence;
        ids.newConnectionIdReceived(
          next,
          0,
          Uint8Array.of(next >> 8, next & 0xff, 1, 1),
          new Uint8Array(16).fill(next),
        );
        for (const frame of retirements(ids)) ids.acknowledged(frame);
      }
      arrive(paths, network(`203.0.113.${String(count)}:1`), count, { id: second, probing: true });
    }
    expect(events(paths).filter((event) => event.startsWith('PathClosed'))).toHaveLength(47);
    expect(paths.current.network).toEqual(home);
  });
});

function retirements(ids: PeerConnectionIds): SentFrame[] {
  const memory = new Uint8Array(500);
  const sent: SentFrame[] = [];
  ids.write(new FrameWriter(memory, 0, 500), sent, 'oneRtt', 0);
  return sent;
}

describe('a client that moves', () => {
  const client = (): Rig => rig({ role: 'client', first: network('192.0.2.1:443', '10.0.0.1:1') });
  const mobile = network('192.0.2.1:443', '10.9.9.9:1');
  const preferred = network('192.0.2.77:443', '10.0.0.1:1');

  it('takes nothing from servers that it has not sent to (section 9)', () => {
    const { paths } = client();
    expect(arrive(paths, network('203.0.113.5:443', '10.0.0.1:1'), 1)).toBeUndefined();
    expect(arrive(paths, network('192.0.2.1:443', '10.0.0.1:2'), 2)).toBe(paths.current);
  });

  it('moves at once, challenges the new path under a new id, and drops the old one later (section 9.2)', () => {
    const { paths, ids } = client();
    expect(paths.migrate(mobile, 0)).toBe(true);
    expect(paths.current.network).toEqual(mobile);
    expect(ids.destination(paths.current.id)).toEqual(new Uint8Array(8).fill(11));
    expect(probe(paths)?.path).toBe(paths.current);
    expect(events(paths)).toEqual(['CurrentPathChanged 192.0.2.1:443 reset']);
  });

  it('comes back when the new path does not answer', () => {
    const { paths } = client();
    paths.migrate(mobile, 0);
    probe(paths);
    events(paths);
    paths.handleTimeout(3_000);
    expect(paths.current.network.local).toBe('10.0.0.1:1');
  });

  it('tests the preferred address first, and goes there when it answers (section 9.6.1)', () => {
    const { paths } = client();
    const path = paths.probe(preferred, true, 0);
    expect(paths.current.network.remote).toBe('192.0.2.1:443');
    const due = probe(paths);
    expect(due?.path).toBe(path);
    paths.pathResponseReceived(dataOf(due?.frames[0]), 5);
    expect(paths.current).toBe(path);
    expect(events(paths)).toEqual(['CurrentPathChanged 192.0.2.77:443 reset']);
    expect(arrive(paths, preferred, 9)).toBe(path);
  });

  it('does not move before the handshake is confirmed, nor without a spare id (sections 9, 9.5)', () => {
    expect(rig({ role: 'client' }, false).paths.migrate(mobile, 0)).toBe(false);
    expect(rig({ role: 'client' }, true, 0).paths.migrate(mobile, 0)).toBe(false);
    expect(rig().paths.migrate(mobile, 0)).toBe(false);
  });
});
