/**
 * What strict implementations refuse, whoever wrote them: bytes on which two readers could disagree (RFC 9112 section
 * 11). A refused request is never surfaced twice or in part; the connection ends, and the peer is told by a status where
 * nothing of a response was sent.
 */
import { describe, expect, it } from 'vitest';
import '../../src/connections/index.ts';
import { protocolRegistry } from '../../src/protocols/index.ts';
import { bytes, context, get, Side, text } from './engine-pair.ts';

const entries = protocolRegistry.entries('http1').filter(({ capabilities }) => capabilities.has('strictParsing'));

/** Bytes that no server accepts, and the status that answers them. */
const requests: readonly (readonly [what: string, status: number, input: string])[] = [
  [
    'Transfer-Encoding and Content-Length',
    400,
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'Transfer-Encoding and Content-Length on HTTP/1.0',
    400,
    'POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two Content-Lengths', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
  [
    'two equal Content-Lengths',
    400,
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
  ],
  ['a Content-Length list', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello'],
  ['a signed Content-Length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello'],
  ['a hexadecimal Content-Length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello'],
  [
    'a coding after chunked',
    400,
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  ],
  ['chunked twice', 400, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
  ['an unknown coding', 501, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a space before the colon', 400, 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
  ['a folded line', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
  ['a bare LF in the head', 400, 'GET / HTTP/1.1\nHost: a\n\n'],
  ['a bare CR in a value', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'],
  ['NUL in a value', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n'],
  ['an empty name', 400, 'GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n'],
  ['no Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', 400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
  ['a Host that is none', 400, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
  ['a target with a space', 400, 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a target that is none', 400, 'GET a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['two spaces in the request line', 400, 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a version that is none', 400, 'GET / HTTP/1.1x\r\nHost: a\r\n\r\n'],
  ['another major version', 505, 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['an expectation that nobody knows', 417, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n'],
];

/** Chunked content in which two readers could disagree; the head is sound and is surfaced. */
const chunks: readonly (readonly [what: string, input: string])[] = [
  ['a bare LF after the size', '5\nhello\r\n0\r\n\r\n'],
  ['a bare LF after the chunk', '5\r\nhello\n0\r\n\r\n'],
  ['other bytes in place of CRLF', '5\r\nhelloXX0\r\n\r\n'],
  ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a size with a space before it', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['no size', '\r\nhello\r\n0\r\n\r\n'],
  ['a size beyond all numbers', 'FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n'],
  ['a bare LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
  ['a bare CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['a framing field in the trailers', '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'],
  ['a space before the colon in the trailers', '5\r\nhello\r\n0\r\nX : y\r\n\r\n'],
];

/** Bytes that no client accepts as an answer to GET. */
const responses: readonly (readonly [what: string, input: string])[] = [
  [
    'Transfer-Encoding and Content-Length',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  ['two Content-Lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
];

describe.each(entries)('$version/$name', (entry) => {
  const server = (): Side => new Side(entry.createServerFactory!().create(context, 0));
  const client = (): Side => new Side(entry.createClientFactory!().create(context, 0));

  const feed = (side: Side, input: string, cut: number): string => {
    const all = bytes(input);
    let output = '';
    for (let at = 0; at < all.length; at += cut) {
      side.engine.bytesReceived(all.slice(at, at + cut), 0);
      side.pull();
      for (const chunk of side.engine.bytesToSend(0) ?? []) output += text(chunk);
      side.pull();
    }
    side.engine.eofReceived(0);
    side.pull();
    for (const chunk of side.engine.bytesToSend(0) ?? []) output += text(chunk);
    side.pull();
    return output;
  };

  it.each(requests)('refuses a request with %s by %i', (_what, status, input) => {
    for (const cut of [Infinity, 1]) {
      const side = server();
      const output = feed(side, input, cut === Infinity ? input.length : cut);
      expect(output).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
      expect(output.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(side.types).toEqual(['ConnectionTerminated']);
      expect(side.only('ConnectionTerminated').error).toBeDefined();
    }
  });

  it.each(chunks)('refuses chunked content with %s', (_what, input) => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const cut of [1000, 1]) {
      const side = server();
      const output = feed(side, head + input + smuggled, cut);
      expect(output).toMatch(/^HTTP\/1\.1 4/);
      expect(side.all('HeadersReceived')).toHaveLength(1);
      expect(side.types.slice(-3)).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
      expect(side.all('DataReceived').some((event) => event.endStream)).toBe(false);
    }
  });

  it.each(responses)('refuses a response with %s', (_what, input) => {
    for (const cut of [1000, 1]) {
      const side = client();
      const streamId = side.engine.getAvailableStreamId();
      side.engine.submitHeaders(streamId, get(), { endStream: true });
      side.engine.bytesToSend(0);
      feed(side, input, cut);
      expect(side.types).not.toContain('HeadersReceived');
      expect(side.types.slice(-2)).toEqual(['StreamClosed', 'ConnectionTerminated']);
      expect(side.only('ConnectionTerminated').error).toBeDefined();
      expect(side.engine.wantsEof).toBe(false);
    }
  });

  it('refuses what comes before any request was made', () => {
    const side = client();
    feed(side, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 1000);
    expect(side.types).toEqual(['ConnectionTerminated']);
  });
});
