import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import { eventTypes } from '../../../support/connection-pair.ts';
import type { Side } from '../../../support/http1-sides.ts';
import { clientSide, contentOf, END, eventOf, MORE, octets } from '../../../support/http1-sides.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n';

function connecting(): Side {
  const client = clientSide();
  client.request('CONNECT', 'b.example:443', [], MORE);
  expect(client.sent()).toBe('CONNECT b.example:443 HTTP/1.1\r\nhost: b.example:443\r\n\r\n');
  return client;
}

function upgrading(endStream = true): Side {
  const client = clientSide();
  client.request('GET', '/', [], { endStream, upgrade: 'websocket, foo/2' });
  expect(client.sent()).toBe(
    'GET / HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: websocket, foo/2\r\n\r\n',
  );
  return client;
}

describe('CONNECT (RFC 9110 section 9.3.6)', () => {
  it('sends nothing before the server has agreed (RFC 9931)', () => {
    const client = connecting();
    expect(client.protocol.isAvailable()).toBe(false);
    expect(client.protocol.sendCapacity(1)).toBe(0);
    expect(() => client.protocol.submitData(1, octets('x'), MORE)).toThrow(/not been accepted/);
    expect(client.sent()).toBe('');
  });

  it('becomes a tunnel by any 2xx, whose framing fields are ignored (RFC 9112 section 6.3, rule 2)', () => {
    const client = connecting();
    const events = client.receive(
      'HTTP/1.1 201 Yes\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello world',
    );
    expect(eventOf(events, 'HeadersReceived')).toMatchObject({ endStream: false });
    expect(contentOf(events)).toBe('hello world');
    client.protocol.submitData(1, octets('raw'), MORE);
    expect(client.sent()).toBe('raw');
    expect(() => client.protocol.submitTrailers(1, [])).toThrow(/tunnel/);
    expect(client.protocol.hasExpired()).toBe(true);
    expect(client.protocol.nextTimeout()).toBeUndefined();
  });

  it('closes half by half', () => {
    const first = connecting();
    first.receive('HTTP/1.1 200 OK\r\n\r\n');
    first.protocol.submitData(1, octets('end'), END);
    expect(first.sent()).toBe('end');
    expect(first.protocol.wantsEof).toBe(true);
    expect(contentOf(first.receive('more'))).toBe('more');
    expect(eventTypes(first.end())).toEqual(['DataReceived', 'StreamClosed', 'ConnectionTerminated']);

    const second = connecting();
    second.receive('HTTP/1.1 200 OK\r\n\r\n');
    expect(second.end()).toMatchObject([{ type: 'DataReceived', endStream: true, closeDelimited: false }]);
    expect(second.protocol.wantsEof).toBe(false);
    second.protocol.submitData(1, octets(''), END);
    expect(second.types()).toEqual(['StreamClosed', 'ConnectionTerminated']);
    expect(second.protocol.wantsEof).toBe(true);
  });

  it('refused, it is a response like any other', () => {
    const client = connecting();
    const events = client.receive('HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno');
    expect(eventTypes(events)).toEqual(['HeadersReceived', 'DataReceived', 'StreamClosed']);
    expect(client.protocol.isAvailable()).toBe(true);
  });

  it('detaches with every byte that no event has delivered', () => {
    const client = connecting();
    client.receive('HTTP/1.1 200 OK\r\n\r\n');
    client.protocol.bytesReceived(octets('one'), 0);
    client.protocol.bytesReceived(octets('two'), 0);
    expect(Buffer.concat(client.protocol.detach()).toString('latin1')).toBe('onetwo');
    expect(client.events()).toEqual([]);
    expect(() => client.protocol.detach()).toThrow(LocalProtocolError);
  });
});

describe('Upgrade (RFC 9110 section 7.8)', () => {
  it.each([true, false])('becomes a tunnel by 101 (endStream %s says nothing of it)', (endStream) => {
    const client = upgrading(endStream);
    expect(() => client.protocol.submitData(1, octets('x'), MORE)).toThrow(/not been accepted/);
    const events = client.receive(`${SWITCH}frame`);
    expect(eventOf(events, 'HeadersReceived')).toMatchObject({
      headers: [':status', '101'],
      upgrade: ['WebSocket'],
      endStream: false,
    });
    expect(contentOf(events)).toBe('frame');
    client.protocol.submitData(1, octets('data'), MORE);
    expect(client.sent()).toBe('data');
  });

  it('ignored by the server, it is a request like any other', () => {
    const client = upgrading(false);
    expect(eventTypes(client.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))).toEqual([
      'HeadersReceived',
      'StreamClosed',
    ]);
    expect(client.protocol.isAvailable()).toBe(true);
  });

  it('tells the tokens of a 426', () => {
    const client = clientSide();
    client.request();
    client.sent();
    const events = client.receive(
      'HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: TLS/1.0, x\r\nContent-Length: 0\r\n\r\n',
    );
    expect(eventOf(events, 'HeadersReceived').upgrade).toEqual(['TLS/1.0', 'x']);
  });

  it.each([
    'HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n',
    'HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: websocket, other\r\n\r\n',
    'HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.1 101 \r\nConnection: Upgrade\r\n\r\n',
    'HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n',
  ])('refuses %j', (text) => {
    expect(eventTypes(upgrading().receive(text))).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
  });
});
