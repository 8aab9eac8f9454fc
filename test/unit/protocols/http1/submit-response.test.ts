import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import { Http1ServerFactory } from '../../../../src/protocols/http1/index.ts';
import type { HttpOverTcpProtocol } from '../../../../src/protocols/index.ts';
import { drainEvents, takeText, testContext } from '../../../support/connection-pair.ts';
import { octets } from '../../../support/http1-sides.ts';

function asked(head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'): HttpOverTcpProtocol {
  const engine = new Http1ServerFactory().create(testContext(), 0);
  engine.bytesReceived(octets(head), 0);
  drainEvents(engine);
  return engine;
}

function submit(
  engine: HttpOverTcpProtocol,
  status: number,
  headers: readonly string[],
  body: Uint8Array | string,
): unknown {
  return engine.submitResponse?.(1, status, headers, body);
}

describe('a whole response in one call (RFC 9112 section 6.3)', () => {
  it('is one piece, with its length', () => {
    const engine = asked();
    expect(submit(engine, 200, ['x-a', '1'], 'grüße')).toBe(true);
    const chunks = engine.bytesToSend(0) ?? [];
    expect(chunks).toHaveLength(1);
    expect(Buffer.concat(chunks).toString()).toBe('HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 7\r\n\r\ngrüße');
    engine.submitHandlerEnd(1);
    expect(drainEvents(engine).map((event) => event.type)).toEqual(['StreamClosed']);
  });

  it('says other lengths, other fields, other statuses each time', () => {
    const engine = asked();
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const sent: string[] = [];
    for (const [index, [status, fields, body]] of (
      [
        [200, ['a', '1'], 'x'],
        [200, ['a', '1'], 'xy'],
        [200, ['a', '2'], 'xy'],
        [404, ['a', '2'], octets('xy')],
        [404, ['a', '2'], ''],
        [404, [], octets('')],
      ] as const
    ).entries()) {
      expect(engine.submitResponse?.(index + 1, status, fields, body)).toBe(true);
      engine.submitHandlerEnd(index + 1);
      sent.push(takeText(engine, 0));
      engine.bytesReceived(octets(head), 0);
      drainEvents(engine);
    }
    expect(sent).toEqual([
      'HTTP/1.1 200 OK\r\na: 1\r\ncontent-length: 1\r\n\r\nx',
      'HTTP/1.1 200 OK\r\na: 1\r\ncontent-length: 2\r\n\r\nxy',
      'HTTP/1.1 200 OK\r\na: 2\r\ncontent-length: 2\r\n\r\nxy',
      'HTTP/1.1 404 Not Found\r\na: 2\r\ncontent-length: 2\r\n\r\nxy',
      'HTTP/1.1 404 Not Found\r\na: 2\r\ncontent-length: 0\r\n\r\n',
      'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
    ]);
  });

  it('says that it is the last: to a client that closes, after a shutdown (RFC 9112 section 9.6)', () => {
    const factory = new Http1ServerFactory();
    const heads: string[] = [];
    for (const kind of ['goes on', 'closes', 'goes on', 'shuts down', 'goes on']) {
      const engine = factory.create(testContext(), 0);
      const close = kind === 'closes' ? 'Connection: close\r\n' : '';
      engine.bytesReceived(octets(`GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`), 0);
      drainEvents(engine);
      if (kind === 'shuts down') engine.submitShutdown();
      expect(submit(engine, 200, [], 'x')).toBe(true);
      engine.submitHandlerEnd(1);
      heads.push(takeText(engine, 0));
      const goesOn = kind === 'goes on';
      expect(engine.isAvailable()).toBe(goesOn);
      expect(engine.wantsEof).toBe(!goesOn);
      if (goesOn) continue;
      engine.bytesReceived(octets('GET /late HTTP/1.1\r\nHost: a\r\n\r\n'), 0);
      engine.eofReceived(0);
      expect(drainEvents(engine).map((event) => event.type)).toEqual(['StreamClosed', 'ConnectionTerminated']);
    }
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n';
    const last = `${head}connection: close\r\n\r\nx`;
    expect(heads).toEqual([`${head}\r\nx`, last, `${head}\r\nx`, last, `${head}\r\nx`]);
  });

  it('passes large content as it is', () => {
    const engine = asked();
    const body = new Uint8Array(100_000);
    submit(engine, 200, [], body);
    expect(engine.bytesToSend(0)?.[1]?.buffer).toBe(body.buffer);
  });

  it.each<[string, string, number, readonly string[]]>([
    ['HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 200, []],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 200, []],
    ['a request that has not ended', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n', 200, []],
    ['204', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 204, []],
    ['304', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 304, []],
    ['205', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 205, []],
    ['101', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 101, []],
    ['a length of its own', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 200, ['content-length', '1']],
    ['trailers', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 200, ['trailer', 'x']],
  ])('is left to its parts, with nothing done: %s', (_what, head, status, headers) => {
    const engine = asked(head);
    expect(submit(engine, status, headers, 'x')).toBe(false);
    expect(takeText(engine, 0)).toBe('');
    engine.submitHeaders(1, [':status', '404'], { endStream: true });
    expect(takeText(engine, 0)).toContain('404');
  });

  it('refuses what may not be sent, with nothing done (RFC 9110 section 5.5)', () => {
    for (const headers of [
      ['a', 'x\r\ny'],
      ['A', '1'],
      ['connection', 'close'],
      [':path', '/'],
      ['a', ' 1'],
    ]) {
      const engine = asked();
      expect(() => submit(engine, 200, headers, 'x')).toThrow(LocalProtocolError);
      expect(submit(engine, 200, [], 'x')).toBe(true);
      expect(takeText(engine, 0)).toBe('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx');
    }
  });

  it('answers pipelined requests in their order (RFC 9112 section 9.3.2)', () => {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const engine = asked(head + head + head);
    for (const [id, text] of [
      [1, 'one'],
      [2, 'two'],
      [3, 'three'],
    ] as const) {
      expect(engine.submitResponse?.(id, 200, [], text)).toBe(true);
      engine.submitHandlerEnd(id);
    }
    expect(
      takeText(engine, 0)
        .split('HTTP/1.1 200 OK\r\n')
        .map((part) => part.split('\r\n\r\n')[1]),
    ).toEqual([undefined, 'one', 'two', 'three']);
  });

  it('is ignored after a reset', () => {
    const engine = asked();
    engine.submitStreamReset(1, 0);
    expect(submit(engine, 200, [], 'x')).toBe(true);
    expect(takeText(engine, 0)).toBe('');
  });
});
