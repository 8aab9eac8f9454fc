import { describe, expect, it } from 'vitest';
import { KnownMessage } from '../../../../src/protocols/http1/known-message.ts';
import { eventOf, octets, serverSide } from '../../../support/http1-sides.ts';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n';

describe('the response before', () => {
  it('is known again by its head and content, text or octets', () => {
    const known = new KnownMessage();
    expect(known.is(HEAD, 'ab', 2)).toBe(false);
    known.keep(HEAD, 'ab', octets(`${HEAD}ab`));
    expect(known.is(HEAD, 'ab', 2)).toBe(true);
    expect(known.is(HEAD, octets('ab'), 2)).toBe(true);
    expect(known.is(HEAD, 'ac', 2)).toBe(false);
    expect(known.is(HEAD, octets('ac'), 2)).toBe(false);
    expect(known.is(HEAD, octets('abc'), 3)).toBe(false);
    expect(known.is(HEAD.replace('200', '201'), 'ab', 2)).toBe(false);
  });

  it('is not known as text where octets were kept: they might be other text', () => {
    const known = new KnownMessage();
    known.keep(HEAD, octets('ab'), octets(`${HEAD}ab`));
    expect(known.is(HEAD, 'ab', 2)).toBe(false);
    expect(known.is(HEAD, octets('ab'), 2)).toBe(true);
  });

  it('is forgotten when there is another, and never kept when it is long or in pieces', () => {
    const known = new KnownMessage();
    known.keep(HEAD, 'ab', octets(`${HEAD}ab`));
    known.keep(HEAD, 'x'.repeat(129), octets(`${HEAD}${'x'.repeat(129)}`));
    known.keep(HEAD, 'xy', undefined);
    expect(known.is(HEAD, 'xy', 2)).toBe(false);
    known.keep(HEAD, 'cd', octets(`${HEAD}cd`));
    expect([known.is(HEAD, 'ab', 2), known.is(HEAD, 'cd', 2)]).toEqual([false, true]);
  });

  it.each([
    ['the same text', ['one', 'one', 'one']],
    ['other text of the same length', ['one', 'two', 'one']],
    ['text outside of ASCII', ['\u00e9', '\u00e9', '\u00e8']],
    ['none', ['', '', 'a']],
    ['octets that the app changes behind its back', [octets('one'), octets('two'), 'two']],
  ])('sends %s', (_what, bodies) => {
    const side = serverSide();
    const changing = octets('___');
    for (const body of bodies) {
      const { streamId } = eventOf(side.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'HeadersReceived');
      if (typeof body !== 'string') changing.set(body);
      side.protocol.submitResponse?.(streamId, 200, ['x-a', 'b'], typeof body === 'string' ? body : changing);
      side.protocol.submitHandlerEnd(streamId);
      changing.fill(0);
      const content = Buffer.from(body).toString('latin1');
      expect(side.sent()).toBe(
        `HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n\r\n${content}`,
      );
      side.events();
    }
  });
});
