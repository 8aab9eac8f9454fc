/**
 * Messages: what is surfaced, what is malformed (RFC 9114 section 4.1.2), ends, resets and cancellations (4.1.1).
 */
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../../../src/common/index.ts';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import { Http3ErrorCode } from '../../../../src/protocols/http3/index.ts';
import { concat, data, fields, headers, octets, parseFrames, Type } from '../../../support/http3-frames.ts';
import { Http3Peer, request } from '../../../support/http3-peer.ts';

const NOTHING = new Uint8Array(0);

/** A client with a GET on stream 0. */
const asked = (method = 'GET', endStream = true, more: HeaderList = []): Http3Peer => {
  const peer = Http3Peer.ofClient();
  peer.engine.submitHeaders(0, request(method, more), { endStream });
  return peer.clear();
};
const received = (more: HeaderList = []): Http3Peer =>
  Http3Peer.ofServer()
    .send(0, headers(request('POST', more)))
    .clear();

describe('requests', () => {
  it('are told whole, with their content and trailers', () => {
    const peer = Http3Peer.ofServer();
    peer.send(0, concat(headers(request('POST', ['x', 'y'])), data('one'), data('two'), headers(['z', '1'])), true);
    expect(peer.types).toEqual(['HeadersReceived', 'DataReceived', 'DataReceived', 'TrailersReceived']);
    expect(peer.only('HeadersReceived')).toMatchObject({
      streamId: 0,
      httpVersion: '3',
      early: false,
      endStream: false,
    });
    expect(peer.content(0)).toBe('onetwo');
    expect(peer.only('TrailersReceived')).toMatchObject({ headers: ['z', '1'], endStream: true });
  });

  it('are the same however their bytes are cut', () => {
    const bytes = concat(headers(request('POST')), data('content'), headers(['z', '1']));
    for (const cut of [1, 2, 3, 7]) {
      const peer = Http3Peer.ofServer();
      for (let at = 0; at < bytes.length; at += cut) {
        peer.send(0, bytes.subarray(at, at + cut), at + cut >= bytes.length);
      }
      expect(peer.only('HeadersReceived').headers).toEqual(request('POST'));
      expect(peer.content(0)).toBe('content');
      expect(peer.only('TrailersReceived').headers).toEqual(['z', '1']);
    }
  });

  it('trailers are told when the stream has ended behind them, not before', () => {
    const peer = received().send(0, headers(['z', '1']));
    expect(peer.types).toEqual([]);
    peer.send(0, NOTHING, true);
    expect(peer.types).toEqual(['TrailersReceived']);
  });

  it('join cookie crumbs (4.2.1), and fold Host into :authority (4.3.1)', () => {
    const peer = Http3Peer.ofServer();
    peer.send(0, headers(request('GET', ['cookie', 'a=1', 'x', 'y', 'cookie', 'b=2'])), true);
    expect(peer.only('HeadersReceived').headers).toEqual(request('GET', ['cookie', 'a=1; b=2', 'x', 'y']));
    const list = [':method', 'GET', ':scheme', 'https', ':path', '/', 'host', 'a.example'];
    peer.clear().send(4, headers(list), true);
    expect(peer.only('HeadersReceived').headers).toEqual([...list.slice(0, 6), ':authority', 'a.example']);
  });

  const malformed: readonly (readonly [string, HeaderList])[] = [
    ['no :method', request().slice(2)],
    ['no :path', request().slice(0, 6)],
    ['no :scheme', [...request().slice(0, 2), ...request().slice(4)]],
    ['no authority', [...request().slice(0, 4), ...request().slice(6)]],
    ['an empty authority', [...request().slice(0, 5), '', ...request().slice(6)]],
    ['userinfo in :authority', [...request().slice(0, 5), 'u@a.example', ...request().slice(6)]],
    ['an empty :path', [...request().slice(0, 7), '']],
    ['a pseudo-header field that nobody knows', [...request(), ':x', 'y']],
    [':status in a request', [...request(), ':status', '200']],
    [':method twice', [':method', 'GET', ...request()]],
    ['a pseudo-header field behind a field', [...request().slice(0, 6), 'x', 'y', ':path', '/']],
    ['an uppercase name', request('GET', ['X', 'y'])],
    ['a control character in a value', request('GET', ['x', 'a\nb'])],
    ['NUL in a value', request('GET', ['x', 'a\0'])],
    ['an empty name', request('GET', ['', 'y'])],
    ['connection', request('GET', ['connection', 'close'])],
    ['keep-alive', request('GET', ['keep-alive', 'x'])],
    ['proxy-connection', request('GET', ['proxy-connection', 'x'])],
    ['transfer-encoding', request('GET', ['transfer-encoding', 'chunked'])],
    ['upgrade', request('GET', ['upgrade', 'x'])],
    ['te other than trailers', request('GET', ['te', 'gzip'])],
    ['Host other than :authority', request('GET', ['host', 'b.example'])],
    ['two Hosts', request('GET', ['host', 'a.example', 'host', 'a.example'])],
    ['two content-lengths', request('POST', ['content-length', '1', 'content-length', '1'])],
    ['a content-length that is no number', request('POST', ['content-length', '+1'])],
    ['CONNECT with :path', [':method', 'CONNECT', ':authority', 'a.example:1', ':path', '/']],
    ['CONNECT with :scheme', [':method', 'CONNECT', ':authority', 'a.example:1', ':scheme', 'https']],
    ['CONNECT without a port', [':method', 'CONNECT', ':authority', 'a.example']],
    ['CONNECT with a content-length', [':method', 'CONNECT', ':authority', 'a.example:1', 'content-length', '3']],
    [':protocol without CONNECT', request('GET').concat([':protocol', 'x'])],
  ];

  it.each(malformed)('%s is H3_MESSAGE_ERROR, and nobody is told (4.1.2, 4.2, 4.3)', (_name, list) => {
    const peer = Http3Peer.ofServer().send(0, headers(list));
    peer.expectStreamError(0, 'H3_MESSAGE_ERROR');
    expect(peer.quic.stream(0).stopped).toBe(Http3ErrorCode.H3_MESSAGE_ERROR);
    expect(peer.types).toEqual([]);
    peer.over(0).send(4, headers(request()), true);
    expect(peer.types).toEqual(['HeadersReceived']);
  });

  it.each([
    ['less content than its content-length', ['content-length', '5'], [data('four')], true],
    ['more content than its content-length', ['content-length', '3'], [data('four')], false],
    ['content-length and no content', ['content-length', '3'], [], true],
    ['less content before its trailers', ['content-length', '5'], [data('four'), headers(['a', 'b'])], true],
    ['a pseudo-header field in trailers', [], [headers([':path', '/'])], true],
    ['a framing field in trailers', [], [headers(['content-length', '3'])], true],
    ['connection in trailers', [], [headers(['connection', 'x'])], true],
  ] as const)('%s is H3_MESSAGE_ERROR (4.1.2)', (_name, more, parts, fin) => {
    for (const whole of [true, false]) {
      const peer = received(more);
      if (whole) peer.send(0, concat(...parts), fin);
      else for (const octet of concat(...parts)) peer.send(0, Uint8Array.of(octet));
      if (!whole && fin) peer.send(0, NOTHING, true);
      peer.expectStreamError(0, 'H3_MESSAGE_ERROR');
      expect(peer.types.slice(-2)).toEqual(['StreamResetSent', 'StreamClosed']);
      expect(peer.only('StreamResetSent').error).toMatchObject({ scope: 'stream', statusHint: 400 });
      expect(peer.all('DataReceived').some(({ endStream }) => endStream)).toBe(false);
    }
  });

  it('content-length without content in the same frame is refused before anybody is told', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request('POST', ['content-length', '3'])), true);
    peer.expectStreamError(0, 'H3_MESSAGE_ERROR');
    expect(peer.types).toEqual([]);
  });

  it('a stream that ends before its request is H3_REQUEST_INCOMPLETE (4.1)', () => {
    for (const peer of [
      Http3Peer.ofServer().send(0, NOTHING, true),
      Http3Peer.ofServer().send(0, Uint8Array.of(0x21, 1, 0), true),
    ]) {
      peer.expectStreamError(0, 'H3_REQUEST_INCOMPLETE');
      expect(peer.types).toEqual([]);
    }
  });

  it('fields that are too large are answered by 431, and the connection goes on (4.2.2)', () => {
    for (const list of [
      request('GET', ['x', 'y'.repeat(40_000)]),
      request('GET', Array.from({ length: 200 }, () => ['c', 'd']).flat()),
    ]) {
      const peer = Http3Peer.ofServer().send(0, headers(list));
      expect(peer.types).toEqual([]);
      expect(peer.head(0)).toEqual([':status', '431', 'date', expect.any(String), 'content-length', '0']);
      expect(peer.quic.stream(0)).toMatchObject({ fin: true, stopped: Http3ErrorCode.H3_NO_ERROR, reset: undefined });
      peer.over(0).expectAlive();
    }
  });

  it('come in any order: what is submitted for one that has not come is refused, not lost (RFC 9114 A.3, RFC 9000 2)', () => {
    const peer = Http3Peer.ofServer().send(4, headers(request()), true).clear();
    const { engine } = peer;
    for (const submit of [
      () => engine.submitHeaders(0, [':status', '200'], { endStream: false }),
      () => engine.submitInformational(0, [':status', '103']),
      () => engine.submitData(0, octets('x'), { endStream: true }),
      () => engine.submitTrailers(0, ['z', '1']),
      () => engine.submitPriority(0, 1, false),
      () => engine.submitStreamReset(0, Http3ErrorCode.H3_REQUEST_CANCELLED),
    ]) {
      expect(submit).toThrow(LocalProtocolError);
      expect(submit).toThrow('there is no stream 0');
    }
    expect(peer.send(0, headers(request()), true).types).toEqual(['HeadersReceived']);
    engine.submitHeaders(0, [':status', '200'], { endStream: false });
    engine.submitTrailers(0, ['z', '1']);
    expect(peer.frames(0).map((sent) => fields(sent))).toEqual([
      [':status', '200'],
      ['z', '1'],
    ]);
    expect(peer.quic.stream(0).fin).toBe(true);
  });

  it('that closed long behind later ones are known from those that have not come', () => {
    const peer = Http3Peer.ofServer();
    const { engine } = peer;
    const close = (id: number): void => {
      engine.submitHeaders(id, [':status', '200'], { endStream: true });
      engine.submitHandlerEnd(id);
      peer.over(id);
    };
    peer.send(0, headers(request()), true).send(512, headers(request()), true);
    close(512);
    const submit = (id: number) => () => engine.submitTrailers(id, ['z', '1']);
    close(0);
    expect(submit(0), 'forgotten, as if it had been reset').not.toThrow();
    expect(submit(512)).toThrow('stream 512 has ended');
    expect(submit(4)).toThrow('there is no stream 4');
    expect(submit(508)).toThrow('there is no stream 508');
  });

  it('are closed when the client has acknowledged the response', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request()), true).clear();
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: false });
    peer.engine.submitData(0, octets('hello'), { endStream: true });
    peer.engine.submitHandlerEnd(0);
    expect(peer.pull().types).toEqual([]);
    expect(peer.over(0).types).toEqual(['StreamClosed']);
    expect(() => {
      peer.engine.submitData(0, octets('x'), { endStream: false });
    }).toThrow(/has ended/);
  });
});

describe('responses', () => {
  it('are told with what came before them', () => {
    const peer = asked();
    peer.send(0, concat(headers([':status', '103', 'link', 'x']), headers([':status', '200']), data('hi')), true);
    expect(peer.types).toEqual(['InformationalReceived', 'HeadersReceived', 'DataReceived', 'StreamClosed']);
    expect(peer.content(0)).toBe('hi');
    peer.over(0).expectAlive();
  });

  it.each([
    ['no :status', ['x', 'y']],
    [':status twice', [':status', '200', ':status', '200']],
    ['a status that is none', [':status', '20']],
    [':path in a response', [':status', '200', ':path', '/']],
    ['101 (4.5)', [':status', '101']],
    ['an uppercase name', [':status', '200', 'X', 'y']],
    ['connection', [':status', '200', 'connection', 'close']],
    ['two content-lengths', [':status', '200', 'content-length', '1', 'content-length', '1']],
  ] as const)('%s is H3_MESSAGE_ERROR (4.1.2, 4.3.2)', (_name, list) => {
    const peer = asked().send(0, headers(list));
    expect(peer.types).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(peer.only('StreamResetSent')).toMatchObject({ errorCode: 0x10e, error: { statusHint: 502 } });
    expect(peer.quic.stream(0).stopped).toBe(0x10e);
    peer.expectAlive();
  });

  it.each([
    ['no response at all', []],
    ['an interim response alone', [headers([':status', '100'])]],
    ['less content than its content-length', [headers([':status', '200', 'content-length', '9']), data('x')]],
    ['content where there is none', [headers([':status', '204']), data('x')]],
    ['a length without content', [headers([':status', '200', 'content-length', '9'])]],
  ] as const)('that end with %s are H3_MESSAGE_ERROR (4.1, 4.1.2)', (_name, parts) => {
    const peer = asked().send(0, concat(...parts), true);
    expect(peer.types.slice(-2)).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(peer.only('StreamResetSent').errorCode).toBe(0x10e);
  });

  it('to HEAD and 304 declare lengths that do not come (4.1.2)', () => {
    for (const [method, status] of [
      ['HEAD', '200'],
      ['GET', '304'],
    ] as const) {
      const peer = asked(method).send(0, headers([':status', status, 'content-length', '9']), true);
      expect(peer.types).toEqual(['HeadersReceived', 'StreamClosed']);
    }
  });

  it('stand though the server stops reading the request (4.1)', () => {
    const peer = asked('POST', false);
    peer.stop(0, 'H3_NO_ERROR').send(0, concat(headers([':status', '413']), data('too large')), true);
    expect(peer.types).toEqual(['HeadersReceived', 'DataReceived', 'StreamClosed']);
    peer.engine.submitData(0, octets('late'), { endStream: false });
    expect(peer.engine.sendCapacity(0)).toBe(0);
    peer.expectAlive();
  });

  it('that are partial before the server stops reading go on', () => {
    const peer = asked('POST', false)
      .send(0, headers([':status', '200']))
      .stop(0, 'H3_NO_ERROR');
    peer.engine.submitData(0, octets('ignored'), { endStream: true });
    expect(peer.types).toEqual(['HeadersReceived']);
    expect(peer.send(0, data('x'), true).types.slice(-2)).toEqual(['DataReceived', 'StreamClosed']);
  });
});

describe('resets (RFC 9114 section 4.1.1)', () => {
  it('of the client are told to the server, and answered in the other direction', () => {
    const peer = received().reset(0);
    expect(peer.types).toEqual(['StreamResetReceived', 'StreamClosed']);
    expect(peer.quic.stream(0).reset).toBe(Http3ErrorCode.H3_REQUEST_CANCELLED);
    peer.stop(0).over(0);
    expect(peer.types).toHaveLength(2);
  });

  it('by STOP_SENDING alone cancel a request that has come whole', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request()), true).clear().stop(0);
    expect(peer.only('StreamResetReceived')).toMatchObject({ errorCode: 0x10c, processed: 'maybe' });
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: true });
    expect(peer.quic.stream(0).written).toHaveLength(0);
  });

  it('of a request whose response was submitted whole leave the response alone (4.1)', () => {
    const peer = received();
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: true });
    peer.reset(0, 'H3_NO_ERROR');
    expect(peer.types).toEqual(['StreamResetReceived']);
    expect(peer.quic.stream(0).reset).toBeUndefined();
    expect(peer.over(0).types).toEqual(['StreamResetReceived', 'StreamClosed']);
  });

  it('before a request was whole are nobody’s to know', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request()).subarray(0, 5)).reset(0);
    peer.reset(4).over(0).over(4);
    expect(peer.types).toEqual([]);
    peer.expectAlive();
  });

  it.each([
    ['H3_REQUEST_REJECTED', 'no'],
    ['H3_REQUEST_CANCELLED', 'maybe'],
    ['H3_INTERNAL_ERROR', 'maybe'],
    ['H3_VERSION_FALLBACK', 'maybe'],
  ] as const)('of the server with %s mean that the request was processed: %s', (code, processed) => {
    const peer = asked().reset(0, code);
    expect(peer.types).toEqual(['StreamResetReceived', 'StreamClosed']);
    expect(peer.only('StreamResetReceived')).toMatchObject({ errorCode: Http3ErrorCode[code], processed });
  });

  it('with H3_REQUEST_REJECTED behind a part of the response are no leave to try again', () => {
    const peer = asked()
      .send(0, headers([':status', '200']))
      .reset(0, 'H3_REQUEST_REJECTED');
    expect(peer.only('StreamResetReceived').processed).toBe('maybe');
  });

  it('with a code that nobody knows are resets like any other (8)', () => {
    const peer = asked();
    peer.tell({ type: 'QuicStreamResetReceived', streamId: 0, errorCode: 2 ** 50 });
    expect(peer.types).toEqual(['StreamResetReceived', 'StreamClosed']);
  });

  it('of the application end both directions', () => {
    const peer = asked('POST', false);
    peer.engine.submitStreamReset(0, Http3ErrorCode.H3_REQUEST_CANCELLED);
    expect(peer.pull().types).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(peer.quic.stream(0)).toMatchObject({ reset: 0x10c, stopped: 0x10c });
    peer
      .send(0, headers([':status', '200']))
      .reset(0)
      .over(0);
    expect(peer.types).toHaveLength(2);
  });

  it('of a response that was submitted whole drop what was not sent of it', () => {
    const peer = received();
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: true });
    peer.engine.submitStreamReset(0, Http3ErrorCode.H3_INTERNAL_ERROR);
    expect(peer.quic.stream(0)).toMatchObject({ reset: 0x102, stopped: 0x102 });
  });
});

describe('a response before the end of its request (RFC 9114 section 4.1)', () => {
  it('stands; the rest of the request is delivered while its handler lives, then asked to stop with H3_NO_ERROR', () => {
    const peer = received();
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: true });
    peer.send(0, data('more'));
    expect(peer.content(0)).toBe('more');
    expect(peer.quic.stream(0).stopped).toBeUndefined();
    peer.engine.submitHandlerEnd(0);
    expect(peer.quic.stream(0)).toMatchObject({ stopped: Http3ErrorCode.H3_NO_ERROR, reset: undefined, fin: true });
    // What was told and not consumed is given back.
    expect(peer.quic.stream(0).consumed).toBe(headers(request('POST')).length + data('more').length);
    expect(peer.over(0).types.slice(-1)).toEqual(['StreamClosed']);
  });
});

describe('what is sent', () => {
  it('is HEADERS, DATA and HEADERS, content uncopied behind its frame’s header (7.2)', () => {
    const peer = received();
    const content = new Uint8Array(5000).fill(7);
    peer.engine.submitInformational(0, [':status', '103', 'link', 'x']);
    peer.engine.submitHeaders(0, [':status', '200', 'x', 'y'], { endStream: false });
    peer.engine.submitData(0, octets('small'), { endStream: false });
    peer.engine.submitData(0, content, { endStream: false });
    peer.engine.submitTrailers(0, ['z', '1']);
    const frames = parseFrames(peer.quic.stream(0).written);
    expect(frames.map(({ type }) => type)).toEqual([Type.HEADERS, Type.HEADERS, Type.DATA, Type.DATA, Type.HEADERS]);
    expect(fields(frames[0]!)).toEqual([':status', '103', 'link', 'x']);
    expect(fields(frames[1]!)).toEqual([':status', '200', 'x', 'y']);
    expect(frames[3]!.payload).toEqual(content);
    expect(fields(frames[4]!)).toEqual(['z', '1']);
    expect(peer.quic.stream(0).fin).toBe(true);
  });

  it('is bounded by the transport: at no capacity content is refused, the end and trailers are not', () => {
    const peer = received();
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: false });
    peer.quic.capacity = 0;
    expect(peer.engine.sendCapacity(0)).toBe(0);
    expect(() => {
      peer.engine.submitData(0, octets('x'), { endStream: false });
    }).toThrow(/full/);
    peer.quic.capacity = 10;
    expect(peer.engine.sendCapacity(0)).toBe(10);
    expect(peer.tell({ type: 'QuicStreamWritable', streamId: 0 }).types).toEqual(['StreamWritable']);
    peer.quic.capacity = 0;
    peer.engine.submitTrailers(0, ['z', '1']);
    expect(peer.quic.stream(0).fin).toBe(true);
    expect(peer.tell({ type: 'QuicStreamWritable', streamId: 0 }).types).toEqual(['StreamWritable']);
  });

  it('is nothing for requests that did not come whole', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request()).subarray(0, 5));
    expect(() => {
      peer.engine.submitHeaders(0, [':status', '200'], { endStream: true });
    }).toThrow(/no stream/);
    expect(peer.engine.sendCapacity(0)).toBe(0);
  });
});
