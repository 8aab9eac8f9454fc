/**
 * Datagrams as a file that Wireshark reads, and what its dissector says of them.
 *
 * Packets are written here rather than captured, so that no right to listen on an interface is needed: an IPv4 and a UDP
 * header before each, in the format of libpcap.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { runChild } from '../../support/child.ts';

/** LINKTYPE_RAW: packets begin with their IP header. */
const RAW = 101;
const UDP = 17;
/** PI_WARN; notes are below, errors above. */
const WARNING = 0x600000;
const LOOPBACK = [127, 0, 0, 1];

/** One datagram as tshark dissected it; what there is several times in it stands in the order of the packets. */
export interface Dissected {
  readonly from: number;
  /** Types of long headers: 0 Initial, 1 0-RTT, 2 Handshake, 3 Retry. */
  readonly longTypes: readonly number[];
  readonly versions: readonly number[];
  readonly frames: readonly number[];
  /** The key phase bits of short headers. */
  readonly phases: readonly boolean[];
  readonly handshake: readonly number[];
  readonly http3: readonly number[];
  /** What the expert warns of, and what was malformed: nothing, one hopes. That data are sent again is but a note. */
  readonly complaints: string;
}

const FIELDS = [
  'udp.srcport',
  'quic.long.packet_type',
  'quic.version',
  'quic.frame_type',
  'quic.key_phase',
  'tls.handshake.type',
  'http3.frame_type',
  '_ws.expert.severity',
  '_ws.expert.message',
  '_ws.malformed',
] as const;

/** Collects datagrams between ports of 127.0.0.1, with the secrets of their connections. */
export class Capture {
  readonly #folder: string;
  readonly #packets: Buffer[];
  readonly #secrets: string[];

  /** @param folder - where files are written */
  constructor(folder: string) {
    this.#folder = folder;
    this.#packets = [];
    this.#secrets = [];
  }

  /** Notes a datagram. `time` in milliseconds. */
  readonly add = (data: Uint8Array, from: number, to: number, time: number): void => {
    const length = 28 + data.length;
    const headers = Buffer.alloc(16 + 28);
    headers.writeUInt32LE(Math.floor(time / 1_000), 0);
    headers.writeUInt32LE(Math.floor((time % 1_000) * 1_000), 4);
    headers.writeUInt32LE(length, 8);
    headers.writeUInt32LE(length, 12);
    headers.set([0x45, 0, length >> 8, length & 0xff, 0, 0, 0, 0, 64, UDP, 0, 0, ...LOOPBACK, ...LOOPBACK], 16);
    headers.writeUInt16BE(from, 36);
    headers.writeUInt16BE(to, 38);
    headers.writeUInt16BE(8 + data.length, 40);
    this.#packets.push(headers, Buffer.from(data));
  };

  /** Notes a line of a key log. */
  readonly secret = (line: string): void => {
    this.#secrets.push(line);
  };

  /** What tshark makes of it. @param port - the server's, where QUIC is to be looked for */
  async dissect(tshark: string, port: number): Promise<Dissected[]> {
    const head = Buffer.alloc(24);
    head.writeUInt32LE(0xa1b2c3d4, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(0xffff, 16);
    head.writeUInt32LE(RAW, 20);
    const file = path.join(this.#folder, `capture-${String(port)}.pcap`);
    const keys = path.join(this.#folder, `capture-${String(port)}.keys`);
    writeFileSync(file, Buffer.concat([head, ...this.#packets]));
    writeFileSync(keys, this.#secrets.map((line) => `${line.trim()}\n`).join(''));
    const options = ['-r', file, '-o', `tls.keylog_file:${keys}`, '-d', `udp.port==${String(port)},quic`];
    const format = ['-T', 'fields', '-E', 'occurrence=a', ...FIELDS.flatMap((field) => ['-e', field])];
    const { code, stdout, stderr } = await runChild(tshark, [...options, ...format], {
      timeout: 110_000,
      env: { HOME: this.#folder, XDG_CONFIG_HOME: this.#folder },
    });
    if (code !== 0) throw new Error(`tshark failed: ${stderr}`);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [readLine(line)]));
  }
}

function readLine(line: string): Dissected {
  const columns = line.split('\t');
  const numbers = (index: number): number[] =>
    (columns[index] ?? '').split(',').flatMap((text) => (text === '' ? [] : [Number(text)]));
  return {
    from: Number(columns[0]),
    longTypes: numbers(1),
    versions: numbers(2),
    frames: numbers(3),
    phases: (columns[4] ?? '').split(',').flatMap((text) => (text === '' ? [] : [text === '1' || text === 'True'])),
    handshake: numbers(5),
    http3: numbers(6),
    complaints: [numbers(7).some((severity) => severity >= WARNING) ? columns[8] : '', columns[9]]
      .filter((text) => text !== undefined && text !== '')
      .join(' '),
  };
}
