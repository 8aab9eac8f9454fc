import { describe, expect, it } from 'vitest';
import type { Chunking } from '../../../support/chunkings.ts';
import { chunkings } from '../../../support/chunkings.ts';
import { LimitError, RemoteProtocolError } from '../../../../src/common/index.ts';
import { BodyReader, BodyStep } from '../../../../src/protocols/http1/body-reader.ts';
import type { FramingKind } from '../../../../src/protocols/http1/framing.ts';
import { Framing } from '../../../../src/protocols/http1/framing.ts';
import type { Http1ServerLimits } from '../../../../src/protocols/http1/limits.ts';
import { resolveServerLimits } from '../../../../src/protocols/http1/limits.ts';
import { ReceiveBuffer } from '../../../../src/wire/index.ts';

interface Reading {
  readonly content: string;
  readonly pieces: number;
  /** How it ended; `undefined` while it has not. */
  readonly end: 'data' | 'end' | 'trailers' | undefined;
  readonly trailers: readonly string[];
  readonly rest: string;
}

/** Reads one message from chunks, each read as far as it goes before the next comes. */
function read(
  chunking: Chunking,
  framing: FramingKind,
  contentLength = 0,
  limits: Http1ServerLimits = resolveServerLimits(),
): Reading {
  const reader = new BodyReader(limits);
  const buffer = new ReceiveBuffer();
  reader.begin(framing, contentLength);
  let content = '';
  let pieces = 0;
  let end: Reading['end'];
  let trailers: readonly string[] = [];
  for (const chunk of chunking.chunks) {
    buffer.append(chunk);
    while (end === undefined) {
      const step = reader.read(buffer);
      if (step === BodyStep.needMore) break;
      if (step === BodyStep.data) {
        expect(reader.piece.length).toBeGreaterThan(0);
        content += Buffer.from(reader.piece).toString('latin1');
        pieces += 1;
        if (reader.ended) end = 'data';
      } else if (step === BodyStep.end) {
        end = 'end';
      } else {
        end = 'trailers';
        trailers = [...reader.section.headers];
      }
    }
  }
  return { content, pieces, end, trailers, rest: buffer.latin1(0, buffer.size) };
}

function whole(text: string): Chunking {
  return { name: 'whole', chunks: [Buffer.from(text, 'latin1')] };
}

describe('content-length (RFC 9112 section 6.3, rule 6)', () => {
  it.each(chunkings('helloNEXT'))('takes as many octets as declared: $name', (chunking) => {
    expect(read(chunking, Framing.length, 5)).toMatchObject({ content: 'hello', end: 'data', rest: 'NEXT' });
  });

  it('is not over before', () => {
    expect(read(whole('hell'), Framing.length, 5)).toMatchObject({ content: 'hell', end: undefined });
  });

  it('refuses a declaration above maxBodyBytes before anything was read', () => {
    const limits = resolveServerLimits({ maxBodyBytes: 4 });
    expect(() => read(whole('hello'), Framing.length, 5, limits)).toThrow(LimitError);
    expect(read(whole('hell'), Framing.length, 4, limits).end).toBe('data');
  });
});

describe('to the end of the connection (rule 8)', () => {
  it('takes everything and never ends by itself', () => {
    for (const chunking of chunkings('hello')) {
      expect(read(chunking, Framing.close), chunking.name).toMatchObject({ content: 'hello', end: undefined });
    }
    expect(() => read(whole('hello'), Framing.close, 0, resolveServerLimits({ maxBodyBytes: 4 }))).toThrow(LimitError);
    expect(read(whole('hello'), Framing.tunnel, 0, resolveServerLimits({ maxBodyBytes: 4 })).content).toBe('hello');
  });
});

describe('chunked (RFC 9112 section 7.1)', () => {
  it.each(chunkings('5\r\nhello\r\n6;a=b\r\n world\r\n000\r\n\r\nNEXT'))('joins the chunks: $name', (chunking) => {
    const reading = read(chunking, Framing.chunked);
    expect(reading).toMatchObject({ content: 'hello world', rest: 'NEXT' });
    expect(['data', 'end']).toContain(reading.end);
  });

  it.each(chunkings('5\r\nhello\r\n0\r\nX-A: 1\r\nx-b:2\r\n\r\nNEXT'))('reads trailers: $name', (chunking) => {
    expect(read(chunking, Framing.chunked)).toMatchObject({
      content: 'hello',
      end: 'trailers',
      trailers: ['x-a', '1', 'x-b', '2'],
      rest: 'NEXT',
    });
  });

  it.each(chunkings('0\r\n\r\nNEXT'))('may be empty: $name', (chunking) => {
    expect(read(chunking, Framing.chunked)).toMatchObject({ content: '', end: 'end', rest: 'NEXT' });
  });

  it('marks the last piece when the end is there with it', () => {
    expect(read(whole('5\r\nhello\r\n0\r\n\r\n'), Framing.chunked)).toMatchObject({ pieces: 1, end: 'data' });
  });

  it('gathers tiny chunks, so that one octet is not one event', () => {
    const count = 20_000;
    const reading = read(whole(`${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`), Framing.chunked);
    expect(reading.content).toBe('x'.repeat(count));
    expect(reading.pieces).toBeLessThan(10);
  });

  it('passes large chunks on without joining them', () => {
    const chunk = `4000\r\n${'y'.repeat(0x4000)}\r\n`;
    const reading = read(
      whole(`3\r\nabc\r\n${chunk}3\r\ndef\r\n${chunk}2\r\ngh\r\n1\r\ni\r\n0\r\n\r\n`),
      Framing.chunked,
    );
    expect(reading.content).toBe(`abc${'y'.repeat(0x4000)}def${'y'.repeat(0x4000)}ghi`);
    expect(reading.pieces).toBe(5);
  });

  it.each([
    '5',
    '5\r',
    '5\r\n',
    '5\r\nhel',
    '5\r\nhello',
    '5\r\nhello\r',
    '5\r\nhello\r\n',
    '0',
    '0\r\n',
    '0\r\n\r',
    '0\r\nA: b\r\n',
    '5;a=b',
    '5 ',
  ])('waits after %j', (text) => {
    for (const chunking of chunkings(text)) {
      expect(read(chunking, Framing.chunked).end, chunking.name).toBeUndefined();
    }
  });

  it.each([
    ['\r\n', 'no size'],
    [';a\r\n', 'no size'],
    ['g\r\n', 'no digit'],
    ['5g\r\n', 'no digit'],
    ['+5\r\n', 'a sign'],
    ['-5\r\n', 'a sign'],
    ['0x5\r\n', 'a prefix'],
    [' 5\r\n', 'leading space'],
    ['5 \r\nhello', 'trailing space without an extension'],
    ['5\t\r\nhello', 'trailing tab without an extension'],
    ['5\nhello', 'bare LF'],
    ['5\rhello', 'bare CR'],
    ['5;a\nhello', 'bare LF behind an extension (CVE-2025-55315)'],
    ['5;a\rX', 'bare CR behind an extension'],
    ['5;\r\nhello', 'an extension without a name'],
    ['5;a=\r\nhello', 'an extension without its value'],
    ['5;a b\r\nhello', 'two words'],
    ['5;a="b\r\nhello', 'an open quote'],
    ['5;a="b"c\r\nhello', 'something behind the quote'],
    ['5;a\u0000\r\nhello', 'NUL'],
    ['5a;b,c\r\nhello', 'a comma'],
    ['10000000000000\r\n', 'fourteen digits'],
    ['00000000000000005\r\n', 'many zeros'],
    ['fffffffffffffffff\r\n', 'overflow (RFC 9112 section 7.1)'],
    ['5\r\nhelloXX', 'two octets that are not CRLF (CVE-2025-43859)'],
    ['5\r\nhello\rX', 'CR and something else'],
    ['5\r\nhello\n', 'bare LF behind the chunk'],
    ['5\r\nhello0\r\n\r\n', 'no CRLF behind the chunk'],
    ['0\r\nX: a\nb\r\n\r\n', 'bare LF in trailers (CVE-2025-22871)'],
    ['0\r\n folded: b\r\n\r\n', 'folding in trailers'],
    ['0\r\nX : b\r\n\r\n', 'space before the colon in trailers'],
    ['0\r\nContent-Length: 5\r\n\r\n', 'framing in trailers'],
    ['0\r\nTransfer-Encoding: chunked\r\n\r\n', 'framing in trailers'],
    ['0\r\nHost: a\r\n\r\n', 'routing in trailers'],
    ['0\r\nAuthorization: a\r\n\r\n', 'authentication in trailers'],
    ['0\r\nCookie: a\r\n\r\n', 'authentication in trailers'],
    ['0\r\nRange: a\r\n\r\n', 'a request modifier in trailers'],
    ['0\r\nContent-Type: a\r\n\r\n', 'content format in trailers'],
    ['0\r\nConnection: close\r\n\r\n', 'connection options in trailers'],
    ['0\r\nConnection: x\r\nX: y\r\n\r\n', 'connection options in trailers'],
    ['0\r\nUpgrade: x\r\n\r\n', 'Upgrade in trailers'],
    ['0\r\nKeep-Alive: x\r\n\r\n', 'Keep-Alive in trailers'],
  ])('refuses %j: %s', (text) => {
    for (const chunking of chunkings(text)) {
      expect(() => read(chunking, Framing.chunked), chunking.name).toThrow(RemoteProtocolError);
    }
  });

  it.each(['5;a', '5;a=b', '5 ; a = b ;c', '5;a="x y\\"z";b', '5;a="\u00e9"', '5\t;a'])(
    'ignores the extensions of %j (section 7.1.1)',
    (line) => {
      expect(read(whole(`${line}\r\nhello\r\n0;x\r\n\r\n`), Framing.chunked)).toMatchObject({
        content: 'hello',
        end: 'data',
      });
    },
  );

  it('reads sizes in either case, up to thirteen digits', () => {
    expect(
      read(whole(`1A\r\n${'x'.repeat(26)}\r\n1b\r\n${'x'.repeat(27)}\r\n0\r\n\r\n`), Framing.chunked).content.length,
    ).toBe(53);
    expect(read(whole('000000000000a\r\n0123456789\r\n0\r\n\r\n'), Framing.chunked).content).toBe('0123456789');
    expect(read(whole('fffffffffffff\r\nabc'), Framing.chunked)).toMatchObject({ content: 'abc', end: undefined });
  });
});

describe('one reader for many messages', () => {
  it('remembers nothing of the end of the one before, however it was cut', () => {
    const reader = new BodyReader(resolveServerLimits());
    const buffer = new ReceiveBuffer();
    for (let round = 0; round < 3; round += 1) {
      reader.begin(Framing.chunked, 0);
      let ended = false;
      for (const octet of '5\r\nhello\r\n0\r\n\r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n') {
        buffer.append(Buffer.from(octet, 'latin1'));
        for (let step = reader.read(buffer); step !== BodyStep.needMore; step = reader.read(buffer)) {
          ended = step !== BodyStep.data || reader.ended;
          if (ended) reader.begin(Framing.chunked, 0);
          if (ended) break;
        }
      }
      expect(ended).toBe(true);
      expect(buffer.size).toBe(0);
    }
  });

  it('gives out the content before a fault that came with it', () => {
    const reader = new BodyReader(resolveServerLimits());
    const buffer = new ReceiveBuffer();
    reader.begin(Framing.chunked, 0);
    buffer.append(Buffer.from('5\r\nhelloXX', 'latin1'));
    expect(reader.read(buffer)).toBe(BodyStep.data);
    expect(Buffer.from(reader.piece).toString('latin1')).toBe('hello');
    expect(() => reader.read(buffer)).toThrow(RemoteProtocolError);
    expect(() => reader.read(buffer)).toThrow(RemoteProtocolError);
  });
});

describe('limits', () => {
  it('bounds one chunk line, complete or not (CVE-2024-22019)', () => {
    const limits = resolveServerLimits({ maxChunkLineBytes: 20 });
    expect(read(whole(`5;${'a'.repeat(17)}\r\nhello\r\n0\r\n\r\n`), Framing.chunked, 0, limits).content).toBe('hello');
    for (const chunking of chunkings(`5;${'a'.repeat(19)}`)) {
      expect(() => read(chunking, Framing.chunked, 0, limits), chunking.name).toThrow(/maxChunkLineBytes/);
    }
  });

  it('bounds the extensions of a message together (CVE-2023-39326)', () => {
    const limits = resolveServerLimits({ maxChunkExtensionBytes: 100 });
    const chunk = `1;${'a'.repeat(29)}\r\nx\r\n`;
    expect(read(whole(`${chunk.repeat(3)}0\r\n\r\n`), Framing.chunked, 0, limits).content).toBe('xxx');
    expect(() => read(whole(chunk.repeat(4)), Framing.chunked, 0, limits)).toThrow(/maxChunkExtensionBytes/);
  });

  it('bounds the content by the sizes that are claimed', () => {
    const limits = resolveServerLimits({ maxBodyBytes: 9 });
    expect(() => read(whole('5\r\nhello\r\n5\r\n'), Framing.chunked, 0, limits)).toThrow(/maxBodyBytes/);
    expect(read(whole('5\r\nhello\r\n4\r\nabcd\r\n0\r\n\r\n'), Framing.chunked, 0, limits).content).toBe('helloabcd');
  });

  it('bounds trailers in bytes and lines', () => {
    const limits = resolveServerLimits({ maxHeaderBytes: 40, maxHeaderCount: 3 });
    expect(() => read(whole(`0\r\nx: ${'y'.repeat(60)}`), Framing.chunked, 0, limits)).toThrow(/maxHeaderBytes/);
    expect(() => read(whole(`0\r\n${'a: b\r\n'.repeat(4)}\r\n`), Framing.chunked, 0, limits)).toThrow(/maxHeaderCount/);
    expect(read(whole(`0\r\n${'a: b\r\n'.repeat(3)}\r\n`), Framing.chunked, 0, limits).end).toBe('trailers');
  });
});
