/**
 * Too many connections, and connections that do not end (slowloris by numbers).
 *
 * RFC 9112 section 9.6; RFC 6177, RFC 7934 on counting by /64 (test/unit/connections). CVE-2022-30591 and its kin.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { asgi } from '../../src/app/index.ts';
import type { AsgiApp } from '../../src/app/index.ts';
import { HttpOverTcpListener, systemNetworking } from '../../src/connections/index.ts';
import { Http1ServerFactory } from '../../src/protocols/http1/index.ts';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';
import { tripsLimit } from '../support/limits.ts';

const siege = new Siege();
afterAll(() => siege.stop());

const MEANWHILE = (): Response => new Response('meanwhile');

async function until(condition: () => boolean, milliseconds = 5_000): Promise<boolean> {
  for (let waited = 0; waited < milliseconds && !condition(); waited += 10) await sleep(10);
  return condition();
}

/** How many of the connections are open still. */
async function openOnes(ids: readonly number[]): Promise<number> {
  const states = await siege.attacker.states(ids);
  return states.filter((state) => !state.closed && !state.ended && state.error === undefined).length;
}

describe('connections at once', () => {
  it('maxConnections: a further one is reset, and served again when there is room', async () => {
    tripsLimit('serverLimits.maxConnections');
    const victim = await siege.serve(MEANWHILE, { limits: { maxConnections: 20 } });
    await siege.meanwhile(victim);
    const ids = await siege.attacker.connectMany(victim.target, 50);
    await until(() => victim.running.connections.size === 20);
    await sleep(100);
    expect(victim.running.connections.size).toBe(20);
    expect(await openOnes(ids)).toBe(20);
    await siege.attacker.destroy(ids);
    await until(() => victim.running.connections.size === 0);
    await siege.meanwhile(victim);
  });

  // Another address of this machine, which not every system has without being asked.
  it.skipIf(process.platform === 'darwin')(
    'maxConnectionsPerAddress: one address does not take the places of another',
    async () => {
      tripsLimit('serverLimits.maxConnectionsPerAddress');
      const victim = await siege.serve(MEANWHILE, { limits: { maxConnectionsPerAddress: 10 } });
      await siege.withstands(victim, async (atItsHeight) => {
        const ids = await siege.attacker.connectMany({ ...victim.target, localAddress: '127.0.0.2' }, 100);
        await until(() => victim.running.connections.size === 10);
        await sleep(100);
        expect(await openOnes(ids)).toBe(10);
        await atItsHeight();
        await siege.attacker.destroy(ids);
      });
    },
  );

  it('a thousand idle ones cost little and disturb nobody', async () => {
    const victim = await siege.serve(MEANWHILE);
    await siege.withstands(
      victim,
      async (atItsHeight) => {
        const ids = await siege.attacker.connectMany(victim.target, 900, 'GET / HT');
        expect(await until(() => victim.running.connections.size >= 900)).toBe(true);
        await atItsHeight();
        await siege.attacker.destroy(ids);
        expect(await until(() => victim.running.connections.size === 0)).toBe(true);
      },
      // Some 15 KiB each.
      { retained: 16 << 20 },
    );
  });

  it('that come and go leave nothing behind', async () => {
    const victim = await siege.serve(MEANWHILE);
    await siege.withstands(victim, async (atItsHeight) => {
      for (let round = 0; round < 10; round += 1) {
        const ids = await siege.attacker.connectMany(victim.target, 100, round % 2 === 0 ? 'GET / HTTP' : undefined);
        await siege.attacker.destroy(ids, { reset: round % 3 === 0 });
      }
      expect(await until(() => victim.running.connections.size === 0)).toBe(true);
      await atItsHeight();
    });
  });

  it('maxWaitingConnections: nobody takes them: a further one is reset', async () => {
    tripsLimit('listenerLimits.maxWaitingConnections');
    const listener = new HttpOverTcpListener({
      networking: systemNetworking(),
      factory: new Http1ServerFactory(),
      limits: { maxWaitingConnections: 5 },
    });
    const listening = await listener.listen({ scheme: 'http', host: '127.0.0.1', port: 0, unixPath: undefined });
    const port = listening.endpoints[0]?.port ?? 0;
    const ids = await siege.attacker.connectMany({ port }, 20);
    await sleep(200);
    expect(await openOnes(ids)).toBe(5);
    let taken = 0;
    for await (const connection of listening) {
      connection.abort();
      taken += 1;
      if (taken === 5) break;
    }
    expect(taken).toBe(5);
    await siege.attacker.destroy(ids);
    await listening.close();
  });
});

describe('a connection whose end is decided', () => {
  function impatient(): Promise<Victim> {
    return siege.serve(MEANWHILE, {
      http1Factory: new Http1ServerFactory({ limits: { lingerTimeout: 150 } }),
      connectionLimits: { lingerTimeout: 150, maxLingerTime: 400 },
    });
  }

  it('lingerTimeout: is let go although the peer never ends its side', async () => {
    tripsLimit('connectionLimits.lingerTimeout');
    const victim = await impatient();
    const socket = await siege.attacker.connect(victim.target);
    await socket.write('GET / HTTP/1.1\r\n\r\n');
    expect((await socket.untilEnd()).text).toMatch(/^HTTP\/1\.1 400 /);
    await siege.meanwhile(victim);
    expect(await until(() => victim.running.connections.size === 0)).toBe(true);
    await socket.destroy();
  });

  it('maxLingerTime: is let go although the peer goes on dripping', async () => {
    tripsLimit('connectionLimits.maxLingerTime');
    const victim = await impatient();
    const socket = await siege.attacker.connect(victim.target);
    await socket.write('GET / HTTP/1.1\r\n\r\n');
    const dripping = socket.pieces(
      Array.from({ length: 200 }, () => 'x'),
      10,
    );
    expect(await until(() => victim.running.connections.size === 0, 1_500)).toBe(true);
    await dripping;
    await socket.destroy();
  });

  it('lingerTimeout: is reset although the peer takes nothing of the last response', async () => {
    const big = new Uint8Array(8 << 20);
    const victim = await siege.serve(
      (request) => new Response(request.url.endsWith('/meanwhile') ? 'meanwhile' : big.slice()),
      {
        http1Factory: new Http1ServerFactory({ limits: { lingerTimeout: 150, writeTimeout: 300 } }),
        connectionLimits: { lingerTimeout: 150 },
      },
    );
    const socket = await siege.attacker.connect(victim.target);
    await socket.pause();
    await socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await siege.meanwhile(victim);
    expect(await until(() => victim.running.connections.size === 0, 20_000)).toBe(true);
    await socket.destroy();
  });

  it('lingerBytes: is let go although the peer goes on sending', async () => {
    tripsLimit('connectionLimits.lingerBytes');
    const victim = await siege.serve(MEANWHILE, {
      http1Factory: new Http1ServerFactory({ limits: { lingerTimeout: 60_000, maxDrainBytes: 10_000 } }),
      connectionLimits: { lingerTimeout: 60_000, lingerBytes: 100_000 },
    });
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write('GET / HTTP/1.1\r\n\r\n');
      const { sent, over } = await socket.flood({ unit: 'x'.repeat(1024), total: 64 << 20 });
      expect(over).toBe(true);
      expect(sent).toBeLessThan(48 << 20);
      await atItsHeight();
      await socket.destroy();
    });
  });
});

describe("the server's own names for timeouts", () => {
  it('head, bodyIdle, writeProgress, keepAlive: reach the connections', async () => {
    tripsLimit(
      'serverTimeouts.head',
      'serverTimeouts.bodyIdle',
      'serverTimeouts.writeProgress',
      'serverTimeouts.keepAlive',
    );
    const big = new Uint8Array(16 << 20);
    const victim = await siege.serve(
      async (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === '/read') await request.text();
        return new Response(pathname === '/big' ? big.slice() : 'hello');
      },
      { timeouts: { head: 1_000, bodyIdle: 1_000, writeProgress: 1_000, keepAlive: 1_000 } },
    );
    const [head, body, idle, write] = await Promise.all([
      siege.attacker.connect(victim.target),
      siege.attacker.connect(victim.target),
      siege.attacker.connect(victim.target),
      siege.attacker.connect(victim.target),
    ]);
    await head.write('GET / HTTP/1.1\r\nHost: a\r\n');
    await body.write('POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nh');
    await idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await write.pause();
    await write.write('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
    await siege.meanwhile(victim);
    expect((await head.untilEnd()).text).toMatch(/^HTTP\/1\.1 408 /);
    expect((await body.untilEnd()).text).toMatch(/^HTTP\/1\.1 408 /);
    const waited = await idle.untilEnd();
    expect(waited.ended).toBe(true);
    expect(waited.text).not.toContain(' 408 ');
    // Those whose peer has not ended its side linger; the one that takes nothing is reset.
    await Promise.all([head, body, idle].map((socket) => socket.destroy()));
    expect(await until(() => victim.running.connections.size === 0, 20_000)).toBe(true);
    await write.destroy();
  });

  it('maxHeaderBytes, maxHeaderCount, maxBodyBytes: reach the engine', async () => {
    tripsLimit(
      'serverLimits.maxHeaderBytes',
      'serverLimits.maxHeaderCount',
      'serverLimits.maxBodyBytes',
      'http1ServerLimits.maxBodyBytes',
    );
    const victim = await siege.serve(async (request) => new Response(`read ${String((await request.text()).length)}`), {
      limits: { maxHeaderBytes: 1_000, maxHeaderCount: 10, maxBodyBytes: 1_000 },
    });
    const ask = async (fields: string, content = ''): Promise<string> =>
      (await siege.attacker.exchange(victim.target, `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${content}`)).text;
    expect(await ask(`X: ${'y'.repeat(1_000)}\r\n`)).toMatch(/^HTTP\/1\.1 431 [^]*maxHeaderBytes/);
    expect(await ask('a: b\r\n'.repeat(10))).toMatch(/^HTTP\/1\.1 431 [^]*maxHeaderCount/);
    expect(await ask('Content-Length: 1001\r\n')).toMatch(/^HTTP\/1\.1 413 [^]*maxBodyBytes/);
    expect(await ask('Transfer-Encoding: chunked\r\n', '3e9\r\n')).toMatch(/^HTTP\/1\.1 413 [^]*maxBodyBytes/);
    expect(await ask('Content-Length: 1000\r\nConnection: close\r\n', 'x'.repeat(1_000))).toContain('read 1000');
    await siege.meanwhile(victim);
  });

  it('drain: running requests end with the bound', async () => {
    tripsLimit('serverTimeouts.drain');
    const victim = await siege.serve(
      (request) =>
        request.url.endsWith('/meanwhile') ? new Response('meanwhile') : new Promise<Response>(() => undefined),
      { timeouts: { drain: 200 } },
    );
    await siege.meanwhile(victim);
    const socket = await siege.attacker.connect(victim.target);
    await socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await until(() => victim.running.connections.size === 1)).toBe(true);
    const began = performance.now();
    await victim.running.drain();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect((await socket.untilEnd()).reached).toBe(true);
    await socket.destroy();
  });

  it('startup, shutdown: an app whose lifespan hangs', async () => {
    tripsLimit('serverTimeouts.startup', 'serverTimeouts.shutdown');
    const hangsAt =
      (phase: string): AsgiApp =>
      async (scope, receive, send) => {
        if (scope.type !== 'lifespan') return;
        for (;;) {
          const { type } = await receive();
          if (type === `lifespan.${phase}`) await new Promise(() => undefined);
          await send({ type: `${type}.complete` } as Parameters<typeof send>[0]);
        }
      };
    const options = { timeouts: { startup: 150, shutdown: 150 } } as const;
    await expect(siege.serveApp(asgi(hangsAt('startup')), options)).rejects.toMatchObject({ timer: 'startup' });
    const errors: unknown[] = [];
    const victim = await siege.serveApp(asgi(hangsAt('shutdown')), {
      ...options,
      onError: (error) => errors.push(error),
    });
    await victim.running.close();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ timer: 'shutdown' });
  });
});
