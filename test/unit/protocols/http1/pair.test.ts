import { describe, expect, it } from 'vitest';
import { Http1ClientFactory, Http1ServerFactory } from '../../../../src/protocols/http1/index.ts';
import { AlpnHttpFactory } from '../../../../src/protocols/index.ts';
import type { Cutting } from '../../../support/connection-pair.ts';
import { ConnectionPair, eventTypes } from '../../../support/connection-pair.ts';
import { contentOf, END, eventOf, MORE, octets } from '../../../support/http1-sides.ts';

const GET = [':method', 'GET', ':scheme', 'http', ':authority', 'a.example', ':path', '/'];

function pair(cutting: Cutting = 'whole'): ConnectionPair {
  return new ConnectionPair(new Http1ClientFactory(), new Http1ServerFactory(), { cutting });
}

/** Consumes what arrives on both sides at once. */
function consuming(both: ConnectionPair): ConnectionPair {
  both.onClientEvent = (event) => {
    if (event.type === 'DataReceived') both.client.dataConsumed(event.streamId, event.flowControlledLength);
  };
  both.onServerEvent = (event) => {
    if (event.type === 'DataReceived') both.server.dataConsumed(event.streamId, event.flowControlledLength);
  };
  return both;
}

describe('client and server back to back', () => {
  it.each<[string, Cutting]>([
    ['whole', 'whole'],
    ['octet by octet', 'bytewise'],
  ])('echo content both ways at once: %s', (_name, cutting) => {
    const both = pair(cutting);
    both.onServerEvent = (event) => {
      if (event.type === 'HeadersReceived') both.server.submitHeaders(event.streamId, [':status', '200'], MORE);
      if (event.type !== 'DataReceived') return;
      both.server.submitData(event.streamId, event.data, { endStream: event.endStream });
      both.server.dataConsumed(event.streamId, event.flowControlledLength);
    };
    const id = both.client.getAvailableStreamId();
    both.client.submitHeaders(id, [...GET.slice(2), ':method', 'POST'], MORE);
    let echoed = '';
    for (const piece of ['one', 'two', 'three']) {
      both.client.submitData(id, octets(piece), { endStream: piece === 'three' });
      both.exchange();
      echoed += contentOf(both.takeClientEvents());
    }
    expect(echoed).toBe('onetwothree');
    both.client.submitClose(0);
  });

  it('moves megabytes through small buffers, with both readers slow', () => {
    const both = pair();
    const size = 3_000_000;
    let sent = 0;
    let received = 0;
    let most = 0;
    const owed: number[] = [];
    const send = (): void => {
      while (sent < size && both.server.sendCapacity(1) > 0) {
        const length = Math.min(50_000, size - sent);
        sent += length;
        both.server.submitData(1, new Uint8Array(length), { endStream: sent === size });
      }
    };
    both.onServerEvent = (event) => {
      if (event.type === 'HeadersReceived')
        both.server.submitHeaders(1, [':status', '200', 'content-length', String(size)], MORE);
      if (event.type === 'HeadersReceived' || event.type === 'StreamWritable') send();
    };
    both.onClientEvent = (event) => {
      if (event.type !== 'DataReceived') return;
      received += event.data.length;
      owed.push(event.flowControlledLength);
    };
    both.client.submitHeaders(1, GET, END);
    for (let round = 0; round < 1000 && received < size; round += 1) {
      both.exchange();
      most = Math.max(most, sent - received);
      const length = owed.shift();
      if (length !== undefined) both.client.dataConsumed(1, length);
    }
    expect(received).toBe(size);
    expect(most).toBeLessThan(400_000);
  });

  it('opens a tunnel and carries bytes that were sent with the acceptance', () => {
    const both = consuming(pair('bytewise'));
    both.client.submitHeaders(1, [':method', 'CONNECT', ':authority', 'b:1'], MORE);
    both.exchange();
    both.server.submitHeaders(1, [':status', '200'], MORE);
    both.server.submitData(1, octets('hello'), MORE);
    both.exchange();
    expect(contentOf(both.takeClientEvents())).toBe('hello');
    both.client.submitData(1, octets('bye'), END);
    both.exchange();
    const events = both.takeServerEvents();
    expect(contentOf(events)).toBe('bye');
    expect(events.at(-1)).toMatchObject({ type: 'DataReceived', endStream: true });
    both.server.submitData(1, octets('last'), END);
    both.exchange();
    expect(contentOf(both.takeClientEvents())).toBe('last');
    expect(eventTypes(both.takeServerEvents())).toEqual(['StreamClosed', 'ConnectionTerminated']);
  });

  it('lets a request wait for 100 and answers early without it', () => {
    const both = consuming(pair());
    both.client.submitHeaders(1, [...GET.slice(2), ':method', 'PUT', 'expect', '100-continue'], MORE);
    both.exchange();
    both.server.submitInformational(1, [':status', '100']);
    both.exchange();
    expect(eventOf(both.takeClientEvents(), 'InformationalReceived').headers).toEqual([':status', '100']);
    both.client.submitData(1, octets('content'), END);
    both.exchange();
    expect(contentOf(both.takeServerEvents())).toBe('content');
    both.server.submitHeaders(1, [':status', '204'], END);
    both.exchange();
    both.client.submitHeaders(2, [...GET.slice(2), ':method', 'PUT', 'expect', '100-continue'], MORE);
    both.exchange();
    both.server.submitHeaders(2, [':status', '417'], END);
    both.exchange();
    expect(eventTypes(both.takeClientEvents()).slice(-5)).toEqual([
      'HeadersReceived',
      'GoawayReceived',
      'StreamResetReceived',
      'StreamClosed',
      'ConnectionTerminated',
    ]);
    expect(eventTypes(both.takeServerEvents()).at(-1)).toBe('ConnectionTerminated');
  });

  it('idles, and the shorter timer ends it on both sides without an error', () => {
    const both = pair();
    both.advance(120_000);
    for (const events of [both.takeClientEvents(), both.takeServerEvents()]) {
      expect(events).toMatchObject([{ type: 'ConnectionTerminated', error: undefined }]);
    }
  });

  it('finds its server through detection', () => {
    const other = { role: 'server', alpnProtocols: ['h2'], create: () => new Http1ServerFactory().create } as never;
    const both = new ConnectionPair(new Http1ClientFactory(), new AlpnHttpFactory([new Http1ServerFactory(), other]), {
      cutting: 'bytewise',
    });
    both.client.submitHeaders(1, GET, END);
    both.exchange();
    expect(eventTypes(both.takeServerEvents())).toEqual(['ProtocolReplaced', 'HeadersReceived']);
    both.server.submitHeaders(1, [':status', '204'], END);
    both.exchange();
    expect(eventTypes(both.takeClientEvents())).toEqual(['HeadersReceived', 'StreamClosed']);
  });
});
