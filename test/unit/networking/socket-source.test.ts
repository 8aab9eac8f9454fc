/** Accepted sockets from elsewhere: a listener's second source, as a process has that is handed its connections. */
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import type { SocketAddress } from '../../../src/common/index.ts';
import { SystemNetworking, SystemSockets } from '../../../src/networking/index.ts';
import type { OpenSockets, SocketReceiver, SocketSource } from '../../../src/networking/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { ListenerRecorder, loopback, withSocketPath } from '../../support/networking-environment.ts';
import { bytesOf, StreamRecorder } from '../../support/stream-recorder.ts';

/** Keeps what it is given. */
class Taker implements SocketReceiver {
  readonly sockets: (readonly [net.Socket, SocketAddress])[] = [];
  readonly failures: Error[] = [];
  wake: () => void = () => undefined;

  connected(socket: net.Socket, address: SocketAddress): void {
    this.sockets.push([socket, address]);
    this.wake();
  }

  acceptFailed(error: Error): void {
    this.failures.push(error);
  }

  async first(): Promise<readonly [net.Socket, SocketAddress]> {
    if (this.sockets.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.sockets[0] as readonly [net.Socket, SocketAddress];
  }
}

const port = (sockets: OpenSockets): number => {
  const [address] = sockets.addresses;
  return address?.family === 'ipv4' ? address.port : 0;
};

describe('SystemSockets', () => {
  it('paused, leaves what the peer has sent in the system', async () => {
    const taker = new Taker();
    const options = { endpoint: loopback('http'), backlog: 10, reusePort: false };
    const sockets = await new SystemSockets({ paused: true }).open(options, taker);
    const client = net.connect(port(sockets), '127.0.0.1');
    client.write('first bytes');
    const [socket, address] = await taker.first();
    expect(address).toEqual(sockets.addresses[0]);
    expect(socket.bytesRead).toBe(0);
    const data = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))));
    socket.resume();
    expect(await data).toBe('first bytes');
    socket.destroy();
    client.destroy();
    await sockets.close();
  });

  it('gives a path and a busy port the errors of every listener', async () => {
    await withSocketPath(async (unixPath) => {
      const endpoint = { ...loopback('http'), unixPath };
      const sockets = await new SystemSockets().open({ endpoint, backlog: 10, reusePort: false }, new Taker());
      expect(sockets.addresses).toEqual([{ family: 'unix', path: unixPath }]);
      const again = new SystemSockets().open({ endpoint, backlog: 10, reusePort: false }, new Taker());
      const error: unknown = await again.catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(NetworkError);
      expect(error).toMatchObject({ code: 'ERR_ADDRESS_IN_USE', phase: 'listen' });
      await sockets.close();
    });
  });
});

describe('a listener on sockets of another source', () => {
  it('serves what it is handed, with the addresses that the source tells', async () => {
    const baseline = openSockets();
    const acceptor = new Taker();
    const accepting = await new SystemSockets().open(
      { endpoint: loopback('http'), backlog: 10, reusePort: false },
      acceptor,
    );
    let receiver: SocketReceiver | undefined;
    let closed = 0;
    const source: SocketSource = {
      open: async (_options, asked) => {
        receiver = asked;
        return {
          addresses: accepting.addresses,
          close: async () => {
            closed += 1;
          },
        };
      },
    };
    const networking = new SystemNetworking({ sockets: source });
    const accepted = new ListenerRecorder();
    const listener = await networking.listenTcp({ endpoint: loopback('http') }, accepted);
    expect(listener.addresses).toEqual(accepting.addresses);
    const client = net.connect(port(accepting), '127.0.0.1');
    client.write('hello');
    receiver?.connected(...(await acceptor.first()));
    const stream = StreamRecorder.start(await accepted.stream());
    await stream.bytes(5);
    expect(stream.text).toBe('hello');
    stream.stream.write(bytesOf('you'));
    expect(String(await new Promise((resolve) => client.once('data', resolve)))).toBe('you');
    receiver?.acceptFailed(new Error('no descriptor'));
    await listener.close();
    await listener.close();
    expect(closed).toBe(1);
    // What comes now is reset.
    const late = net.connect(port(accepting), '127.0.0.1');
    const reset = new Promise((resolve) => late.once('error', resolve));
    acceptor.sockets.length = 0;
    receiver?.connected(...(await acceptor.first()));
    expect(await reset).toMatchObject({ code: 'ECONNRESET' });
    stream.stream.abort();
    client.destroy();
    await accepting.close();
    await expectNoSocketsBesides(baseline);
  });
});
