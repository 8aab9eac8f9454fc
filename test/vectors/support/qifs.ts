/**
 * The vectors of qpackers/qifs: header lists, and what encoders made of them.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HeaderList } from '../../../src/common/index.ts';

/** Where they are. */
export const qifs: string = path.join(import.meta.dirname, '..', 'qifs');

/** The lists of a qif file. */
export function readLists(name: string): HeaderList[] {
  const text = readFileSync(path.join(qifs, `${name}.qif`), 'latin1').replaceAll('\r\n', '\n');
  return text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
    .filter((lines) => lines.length > 0)
    .map((lines) =>
      lines.flatMap((line) => {
        const tab = line.indexOf('\t');
        return [line.slice(0, tab), line.slice(tab + 1)];
      }),
    );
}

/** The records of an encoder's output: a stream's id, and its bytes. */
export function readRecords(file: string): { readonly streamId: number; readonly bytes: Uint8Array }[] {
  const all = readFileSync(path.join(qifs, file));
  const records = [];
  for (let at = 0; at + 12 <= all.length;) {
    const length = all.readUInt32BE(at + 8);
    records.push({
      streamId: Number(all.readBigUInt64BE(at)),
      bytes: new Uint8Array(all.subarray(at + 12, at + 12 + length)),
    });
    at += 12 + length;
  }
  return records;
}

/** The sections that an encoder made without a dynamic table. */
export function readSections(name: string): Uint8Array[] {
  return readRecords(path.join('encoded', `${name}.out.0.0.0`))
    .filter(({ streamId }) => streamId !== 0)
    .map(({ bytes }) => bytes);
}
