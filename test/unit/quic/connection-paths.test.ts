import { describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../../src/common/index.ts';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import { ConnectionPair, traceOf } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };

function confirmed(over: ConstructorParameters<typeof ConnectionPair>[0] = {}): ConnectionPair {
  return new ConnectionPair({ ...KEYLOG, ...over }).connect().wait(200);
}

function talk(pair: ConnectionPair, length = 2_000): void {
  const id = pair.client.openStream(true);
  pair.client.writeStream(id, Buffer.alloc(length, 1), true);
  pair.run(pair.now + 20_000, () => pair.finished.server.has(id));
  pair.side('server').writeStream(id, Buffer.alloc(length, 2), true);
  pair.run(pair.now + 20_000, () => pair.finished.client.has(id));
  expect(pair.bytes('client', id).length).toBe(length);
  pair.wait(100);
}

describe('a client whose address changes (RFC 9000 section 9)', () => {
  it('is followed when its port does (NAT rebinding)', () => {
    const pair = confirmed();
    talk(pair);
    const rebound: NetworkPath = { local: '10.0.0.2:443', remote: '10.0.0.1:6000' };
    pair.serverSees = rebound;
    talk(pair, 50_000);
    expect(pair.server?.currentPath).toEqual(rebound);
    pair.wait(3_000);
    talk(pair);
    expect(pair.closed('server')).toBeUndefined();
  });

  it('is followed when its host does, with a window of its own (section 9.4)', () => {
    const windows: number[] = [];
    const trace = traceOf({ metricsUpdated: (_now, { window }) => windows.push(window) });
    const pair = confirmed({ server: { keylog: true, trace } });
    talk(pair, 300_000);
    const before = windows.at(-1) ?? 0;
    expect(before).toBeGreaterThan(20_000);
    windows.length = 0;
    pair.serverSees = { local: '10.0.0.2:443', remote: '10.9.9.9:6000' };
    talk(pair);
    expect(Math.min(...windows)).toBeLessThan(15_000);
    expect(pair.server?.currentPath.remote).toBe('10.9.9.9:6000');
  });

  it('migrates of its own will once the new path answers (section 9.2)', () => {
    const pair = confirmed();
    talk(pair);
    const next: NetworkPath = { local: '10.0.0.7:7000', remote: '10.0.0.2:443' };
    expect(pair.client.migrate(next)).toBe(true);
    const before = pair.sent.length;
    pair.wait(200);
    expect(pair.client.currentPath).toEqual(next);
    // Datagrams that test a path are 1200 bytes long (section 8.2.1).
    const probes = pair.sent.slice(before).filter(({ path }) => path.remote === '10.0.0.7:7000');
    expect(probes[0]?.data.length).toBe(1_200);
    talk(pair, 50_000);
    expect(pair.server?.currentPath.remote).toBe('10.0.0.7:7000');
    expect(pair.closed('client')).toBeUndefined();
  });

  it('does not where the server says no (section 18.2)', () => {
    const pair = confirmed({ server: { keylog: true, disableActiveMigration: true } });
    expect(pair.client.migrate({ local: '10.0.0.7:7000', remote: '10.0.0.2:443' })).toBe(false);
  });

  it('does not before the handshake is confirmed (section 9)', () => {
    const pair = new ConnectionPair();
    pair.run(30);
    expect(pair.client.migrate({ local: '10.0.0.7:7000', remote: '10.0.0.2:443' })).toBe(false);
  });

  it('goes to the preferred address of the server (section 9.6)', () => {
    const preferredAddress = { ipv4: { address: Buffer.from([10, 0, 0, 99]), port: 444 }, ipv6: undefined };
    const pair = confirmed({ server: { keylog: true, preferredAddress } });
    expect(pair.client.currentPath.remote).toBe('10.0.0.99:444');
    talk(pair);
    expect(pair.closed('client')).toBeUndefined();
  });

  it('is told of the preferred address where each path needs a socket, and may go there although it may not migrate (section 18.2)', () => {
    const preferredAddress = { ipv4: { address: Buffer.from([10, 0, 0, 99]), port: 444 }, ipv6: undefined };
    const pair = confirmed({
      client: { keylog: true, socketPerPath: true },
      server: { keylog: true, preferredAddress, disableActiveMigration: true },
    });
    const { client } = pair;
    expect(client.currentPath.remote).toBe('10.0.0.2:443');
    expect(pair.notices.client).toContainEqual({ type: 'PreferredAddressOffered', remote: '10.0.0.99:444' });
    expect(client.migrate({ local: '10.0.0.7:7000', remote: '10.0.0.2:443' })).toBe(false);
    const path = { local: '10.0.0.7:7000', remote: '10.0.0.99:444' };
    expect([client.knowsPath(path), client.migrate(path), client.knowsPath(path)]).toEqual([false, true, true]);
    talk(pair, 50_000);
    expect(client.currentPath).toBe(path);
    expect(pair.closed('client')).toBeUndefined();
  });
});

describe('PATH_CHALLENGE (RFC 9000 section 8.2)', () => {
  it('is answered on the path on which it came, in 1200 bytes', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'client');
    rogue.send('oneRtt', frame(0x1a, 'abcdefgh'), { size: 1_200 });
    const [answer] = pair.side('server').datagramsToSend(pair.now, 10);
    expect(answer?.path).toEqual(pair.serverSees);
    expect(answer?.segmentSize).toBe(1_200);
  });

  it('in a flood is answered a few times (CVE-2023-6193)', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'client');
    for (let count = 0; count < 100; count += 1)
      rogue.send('oneRtt', frame(0x1a, Buffer.alloc(8, count)), { size: 1_200 });
    const datagrams = pair.side('server').datagramsToSend(pair.now, 100);
    expect(datagrams.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThan(5_000);
    expect(pair.closed('server')).toBeUndefined();
  });

  it('answered with what was not asked means nothing', () => {
    const pair = confirmed();
    expect(new Rogue(pair, 'client').send('oneRtt', frame(0x1b, 'abcdefgh'))).toBeUndefined();
  });
});

describe('connection ids (RFC 9000 section 5.1)', () => {
  it('are issued as the peer keeps them, and retired when asked for', () => {
    const pair = confirmed();
    const issued: string[] = [];
    const server = pair.side('server');
    for (let change = server.nextIdChange(); change !== undefined; change = server.nextIdChange()) {
      if (change.type === 'ConnectionIdIssued') issued.push(Buffer.from(change.id).toString('hex'));
      if (change.type === 'ConnectionIdRetired')
        issued.splice(issued.indexOf(Buffer.from(change.id).toString('hex')), 1);
    }
    expect(issued.length).toBe(4);
    const rogue = new Rogue(pair, 'server');
    const fresh = frame(0x18, 9, 9, '\x08', Buffer.alloc(8, 5), Buffer.alloc(16, 6));
    expect(rogue.send('oneRtt', fresh)).toBeUndefined();
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('x'), true);
    const [datagram] = pair.client.datagramsToSend(pair.now, 10);
    expect(Buffer.from(datagram?.data.subarray(1, 9) ?? []).equals(Buffer.alloc(8, 5))).toBe(true);
  });

  it('in a flood end the connection: CONNECTION_ID_LIMIT_ERROR (CVE-2024-22189)', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'server');
    let closed: ReturnType<ConnectionPair['closed']>;
    for (let sequence = 10; closed === undefined && sequence < 2_000; sequence += 1) {
      const bytes = frame(
        0x18,
        sequence,
        sequence,
        '\x08',
        Buffer.from(String(10_000_000 + sequence)),
        Buffer.alloc(16, 1),
      );
      closed = rogue.send('oneRtt', bytes);
    }
    expect(closed).toMatchObject({ errorCode: QuicError.connectionIdLimitError });
  });
});
