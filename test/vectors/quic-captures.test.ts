/**
 * The first flights of real QUIC connections (Chromium, Firefox, curl, quic-go): headers, Initial keys, frames, TLS
 * messages and transport parameters, against what is known of each packet.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeCryptoProvider } from '../../src/crypto/index.ts';
import { parseFrames } from '../../src/protocols/quic/frame-parser.ts';
import { decodePacketNumber } from '../../src/protocols/quic/packet-number.ts';
import { readPacketHeader, retryWithoutTag } from '../../src/protocols/quic/packet-header.ts';
import { initialKeys, retryTag } from '../../src/protocols/quic/packet-protection.ts';
import type { PacketKeys } from '../../src/protocols/quic/packet-protection.ts';
import { readTransportParameters, writeTransportParameters } from '../../src/protocols/quic/transport-parameters.ts';
import { readClientHello } from '../../src/tls/client-hello.ts';
import { readServerHello } from '../../src/tls/server-hello.ts';
import { recordFrames, sha256 } from '../unit/protocols/quic/recorder.ts';

const folder = path.join(import.meta.dirname, 'quic-captures');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

interface ExpectedPacket {
  readonly flow: number;
  readonly datagram: number;
  readonly from: 'client' | 'server';
  readonly type: string;
  readonly version: string;
  readonly dcid: string;
  readonly scid: string;
  readonly token?: string;
  readonly packet_number?: number;
  readonly frames?: readonly string[];
  readonly plaintext_sha256?: string;
}

interface ExpectedFlow {
  readonly flow: number;
  readonly original_dcid: string;
  readonly client_crypto: string;
  readonly server_crypto: string;
  readonly sni?: string;
  readonly alpn: readonly string[];
  readonly quic_transport_parameters: string;
}

const { captures } = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as {
  captures: Record<string, { flows: ExpectedFlow[]; packets: ExpectedPacket[] }>;
};
const TYPES = { initial: 'Initial', zeroRtt: '0-RTT', handshake: 'Handshake', retry: 'Retry' } as const;
/** Version 2 is none of ours: its packets are known by the invariants alone (RFC 8999). */
const ours = Object.entries(captures).filter(([, { packets }]) =>
  packets.every(({ version }) => version === '00000001'),
);

describe('captures of version 1', () => {
  it('are eight', () => expect(ours.length).toBe(8));

  it.each(ours)('%s', (name, { flows, packets }) => {
    const keys = new Map<number, { client: PacketKeys; server: PacketKeys }>();
    const originals = new Map<number, Buffer>();
    for (const { flow, original_dcid } of flows) {
      const id = Buffer.from(original_dcid, 'hex');
      originals.set(flow, id);
      keys.set(flow, initialKeys(nodeCryptoProvider, id));
    }
    const largest = new Map<string, number>();
    const expected = [...packets];
    const lines = readFileSync(path.join(folder, name), 'utf8').trim().split('\n');
    for (const line of lines) {
      const { flow, from, hex: text } = JSON.parse(line) as { flow: number; from: 'client' | 'server'; hex: string };
      const datagram = Buffer.from(text, 'hex');
      for (let at = 0; at < datagram.length;) {
        const header = readPacketHeader(datagram, at, 0);
        if (header === undefined || header.form === 'short') break;
        const packet = expected.shift() as ExpectedPacket;
        const seen = [TYPES[header.form as keyof typeof TYPES], hex(header.destination), hex(header.source)];
        expect(seen).toEqual([packet.type, packet.dcid, packet.scid]);
        if (packet.token !== undefined) expect(hex(header.token)).toBe(packet.token);
        if (header.form === 'retry') {
          const bare = datagram.subarray(at, datagram.length - 16);
          const tag = retryTag(nodeCryptoProvider, originals.get(flow) as Buffer, bare);
          expect(hex(tag)).toBe(hex(datagram.subarray(datagram.length - 16)));
          const again = retryWithoutTag(header.destination, header.source, header.token);
          expect(hex(again.subarray(1))).toBe(hex(bare.subarray(1)));
          // RFC 9001 section 5.2: the keys change with the id that the Retry brings.
          keys.set(flow, initialKeys(nodeCryptoProvider, header.source));
        }
        if (header.form === 'initial') {
          const key = `${String(flow)} ${from}`;
          const bytes = Buffer.from(datagram.subarray(at, header.end));
          const own = (keys.get(flow) as { client: PacketKeys; server: PacketKeys })[from];
          const length = own.unmask(bytes, header.numberOffset - at);
          const headerLength = header.numberOffset - at + length;
          const truncated = bytes.readUIntBE(header.numberOffset - at, length);
          const number = decodePacketNumber(largest.get(key) ?? -1, truncated, length);
          expect(number).toBe(packet.packet_number);
          largest.set(key, Math.max(largest.get(key) ?? -1, number));
          const payload = own.open(bytes, headerLength, number) as Uint8Array;
          expect(sha256(payload)).toBe(packet.plaintext_sha256);
          const { handler, frames } = recordFrames();
          parseFrames(payload, 'initial', handler);
          const crypto = frames.filter(([kind]) => kind === 'cryptoReceived');
          const told = crypto.map(
            ([, offset, data]) => `CRYPTO offset=${String(offset)} length=${String(String(data).length / 2)}`,
          );
          expect(told).toEqual(packet.frames?.filter((frame) => frame.startsWith('CRYPTO')));
          // Sealing what was opened gives the same packet again.
          const sealed = Buffer.concat([bytes.subarray(0, headerLength), payload, Buffer.alloc(16)]);
          own.seal(sealed, headerLength, number, length);
          expect(hex(sealed)).toBe(hex(datagram.subarray(at, header.end)));
        }
        at = header.end;
      }
    }
    expect(expected).toEqual([]);
  });

  it.each(ours.flatMap(([name, { flows }]) => flows.map((flow): [string, ExpectedFlow] => [name, flow])))(
    '%s: what the hellos say',
    (_name, flow) => {
      const hello = readClientHello(Buffer.from(flow.client_crypto, 'hex').subarray(4));
      expect(hello.alpn).toEqual(flow.alpn);
      if (flow.sni !== undefined && !flow.sni.includes(':')) expect(hello.serverName).toBe(flow.sni);
      expect(hex(hello.transportParameters as Uint8Array)).toBe(flow.quic_transport_parameters);
      const parameters = readTransportParameters(hello.transportParameters as Uint8Array, 'client');
      expect(parameters.initialMaxData).toBeGreaterThan(0);
      const written = writeTransportParameters(parameters);
      expect(hex(writeTransportParameters(readTransportParameters(written, 'client')))).toBe(hex(written));
      const answer = readServerHello(Buffer.from(flow.server_crypto, 'hex').subarray(4));
      expect(answer.version).toBe(0x0304);
      expect(answer.keyShare).toBeDefined();
    },
  );
});
