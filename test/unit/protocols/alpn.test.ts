import { describe, expect, it } from 'vitest';
import { ConfigurationError, LocalProtocolError, NetworkError, TimeoutError } from '../../../src/common/index.ts';
import { Http1ClientFactory, Http1ServerFactory } from '../../../src/protocols/http1/index.ts';
import type { HttpOverTcpFactory, HttpOverTcpProtocol } from '../../../src/protocols/index.ts';
import { AlpnHttpFactory } from '../../../src/protocols/index.ts';
import { chunkings } from '../../support/chunkings.ts';
import { drainEvents, eventTypes, takeText, testContext } from '../../support/connection-pair.ts';
import { eventOf, octets } from '../../support/http1-sides.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** A factory that says it speaks something and makes engines which keep what they were given. */
function factory(
  role: 'client' | 'server',
  alpnProtocols: readonly string[],
): HttpOverTcpFactory & { received: string } {
  const made = {
    role,
    alpnProtocols,
    received: '',
    create(): HttpOverTcpProtocol {
      const engine = new Http1ServerFactory().create(testContext(), 0);
      engine.bytesReceived = (chunk) => {
        made.received += Buffer.from(chunk).toString('latin1');
      };
      engine.eofReceived = () => {
        made.received += '<end>';
      };
      engine.connectionLost = () => {
        made.received += '<lost>';
      };
      return engine;
    },
  };
  return made;
}

describe('the choice', () => {
  it('is by ALPN where it agreed (RFC 7301)', () => {
    const http2 = factory('server', ['h2']);
    const choice = new AlpnHttpFactory([http2, new Http1ServerFactory()]);
    expect(choice.alpnProtocols).toEqual(['h2', 'http/1.1', 'http/1.0']);
    choice.create(testContext({ alpn: 'h2' }), 0).bytesReceived(octets('x'), 0);
    expect(http2.received).toBe('x');
    expect(choice.create(testContext({ alpn: 'http/1.1' }), 0).httpVersion).toBe('1.1');
    expect(() => choice.create(testContext({ alpn: 'h3' }), 0)).toThrow(ConfigurationError);
  });

  it('without ALPN is the only protocol there is', () => {
    const only = new AlpnHttpFactory([new Http1ServerFactory()]).create(testContext(), 0);
    only.bytesReceived(octets(PREFACE), 0);
    expect(takeText(only)).toMatch(/^HTTP\/1.1 505 /);
    const http2 = factory('client', ['h2']);
    new AlpnHttpFactory([http2]).create(testContext(), 0).bytesReceived(octets('x'), 0);
    expect(http2.received).toBe('x');
    const other = factory('server', ['x']);
    new AlpnHttpFactory([other]).create(testContext(), 0).bytesReceived(octets('y'), 0);
    expect(other.received).toBe('y');
  });

  it('without ALPN is HTTP/1.1 for a client that has both', () => {
    const choice = new AlpnHttpFactory([factory('client', ['h2']), new Http1ClientFactory()]);
    expect(choice.role).toBe('client');
    expect(choice.create(testContext(), 0).isAvailable()).toBe(true);
  });

  it('refuses factories that do not go together', () => {
    expect(() => new AlpnHttpFactory([])).toThrow(ConfigurationError);
    expect(() => new AlpnHttpFactory([new Http1ServerFactory(), new Http1ClientFactory()])).toThrow(/one role/);
    expect(() => new AlpnHttpFactory([new Http1ServerFactory(), new Http1ServerFactory()])).toThrow(/two factories/);
    expect(() => new AlpnHttpFactory([new Http1ServerFactory()], { detectionTimeout: Number.NaN })).toThrow(
      /milliseconds/,
    );
  });
});

function detecting(timeout = 1000): {
  protocol: HttpOverTcpProtocol;
  http1: { received: string };
  http2: { received: string };
} {
  const http1 = factory('server', ['http/1.1']);
  const http2 = factory('server', ['h2']);
  const protocol = new AlpnHttpFactory([http2, http1], { detectionTimeout: timeout }).create(testContext(), 0);
  return { protocol, http1, http2 };
}

describe('detection by the first bytes (RFC 9113 section 3.4)', () => {
  it.each(chunkings(`${PREFACE}frames`))('finds HTTP/2: $name', ({ chunks }) => {
    const { protocol, http1, http2 } = detecting();
    let replaced: HttpOverTcpProtocol | undefined;
    for (const chunk of chunks) {
      (replaced ?? protocol).bytesReceived(chunk, 0);
      const event = protocol.nextEvent();
      if (event?.type === 'ProtocolReplaced') replaced = event.protocol;
    }
    expect(replaced).toBeDefined();
    expect(http2.received).toBe(`${PREFACE}frames`);
    expect(http1.received).toBe('');
    expect(protocol.nextTimeout()).toBeUndefined();
  });

  it.each(
    ['GET / HTTP/1.1\r\n', 'P', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\rX', 'PRI * HTTP/1.1\r\n', '\u0000'].map((text) => [
      text,
      `${text}rest`,
    ]),
  )('decides at the first octet that differs: %j', (text, whole) => {
    for (const { name, chunks } of chunkings(whole)) {
      const { protocol, http1, http2 } = detecting();
      for (const chunk of chunks) protocol.bytesReceived(chunk, 0);
      expect(http1.received, `${name} of ${text}`).toBe(whole);
      expect(http2.received).toBe('');
      expect(eventTypes(drainEvents(protocol))).toEqual(['ProtocolReplaced']);
    }
  });

  it('says nothing as long as both are possible, and holds no more than the preface', () => {
    const { protocol } = detecting();
    for (const octet of PREFACE.slice(0, -1)) {
      protocol.bytesReceived(octets(octet), 0);
      expect(protocol.nextEvent()).toBeUndefined();
    }
    expect(protocol.wantsInput).toBe(true);
    expect(protocol.isAvailable()).toBe(true);
    protocol.bytesReceived(octets('\n'), 0);
    expect(protocol.nextEvent()?.type).toBe('ProtocolReplaced');
  });

  it('hands the end on: in the middle of the preface it is HTTP/1’s to refuse', () => {
    const { protocol, http1 } = detecting();
    protocol.bytesReceived(octets('PRI'), 0);
    protocol.eofReceived(0);
    expect(http1.received).toBe('PRI<end>');
    expect(eventTypes(drainEvents(protocol))).toEqual(['ProtocolReplaced']);
    protocol.bytesReceived(octets('x'), 0);
    protocol.connectionLost(0);
    expect(http1.received).toBe('PRI<end>x<lost>');
  });

  it('ends without an error when nothing comes', () => {
    const ended = detecting().protocol;
    ended.eofReceived(0);
    expect(ended.nextEvent()).toMatchObject({ type: 'ConnectionTerminated', error: undefined });
    expect(ended.wantsEof).toBe(true);
    const idle = detecting().protocol;
    expect(idle.nextTimeout()).toBe(1000);
    idle.handleTimeout(999);
    expect(idle.nextEvent()).toBeUndefined();
    idle.handleTimeout(1000);
    expect(idle.nextEvent()).toMatchObject({ type: 'ConnectionTerminated', error: undefined });
    expect(idle.nextTimeout()).toBeUndefined();
    idle.bytesReceived(octets('GET'), 0);
    idle.eofReceived(0);
    idle.connectionLost(0);
    idle.submitShutdown();
    idle.submitClose(1);
    expect(idle.nextEvent()).toBeUndefined();
    expect(idle.hasExpired()).toBe(true);
  });

  it('ends with an error when the preface stops half way, or the connection is lost', () => {
    const slow = detecting().protocol;
    slow.bytesReceived(octets('PRI * '), 0);
    slow.handleTimeout(1000);
    expect(eventOf(drainEvents(slow), 'ConnectionTerminated').error).toBeInstanceOf(TimeoutError);
    const error = new NetworkError('reset', { phase: 'read' });
    const lost = detecting().protocol;
    lost.connectionLost(0, error);
    expect(eventOf(drainEvents(lost), 'ConnectionTerminated')).toMatchObject({ error });
    expect(lost.wantsEof).toBe(false);
    const gone = detecting().protocol;
    gone.connectionLost(0);
    expect(eventOf(drainEvents(gone), 'ConnectionTerminated')).toMatchObject({ errorCode: 0, error: undefined });
  });

  it('has no streams yet', () => {
    const { protocol } = detecting();
    const end = { endStream: true };
    expect(() => protocol.getAvailableStreamId()).toThrow(LocalProtocolError);
    expect(() => protocol.submitHeaders(1, [], end)).toThrow(LocalProtocolError);
    expect(() => protocol.submitInformational(1, [])).toThrow(LocalProtocolError);
    expect(() => protocol.submitData(1, octets(''), end)).toThrow(LocalProtocolError);
    expect(() => protocol.submitTrailers(1, [])).toThrow(LocalProtocolError);
    expect(() => protocol.submitStreamReset(1, 0)).toThrow(LocalProtocolError);
    expect(() => protocol.detach()).toThrow(LocalProtocolError);
    expect(() => protocol.submitPriority(1, 0, false)).toThrow(LocalProtocolError);
    expect(() => protocol.submitCertificateVerdict({ ok: true })).toThrow(LocalProtocolError);
    expect(() => protocol.submitServerIdentity(1)).toThrow(LocalProtocolError);
    expect(() => protocol.submitTicketVerdict(true)).toThrow(LocalProtocolError);
    expect(() => protocol.claimStream(0, { streamDataReceived() {}, streamResetReceived() {} })).toThrow(
      LocalProtocolError,
    );
    expect(protocol.submitDatagram(1, octets(''))).toBe(false);
    expect(protocol.sendCapacity(1)).toBe(0);
    protocol.dataConsumed(1, 1);
    protocol.submitHandlerEnd(1);
    expect(protocol.bytesToSend(0)).toBeUndefined();
    expect(protocol.errorCodes.name(3)).toBe('3');
  });

  it('winds down: nothing has come, so it ends', () => {
    const shut = detecting().protocol;
    shut.submitShutdown();
    expect(eventOf(drainEvents(shut), 'ConnectionTerminated')).toMatchObject({ errorCode: 0 });
    expect(shut.wantsEof).toBe(true);
    const closed = detecting().protocol;
    closed.submitClose(2, 'why');
    expect(eventOf(drainEvents(closed), 'ConnectionTerminated')).toMatchObject({ errorCode: 2, reason: 'why' });
    expect(closed.wantsEof).toBe(false);
  });
});

describe('ALPN http/1.1 with the HTTP/2 preface', () => {
  it('is a bad request', () => {
    const protocol = new Http1ServerFactory().create(testContext({ secure: true, alpn: 'http/1.1' }), 0);
    protocol.bytesReceived(octets(PREFACE), 0);
    expect(takeText(protocol)).toMatch(/^HTTP\/1.1 400 /);
  });
});
