import { describe, expect, it } from 'vitest';
import { MAX_KNOWN } from '../../../../src/protocols/http1/known-request.ts';
import { Http1ServerFactory } from '../../../../src/protocols/http1/index.ts';
import type { HttpEvent, ProtocolContext } from '../../../../src/protocols/index.ts';
import { drainEvents, takeText, testContext } from '../../../support/connection-pair.ts';
import { octets } from '../../../support/http1-sides.ts';

const HEAD = 'GET /a HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\r\n';

/** Plays texts to a fresh connection each, all of one factory: a request, its answer, the next request. */
function play(
  factory: Http1ServerFactory,
  texts: readonly string[],
  context: Partial<ProtocolContext> = {},
): HttpEvent[] {
  const engine = factory.create(testContext(context), 0);
  const events: HttpEvent[] = [];
  for (const text of texts) {
    engine.bytesReceived(octets(text), 0);
    for (const event of drainEvents(engine)) {
      events.push(event);
      if (event.type !== 'HeadersReceived') continue;
      engine.submitHeaders(event.streamId, [':status', '204'], { endStream: true });
      engine.submitHandlerEnd(event.streamId);
    }
    takeText(engine, 0);
    events.push(...drainEvents(engine));
  }
  return events;
}

/** The same without the memory: each chunk in two pieces, so that none is a whole request. */
function playCut(texts: readonly string[], context: Partial<ProtocolContext> = {}): HttpEvent[] {
  const engine = new Http1ServerFactory().create(testContext(context), 0);
  const events: HttpEvent[] = [];
  const answer = (event: HttpEvent): void => {
    events.push(event);
    if (event.type !== 'HeadersReceived') return;
    engine.submitHeaders(event.streamId, [':status', '204'], { endStream: true });
    engine.submitHandlerEnd(event.streamId);
  };
  for (const text of texts) {
    for (const part of [text.slice(0, 1), text.slice(1)]) {
      engine.bytesReceived(octets(part), 0);
      drainEvents(engine).forEach(answer);
      takeText(engine, 0);
      drainEvents(engine).forEach(answer);
    }
  }
  return events;
}

describe('a request that came before, octet for octet (RFC 9112 section 9.3)', () => {
  it.each([
    ['repeated', [HEAD, HEAD, HEAD]],
    ['repeated after another', [HEAD, HEAD.replace('/a', '/b'), HEAD, HEAD]],
    ['of the same length', [HEAD, HEAD.replace('1\r\n\r', '2\r\n\r'), HEAD.replace('X-A', 'X-B')]],
    ['behind empty lines', [`\r\n${HEAD}`, `\r\n${HEAD}`, HEAD]],
    ['with HEAD', [HEAD.replace('GET', 'HEAD'), HEAD.replace('GET', 'HEAD')]],
    ['with Upgrade', [HEAD.replace('X-A: 1', 'Connection: upgrade\r\nUpgrade: x'), HEAD]],
    ['of HTTP/1.0 that keeps alive', [HEAD.replace('1.1', '1.0').replace('X-A: 1', 'Connection: keep-alive'), HEAD]],
    ['long', [HEAD.replace('X-A: 1', `X-A: ${'1'.repeat(MAX_KNOWN)}`), HEAD]],
    [
      'with content',
      [
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx',
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx',
      ],
    ],
    ['after content that expects nothing', ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', HEAD, HEAD]],
  ])('is told as if it had been parsed: %s', (_what, texts) => {
    const factory = new Http1ServerFactory();
    play(factory, texts);
    // A second connection meets what the first one left.
    expect(play(factory, texts)).toEqual(playCut(texts));
  });

  it('ends the connection where it says so, each time', () => {
    const close = HEAD.replace('X-A: 1', 'Connection: close');
    const factory = new Http1ServerFactory();
    for (let time = 0; time < 3; time += 1) {
      expect(play(factory, [close]).map((event) => event.type)).toContain('GoawayReceived');
    }
  });

  it('has the scheme of its own connection', () => {
    const factory = new Http1ServerFactory();
    const schemes = [false, true, true, false].map((secure) => {
      const [event] = play(factory, [HEAD], { secure });
      return event?.type === 'HeadersReceived' ? event.headers[3] : undefined;
    });
    expect(schemes).toEqual(['http', 'https', 'https', 'http']);
  });

  it('waits for its turn like any other (RFC 9112 section 9.3.2)', () => {
    const factory = new Http1ServerFactory();
    play(factory, [HEAD]);
    const engine = factory.create(testContext(), 0);
    engine.bytesReceived(octets(HEAD), 0);
    engine.bytesReceived(octets(HEAD), 0);
    expect(drainEvents(engine).map((event) => event.type)).toEqual(['HeadersReceived']);
    engine.submitHeaders(1, [':status', '204'], { endStream: true });
    engine.submitHandlerEnd(1);
    expect(drainEvents(engine).map((event) => event.type)).toEqual(['StreamClosed', 'HeadersReceived']);
  });
});
