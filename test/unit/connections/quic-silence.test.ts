/** A client's connection that hears nothing any more looks whether it still has its address (RFC 9000 section 9). */
import { describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../../src/common/index.ts';
import type { QuicEndpointDriver } from '../../../src/connections/quic-endpoint-driver.ts';
import { QuicMoves } from '../../../src/connections/quic-moves.ts';
import type { UdpClientNetworking, UdpSocket } from '../../../src/networking/index.ts';
import type { QuicConnection } from '../../../src/protocols/quic/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const REMOTE = '192.0.2.1:443';

/** A socket that does nothing but be there. */
class IdleSocket implements UdpSocket {
  readonly localAddress;
  readonly path: NetworkPath;
  readonly dropped = 0;
  closed = false;

  constructor(host: string, port: number) {
    this.localAddress = { family: 'ipv4', host, port } as const;
    this.path = { local: `${host}:${String(port)}`, remote: REMOTE };
  }

  send(): boolean {
    return true;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** A connection at 10.0.0.2, and the sockets that were opened for it since. */
class Scene {
  readonly sockets: IdleSocket[] = [];
  readonly migrations: NetworkPath[] = [];
  /** From where the system would call the server now; `undefined`: not at all. */
  host: string | undefined = '10.0.0.2';
  /** What the server allows: false as by disable_active_migration. */
  allowed = true;
  readonly connection: { currentPath: NetworkPath; handshakeConfirmed: boolean; unansweredProbes: number };
  readonly moves: QuicMoves;

  constructor() {
    const first = new IdleSocket('10.0.0.2', 1_000);
    const known = new Set<NetworkPath>([first.path]);
    const connection = {
      currentPath: first.path,
      handshakeConfirmed: true,
      unansweredProbes: 0,
      knowsPath: (path: NetworkPath): boolean => known.has(path),
      migrate: (path: NetworkPath): boolean => {
        if (!this.allowed) return false;
        known.add(path);
        this.migrations.push(path);
        return true;
      },
    };
    this.connection = connection;
    const networking = {
      clock: new ManualClock(),
      connectUdp: (): Promise<UdpSocket> => {
        if (this.host === undefined) return Promise.reject(new Error('no network'));
        const socket = new IdleSocket(this.host, 1_001 + this.sockets.length);
        this.sockets.push(socket);
        return Promise.resolve(socket);
      },
    };
    this.moves = new QuicMoves({
      networking: networking as unknown as UdpClientNetworking,
      endpoint: { open: () => {} } as unknown as QuicEndpointDriver,
      connection: connection as unknown as QuicConnection,
      first,
      receiveBuffer: undefined,
      wake: () => {},
    });
  }

  /** So many probes have gone unanswered; the connection is looked at twice. */
  async silence(probes: number): Promise<void> {
    this.connection.unansweredProbes = probes;
    this.moves.look();
    this.moves.look();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a connection that hears nothing (RFC 9002 section 6.2)', () => {
  it('stays where it is while the system would still call from the same address', async () => {
    const scene = new Scene();
    await scene.silence(1);
    expect(scene.sockets).toEqual([]);
    await scene.silence(2);
    await scene.silence(3);
    expect(scene.sockets.map(({ closed }) => closed)).toEqual([true, true]);
    expect(scene.migrations).toEqual([]);
    // An answer came, and later it is silent again.
    await scene.silence(0);
    await scene.silence(2);
    expect(scene.sockets.map(({ closed }) => closed)).toEqual([true, true, true]);
  });

  it('goes to the address from which the system would call now', async () => {
    const scene = new Scene();
    scene.host = '10.0.0.7';
    await scene.silence(2);
    expect(scene.migrations).toEqual([{ local: '10.0.0.7:1001', remote: REMOTE }]);
    // That one is tested first: until then there is no other move.
    await scene.silence(3);
    expect(scene.migrations.length).toBe(1);
    expect(scene.sockets.map(({ closed }) => closed)).toEqual([false]);
  });

  it('tries again at the next probe when there was no network', async () => {
    const scene = new Scene();
    scene.host = undefined;
    await scene.silence(2);
    scene.host = '10.0.0.7';
    await scene.silence(3);
    expect(scene.migrations.length).toBe(1);
  });

  it('stays where the server forbids it to move, by disable_active_migration (section 18.2)', async () => {
    const scene = new Scene();
    scene.host = '10.0.0.7';
    scene.allowed = false;
    await scene.silence(2);
    expect(scene.sockets.map(({ closed }) => closed)).toEqual([true]);
  });

  it('stays before the handshake is confirmed (section 9)', async () => {
    const scene = new Scene();
    scene.host = '10.0.0.7';
    scene.connection.handshakeConfirmed = false;
    await scene.silence(2);
    expect(scene.sockets).toEqual([]);
  });

  it('opens nothing once it is over', async () => {
    const scene = new Scene();
    scene.host = '10.0.0.7';
    scene.moves.end();
    await scene.silence(2);
    expect(scene.sockets.filter(({ closed }) => !closed)).toEqual([]);
    expect(scene.migrations).toEqual([]);
  });
});
