/**
 * Streams besides requests: which there may be, what they carry, how they end (RFC 9114 section 6, RFC 9204 section 4).
 */
import { describe, expect, it } from 'vitest';
import { FakeQuic } from '../../../support/fake-quic.ts';
import { concat, data, frame, headers, parseFrames, settings, Type, varints } from '../../../support/http3-frames.ts';
import type { CodeName } from '../../../support/http3-peer.ts';
import { Http3Peer, request } from '../../../support/http3-peer.ts';

const both: readonly (readonly [string, (limits?: Readonly<Record<string, number>>, greet?: boolean) => Http3Peer])[] =
  [
    ['server', (limits, greet) => Http3Peer.ofServer(limits, greet)],
    ['client', (limits, greet) => Http3Peer.ofClient(limits, greet)],
  ];

/** One more unidirectional stream of the peer's. */
const another = (peer: Http3Peer, index = 0): number => peer.control + 12 + 4 * index;

describe("this side's streams", () => {
  it.each(both)(
    'a %s opens a control stream, SETTINGS first, and no QPACK streams without a dynamic table (9114 6.2.1, 9204 4.2)',
    (role, make) => {
      const peer = make({}, false);
      const base = role === 'client' ? 2 : 3;
      const [first, ...rest] = peer.controlFrames();
      expect(first!.type).toBe(Type.SETTINGS);
      expect(peer.quic.stream(base)).toMatchObject({ fin: false, priority: [0, false] });
      expect([...peer.quic.streams.keys()]).toEqual([base]);
      // A reserved frame and a reserved setting keep peers ignoring what they do not know (7.2.8, 7.2.4.1).
      expect(rest).toHaveLength(1);
      expect((rest[0]!.type - 0x21) % 0x1f).toBe(0);
    },
  );

  it('is opened when the transport allows it, and what is to be said waits until then', () => {
    const quic = new FakeQuic('client');
    quic.room.unidirectional = 0;
    const peer = Http3Peer.ofClientOn(quic).shakeHands();
    peer.engine.submitHeaders(0, request(), { endStream: true });
    peer.engine.submitPriority(0, 1, false);
    expect([...quic.streams.keys()]).toEqual([0]);
    quic.room.unidirectional = 5;
    peer.tell({ type: 'QuicStreamsAvailable', bidirectional: false, count: 5 });
    expect([...quic.streams.keys()]).toEqual([0, 2]);
    expect(peer.controlFrames().map(({ type }) => type)).toEqual([
      Type.SETTINGS,
      expect.any(Number),
      Type.PRIORITY_UPDATE,
    ]);
    expect(quic.room.unidirectional).toBe(4);
  });

  it.each([['server'], ['client']] as const)(
    'a peer of a %s that gives it up ends the connection (9114 6.2.1)',
    (role) => {
      const peer = role === 'server' ? Http3Peer.ofServer() : Http3Peer.ofClient();
      peer.stop(role === 'client' ? 2 : 3).expectConnectionError('H3_CLOSED_CRITICAL_STREAM');
    },
  );
});

describe("the peer's streams", () => {
  const kinds = [
    ['control', 0, concat(varints(0), settings())],
    ['QPACK encoder', 2, varints(2)],
    ['QPACK decoder', 3, varints(3)],
  ] as const;

  for (const [role, make] of both) {
    it.each(kinds)(
      `${role}: a second %s stream is H3_STREAM_CREATION_ERROR (9114 6.2.1, 9204 4.2)`,
      (_name, _type, bytes) => {
        const peer = make({}, false);
        peer.send(peer.control, bytes).expectAlive();
        peer.send(another(peer), bytes).expectConnectionError('H3_STREAM_CREATION_ERROR');
      },
    );

    it.each(kinds)(`${role}: the end of the %s stream is H3_CLOSED_CRITICAL_STREAM`, (_name, _type, bytes) => {
      const ended = make({}, false);
      ended.send(ended.control, bytes).send(ended.control, new Uint8Array(0), true);
      ended.expectConnectionError('H3_CLOSED_CRITICAL_STREAM');
      const atOnce = make({}, false);
      atOnce.send(atOnce.control, bytes, true).expectConnectionError('H3_CLOSED_CRITICAL_STREAM');
      const reset = make({}, false);
      reset.send(reset.control, bytes).reset(reset.control, 'H3_NO_ERROR');
      reset.expectConnectionError('H3_CLOSED_CRITICAL_STREAM');
    });

    it(`${role}: a stream of an unknown or reserved type is stopped and no error (9114 6.2, 6.2.3)`, () => {
      for (const type of [0x04, 0x21, 0x54, 0x3fff_ffff]) {
        const peer = make();
        peer
          .send(another(peer), concat(varints(type), new Uint8Array(100)))
          .send(another(peer), new Uint8Array(50), true);
        peer.expectAlive();
        expect(peer.quic.stream(another(peer))).toMatchObject({ stopped: 0x103, consumed: 150 + varints(type).length });
        peer.over(another(peer)).expectAlive();
      }
    });

    it(`${role}: a stream may end before its type has come (9114 6.2)`, () => {
      const peer = make();
      peer.send(another(peer), new Uint8Array(0), true);
      peer.send(another(peer, 1), Uint8Array.of(0x40)).send(another(peer, 1), new Uint8Array(0), true);
      peer.send(another(peer, 2), Uint8Array.of(0x40)).reset(another(peer, 2));
      peer.reset(another(peer, 3)).expectAlive();
    });

    it(`${role}: a type is read however it is cut or encoded`, () => {
      const peer = make({}, false);
      for (const octet of Uint8Array.of(0xc0, 0, 0, 0, 0, 0, 0, 0)) peer.send(peer.control, Uint8Array.of(octet));
      for (const octet of settings([0x33, 0])) peer.send(peer.control, Uint8Array.of(octet));
      expect(peer.only('SettingsReceived').settings.get(0x33)).toBe(0);
    });
  }

  it('a push stream is H3_STREAM_CREATION_ERROR on a server (6.2.2), H3_ID_ERROR on a client (4.6)', () => {
    const server = Http3Peer.ofServer();
    server.send(another(server), varints(1)).expectConnectionError('H3_STREAM_CREATION_ERROR');
    const client = Http3Peer.ofClient();
    client.send(another(client), varints(1, 0)).expectConnectionError('H3_ID_ERROR');
  });

  it('a bidirectional stream of a server is H3_STREAM_CREATION_ERROR (6.1)', () => {
    Http3Peer.ofClient().send(1, data('x')).expectConnectionError('H3_STREAM_CREATION_ERROR');
    Http3Peer.ofClient().reset(1).expectConnectionError('H3_STREAM_CREATION_ERROR');
  });
});

describe('QPACK streams (RFC 9204 section 4)', () => {
  it.each([
    ['encoder', 'an insertion', '41610162', 'QPACK_ENCODER_STREAM_ERROR'],
    ['encoder', 'a capacity above 0', '21', 'QPACK_ENCODER_STREAM_ERROR'],
    ['decoder', 'a Section Acknowledgment', '80', 'QPACK_DECODER_STREAM_ERROR'],
    ['decoder', 'an Insert Count Increment', '01', 'QPACK_DECODER_STREAM_ERROR'],
  ] as const)('the %s stream with %s ends the connection', (which, _what, hex, code: CodeName) => {
    for (const [, make] of both) {
      const peer = make();
      const id = which === 'encoder' ? peer.encoder : peer.decoder;
      peer.send(id, varints(which === 'encoder' ? 2 : 3));
      peer.send(id, new Uint8Array(Buffer.from(hex, 'hex'))).expectConnectionError(code);
    }
  });

  it('a capacity of 0, and cancellations of streams, mean nothing (4.3.1, 4.4.2)', () => {
    for (const [, make] of both) {
      const peer = make();
      peer
        .send(peer.encoder, Uint8Array.of(2, 0x20))
        .send(peer.decoder, Uint8Array.of(3, 0x44, 0x7f))
        .expectAlive();
      peer.send(peer.decoder, Uint8Array.of(0x05)).expectAlive();
    }
  });
});

describe('SETTINGS (RFC 9114 section 7.2.4)', () => {
  it('says what is not the default: a server takes extended CONNECT, both take datagrams', () => {
    const sent = (peer: Http3Peer): Map<number, number> => {
      const numbers = [...parseNumbers(peer.controlFrames()[0]!.payload)];
      return new Map(numbers.flatMap((value, index) => (index % 2 === 0 ? [[value, numbers[index + 1]!]] : [])));
    };
    const server = sent(Http3Peer.ofServer());
    expect([...server.entries()].slice(0, 3)).toEqual([
      [0x06, 32_768],
      [0x08, 1],
      [0x33, 1],
    ]);
    const client = sent(Http3Peer.ofClient());
    expect([...client.keys()].slice(0, 2)).toEqual([0x06, 0x33]);
    for (const keys of [server, client]) {
      const reserved = [...keys.keys()].at(-1)!;
      expect((reserved - 0x21) % 0x1f).toBe(0);
      expect([0x00, 0x02, 0x03, 0x04, 0x05].some((id) => keys.has(id))).toBe(false);
    }
  });

  it.each([0x00, 0x02, 0x03, 0x04, 0x05])('a setting of HTTP/2 (%i) is H3_SETTINGS_ERROR (7.2.4.1)', (id) => {
    for (const [, make] of both) {
      const peer = make({}, false);
      peer.send(peer.control, concat(varints(0), settings([id, 0]))).expectConnectionError('H3_SETTINGS_ERROR');
    }
  });

  it.each([
    ['a setting that stands twice (7.2.4)', settings([6, 1], [6, 1])],
    ['ENABLE_CONNECT_PROTOCOL above 1 (RFC 9220 section 5)', settings([8, 2])],
    ['H3_DATAGRAM above 1 (RFC 9297 section 2.1.1)', settings([0x33, 2])],
  ])('%s is H3_SETTINGS_ERROR', (_what, bytes) => {
    const peer = Http3Peer.ofClient({}, false);
    peer.send(peer.control, concat(varints(0), bytes)).expectConnectionError('H3_SETTINGS_ERROR');
  });

  it('ignores unknown settings, however large (7.2.4)', () => {
    const peer = Http3Peer.ofServer({}, false);
    const large = Uint8Array.of(...new Uint8Array(8).fill(0xff), ...new Uint8Array(8).fill(0xff));
    const others = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0);
    peer.send(peer.control, concat(varints(0), frame(Type.SETTINGS, concat(varints(0x21, 5), large, others))));
    expect(peer.only('SettingsReceived').settings.get(0x21)).toBe(5);
    peer.expectAlive();
  });

  it('no field section larger than the peer takes is sent; its own small answers are (4.2.2)', () => {
    const client = Http3Peer.ofClient({}, false).greet([0x06, 300]);
    expect(() => client.engine.submitHeaders(0, request('GET', ['x', 'y'.repeat(200)]), { endStream: true })).toThrow(
      /300/,
    );
    expect(client.engine.getAvailableStreamId()).toBe(0);
    client.engine.submitHeaders(0, request(), { endStream: false });
    expect(() => client.engine.submitTrailers(0, ['x', 'y'.repeat(300)])).toThrow(/300/);
    client.engine.submitTrailers(0, ['x', 'y']);
    const server = Http3Peer.ofServer({ maxHeaderBytes: 100 }, false).greet([0x06, 10]);
    server.send(0, headers(request('GET', ['x', 'y'.repeat(200)])), true);
    expect(server.head(0)[1]).toBe('431');
  });
});

function* parseNumbers(payload: Uint8Array): Generator<number> {
  // A frame of two numbers is a list of frames without payloads, as far as numbers go.
  for (let rest = payload; rest.length > 0;) {
    const length = 1 << (rest[0]! >> 6);
    const { type } = parseFrames(concat(rest.subarray(0, length), Uint8Array.of(0)))[0]!;
    yield type;
    rest = rest.subarray(length);
  }
}
