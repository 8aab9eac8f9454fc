/**
 * Request smuggling: what two recipients could read in two ways is refused, with one 400 and a close.
 *
 * RFC 9112 sections 5.1, 6.1, 6.3, 7.1, 9.6, 11.2. CVE-2021-22959, CVE-2021-22960, CVE-2022-32213, CVE-2022-32214,
 * CVE-2022-32215, CVE-2022-35256, CVE-2023-38697, CVE-2026-42581.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';

const siege = new Siege();
let victim: Victim;
const seen: string[] = [];

beforeAll(async () => {
  victim = await siege.serve(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== '/meanwhile') seen.push(pathname);
    const { length } = await request.text();
    return new Response(`content ${String(length)}`);
  });
});
afterAll(() => siege.stop());

/** What an attacker hopes to be read as a request of its own. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

function post(fields: string, content: string, version = '1.1'): string {
  return `POST /first HTTP/${version}\r\nHost: a\r\n${fields}\r\n${content}`;
}

type Row = readonly [name: string, bytes: string, status: number];

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';

const rows: readonly Row[] = [
  // RFC 9112 section 6.1: both fields.
  ['CL.TE', post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\nG${SMUGGLED}`), 400],
  ['TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`), 400],
  ['TE with Content-Length: 0', post('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', CHUNKS), 400],
  [
    'TE with a Content-Length that is no number',
    post('Transfer-Encoding: chunked\r\nContent-Length: x\r\n', CHUNKS),
    400,
  ],
  // TE.TE: one of the two does not understand the coding.
  ['TE.TE, the second unknown', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n', CHUNKS), 400],
  ['TE.TE, the first unknown', post('Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n', CHUNKS), 501],
  ['TE.TE, chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', CHUNKS), 400],
  ['chunked, chunked', post('Transfer-Encoding: chunked, chunked\r\n', CHUNKS), 400],
  ['chunked is not last', post('Transfer-Encoding: chunked, gzip\r\n', CHUNKS), 400],
  ['gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', CHUNKS), 501],
  ['identity', post('Transfer-Encoding: identity\r\n', CHUNKS), 400],
  ['chunked, identity', post('Transfer-Encoding: chunked, identity\r\n', CHUNKS), 400],
  ['an empty coding', post('Transfer-Encoding: \r\n', CHUNKS), 400],
  ['a parameter', post('Transfer-Encoding: chunked;q=1\r\n', CHUNKS), 400],
  ['in quotes', post('Transfer-Encoding: "chunked"\r\n', CHUNKS), 400],
  ['xchunked', post('Transfer-Encoding: xchunked\r\n', CHUNKS), 400],
  ['chunkedx', post('Transfer-Encoding: chunkedx\r\n', CHUNKS), 400],
  ['chunked and a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', CHUNKS), 400],
  ['chunked and a form feed', post('Transfer-Encoding: chunked\x0c\r\n', CHUNKS), 400],
  ['chunked and NUL', post('Transfer-Encoding: chunked\0\r\n', CHUNKS), 400],
  ['a Kelvin sign in the coding', post('Transfer-Encoding: chun\xe2\x84\xaaed\r\n', CHUNKS), 400],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', CHUNKS), 400],
  ['a tab before the colon', post('Transfer-Encoding\t: chunked\r\n', CHUNKS), 400],
  ['a space before the name', post(' Transfer-Encoding: chunked\r\n', CHUNKS), 400],
  ['a line folded before the value', post('Transfer-Encoding:\r\n chunked\r\n', CHUNKS), 400],
  ['a line folded within the value', post('Transfer-Encoding: chunked,\r\n\tcow\r\n', CHUNKS), 400],
  ['NUL in the name', post('Transfer\0-Encoding: chunked\r\n', CHUNKS), 400],
  ['a line ending with LF', post('Transfer-Encoding: chunked\n', CHUNKS), 400],
  ['a line ending with CR', post('X: y\rTransfer-Encoding: chunked\r\n', CHUNKS), 400],
  ['LF in a value', post('X: y\nTransfer-Encoding: chunked\r\n', CHUNKS), 400],
  ['CR CR LF', post('Transfer-Encoding: chunked\r\r\n', CHUNKS), 400],
  // RFC 9112 section 6.1: HTTP/1.0 has no transfer codings (CVE-2026-42581).
  ['TE in HTTP/1.0', post('Transfer-Encoding: chunked\r\n', CHUNKS, '1.0'), 400],
  [
    'TE and CL in HTTP/1.0',
    post('Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n', CHUNKS, '1.0'),
    400,
  ],
  // RFC 9112 section 6.3, rule 5.
  ['two unequal Content-Length', post('Content-Length: 0\r\nContent-Length: 36\r\n', SMUGGLED), 400],
  ['two equal Content-Length', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), 400],
  ['a list', post('Content-Length: 5, 5\r\n', 'hello'), 400],
  ['a list of different values', post('Content-Length: 5, 6\r\n', 'hello'), 400],
  ['a list of one', post('Content-Length: 5,\r\n', 'hello'), 400],
  ['a plus sign', post('Content-Length: +5\r\n', 'hello'), 400],
  ['a minus sign', post('Content-Length: -5\r\n', 'hello'), 400],
  ['minus zero', post('Content-Length: -0\r\n', 'hello'), 400],
  ['hexadecimal', post('Content-Length: 0x5\r\n', 'hello'), 400],
  ['hexadecimal digits', post('Content-Length: a\r\n', 'hellohello'), 400],
  ['octal with a prefix', post('Content-Length: 0o5\r\n', 'hello'), 400],
  ['an exponent', post('Content-Length: 5e0\r\n', 'hello'), 400],
  ['a fraction', post('Content-Length: 5.0\r\n', 'hello'), 400],
  ['an underscore', post('Content-Length: 1_0\r\n', 'hellohello'), 400],
  ['a space within', post('Content-Length: 1 0\r\n', 'hellohello'), 400],
  ['empty', post('Content-Length:\r\n', 'hello'), 400],
  ['NUL behind it', post('Content-Length: 5\0\r\n', 'hello'), 400],
  ['a vertical tab before it', post('Content-Length: \x0b5\r\n', 'hello'), 400],
  ['a no-break space behind it', post('Content-Length: 5\xa0\r\n', 'hello'), 400],
  ['Arabic digits', post('Content-Length: \xd9\xa5\r\n', 'hello'), 400],
  ['fullwidth digits', post('Content-Length: \xef\xbc\x95\r\n', 'hello'), 400],
  ['in quotes', post('Content-Length: "5"\r\n', 'hello'), 400],
  ['a comment', post('Content-Length: 5 (five)\r\n', 'hello'), 400],
  ['above 2^53', post('Content-Length: 9007199254740993\r\n', 'hello'), 400],
  ['above 2^64', post('Content-Length: 18446744073709551617\r\n', 'hello'), 400],
  ['a thousand digits', post(`Content-Length: ${'9'.repeat(1000)}\r\n`, 'hello'), 400],
  ['a space before the colon', post('Content-Length : 5\r\n', 'hello'), 400],
  // Connection must not take the framing away (RFC 9110 section 7.6.1).
  ['Connection names Content-Length', post('Connection: content-length\r\nContent-Length: 5\r\n', 'hello'), 400],
  [
    'Connection names Transfer-Encoding',
    post('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n', CHUNKS),
    400,
  ],
  ['Connection names Host', post('Connection: close, host\r\n', ''), 400],
  ['a Connection option that is no token', post('Connection: a b\r\n', ''), 400],
];

describe('a request whose end could be read in two ways', () => {
  it.each(rows)('%s is refused', async (_name, bytes, status) => {
    seen.length = 0;
    const socket = await siege.attacker.connect(victim.target);
    await socket.write(bytes + SMUGGLED);
    const reply = await socket.untilEnd();
    expect(reply.ended, 'the connection ends').toBe(true);
    expect(reply.text).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(reply.text.match(/HTTP\/1\.1 \d{3}/g), 'one response').toHaveLength(1);
    expect(reply.text).toMatch(/\r\nconnection: close\r\n/i);
    await siege.meanwhile(victim);
    await socket.destroy();
    expect(seen, 'no request reached the app').toEqual([]);
  });

  it('leaves nothing in memory', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      for (let round = 0; round < 5; round += 1) {
        const sockets = await Promise.all(rows.map(() => siege.attacker.connect(victim.target)));
        await Promise.all(sockets.map((socket, index) => socket.write((rows[index]?.[1] ?? '') + SMUGGLED)));
        const replies = await Promise.all(sockets.map((socket) => socket.untilEnd()));
        expect(replies.every((reply) => reply.ended)).toBe(true);
        if (round === 4) await atItsHeight();
        await siege.attacker.destroy(sockets.map((socket) => socket.id));
      }
    });
  });

  // What the grammar allows, however rare, is not mistaken for an attack; and it leaves nothing behind.
  it.each<readonly [string, string, string]>([
    ['OWS around the length', post('Content-Length: \t 5 \t\r\n', 'hello'), 'content 5'],
    ['leading zeros', post('Content-Length: 0000000000000000005\r\n', 'hello'), 'content 5'],
    ['the coding in capitals', post('tRANSFER-eNCODING: CHUNKED\r\n', CHUNKS), 'content 5'],
    ['content of a GET', `GET /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`, 'content 0'],
    ['an unknown field that looks like it', post('Content_Length: 3\r\nContent-Length: 5\r\n', 'hello'), 'content 5'],
    ['Transfer_Encoding', post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'), 'content 5'],
  ])('%s is understood as the RFC says', async (_name, bytes, content) => {
    seen.length = 0;
    const { text } = await siege.attacker.exchange(
      victim.target,
      `${bytes}GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain(content);
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(seen).toEqual(['/first', '/second']);
  });
});
