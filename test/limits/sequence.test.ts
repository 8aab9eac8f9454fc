/**
 * What follows upon what: early responses, 100-continue, unread bodies, pipelines, upgrades, CONNECT.
 *
 * RFC 9112 sections 9.3, 9.3.2, 9.6; RFC 9110 sections 7.8, 9.3.6, 10.1.1; RFC 9931. "HTTP/1.1 must die" (2025):
 * 0.CL, Expect, double desync. CVE-2023-44487 in its HTTP/1 form.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http1ServerLimits } from '../../src/protocols/http1/limits.ts';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';

const siege = new Siege();
let victim: Victim;
const seen: string[] = [];
const held = new Set<() => void>();
let runningAtOnce = 0;
let mostAtOnce = 0;

const BIG = new Uint8Array(256 << 10).fill(0x61);

beforeAll(async () => {
  victim = await siege.serve(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/meanwhile') return new Response('meanwhile');
    seen.push(pathname);
    runningAtOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, runningAtOnce);
    try {
      if (pathname === '/read') return new Response(`read ${String((await request.text()).length)}`);
      if (pathname === '/big') return new Response(BIG.slice());
      if (pathname === '/held') {
        await new Promise<void>((resolve) => {
          held.add(resolve);
          request.signal.addEventListener('abort', () => resolve());
        });
      }
      return new Response(`answer to ${pathname};`);
    } finally {
      runningAtOnce -= 1;
    }
  });
});
afterAll(() => siege.stop());

/** Waits until no connection is left. */
async function idle(): Promise<void> {
  for (let look = 0; look < 500 && victim.running.connections.size > 0; look += 1) await sleep(20);
  expect(victim.running.connections.size).toBe(0);
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a response before the end of the request', () => {
  it('never leads to the rest being read as a request: content-length (0.CL)', async () => {
    seen.length = 0;
    const socket = await siege.attacker.connect(victim.target);
    // The app answers without reading; the content is a request.
    await socket.write(`POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: ${String(SMUGGLED.length)}\r\n\r\n`);
    await socket.until('answer to /early');
    await siege.meanwhile(victim);
    await socket.write(SMUGGLED + SMUGGLED);
    const { text } = await socket.untilEnd(2_000);
    expect(text.match(/HTTP\/1\.1 200/g)?.length).toBeLessThanOrEqual(2);
    // What was content is content; the second copy may be a request, the first never.
    expect(seen.filter((path) => path === '/smuggled').length).toBeLessThanOrEqual(1);
    expect(text.split('HTTP/1.1 ').length - 1).toBeLessThanOrEqual(2);
    await socket.destroy();
  });

  it('never leads to the rest being read as a request: the connection ends when the rest does not come', async () => {
    seen.length = 0;
    const socket = await siege.attacker.connect(victim.target);
    await socket.write('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    await socket.until('answer to /early');
    await socket.write(SMUGGLED.repeat(10));
    const { text, ended } = await socket.untilEnd();
    expect(ended, 'an unread body ends the connection').toBe(true);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(seen).toEqual(['/early']);
    await socket.destroy();
  });

  it('to a client that waits for 100: what comes is never a request', async () => {
    seen.length = 0;
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write('POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 37\r\n\r\n');
      const first = await socket.until('answer to /early');
      expect(first.text).not.toContain('100 Continue');
      expect(first.text).toMatch(/\r\nconnection: close\r\n/i);
      await socket.write(SMUGGLED);
      await atItsHeight();
      const { text, ended } = await socket.untilEnd();
      expect(ended).toBe(true);
      expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      await socket.destroy();
    });
    expect(seen).toEqual(['/early']);
  });

  it('100 is sent once, and only to an app that reads', async () => {
    const { text } = await siege.attacker.exchange(
      victim.target,
      'POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
    );
    // The content was there already: nobody waits for 100.
    expect(text.match(/HTTP\/1\.1 100/g)?.length ?? 0).toBeLessThanOrEqual(1);
    expect(text).toContain('read 5');
    const socket = await siege.attacker.connect(victim.target);
    await socket.write(
      'POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
    );
    expect((await socket.until('100 Continue')).reached).toBe(true);
    await socket.write('hello');
    const waited = await socket.untilEnd();
    expect(waited.text.match(/HTTP\/1\.1 100/g)).toHaveLength(1);
    expect(waited.text).toContain('read 5');
    await socket.destroy();
  });

  it('Expect with TE and CL is refused before 100', async () => {
    const { text } = await siege.attacker.exchange(
      victim.target,
      'POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('maxDrainBytes: what comes behind the last response is dropped, and not for ever', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000\r\n\r\n');
      const flood = await socket.flood({ unit: 'x'.repeat(4096), total: 256 << 20 });
      await atItsHeight();
      expect(flood.over, 'the connection is given up').toBe(true);
      expect(flood.sent).toBeLessThan(64 << 20);
      const { text } = await socket.state();
      // The answer arrives unless the reset overtook it on its way.
      if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 200 /);
      await socket.destroy();
    });
  });
});

describe('a pipeline', () => {
  it('is answered in order, one handler at a time (RFC 9112 section 9.3.2)', async () => {
    seen.length = 0;
    mostAtOnce = 0;
    const paths = Array.from({ length: 50 }, (_, index) => `/p${String(index)}`);
    const { text } = await siege.attacker.exchange(
      victim.target,
      paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('') +
        'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(seen).toEqual([...paths, '/last']);
    expect([...text.matchAll(/answer to (\S+?);/g)].map((match) => match[1])).toEqual([...paths, '/last']);
    expect(mostAtOnce).toBe(1);
  });

  it('behind a slow request waits in the peer, not here', async () => {
    seen.length = 0;
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
      const flood = await socket.flood({ unit: 'GET /flood HTTP/1.1\r\nHost: a\r\n\r\n', total: 128 << 20 });
      await atItsHeight();
      expect(flood.stalled, 'reading pauses').toBe(true);
      expect(seen).toEqual(['/held']);
      await socket.reset();
    });
    for (const release of held) release();
    held.clear();
    await idle();
  });

  it('maxUnsentBytes: of large responses that nobody reads does not grow the memory (slow read)', async () => {
    seen.length = 0;
    await siege.withstands(
      victim,
      async (atItsHeight) => {
        const socket = await siege.attacker.connect(victim.target);
        await socket.pause();
        // More than the system's buffers take, which grow to 32 MiB on some machines.
        const flood = await socket.flood({ unit: 'GET /big HTTP/1.1\r\nHost: a\r\n\r\n', total: 128 << 20 });
        await atItsHeight();
        expect(flood.stalled).toBe(true);
        // 256 KiB a response: what the system's buffers took, and maxUnsentBytes here.
        expect(seen.length).toBeLessThan(200);
        await socket.destroy();
      },
      { retained: http1ServerLimits.maxUnsentBytes.default + (4 << 20) },
    );
  });

  it('of requests that are given up leaves no handler behind (CVE-2023-44487)', async () => {
    seen.length = 0;
    mostAtOnce = 0;
    await siege.withstands(victim, async (atItsHeight) => {
      for (let round = 0; round < 20; round += 1) {
        const ids = await siege.attacker.connectMany(victim.target, 20, 'GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
        await siege.attacker.destroy(ids, { reset: true });
      }
      // That nobody waits any more is told to the handler by its signal.
      for (let look = 0; look < 100 && runningAtOnce > 0; look += 1) await sleep(20);
      expect(runningAtOnce).toBe(0);
      await atItsHeight();
    });
    held.clear();
  });

  it('has at most one handler for each connection, however many requests are given up behind it', async () => {
    await idle();
    seen.length = 0;
    mostAtOnce = 0;
    await siege.withstands(victim, async (atItsHeight) => {
      const requests = 'GET /held HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100);
      const ids = await siege.attacker.connectMany(victim.target, 50, requests);
      await siege.attacker.destroy(ids);
      await atItsHeight();
    });
    expect(mostAtOnce).toBeLessThanOrEqual(50);
    for (let look = 0; look < 100 && victim.running.connections.size > 0; look += 1) {
      for (const release of held) release();
      held.clear();
      await sleep(20);
    }
    expect(runningAtOnce).toBe(0);
  });

  it('a request behind Connection: close is not read', async () => {
    seen.length = 0;
    const { text } = await siege.attacker.exchange(
      victim.target,
      `GET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${SMUGGLED}`,
    );
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(seen).toEqual(['/one']);
  });

  it('a request of HTTP/1.0 without keep-alive is the last', async () => {
    seen.length = 0;
    const { text } = await siege.attacker.exchange(victim.target, `GET /one HTTP/1.0\r\n\r\n${SMUGGLED}`);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(seen).toEqual(['/one']);
  });
});

describe('an offer to change the protocol', () => {
  it.each([
    [
      'h2c (RFC 7540)',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n',
    ],
    ['h2c without HTTP2-Settings in Connection', 'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'],
    ['websocket to an app that knows none', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n'],
    ['TLS (RFC 2817)', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n'],
  ])('%s is ignored, and what follows is a request or nothing', async (_name, fields) => {
    seen.length = 0;
    const { text } = await siege.attacker.exchange(
      victim.target,
      `GET /one HTTP/1.1\r\nHost: a\r\n${fields}\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(text).not.toContain(' 101 ');
    expect(text).not.toMatch(/upgrade:/i);
    expect([...text.matchAll(/answer to (\S+?);/g)].map((match) => match[1])).toEqual(['/one', '/two']);
    expect(seen).toEqual(['/one', '/two']);
  });

  it('with an HTTP/2 preface behind it ends in a refusal, not in a tunnel', async () => {
    seen.length = 0;
    const { text } = await siege.attacker.exchange(
      victim.target,
      'GET /one HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n' +
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/HTTP\/1\.1 505 /);
    expect(seen).toEqual(['/one']);
  });
});

describe('CONNECT to a server of apps', () => {
  it('is refused, opens nothing, and nothing behind it is a request (RFC 9110 section 9.3.6)', async () => {
    seen.length = 0;
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write(`CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n${SMUGGLED}`);
      const reply = await socket.untilEnd();
      expect(reply.ended).toBe(true);
      expect(reply.text).toMatch(/^HTTP\/1\.1 (405|501) /);
      expect(reply.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      await atItsHeight();
      await socket.destroy();
    });
    expect(seen).toEqual([]);
  });

  it.each(['TRACE', 'TRACK'])('%s does not reflect the request (XST)', async (method) => {
    const { text } = await siege.attacker.exchange(
      victim.target,
      `${method} / HTTP/1.1\r\nHost: a\r\nCookie: secret=1\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 (405|501) /);
    expect(text).not.toContain('secret');
  });
});
