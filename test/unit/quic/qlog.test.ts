import { describe, expect, it } from 'vitest';
import type { QuicTrace } from '../../../src/protocols/quic/index.ts';
import { QlogTrace } from '../../../src/protocols/quic/index.ts';
import { hexadecimal, qlogReceivedFrames, qlogSentFrame } from '../../../src/protocols/quic/qlog-frames.ts';
import type { SentFrame } from '../../../src/protocols/quic/sent-packets.ts';
import { CALM_LINK, QuicNetwork } from '../../support/quic/network.ts';
import { endpointOf, Party } from '../../support/quic/party.ts';

const EPOCH = Date.UTC(2026, 0, 2, 3, 4, 5);

interface Line {
  readonly name: string;
  readonly time: number;
  readonly data: Record<string, unknown>;
}

/** A log that is kept. */
function kept(vantagePoint: 'client' | 'server' = 'client'): {
  trace: QlogTrace;
  records: string[];
  events: () => Line[];
} {
  const records: string[] = [];
  const trace = new QlogTrace({ vantagePoint, epoch: EPOCH, groupId: '0102', write: (text) => records.push(text) });
  return { trace, records, events: () => records.slice(1).map((text) => JSON.parse(text.slice(1)) as Line) };
}

const only = (events: readonly Line[], name: string): Record<string, unknown>[] =>
  events.filter((event) => event.name === `quic:${name}`).map(({ data }) => data);

describe('records', () => {
  it('are a JSON text sequence (RFC 7464 section 2): a separator, a text, a line feed', () => {
    const { trace, records } = kept();
    trace.datagramSizeChanged(1.23456, 1_400);
    for (const record of records) expect(record).toMatch(/^\u001e\{[^\n]*\}\n$/);
    expect(JSON.parse(records[1]?.slice(1) ?? '')).toEqual({
      time: 1.235,
      name: 'quic:mtu_updated',
      data: { new: 1_400 },
    });
  });

  it('begin with a header of a sequential file (main schema)', () => {
    const { records } = kept('server');
    expect(JSON.parse(records[0]?.slice(1) ?? '')).toEqual({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      title: 'QUIC connection',
      trace: {
        vantage_point: { type: 'server' },
        event_schemas: ['urn:ietf:params:qlog:events:quic-10'],
        common_fields: {
          group_id: '0102',
          time_format: 'relative_to_epoch',
          reference_time: { clock_type: 'monotonic', epoch: 'unknown', wall_clock_time: '2026-01-02T03:04:05.000Z' },
        },
      },
    });
  });

  it('tell times from the beginning of the log on', () => {
    const records: string[] = [];
    const write = (text: string): unknown => records.push(text);
    const trace = new QlogTrace({ vantagePoint: 'client', epoch: EPOCH, started: 60_000, write });
    trace.datagramSizeChanged(60_001.5, 1_200);
    expect(records[0]).toContain('2026-01-02T03:05:05.000Z');
    expect(JSON.parse(records[1]?.slice(1) ?? '')).toMatchObject({ time: 1.5 });
  });

  it('survive any text', () => {
    const { trace, events } = kept();
    trace.connectionClosed(1, 'peer', 7, true, 'a "quote", a \n line, \u001e and \u{1f600}');
    expect(events()[0]?.data['reason']).toBe('a "quote", a \n line, \u001e and \u{1f600}');
  });

  it('end when nobody takes them, without a word to the connection', () => {
    let calls = 0;
    const trace = new QlogTrace({
      vantagePoint: 'client',
      epoch: 0,
      write: () => {
        calls += 1;
        if (calls === 2) throw new Error('the disk is full');
      },
    });
    trace.datagramSizeChanged(0, 1);
    trace.datagramSizeChanged(0, 2);
    trace.packetReceived(0, 'oneRtt', 1, 30, Uint8Array.of(1));
    expect(calls).toBe(2);
  });
});

describe('events', () => {
  it('tell metrics as far as they changed, and no infinity', () => {
    const { trace, events } = kept();
    const metrics = {
      window: 12_000,
      slowStartThreshold: Number.POSITIVE_INFINITY,
      bytesInFlight: 0,
      smoothedRtt: 333,
      latestRtt: 0,
      minRtt: 0,
      rttVariation: 166.5,
      probeCount: 0,
    };
    trace.metricsUpdated(1, metrics);
    trace.metricsUpdated(2, metrics);
    trace.metricsUpdated(3, { ...metrics, window: 13_200.7, slowStartThreshold: 9_000 });
    expect(only(events(), 'recovery_metrics_updated')).toEqual([
      {
        congestion_window: 12_000,
        bytes_in_flight: 0,
        smoothed_rtt: 333,
        latest_rtt: 0,
        min_rtt: 0,
        rtt_variance: 166.5,
        pto_count: 0,
      },
      { congestion_window: 13_201, ssthresh: 9_000 },
    ]);
  });

  it('tell states with those before them, keys without their bytes, and drops with their cause', () => {
    const { trace, events } = kept();
    trace.phaseChanged(1, 'handshaking');
    trace.phaseChanged(2, 'complete');
    trace.keyUpdated(3, 1, 'remote');
    trace.keysDiscarded(4, 'zeroRtt');
    trace.keysDiscarded(4, 'initial');
    trace.packetDropped(5, 'short', 40, 'decryption-failed');
    trace.packetDropped(5, 'unknown', 40, 'not-a-packet');
    trace.packetLost(6, 'application', 9);
    expect(events().map(({ name, data }) => [name.slice(5), data])).toEqual([
      ['connection_state_updated', { new: 'handshake_started' }],
      ['connection_state_updated', { old: 'handshake_started', new: 'handshake_complete' }],
      ['key_updated', { key_type: 'client_1rtt_secret', key_phase: 1, trigger: 'remote_update' }],
      ['key_updated', { key_type: 'server_1rtt_secret', key_phase: 1, trigger: 'remote_update' }],
      ['key_discarded', { key_type: 'client_0rtt_secret' }],
      ['key_discarded', { key_type: 'client_initial_secret' }],
      ['key_discarded', { key_type: 'server_initial_secret' }],
      [
        'packet_dropped',
        {
          header: { packet_type: '1RTT' },
          raw: { length: 40 },
          trigger: 'decryption_failure',
          details: { reason: 'decryption-failed' },
        },
      ],
      [
        'packet_dropped',
        {
          header: { packet_type: 'unknown' },
          raw: { length: 40 },
          trigger: 'invalid',
          details: { reason: 'not-a-packet' },
        },
      ],
      ['packet_lost', { header: { packet_type: '1RTT', packet_number: 9 } }],
    ]);
  });

  it.each([
    ['peer', 0x0a, false, { initiator: 'remote', connection_error: 'protocol_violation', trigger: 'error' }],
    ['engine', 0x0128, false, { initiator: 'local', connection_error: 'crypto_error_0x128', trigger: 'error' }],
    ['network', 0x4_0000, false, { initiator: 'local', connection_error: 'unknown', trigger: 'aborted' }],
    ['application', 0x100, true, { initiator: 'local', application_error: 'unknown', trigger: 'application' }],
  ])('tell the end by %s with %i', (initiator, errorCode, application, expected) => {
    const { trace, events } = kept();
    trace.connectionClosed(1, initiator, errorCode, application, 'why');
    expect(events()[0]?.data).toEqual({ ...expected, error_code: errorCode, reason: 'why' });
  });
});

describe('frames', () => {
  it('that came are shown without what is in them', () => {
    const payload = Uint8Array.of(
      ...[0, 0, 0, 1],
      ...[0x02, 9, 4, 1, 2, 0, 1],
      ...[0x06, 5, 2, 0xaa, 0xbb],
      ...[0x0f, 4, 7, 2, 0xcc, 0xdd],
      ...[0x04, 8, 1, 3, 0x05, 8, 2, 0x07, 2, 0xee, 0xee],
      ...[0x10, 60, 0x11, 4, 61, 0x12, 5, 0x13, 6, 0x14, 7, 0x15, 4, 8, 0x16, 9, 0x17, 10],
      ...[0x18, 3, 1, 2, 0xf0, 0xf1, ...new Uint8Array(16).fill(0xab), 0x19, 1],
      ...[0x1a, 1, 2, 3, 4, 5, 6, 7, 8, 0x1b, 8, 7, 6, 5, 4, 3, 2, 1],
      ...[0x1e, 0x31, 2, 0x99, 0x98, 0x1d, 6, 2, 0x6f, 0x6b],
    );
    const frames = qlogReceivedFrames(payload, 'oneRtt');
    expect(frames).toEqual([
      { frame_type: 'padding' },
      { frame_type: 'ping' },
      {
        frame_type: 'ack',
        ack_delay_encoded: 4,
        acked_ranges: [
          [4, 5],
          [7, 9],
        ],
      },
      { frame_type: 'crypto', offset: 5, raw: { payload_length: 2 } },
      { frame_type: 'stream', stream_id: 4, offset: 7, fin: true, raw: { payload_length: 2 } },
      { frame_type: 'reset_stream', stream_id: 8, error_code: 1, final_size: 3 },
      { frame_type: 'stop_sending', stream_id: 8, error_code: 2 },
      { frame_type: 'new_token', token: { raw: { length: 2 } } },
      { frame_type: 'max_data', maximum: 60 },
      { frame_type: 'max_stream_data', stream_id: 4, maximum: 61 },
      { frame_type: 'max_streams', stream_type: 'bidirectional', maximum: 5 },
      { frame_type: 'max_streams', stream_type: 'unidirectional', maximum: 6 },
      { frame_type: 'data_blocked', limit: 7 },
      { frame_type: 'stream_data_blocked', stream_id: 4, limit: 8 },
      { frame_type: 'streams_blocked', stream_type: 'bidirectional', limit: 9 },
      { frame_type: 'streams_blocked', stream_type: 'unidirectional', limit: 10 },
      {
        frame_type: 'new_connection_id',
        sequence_number: 3,
        retire_prior_to: 1,
        connection_id_length: 2,
        connection_id: 'f0f1',
      },
      { frame_type: 'retire_connection_id', sequence_number: 1 },
      { frame_type: 'path_challenge', data: '0102030405060708' },
      { frame_type: 'path_response', data: '0807060504030201' },
      { frame_type: 'handshake_done' },
      { frame_type: 'datagram', raw: { payload_length: 2 } },
      { frame_type: 'connection_close', error_space: 'application', error_code: 6, reason: 'ok' },
    ]);
    expect(JSON.stringify(frames)).not.toMatch(/aabb|ccdd|eeee|abab|9998/);
  });

  it('behind a malformed one are left out', () => {
    expect(qlogReceivedFrames(Uint8Array.of(1, 0x10), 'oneRtt')).toEqual([{ frame_type: 'ping' }]);
    expect(qlogReceivedFrames(Uint8Array.of(1, 0x3f, 1), 'oneRtt')).toEqual([{ frame_type: 'ping' }]);
  });

  it('that were sent each have a form, and no token', () => {
    const frames: SentFrame[] = [
      { kind: 'ack', largest: 3 },
      { kind: 'crypto', offset: 1, length: 2 },
      { kind: 'stream', streamId: 0, offset: 1, length: 2, fin: true },
      { kind: 'resetStream', streamId: 4 },
      { kind: 'stopSending', streamId: 4 },
      { kind: 'maxData', maximum: 5 },
      { kind: 'maxStreamData', streamId: 4, maximum: 5 },
      { kind: 'maxStreams', bidirectional: true, maximum: 5 },
      { kind: 'dataBlocked', limit: 5 },
      { kind: 'streamDataBlocked', streamId: 4, limit: 5 },
      { kind: 'streamsBlocked', bidirectional: false, limit: 5 },
      { kind: 'newConnectionId', sequence: 2 },
      { kind: 'retireConnectionId', sequence: 2 },
      { kind: 'newToken', token: new Uint8Array(40).fill(0xee) },
      { kind: 'handshakeDone' },
      { kind: 'datagram' },
    ];
    const shown = frames.map(qlogSentFrame);
    expect(shown.map(({ frame_type: type }) => type)).toEqual([
      'ack',
      'crypto',
      'stream',
      'reset_stream',
      'stop_sending',
      'max_data',
      'max_stream_data',
      'max_streams',
      'data_blocked',
      'stream_data_blocked',
      'streams_blocked',
      'new_connection_id',
      'retire_connection_id',
      'new_token',
      'handshake_done',
      'datagram',
    ]);
    expect(JSON.stringify(shown)).not.toMatch(/eeee|238/);
  });
});

describe('the log of a connection', () => {
  function run(): { client: ReturnType<typeof kept>; server: ReturnType<typeof kept>; token: Uint8Array } {
    const [client, server] = [kept('client'), kept('server')];
    const network = new QuicNetwork(3, () => ({ ...CALM_LINK, loss: 0.05 }));
    const serving = new Party(endpointOf(2), { accept: { trace: server.trace } });
    const opening = new Party(endpointOf(3, { accepts: false }));
    network.place('10.0.0.2:443', serving);
    network.place('10.0.0.1:5000', opening);
    const over: { trace: QuicTrace } = { trace: client.trace };
    const traffic = opening.connect({ local: '10.0.0.1:5000', remote: '10.0.0.2:443' }, 0, over);
    network.run(5_000, () => traffic.established);
    traffic.open(true, 100_000);
    network.run(30_000, () => traffic.closedStreams > 0);
    let token = new Uint8Array(0);
    const { connection } = traffic.handle;
    for (let notice = connection.nextNotice(); notice !== undefined; notice = connection.nextNotice()) {
      if (notice.type === 'TokenReceived') token = new Uint8Array(notice.token);
    }
    connection.close(0, 'done');
    network.run(60_000);
    return { client, server, token };
  }

  it('tells the handshake, the packets both ways and the end, in the order of time', () => {
    const { client, server } = run();
    for (const log of [client, server]) {
      const events = log.events();
      const names = new Set(events.map(({ name }) => name.slice(5)));
      for (const name of [
        'packet_sent',
        'packet_received',
        'packet_lost',
        'parameters_set',
        'recovery_metrics_updated',
        'connection_state_updated',
        'key_discarded',
        'connection_closed',
      ]) {
        expect(names).toContain(name);
      }
      const times = events.map(({ time }) => time);
      expect(times).toEqual([...times].sort((one, other) => one - other));
      expect(only(events, 'connection_state_updated').at(-1)?.['new']).toBe(log === client ? 'closing' : 'draining');
      expect(
        only(events, 'parameters_set')
          .map(({ initiator }) => initiator)
          .sort(),
      ).toEqual(['local', 'remote']);
    }
    const sent = only(client.events(), 'packet_sent').map(({ header }) => header as Record<string, unknown>);
    expect([...new Set(sent.map((header) => header['packet_type']))]).toEqual(['initial', 'handshake', '1RTT']);
  });

  it('holds no token and nothing of what was said', () => {
    const { client, server, token } = run();
    expect(token.length).toBeGreaterThan(0);
    const text = [...client.records, ...server.records].join('');
    expect(text).not.toContain(hexadecimal(token));
    expect(text).not.toMatch(/stateless_reset_token|"data":"(?!\w{16}")/);
  });
});
