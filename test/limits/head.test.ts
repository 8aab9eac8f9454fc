/**
 * Request heads: syntax, Host, targets, methods, versions, and the bounds on all of them.
 *
 * RFC 9112 sections 2.2, 2.3, 3, 3.2, 5, 5.2; RFC 9110 sections 5.4, 5.5, 7.2. CVE-2018-12121, CVE-2024-27982,
 * CVE-2023-30589.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http1ServerLimits } from '../../src/protocols/http1/limits.ts';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';
import { tripsLimit } from '../support/limits.ts';

const siege = new Siege();
let victim: Victim;
const seen: string[] = [];

beforeAll(async () => {
  victim = await siege.serve((request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== '/meanwhile') seen.push(`${request.method} ${request.url}`);
    return new Response(JSON.stringify([...request.headers]));
  });
});
afterAll(() => siege.stop());

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

type Row = readonly [name: string, bytes: string, status: number];

function get(fields: string): string {
  return `GET / HTTP/1.1\r\n${fields}\r\n`;
}

const fieldRows: readonly Row[] = [
  ['a space before the colon (CVE-2024-27982)', get('Host: a\r\nX : b\r\n'), 400],
  ['a tab before the colon', get('Host: a\r\nX\t: b\r\n'), 400],
  ['a first line with a space before it', get(' Host: a\r\n'), 400],
  ['a folded line', get('Host: a\r\nX: b\r\n c\r\n'), 400],
  ['a line folded with a tab', get('Host: a\r\nX: b\r\n\tc\r\n'), 400],
  ['a folded empty line', get('Host: a\r\nX:\r\n \r\n'), 400],
  ['no name', get('Host: a\r\n: b\r\n'), 400],
  ['no colon', get('Host: a\r\nX\r\n'), 400],
  ['NUL in a value', get('Host: a\r\nX: \0\r\n'), 400],
  ['NUL in a name', get('Host: a\r\nX\0: b\r\n'), 400],
  ['CR in a value', get('Host: a\r\nX: b\rc\r\n'), 400],
  ['LF in a value', get('Host: a\r\nX: b\nY: c\r\n'), 400],
  ['DEL in a value', get('Host: a\r\nX: \x7f\r\n'), 400],
  ['an escape character in a value', get('Host: a\r\nX: \x1b[2J\r\n'), 400],
  ['a vertical tab in a value', get('Host: a\r\nX: a\x0bb\r\n'), 400],
  ['a space in a name', get('Host: a\r\nX Y: b\r\n'), 400],
  ['a name in quotes', get('Host: a\r\n"X": b\r\n'), 400],
  ['a slash in a name', get('Host: a\r\nX/Y: b\r\n'), 400],
  ['an octet above 127 in a name', get('Host: a\r\nX\xe9: b\r\n'), 400],
  ['brackets in a name', get('Host: a\r\n[X]: b\r\n'), 400],
  ['a pseudo-header field', get('Host: a\r\n:path: /b\r\n'), 400],
  ['LF alone ends the lines', 'GET / HTTP/1.1\nHost: a\n\n', 400],
  ['CR alone ends the lines', 'GET / HTTP/1.1\rHost: a\r\r', 400],
  ['LF ends the head', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['CR CR ends the head', 'GET / HTTP/1.1\r\nHost: a\r\n\r\r', 400],
  ['CR CR X ends the head (CVE-2025-23167)', 'GET / HTTP/1.1\r\nHost: a\r\n\r\rX', 400],
];

const hostRows: readonly Row[] = [
  ['no Host', get('X: b\r\n'), 400],
  ['two Host', get('Host: a\r\nHost: b\r\n'), 400],
  ['two equal Host', get('Host: a\r\nHost: a\r\n'), 400],
  ['a list', get('Host: a, b\r\n'), 400],
  ['a list without a space', get('Host: a,b\r\nHost: a\r\n'), 400],
  ['userinfo', get('Host: user@a\r\n'), 400],
  ['a path', get('Host: a/b\r\n'), 400],
  ['a scheme', get('Host: http://a\r\n'), 400],
  ['a query', get('Host: a?b\r\n'), 400],
  ['a fragment', get('Host: a#b\r\n'), 400],
  ['a backslash', get('Host: a\\b\r\n'), 400],
  ['a space', get('Host: a b\r\n'), 400],
  ['a port that is none', get('Host: a:b\r\n'), 400],
  ['a port above 65535', get('Host: a:65536\r\n'), 400],
  ['a signed port', get('Host: a:+80\r\n'), 400],
  ['two ports', get('Host: a:80:80\r\n'), 400],
  ['an open bracket', get('Host: [::1\r\n'), 400],
  ['a zone', get('Host: [fe80::1%25eth0]\r\n'), 400],
  ['text behind a bracket', get('Host: [::1]a\r\n'), 400],
  ['a percent sign alone', get('Host: a%\r\n'), 400],
  ['a port without a host', get('Host: :80\r\n'), 400],
  ['octets above 127', get('Host: \xe9\r\n'), 400],
  ['an absolute target does not excuse a bad Host', 'GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['an absolute target does not excuse a missing Host', 'GET http://a/ HTTP/1.1\r\n\r\n', 400],
  ['an absolute target does not excuse two Host', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
];

const lineRows: readonly Row[] = [
  ['two spaces before the target', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces behind the target', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space behind the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
  ['a tab between the parts', 'GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a form feed between the parts', 'GET\x0c/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['no target', 'GET HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['no version (HTTP/0.9)', 'GET /\r\n\r\n', 400],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a second request-line in the target', 'GET /a HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an octet above 127 in the target', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an escape character in the target', 'GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target without a slash', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a backslash for a slash', 'GET \\a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['* without OPTIONS', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['authority-form without CONNECT', 'GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target with userinfo', 'GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n', 400],
  ['an absolute target without a host', 'GET http:///a HTTP/1.1\r\nHost: b\r\n\r\n', 400],
  ['an absolute target with one slash', 'GET http:/a HTTP/1.1\r\nHost: b\r\n\r\n', 400],
  ['CONNECT with a path', 'CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CONNECT without a port', 'CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CONNECT to port 0', 'CONNECT a:0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CONNECT with content', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', 400],
  ['CONNECT with chunks', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a method with a colon', 'GE:T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method with NUL', 'GET\0 / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an empty method', ' / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a lowercase version', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['a version without a dot', 'GET / HTTP/11\r\nHost: a\r\n\r\n', 400],
  ['a version with two digits', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
  ['a comma in the version', 'GET / HTTP/1,1\r\nHost: a\r\n\r\n', 400],
  ['another protocol', 'GET / ICE/1.0\r\nHost: a\r\n\r\n', 400],
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['HTTP/0.9 in full', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', 505],
  ['HTTP/9.9', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n', 505],
  ['what only begins like the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\n', 505],
  ['a TLS ClientHello', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400],
  ['an SSH greeting', 'SSH-2.0-OpenSSH_9.6\r\n', 400],
  ['a PROXY protocol line', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n', 400],
  ['a PROXY protocol version 2 header', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 400],
  ['a BOM', '\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an unknown expectation', get('Host: a\r\nExpect: 200-ok\r\n'), 417],
];

describe('a head with something wrong in it', () => {
  it.each([
    ...fieldRows.map(([name, ...rest]) => [`field: ${name}`, ...rest] as const),
    ...hostRows.map(([name, ...rest]) => [`Host: ${name}`, ...rest] as const),
    ...lineRows.map(([name, ...rest]) => [`request-line: ${name}`, ...rest] as const),
  ])('%s is refused', async (_name, bytes, status) => {
    seen.length = 0;
    const socket = await siege.attacker.connect(victim.target);
    await socket.write(bytes + SMUGGLED);
    const reply = await socket.untilEnd();
    expect(reply.ended, 'the connection ends').toBe(true);
    expect(reply.text).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(reply.text.match(/HTTP\/1\.1 \d{3}/g), 'one response').toHaveLength(1);
    // Nothing of the attack comes back that a terminal would obey.
    expect(reply.text.replaceAll('\r\n', '').replaceAll('\n', ''), 'nothing but printable ASCII').toMatch(
      /^[\x20-\x7e]*$/,
    );
    await siege.meanwhile(victim);
    await socket.destroy();
    expect(seen, 'no request reached the app').toEqual([]);
  });

  it('is refused even when it comes octet by octet', async () => {
    for (const [, bytes, status] of [...fieldRows.slice(0, 8), ...lineRows.slice(0, 4)]) {
      const socket = await siege.attacker.connect(victim.target);
      await socket.pieces(bytes.split(/(?:)/s));
      const reply = await socket.untilEnd();
      expect(reply.text).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
      await socket.destroy();
    }
  });

  it('leaves nothing in memory', async () => {
    const all = [...fieldRows, ...hostRows, ...lineRows];
    await siege.withstands(victim, async (atItsHeight) => {
      for (let round = 0; round < 3; round += 1) {
        const sockets = await Promise.all(all.map(() => siege.attacker.connect(victim.target)));
        await Promise.all(sockets.map((socket, index) => socket.write(all[index]?.[1] ?? '')));
        if (round === 2) await atItsHeight();
        await siege.attacker.destroy(sockets.map((socket) => socket.id));
      }
    });
  });
});

describe('a head beyond its bounds', () => {
  /** Floods behind a beginning; answers what came. */
  async function flooded(beginning: string, unit: string): Promise<string> {
    let text = '';
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      await socket.write(beginning);
      const { sent } = await socket.flood({ unit, total: 64 << 20 });
      await atItsHeight();
      ({ text } = await socket.untilEnd());
      expect(sent, 'it is not read on').toBeLessThan(32 << 20);
      await socket.destroy();
    });
    return text;
  }

  it('maxRequestLineBytes: a target without end gets 414 (RFC 9112 section 3)', async () => {
    tripsLimit('http1ServerLimits.maxRequestLineBytes');
    const text = await flooded('GET /', 'a'.repeat(1024));
    expect(text).toMatch(/^HTTP\/1\.1 414 /);
    expect(text).toContain('maxRequestLineBytes');
  });

  it('maxMethodBytes: a method without end gets 501 or 414', async () => {
    tripsLimit('http1ServerLimits.maxMethodBytes');
    const { text } = await siege.attacker.exchange(victim.target, `${'A'.repeat(65)} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 501 /);
    expect(text).toContain('maxMethodBytes');
    expect(await flooded('', 'A'.repeat(1024))).toMatch(/^HTTP\/1\.1 (501|414) /);
  });

  it('maxHeaderBytes: a value without end gets 431', async () => {
    tripsLimit('http1ServerLimits.maxHeaderBytes');
    const text = await flooded('GET / HTTP/1.1\r\nHost: a\r\nX: ', 'a'.repeat(1024));
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(text).toContain('maxHeaderBytes');
  });

  it('maxHeaderBytes: a name without end gets 431', async () => {
    expect(await flooded('GET / HTTP/1.1\r\nHost: a\r\n', 'a'.repeat(1024))).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('maxHeaderBytes: fields without end get 431', async () => {
    expect(await flooded('GET / HTTP/1.1\r\nHost: a\r\n', 'a: b\r\n')).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('maxHeaderCount: more small fields than allowed get 431 (CVE-2024-37890)', async () => {
    tripsLimit('http1ServerLimits.maxHeaderCount');
    const { default: limit } = http1ServerLimits.maxHeaderCount;
    const fields = (count: number): string => `Host: a\r\nConnection: close\r\n${'a: b\r\n'.repeat(count - 2)}`;
    const { text } = await siege.attacker.exchange(victim.target, get(fields(limit + 1)));
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(text).toContain('maxHeaderCount');
    const fits = await siege.attacker.exchange(victim.target, get(fields(limit)));
    expect(fits.text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('maxEmptyLines: empty lines without end get 400 (RFC 9112 section 2.2)', async () => {
    tripsLimit('http1ServerLimits.maxEmptyLines');
    expect(await flooded('', '\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const { default: limit } = http1ServerLimits.maxEmptyLines;
    for (const [count, status] of [
      [limit, 200],
      [limit + 1, 400],
    ] as const) {
      const { text } = await siege.attacker.exchange(
        victim.target,
        '\r\n'.repeat(count) + get('Host: a\r\nConnection: close\r\n'),
      );
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    }
  });

  it('bounds hold whatever the pieces: one octet a time', async () => {
    const socket = await siege.attacker.connect(victim.target);
    await socket.write(`GET /${'a'.repeat(http1ServerLimits.maxRequestLineBytes.default - 8)}`);
    await socket.pieces(Array.from({ length: 20 }, () => 'a'));
    const reply = await socket.untilEnd();
    expect(reply.text).toMatch(/^HTTP\/1\.1 414 /);
    await socket.destroy();
  });
});

describe('an authority that says two things', () => {
  it('is that of the target, not of Host (RFC 9112 section 3.2.2)', async () => {
    seen.length = 0;
    const { text } = await siege.attacker.exchange(
      victim.target,
      'GET http://inside/a HTTP/1.1\r\nHost: outside\r\nConnection: close\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toEqual(['GET http://inside/a']);
  });

  it('is not taken from X-Forwarded-Host, Forwarded or X-Original-URL', async () => {
    seen.length = 0;
    const fields = 'Host: a\r\nX-Forwarded-Host: b\r\nForwarded: host=b\r\nX-Original-URL: /b\r\nX-Rewrite-URL: /b\r\n';
    await siege.attacker.exchange(victim.target, get(`${fields}Connection: close\r\n`));
    expect(seen).toEqual(['GET http://a/']);
  });
});
