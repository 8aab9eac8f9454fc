import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import { eventTypes } from '../../../support/connection-pair.ts';
import type { Side } from '../../../support/http1-sides.ts';
import { contentOf, END, eventOf, MORE, octets, serverSide } from '../../../support/http1-sides.ts';

const CONNECT = 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n';
const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo/2, WebSocket\r\n\r\n';
const WAITS = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('100-continue (RFC 9110 section 10.1.1)', () => {
  it('is the application’s to send', () => {
    const server = serverSide();
    const events = server.receive(WAITS);
    expect(eventOf(events, 'HeadersReceived').headers).toContain('100-continue');
    expect(server.sent()).toBe('');
    server.protocol.submitInformational(1, [':status', '100']);
    expect(server.sent()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect(contentOf(server.receive('hello'))).toBe('hello');
    server.respond(1, '200', 'hi');
    expect(server.sent()).not.toContain('close');
    expect(server.protocol.wantsEof).toBe(false);
  });

  it('a final response without it closes, and what comes is not read', () => {
    const server = serverSide();
    server.receive(WAITS);
    server.protocol.submitHeaders(1, [':status', '401'], END);
    expect(server.types()).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(server.sent()).toContain('connection: close');
    expect(server.receive(`hello${GET}`)).toEqual([]);
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('content that comes unasked is content', () => {
    const server = serverSide();
    server.receive(`${WAITS}hello`);
    server.respond(1, '200', 'hi');
    expect(server.sent()).not.toContain('close');
    expect(eventTypes(server.receive(GET))).toContain('HeadersReceived');
  });
});

function connected(): Side {
  const server = serverSide();
  server.receive(CONNECT);
  server.protocol.submitHeaders(1, [':status', '200'], MORE);
  server.sent();
  server.events();
  return server;
}

describe('CONNECT (RFC 9110 section 9.3.6)', () => {
  it('stays open, and delivers nothing before it is accepted', () => {
    const server = serverSide();
    const events = server.receive(`${CONNECT}early`);
    expect(eventTypes(events)).toEqual(['HeadersReceived']);
    expect(eventOf(events, 'HeadersReceived')).toMatchObject({
      headers: [':method', 'CONNECT', ':authority', 'a.example:443'],
      endStream: false,
    });
    expect(server.protocol.wantsInput).toBe(false);
    server.protocol.submitHeaders(1, [':status', '200', 'x', 'y'], MORE);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\nx: y\r\n\r\n');
    expect(contentOf(server.events())).toBe('early');
    expect(server.protocol.wantsInput).toBe(true);
  });

  it('carries raw bytes both ways', () => {
    const server = connected();
    expect(contentOf(server.receive('GET / HTTP/1.1\r\n\u0000\u00ff'))).toBe('GET / HTTP/1.1\r\n\u0000\u00ff');
    server.protocol.submitData(1, octets('HTTP/1.1 200 OK\r\n'), MORE);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\n');
    expect(() => server.protocol.submitTrailers(1, ['x', 'y'])).toThrow(/tunnel/);
    expect(() => server.protocol.submitHeaders(1, [':status', '200'], MORE)).toThrow(LocalProtocolError);
  });

  it('closes half by half: the client first', () => {
    const server = connected();
    const events = server.end();
    expect(events).toMatchObject([{ type: 'DataReceived', endStream: true, closeDelimited: false }]);
    server.protocol.submitData(1, octets('rest'), MORE);
    expect(server.sent()).toBe('rest');
    expect(server.protocol.wantsEof).toBe(false);
    server.protocol.submitData(1, octets('end'), END);
    expect(server.types()).toEqual(['StreamClosed', 'ConnectionTerminated']);
    expect(server.sent()).toBe('end');
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('closes half by half: the server first', () => {
    const server = connected();
    server.protocol.submitData(1, octets('end'), END);
    expect(server.protocol.wantsEof).toBe(false);
    expect(server.sent()).toBe('end');
    expect(server.protocol.wantsEof).toBe(true);
    expect(server.events()).toEqual([]);
    expect(server.protocol.sendCapacity(1)).toBe(0);
    expect(contentOf(server.receive('more'))).toBe('more');
    expect(eventTypes(server.end())).toEqual(['DataReceived', 'StreamClosed', 'ConnectionTerminated']);
  });

  it('has no idle timer of its own', () => {
    expect(connected().protocol.nextTimeout()).toBeUndefined();
  });

  it('refused, it ends the connection, since what follows may not be a request (RFC 9931)', () => {
    const server = serverSide();
    server.receive(`${CONNECT}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    server.respond(1, '403', 'no');
    expect(server.sent()).toContain('connection: close\r\n');
    expect(server.types()).toEqual(['StreamClosed']);
    expect(server.receive(GET)).toEqual([]);
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('refuses content-length and an end in the acceptance (RFC 9110 section 8.6)', () => {
    const server = serverSide();
    server.receive(CONNECT);
    expect(() => server.protocol.submitHeaders(1, [':status', '200', 'content-length', '5'], MORE)).toThrow(
      /content-length/,
    );
    expect(() => server.protocol.submitHeaders(1, [':status', '200'], END)).toThrow(/tunnel/);
    server.protocol.submitHeaders(1, [':status', '200', 'content-length', '0'], MORE);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\n\r\n');
  });

  it('a client that ended before the acceptance has ended the tunnel', () => {
    const server = serverSide();
    server.receive(`${CONNECT}early`);
    server.end();
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    const events = server.events();
    expect(contentOf(events)).toBe('early');
    expect(events.at(-1)).toMatchObject({ type: 'DataReceived', endStream: true });
  });

  it('a reset or a loss cuts it', () => {
    const reset = connected();
    reset.protocol.submitStreamReset(1, 6);
    expect(reset.types()).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(reset.protocol.wantsEof).toBe(false);
    expect(eventTypes(connected().lose())).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
  });

  it('keeps the flow in check both ways', () => {
    const server = serverSide({ limits: { maxUnconsumedBytes: 10, sendBufferBytes: 10 } });
    server.receive(CONNECT);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    server.sent();
    server.receive('0123456789');
    expect(server.protocol.wantsInput).toBe(false);
    server.protocol.dataConsumed(1, 5);
    expect(server.protocol.wantsInput).toBe(true);
    server.protocol.submitData(1, octets('0123456789abc'), MORE);
    expect(server.protocol.sendCapacity(1)).toBe(0);
    expect(() => server.protocol.submitData(1, octets('x'), MORE)).toThrow(/full/);
    server.sent();
    expect(server.types()).toEqual(['StreamWritable']);
  });
});

describe('Upgrade (RFC 9110 section 7.8)', () => {
  it('tells the tokens, and becomes a tunnel by 101 with one of them', () => {
    const server = serverSide();
    const events = server.receive(`${UPGRADE}frame`);
    expect(eventOf(events, 'HeadersReceived')).toMatchObject({ upgrade: ['foo/2', 'WebSocket'], endStream: true });
    server.protocol.submitHeaders(1, [':status', '101', 'sec-websocket-accept', 'x'], {
      ...MORE,
      upgrade: 'WebSocket',
    });
    expect(server.sent()).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: x\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n\r\n',
    );
    expect(contentOf(server.events())).toBe('frame');
    server.protocol.submitData(1, octets('\u0081\u0000'), END);
    expect(server.sent()).toBe('\u0081\u0000');
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('ignored, it is an ordinary request', () => {
    const server = serverSide();
    server.receive(UPGRADE + GET);
    server.respond(1, '200', 'hi');
    expect(server.types()).toEqual(['StreamClosed', 'HeadersReceived']);
    expect(server.sent()).not.toContain('close');
  });

  it('waits for the request to be whole', () => {
    const server = serverSide();
    server.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    expect(() => server.protocol.submitHeaders(1, [':status', '101'], { ...MORE, upgrade: 'x' })).toThrow(
      /before the end/,
    );
    server.receive('hello');
    server.protocol.submitHeaders(1, [':status', '101'], { ...MORE, upgrade: 'x' });
    expect(server.sent()).toMatch(/^HTTP\/1.1 101 /);
  });

  it('refuses an end and content-length in a 101', () => {
    const server = serverSide();
    server.receive(UPGRADE);
    const upgrade = 'foo/2';
    expect(() => server.protocol.submitHeaders(1, [':status', '101'], { ...END, upgrade })).toThrow(/tunnel/);
    expect(() =>
      server.protocol.submitHeaders(1, [':status', '101', 'content-length', '0'], { ...MORE, upgrade }),
    ).toThrow(/content-length/);
  });
});

describe('detach', () => {
  it('ends the engine and gives back every byte that no event has delivered', () => {
    const server = serverSide();
    server.receive(`${CONNECT}one`);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    expect(() => server.protocol.detach()).toThrow(LocalProtocolError);
    server.sent();
    server.protocol.bytesReceived(octets('two'), 0);
    expect(Buffer.concat(server.protocol.detach()).toString('latin1')).toBe('onetwo');
    expect(server.events()).toEqual([]);
    expect(server.protocol.nextTimeout()).toBeUndefined();
    expect(() => server.protocol.detach()).toThrow(LocalProtocolError);
    server.protocol.bytesReceived(octets('three'), 0);
    server.protocol.connectionLost(0);
    expect(server.events()).toEqual([]);
  });
});
