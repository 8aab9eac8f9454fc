/**
 * QPACK's public vectors that need no dynamic table: what other encoders made of header lists is decoded, broken streams
 * are refused, and the lists are encoded by ours and decoded again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EncoderStreamReader, QpackDecoder, QpackEncoder } from '../../src/protocols/http3/qpack/index.ts';
import { findStaticName, STATIC_NAMES, STATIC_VALUES } from '../../src/protocols/http3/qpack/static-table.ts';
import { ByteWriter } from '../../src/wire/index.ts';
import { qifs, readLists, readRecords } from './support/qifs.ts';

function json(file: string): unknown {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, file), 'utf8'));
}

function newDecoder(): QpackDecoder {
  return new QpackDecoder({ maxListSize: 1 << 20, maxFields: 1000 });
}

describe('RFC 9204 appendix A', () => {
  it('has the 99 entries of the static table, each found by its name and value', () => {
    const { entries } = json('rfc/rfc9204-static-table.json') as { entries: [number, string, string][] };
    expect(entries).toHaveLength(99);
    expect(STATIC_NAMES).toHaveLength(99);
    for (const [index, name, value] of entries) {
      expect([STATIC_NAMES[index], STATIC_VALUES[index]]).toEqual([name, value]);
      expect(findStaticName(name)?.values.get(value)).toBe(index);
    }
  });
});

describe('RFC 9204 appendix B', () => {
  it('B.1: a literal with a name reference', () => {
    const { sections } = json('rfc/rfc9204-qpack.json') as {
      sections: { section: string; steps: { wire: string; fields?: [string, string][] }[] }[];
    };
    const [step] = sections.find(({ section }) => section === 'B.1')!.steps;
    const { headers, error } = newDecoder().decode(new Uint8Array(Buffer.from(step!.wire, 'hex')));
    expect(error).toBeUndefined();
    expect(headers).toEqual(step!.fields!.flat());
  });
});

describe('qifs', () => {
  const files = readdirSync(path.join(qifs, 'encoded'));

  it('is there', () => {
    expect(files).toHaveLength(10);
    expect(readLists('fb-resp').length).toBeGreaterThan(100);
  });

  it.each(files)('decodes %s', (file) => {
    const lists = readLists(file.split('.')[1]!);
    const records = readRecords(path.join('encoded', file)).filter(({ streamId }) => streamId !== 0);
    expect(records).toHaveLength(lists.length);
    const decoder = newDecoder();
    for (const [index, { bytes }] of records.sort((one, other) => one.streamId - other.streamId).entries()) {
      const { error, headers } = decoder.decode(bytes);
      expect({ index, error, headers }).toEqual({ index, error: undefined, headers: lists[index] });
    }
  });

  it.each(['netbsd', 'netbsd-hq', 'fb-req', 'fb-resp'].filter((name) => name !== 'netbsd-hq'))(
    'encodes %s no larger than ls-qpack does without a table, and decodes it again',
    (name) => {
      const encoder = new QpackEncoder();
      let ours = 0;
      for (const list of readLists(name)) {
        const writer = new ByteWriter();
        encoder.encode(list, writer);
        const section = writer.finish();
        ours += section.length;
        expect(newDecoder().decode(section).headers).toEqual(list);
      }
      const theirs = readRecords(path.join('encoded', `ls-qpack.${name}.out.0.0.0`));
      expect(ours).toBeLessThanOrEqual(theirs.reduce((sum, { bytes }) => sum + bytes.length, 0) * 1.01);
    },
  );

  it('refuses what is broken, and nothing else', () => {
    // err9 and err10 were broken under the static table of the early drafts only.
    const good = new Set(['err9', 'err10']);
    for (const file of readdirSync(path.join(qifs, 'errors'))) {
      const problems = readRecords(path.join('errors', file)).map(({ streamId, bytes }) =>
        streamId === 0 ? new EncoderStreamReader().problem(bytes) : newDecoder().decode(bytes).error,
      );
      expect(
        problems.some((problem) => problem !== undefined),
        file,
      ).toBe(!good.has(file));
    }
  });
});

describe('the corpus of quiche', () => {
  it('is decoded or refused, within bounds, and never throws', () => {
    const lines = readFileSync(path.join(import.meta.dirname, 'quiche', 'qpack-decode.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(lines).toHaveLength(486);
    const decoder = new QpackDecoder({ maxListSize: 4096, maxFields: 32 });
    let good = 0;
    for (const line of lines) {
      const { base64 } = JSON.parse(line) as { base64: string };
      const { error, headers, tooLarge } = decoder.decode(new Uint8Array(Buffer.from(base64, 'base64')));
      expect(headers.length / 2).toBeLessThanOrEqual(32);
      if (error === undefined && !tooLarge) good += 1;
      else expect(headers).toEqual([]);
    }
    expect(good).toBeGreaterThan(0);
  });
});
