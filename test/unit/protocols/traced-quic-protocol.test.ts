import { describe, expect, it } from 'vitest';
import { Http3ErrorCode, http3RegistryEntry } from '../../../src/protocols/http3/index.ts';
import { tracedQuicFactory } from '../../../src/protocols/index.ts';
import type { HttpEvent, HttpProtocol, SubmitTrace, TraceHandler } from '../../../src/protocols/index.ts';
import { QuicEnginePair } from '../../contract/quic-pair.ts';

/** Keeps what it is told, and by whom. */
class Told implements TraceHandler {
  readonly submits: SubmitTrace[] = [];
  readonly events: HttpEvent[] = [];
  readonly lines: string[] = [];
  readonly protocols = new Set<HttpProtocol>();
  frames = 0;

  submitted(trace: SubmitTrace, protocol: HttpProtocol): void {
    this.submits.push(trace);
    this.lines.push(`> ${trace.type}`);
    this.protocols.add(protocol);
  }
  event(event: HttpEvent, protocol: HttpProtocol): void {
    this.events.push(event);
    this.lines.push(`< ${event.type}`);
    this.protocols.add(protocol);
  }
  frame(): void {
    this.frames += 1;
  }
}

function tracedPair(): { pair: QuicEnginePair; client: Told; server: Told } {
  const client = new Told();
  const server = new Told();
  const { createClientFactory, createServerFactory } = http3RegistryEntry;
  const pair = new QuicEnginePair(
    { ...http3RegistryEntry, createClientFactory: () => tracedQuicFactory(createClientFactory!(), client) },
    { ...http3RegistryEntry, createServerFactory: () => tracedQuicFactory(createServerFactory!(), server) },
  );
  return { pair, client, server };
}

const request = [':method', 'POST', ':scheme', 'https', ':authority', 'localhost', ':path', '/'];

describe('a traced engine over QUIC', () => {
  it('keeps the role and the ALPN names of the factory (RFC 9114 section 3.1)', () => {
    const { createClientFactory, createServerFactory } = http3RegistryEntry;
    const told = new Told();
    expect(tracedQuicFactory(createClientFactory!(), told)).toMatchObject({ role: 'client', alpnProtocols: ['h3'] });
    expect(tracedQuicFactory(createServerFactory!(), told)).toMatchObject({ role: 'server', alpnProtocols: ['h3'] });
  });

  it('tells of the handshake and of the settings (RFC 9001 section 4, RFC 9114 section 7.2.4)', () => {
    const { client, server } = tracedPair();
    const types = (told: Told): string[] => told.events.map(({ type }) => type);
    expect(types(server)).toEqual(expect.arrayContaining(['ClientHelloReceived', 'HandshakeCompleted']));
    expect(types(client)).toEqual(
      expect.arrayContaining(['CertificateReceived', 'HandshakeCompleted', 'SettingsReceived']),
    );
    expect(client.events.find(({ type }) => type === 'HandshakeCompleted')).toMatchObject({
      alpn: 'h3',
      cipher: expect.stringMatching(/^TLS_/) as string,
      resumed: false,
      earlyData: 'none',
    });
  });

  it('tells of submits and events of an exchange, in their order, and of no frames', () => {
    const { pair, client, server } = tracedPair();
    client.lines.length = 0;
    server.lines.length = 0;
    const streamId = pair.client.engine.getAvailableStreamId();
    pair.client.engine.submitHeaders(streamId, request, { endStream: false });
    pair.client.engine.submitData(streamId, Buffer.from('question'), { endStream: true });
    pair.run();
    pair.server.engine.submitInformational(streamId, [':status', '103']);
    pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
    pair.server.engine.submitData(streamId, Buffer.from('answer'), { endStream: false });
    pair.server.engine.submitTrailers(streamId, ['x-end', '1']);
    pair.server.engine.submitHandlerEnd(streamId);
    pair.run();
    expect(client.lines).toEqual([
      '> Headers',
      '> Data',
      '< InformationalReceived',
      '< HeadersReceived',
      '< DataReceived',
      '< TrailersReceived',
      '< StreamClosed',
    ]);
    expect(server.lines.slice(0, 2)).toEqual(['< HeadersReceived', '< DataReceived']);
    expect(server.submits).toEqual([
      { type: 'Informational', streamId, headers: [':status', '103'] },
      { type: 'Headers', streamId, headers: [':status', '200'], endStream: false },
      { type: 'Data', streamId, length: 6, endStream: false },
      { type: 'Trailers', streamId, headers: ['x-end', '1'] },
    ]);
    expect([client.frames, server.frames]).toEqual([0, 0]);
    expect([...client.protocols]).toEqual([pair.client.engine]);
    expect(client.events).toContainEqual(expect.objectContaining({ type: 'HeadersReceived', httpVersion: '3' }));
  });

  it('tells of resets, GOAWAY and the end (RFC 9114 sections 4.1.1, 5.2 and 5.3)', () => {
    const { pair, client, server } = tracedPair();
    const streamId = pair.client.engine.getAvailableStreamId();
    pair.client.engine.submitHeaders(streamId, request, { endStream: false });
    pair.run();
    pair.client.engine.submitStreamReset(streamId, Http3ErrorCode.H3_REQUEST_CANCELLED);
    pair.run();
    expect(server.events).toContainEqual(
      expect.objectContaining({
        type: 'StreamResetReceived',
        streamId,
        errorCode: Http3ErrorCode.H3_REQUEST_CANCELLED,
      }),
    );
    pair.server.engine.submitHandlerEnd(streamId);
    pair.server.engine.submitShutdown();
    pair.run();
    expect(server.lines).toContain('> Shutdown');
    expect(client.lines).toContain('< GoawayReceived');
    pair.client.engine.submitClose(Http3ErrorCode.H3_NO_ERROR, 'done');
    pair.run();
    expect(client.submits.at(-1)).toEqual({ type: 'Close', errorCode: Http3ErrorCode.H3_NO_ERROR, reason: 'done' });
    expect(server.lines.at(-1)).toBe('< ConnectionTerminated');
  });

  it('does not tell of what the engine refuses', () => {
    const { pair, client } = tracedPair();
    const before = client.lines.length;
    expect(() => pair.client.engine.submitHeaders(1, request, { endStream: true })).toThrow();
    expect(client.lines.length).toBe(before);
  });
});
