/**
 * The QPACK decoder under changed sections of qifs and quiche's corpus, and octets that mean something now and then.
 * Nothing is thrown; lists stay within their limits; what was decoded can be encoded and decoded again. The peer's
 * QPACK streams are read the same however they are cut.
 */
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import {
  DecoderStreamReader,
  EncoderStreamReader,
  QpackDecoder,
  QpackEncoder,
} from '../../src/protocols/http3/qpack/index.ts';
import { ByteWriter } from '../../src/wire/index.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { readLines } from '../support/fuzz/corpora.ts';
import { cut, mutate, pickOf, randomBytes } from '../support/fuzz/mutation.ts';
import { readSections } from '../vectors/support/qifs.ts';

const sections = [...readSections('ls-qpack.fb-req'), ...readSections('ls-qpack.netbsd')];
const corpus = [...sections.filter((section) => section.length < 400), ...readLines('quiche/qpack-decode.jsonl')];
/** First octets of every representation, and edges of lengths. */
const MARKS = [0x00, 0x0f, 0x10, 0x1f, 0x20, 0x27, 0x28, 0x2f, 0x50, 0x5f, 0x70, 0x7f, 0x80, 0xc0, 0xd1, 0xff] as const;

describe('QPACK', () => {
  fuzz('QPACK decoder, sections', 2000, (random) => {
    const maxListSize = random.pick([0, 100, 2000, 65_536]);
    const maxFields = random.pick([0, 3, 100]);
    const decoder = new QpackDecoder({ maxListSize, maxFields });
    for (let turn = random.integer(1, 8); turn > 0; turn -= 1) {
      const { headers, tooLarge, error, neverIndexed } = decoder.decode(section(random));
      const size = headers.reduce((sum, text) => sum + text.length + 16, 0);
      if (size > maxListSize || headers.length > 2 * maxFields) expect.fail('beyond a limit');
      if ((error !== undefined || tooLarge) && headers.length > 0) expect.fail('fields of what was refused');
      if (error === undefined && !tooLarge) encodeAgain(headers, neverIndexed);
    }
  });

  fuzz('QPACK streams, cut anywhere', 2000, (random) => {
    const bytes = random.chance(0.5)
      ? randomBytes(random, 60)
      : Uint8Array.from({ length: random.integer(0, 60) }, () =>
          random.pick([0x20, 0x3f, 0x40, 0x44, 0x7f, 0x01, 0x80, 0xff]),
        );
    const chunks = cut(random, bytes);
    const whole = new DecoderStreamReader().problem(bytes);
    const reader = new DecoderStreamReader();
    const pieces = chunks.map((chunk) => reader.problem(chunk)).find((problem) => problem !== undefined);
    if (whole !== pieces) expect.fail(`read otherwise when cut: ${Buffer.from(bytes).toString('hex')}`);
    const encoder = new EncoderStreamReader();
    const piecesOfEncoder = chunks.map((chunk) => encoder.problem(chunk)).find((problem) => problem !== undefined);
    if (new EncoderStreamReader().problem(bytes) !== piecesOfEncoder)
      expect.fail('an encoder stream read otherwise when cut');
  });
});

function section(random: SeededRandom): Uint8Array {
  if (random.chance(0.2)) return pickOf(random, sections);
  if (random.chance(0.6)) return mutate(random, corpus);
  const rest = Array.from({ length: random.integer(0, 60) }, () =>
    random.chance(0.5) ? random.pick(MARKS) : random.integer(0, 255),
  );
  return Uint8Array.from([0, 0, ...rest]);
}

function encodeAgain(headers: readonly string[], neverIndexed: readonly string[]): void {
  const writer = new ByteWriter();
  new QpackEncoder().encode(headers, writer, neverIndexed);
  const again = new QpackDecoder({ maxListSize: Infinity, maxFields: Infinity }).decode(writer.finish());
  if (again.error !== undefined) expect.fail(`encoded badly: ${again.error}`);
  if (again.headers.join('\n') !== headers.join('\n')) expect.fail('another list behind encoding it');
  if (neverIndexed.some((name) => !again.neverIndexed.includes(name))) expect.fail('a mark was lost');
}
