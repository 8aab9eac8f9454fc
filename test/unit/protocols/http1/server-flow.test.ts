import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../../src/common/index.ts';
import { Http1ClientFactory, http1RegistryEntry, Http1ServerFactory } from '../../../../src/protocols/http1/index.ts';
import { eventTypes, testContext } from '../../../support/connection-pair.ts';
import { contentOf, END, eventOf, MORE, octets, serverSide } from '../../../support/http1-sides.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('sending', () => {
  it('takes a whole chunk while there is room, and says when there is again', () => {
    const server = serverSide({ limits: { sendBufferBytes: 1000 } });
    server.receive(GET);
    expect(server.protocol.sendCapacity(1)).toBe(1000);
    server.protocol.submitHeaders(1, [':status', '200', 'content-length', '300000'], MORE);
    server.protocol.submitData(1, octets('x'.repeat(200_000)), MORE);
    expect(server.protocol.sendCapacity(1)).toBe(0);
    expect(() => server.protocol.submitData(1, octets('x'), MORE)).toThrow(/full/);
    server.protocol.submitData(1, octets(''), MORE);
    server.protocol.bytesToSend(0);
    expect(server.events()).toEqual([]);
    server.sent();
    expect(server.types()).toEqual(['StreamWritable']);
    server.protocol.submitData(1, octets('x'.repeat(100_000)), END);
    server.sent();
    expect(server.types()).toEqual(['StreamClosed']);
    expect(server.protocol.sendCapacity(1)).toBe(0);
    expect(server.protocol.sendCapacity(2)).toBe(0);
  });

  it('says so once per time that the room ran out', () => {
    const server = serverSide({ limits: { sendBufferBytes: 100 } });
    server.receive(GET);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    server.sent();
    for (let round = 0; round < 3; round += 1) {
      server.protocol.submitData(1, octets('x'.repeat(99)), MORE);
      server.sent();
      server.sent();
      expect(server.types()).toEqual(['StreamWritable']);
    }
    server.protocol.submitData(1, octets('x'.repeat(10)), MORE);
    server.sent();
    expect(server.events()).toEqual([]);
  });

  it('counts each stream for itself', () => {
    const server = serverSide({ limits: { sendBufferBytes: 1000 } });
    server.receive(GET + GET);
    server.respond(1, '200', 'x'.repeat(5000));
    expect(server.protocol.sendCapacity(2)).toBe(1000);
  });

  it('hands large content on uncopied', () => {
    const server = serverSide();
    server.receive(GET);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    const large = new Uint8Array(50_000);
    server.protocol.submitData(1, large, END);
    expect(server.protocol.bytesToSend(0)?.[1]?.buffer).toBe(large.buffer);
  });
});

describe('receiving', () => {
  const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';

  it('pauses while too much is unconsumed', () => {
    const server = serverSide({ limits: { maxUnconsumedBytes: 100 } });
    server.receive(POST);
    const [event] = server.receive('x'.repeat(100));
    expect(event).toMatchObject({ type: 'DataReceived', flowControlledLength: 100 });
    expect(server.protocol.wantsInput).toBe(false);
    server.protocol.dataConsumed(1, 1);
    expect(server.protocol.wantsInput).toBe(true);
  });

  it('does not hold what an ended handler left against later requests', () => {
    const server = serverSide({ limits: { maxUnconsumedBytes: 100 } });
    for (let id = 1; id <= 5; id += 1) {
      server.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n' + 'x'.repeat(60));
      server.respond(id);
      server.events();
      server.sent();
      expect(server.protocol.wantsInput).toBe(true);
    }
  });

  it('gives whole chunks as views and copies what would pin much more', () => {
    const server = serverSide();
    server.receive(POST);
    const chunk = octets('x'.repeat(1000));
    server.protocol.bytesReceived(chunk, 0);
    const event = eventOf(server.events(), 'DataReceived');
    expect(event.data.buffer).toBe(chunk.buffer);
    expect(event.endStream).toBe(true);
  });

  it('delivers what came with the head', () => {
    const server = serverSide();
    const events = server.receive(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`);
    expect(eventTypes(events)).toEqual(['HeadersReceived', 'DataReceived']);
    expect(contentOf(events)).toBe('hello');
  });

  it('never writes into a chunk that it was given', () => {
    const server = serverSide();
    const chunk = octets(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n',
    );
    const before = chunk.slice();
    server.protocol.bytesReceived(chunk, 0);
    expect(contentOf(server.events())).toBe('ab');
    expect(chunk).toEqual(before);
  });
});

describe('factories', () => {
  it('refuse limits that do not exist or are none', () => {
    expect(() => new Http1ServerFactory({ limits: { nonsense: 1 } as never })).toThrow(ConfigurationError);
    expect(() => new Http1ServerFactory({ limits: { headTimeout: -1 } })).toThrow(ConfigurationError);
    expect(() => new Http1ClientFactory({ maxPipelinedRequests: Number.NaN })).toThrow(ConfigurationError);
    expect(() => new Http1ServerFactory({ errorResponseHeaders: ['bad name', 'x'] })).toThrow(ConfigurationError);
  });

  it('speak http/1.1 by ALPN', () => {
    expect(new Http1ServerFactory().alpnProtocols).toEqual(['http/1.1', 'http/1.0']);
    expect(new Http1ClientFactory().role).toBe('client');
  });

  it('the registry entry makes both sides with the same capabilities', () => {
    const { createServerFactory, createClientFactory, capabilities, version, name } = http1RegistryEntry;
    expect([version, name]).toEqual(['http1', 'hface']);
    const server = createServerFactory?.({ limits: { headTimeout: 5 } }).create(testContext(), 0);
    const client = createClientFactory?.().create(testContext(), 0);
    expect(server?.role).toBe('server');
    expect(client?.role).toBe('client');
    expect(server?.nextTimeout()).toBe(5);
    expect([...(server?.capabilities ?? [])]).toEqual([...capabilities]);
    expect(client?.multiplexed).toBe(false);
    expect(server?.errorCodes.name(0)).toBe('NO_ERROR');
    expect(server?.errorCodes.name(99)).toBe('0x63');
  });

  it('makes https of a protected connection', () => {
    const server = serverSide({}, { secure: true });
    expect(eventOf(server.receive(GET), 'HeadersReceived').headers.slice(2, 4)).toEqual([':scheme', 'https']);
  });
});
