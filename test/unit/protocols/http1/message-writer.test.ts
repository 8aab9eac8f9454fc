import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import type { SendFramingKind } from '../../../../src/protocols/http1/message-writer.ts';
import { MessageWriter, SendFraming } from '../../../../src/protocols/http1/message-writer.ts';
import { SendQueue } from '../../../../src/protocols/http1/send-queue.ts';
import { UNDECLARED } from '../../../../src/protocols/semantics/index.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n';

function begun(
  framing: SendFramingKind,
  contentLength: number = UNDECLARED,
  mayChunk = true,
  dropsData = false,
): { writer: MessageWriter; text: () => string } {
  const output = new SendQueue();
  const writer = new MessageWriter(output);
  writer.begin(HEAD, undefined, framing, contentLength, mayChunk, dropsData);
  return { writer, text: () => Buffer.concat(output.take(0) ?? []).toString('latin1') };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

describe('framing what is sent (RFC 9112 section 6)', () => {
  it('gives a held message that comes whole its Content-Length', () => {
    const { writer, text } = begun(SendFraming.held);
    expect(writer.settledFraming(5)).toBe(SendFraming.length);
    writer.settle(5, 'connection: close\r\n');
    writer.write(bytes('hello'), true);
    expect(text()).toBe(`${HEAD}content-length: 5\r\nconnection: close\r\n\r\nhello`);
    expect(writer.framing).toBe(SendFraming.idle);
  });

  it('chunks a held message that goes on, and ends it in the same piece where it can (section 7.1)', () => {
    const { writer, text } = begun(SendFraming.held);
    writer.settle(UNDECLARED, '');
    expect(text()).toBe(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
    writer.write(bytes('hello'), false);
    writer.write(bytes(''), false);
    writer.write(bytes('x'.repeat(26)), true);
    expect(text()).toBe(`5\r\nhello\r\n1a\r\n${'x'.repeat(26)}\r\n0\r\n\r\n`);
  });

  it('ends a chunked message by an empty piece', () => {
    const { writer, text } = begun(SendFraming.held);
    writer.settle(UNDECLARED, '');
    writer.write(bytes(''), true);
    expect(text()).toMatch(/\r\n\r\n0\r\n\r\n$/);
  });

  it('never chunks towards HTTP/1.0 (section 6.1)', () => {
    const { writer, text } = begun(SendFraming.held, UNDECLARED, false);
    expect(writer.settledFraming(UNDECLARED)).toBe(SendFraming.close);
    writer.settle(UNDECLARED, 'connection: close\r\n');
    writer.write(bytes('hello'), false);
    writer.checkTrailers(['x', 'y'], undefined);
    writer.writeTrailers(['x', 'y'], undefined);
    expect(text()).toBe(`${HEAD}connection: close\r\n\r\nhello`);
  });

  it('writes trailers behind the last chunk (section 7.1.2)', () => {
    const { writer, text } = begun(SendFraming.held);
    writer.settle(UNDECLARED, '');
    text();
    writer.checkTrailers(['x-a', '1', 'x-b', '2'], ['X-A', 'x-B']);
    writer.writeTrailers(['x-a', '1', 'x-b', '2'], ['X-A', 'x-B']);
    expect(text()).toBe('0\r\nX-A: 1\r\nx-B: 2\r\n\r\n');
  });

  it('passes large pieces uncopied', () => {
    const output = new SendQueue();
    const writer = new MessageWriter(output);
    writer.begin(HEAD, undefined, SendFraming.length, 20_000, true, false);
    writer.settle(UNDECLARED, '');
    const large = new Uint8Array(20_000);
    writer.write(large, true);
    expect(output.take(0)?.includes(large)).toBe(true);
  });
});

describe('the ledger (RFC 9110 section 8.6)', () => {
  it('refuses more and less than was declared, and changes nothing', () => {
    const { writer, text } = begun(SendFraming.length, 5);
    writer.settle(UNDECLARED, '');
    expect(() => writer.checkData(6, false)).toThrow(LocalProtocolError);
    expect(() => writer.checkData(4, true)).toThrow(/less content/);
    writer.checkData(3, false);
    writer.write(bytes('abc'), false);
    expect(() => writer.checkData(3, true)).toThrow(/more content/);
    expect(() => writer.checkData(0, true)).toThrow(/less content/);
    writer.checkData(2, true);
    writer.write(bytes('de'), true);
    expect(text()).toBe(`${HEAD}\r\nabcde`);
  });

  it('holds a chunked message with trailers to its declaration as well', () => {
    const { writer } = begun(SendFraming.chunked, 5);
    writer.settle(UNDECLARED, '');
    expect(() => writer.checkTrailers([], undefined)).toThrow(/less content/);
    writer.write(bytes('hello'), false);
    expect(() => writer.checkTrailers([], undefined)).not.toThrow();
  });
});

describe('messages without content', () => {
  it('drop data in answer to HEAD only', () => {
    const head = begun(SendFraming.silent, 5, true, true);
    head.writer.settle(UNDECLARED, '');
    head.writer.checkData(100, false);
    head.writer.write(bytes('x'.repeat(100)), false);
    head.writer.checkData(0, true);
    head.writer.write(bytes(''), true);
    expect(head.text()).toBe(`${HEAD}\r\n`);

    const other = begun(SendFraming.silent);
    other.writer.settle(UNDECLARED, '');
    expect(() => other.writer.checkData(1, false)).toThrow(/no content/);
    expect(() => other.writer.checkData(0, true)).not.toThrow();
  });

  it('drop trailers', () => {
    const { writer, text } = begun(SendFraming.silent, 7);
    writer.settle(UNDECLARED, '');
    writer.checkTrailers(['x', 'y'], undefined);
    writer.writeTrailers(['x', 'y'], undefined);
    expect(text()).toBe(`${HEAD}\r\n`);
  });
});

describe('trailers that may not be sent', () => {
  it.each([
    [SendFraming.length, ['x', 'y'], /content-length/],
    [SendFraming.tunnel, ['x', 'y'], /tunnel/],
    [SendFraming.held, ['content-length', '1'], /content-length/],
    [SendFraming.held, [':status', '200'], /trailers/],
    [SendFraming.held, ['x', 'a\r\nb'], /control/],
  ])('framing %i: %j', (framing, headers, sentence) => {
    const { writer } = begun(framing, framing === SendFraming.length ? 0 : UNDECLARED);
    expect(() => writer.checkTrailers(headers, undefined)).toThrow(sentence);
  });
});
