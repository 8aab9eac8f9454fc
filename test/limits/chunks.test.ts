/**
 * Chunk lines, chunk ends, extensions and trailers (RFC 9112 section 7.1, RFC 9110 section 6.5.1).
 *
 * CVE-2025-55315, CVE-2025-43859, CVE-2025-22871, CVE-2024-22019, CVE-2023-39326, CVE-2023-30589, CVE-2025-23167.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http1ServerLimits } from '../../src/protocols/http1/limits.ts';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';
import { tripsLimit } from '../support/limits.ts';

const siege = new Siege();
let victim: Victim;
const seen: string[] = [];
/** How the bodies ended that the app has read. */
const bodies: string[] = [];

beforeAll(async () => {
  victim = await siege.serve(async (request, context) => {
    const { pathname } = new URL(request.url);
    if (pathname !== '/meanwhile') seen.push(pathname);
    try {
      const text = await request.text();
      const trailers = [...(await context.trailers.received)].map(([name, value]) => `${name}=${value}`);
      if (pathname !== '/meanwhile') bodies.push(`whole ${String(text.length)}`);
      return new Response(`content ${String(text.length)} ${trailers.join(' ')}`);
    } catch (error) {
      bodies.push('cut');
      throw error;
    }
  });
});
afterAll(() => siege.stop());

const HEAD = 'POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const END = '0\r\n\r\n';

/** What is wrong with the content, the content, and the status. */
const rows: readonly (readonly [name: string, content: string, status: number])[] = [
  // The size.
  ['no digit', `\r\nhello\r\n${END}`, 400],
  ['a sign', `+5\r\nhello\r\n${END}`, 400],
  ['a minus', `-5\r\nhello\r\n${END}`, 400],
  ['0x', `0x5\r\nhello\r\n${END}`, 400],
  ['an underscore', `1_0\r\n${'x'.repeat(16)}\r\n${END}`, 400],
  ['a space before it', ` 5\r\nhello\r\n${END}`, 400],
  ['a letter beyond f', `5g\r\nhello\r\n${END}`, 400],
  ['a dot', `5.\r\nhello\r\n${END}`, 400],
  ['2^64 + 5', `10000000000000005\r\nhello\r\n${END}`, 400],
  ['2^32 + 5 behind many zeros', `00000000100000005\r\nhello\r\n${END}`, 400],
  ['2^53', `20000000000000\r\nhello\r\n${END}`, 400],
  ['a hundred zeros', `${'0'.repeat(100)}5\r\nhello\r\n${END}`, 400],
  ['fullwidth digits', `\xef\xbc\x95\r\nhello\r\n${END}`, 400],
  // The line's end (CVE-2025-22871, CVE-2023-30589, CVE-2025-55315).
  ['LF alone', `5\nhello\r\n${END}`, 400],
  ['CR alone', `5\rhello\r\n${END}`, 400],
  ['CR and another octet', `5\rXhello\r\n${END}`, 400],
  ['NUL', `5\0\r\nhello\r\n${END}`, 400],
  ['CR CR LF', `5\r\r\nhello\r\n${END}`, 400],
  ['LF in an extension', `5;a=b\nhello\r\n${END}`, 400],
  ['CR in an extension', `5;a=b\rhello\r\n${END}`, 400],
  ['LF in a quoted extension', `5;a="\n"\r\nhello\r\n${END}`, 400],
  ['a space and LF', `5 \nhello\r\n${END}`, 400],
  // Extensions.
  ['an extension without a name', `5;\r\nhello\r\n${END}`, 400],
  ['an extension that is no token', `5;a@b\r\nhello\r\n${END}`, 400],
  ['an unquoted value with a space', `5;a=b c\r\nhello\r\n${END}`, 400],
  ['an open quote', `5;a="b\r\nhello\r\n${END}`, 400],
  ['text behind a quote', `5;a="b"c\r\nhello\r\n${END}`, 400],
  ['text behind the size', `5 hello\r\nhello\r\n${END}`, 400],
  // The end of a chunk (CVE-2025-43859: any two octets).
  ['two other octets behind a chunk', `5\r\nhelloXX${END}`, 400],
  ['LF LF behind a chunk', `5\r\nhello\n\n${END}`, 400],
  ['LF behind a chunk', `5\r\nhello\n${END}`, 400],
  ['CR behind a chunk', `5\r\nhello\r${END}`, 400],
  ['LF CR behind a chunk', `5\r\nhello\n\r${END}`, 400],
  ['nothing behind a chunk', `5\r\nhello${END}`, 400],
  ['a chunk longer than its size', `4\r\nhello\r\n${END}`, 400],
  ['a chunk shorter than its size', `6\r\nhello\r\n${END}`, 400],
  // The last chunk and the trailers (CVE-2025-23167).
  ['CR CR X behind the last chunk', '0\r\n\rX', 400],
  ['LF behind the last chunk', '0\r\n\n', 400],
  ['LF LF as the last chunk', '0\n\n', 400],
  ['a trailer that ends with LF', '0\r\nX-A: b\n\r\n', 400],
  ['a trailer with CR', '0\r\nX-A: b\rX\r\n\r\n', 400],
  ['a trailer with a space before the colon', '0\r\nX-A : b\r\n\r\n', 400],
  ['a folded trailer', '0\r\nX-A: b\r\n c\r\n\r\n', 400],
  ['a trailer without a name', '0\r\n: b\r\n\r\n', 400],
  ['a trailer without a colon', '0\r\nGET /smuggled HTTP/1.1\r\n\r\n', 400],
  ['NUL in a trailer', '0\r\nX-A: \0\r\n\r\n', 400],
  // RFC 9110 section 6.5.1.
  ...[
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Host: b',
    'Trailer: x',
    'TE: trailers',
    'Connection: close',
    'Connection: x',
    'Upgrade: h2c',
    'Keep-Alive: timeout=9',
    'Authorization: Basic eDp5',
    'Proxy-Authorization: Basic eDp5',
    'Cookie: a=b',
    'Set-Cookie: a=b',
    'WWW-Authenticate: Basic',
    'Expect: 100-continue',
    'Range: bytes=0-',
    'If-Match: *',
    'Cache-Control: no-store',
    'Max-Forwards: 1',
    'Content-Encoding: gzip',
    'Content-Type: text/html',
    'Content-Range: bytes 0-1/2',
  ].map((line) => [`${line} in the trailers`, `5\r\nhello\r\n0\r\n${line}\r\n\r\n`, 400] as const),
];

describe('a chunked request with a trick in it', () => {
  it.each(rows)('%s is refused', async (_name, content, status) => {
    seen.length = 0;
    bodies.length = 0;
    const socket = await siege.attacker.connect(victim.target);
    await socket.write(HEAD + content + SMUGGLED);
    const reply = await socket.untilEnd();
    expect(reply.ended).toBe(true);
    expect(reply.text).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(reply.text.match(/HTTP\/1\.1 \d{3}/g), 'one response').toHaveLength(1);
    await siege.meanwhile(victim);
    await socket.destroy();
    expect(seen).not.toContain('/smuggled');
    expect(bodies, 'the app is not told that the content is whole').not.toContain('whole 5');
  });

  it('leaves nothing in memory', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      for (let round = 0; round < 5; round += 1) {
        const sockets = await Promise.all(rows.map(() => siege.attacker.connect(victim.target)));
        await Promise.all(sockets.map((socket, index) => socket.write(HEAD + (rows[index]?.[1] ?? '') + SMUGGLED)));
        const replies = await Promise.all(sockets.map((socket) => socket.untilEnd()));
        expect(replies.every((reply) => reply.ended)).toBe(true);
        if (round === 4) await atItsHeight();
        await siege.attacker.destroy(sockets.map((socket) => socket.id));
      }
    });
  });

  it.each<readonly [name: string, content: string, answer: string]>([
    ['an extension', `5;a=b\r\nhello\r\n${END}`, 'content 5'],
    ['a quoted extension', `5;a="b;\\"c"\r\nhello\r\n${END}`, 'content 5'],
    ['BWS around an extension', `5 ; a = b\r\nhello\r\n${END}`, 'content 5'],
    ['leading zeros', `0005\r\nhello\r\n${END}`, 'content 5'],
    ['capitals', `A\r\nhellohello\r\n${END}`, 'content 10'],
    ['a trailer', '5\r\nhello\r\n0\r\nX-Check: sum\r\n\r\n', 'content 5 x-check=sum'],
  ])('%s is understood as the RFC says', async (_name, content, answer) => {
    seen.length = 0;
    const second = 'GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const { text } = await siege.attacker.exchange(victim.target, HEAD + content + second);
    expect(text).toContain(answer);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(seen).toEqual(['/first', '/second']);
  });
});

describe('a flood of framing without content', () => {
  it('maxChunkLineBytes: a chunk line without end (CVE-2024-22019)', async () => {
    tripsLimit('http1ServerLimits.maxChunkLineBytes');
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write(`${HEAD}5;a=`);
      const { sent } = await socket.flood({ unit: 'x'.repeat(1024), total: 64 << 20 });
      await atItsHeight();
      const reply = await socket.untilEnd();
      expect(reply.text).toMatch(/^HTTP\/1\.1 413 /);
      expect(reply.text).toContain('maxChunkLineBytes');
      expect(sent).toBeLessThan(48 << 20);
      await socket.destroy();
    });
  });

  it('maxChunkLineBytes: a chunk line of exactly the limit passes, one octet more does not', async () => {
    const { default: limit } = http1ServerLimits.maxChunkLineBytes;
    for (const [length, status] of [
      [limit - 1, 200],
      [limit, 413],
    ] as const) {
      const line = `5;a=${'x'.repeat(length - 4)}`;
      const { text } = await siege.attacker.exchange(
        victim.target,
        `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${line}\r\nhello\r\n${END}`,
      );
      expect(text, `${String(length)} octets`).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    }
  });

  it('maxChunkExtensionBytes: an extension on each small chunk (CVE-2023-39326)', async () => {
    tripsLimit('http1ServerLimits.maxChunkExtensionBytes');
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write(HEAD);
      const { sent } = await socket.flood({ unit: `1;${'x'.repeat(200)}\r\na\r\n`, total: 64 << 20 });
      await atItsHeight();
      const reply = await socket.untilEnd();
      expect(reply.text).toMatch(/^HTTP\/1\.1 413 /);
      expect(reply.text).toContain('maxChunkExtensionBytes');
      expect(sent).toBeLessThan(48 << 20);
      await socket.destroy();
    });
  });

  it('chunks of one octet cost neither memory nor other clients', async () => {
    await siege.withstands(
      victim,
      async (atItsHeight) => {
        const socket = await siege.attacker.connect(victim.target);
        await socket.write(HEAD);
        const flooded = socket.flood({ unit: '1\r\na\r\n', total: 3 << 20 });
        await atItsHeight();
        expect((await flooded).over).toBe(false);
        await socket.write(END);
        const reply = await socket.until('content ');
        expect(reply.text).toMatch(/^HTTP\/1\.1 200 /);
        await socket.destroy();
      },
      // The app of this test gathers the content.
      { retained: 16 << 20 },
    );
  });

  it('maxHeaderBytes: trailers without end', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write(`${HEAD}5\r\nhello\r\n0\r\nX: `);
      await socket.flood({ unit: 'x'.repeat(1024), total: 64 << 20 });
      await atItsHeight();
      const reply = await socket.untilEnd();
      expect(reply.text).toMatch(/^HTTP\/1\.1 431 /);
      expect(reply.text).toContain('maxHeaderBytes');
      await socket.destroy();
    });
  });

  it('maxHeaderCount: many small trailers', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write(`${HEAD}0\r\n${'a: b\r\n'.repeat(129)}\r\n`);
      const reply = await socket.untilEnd();
      expect(reply.text).toMatch(/^HTTP\/1\.1 431 /);
      expect(reply.text).toContain('maxHeaderCount');
      await atItsHeight();
      await socket.destroy();
    });
  });
});
