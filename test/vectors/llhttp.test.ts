/**
 * llhttp's own cases: what it parses we parse alike, what it rejects we reject. Where we differ the case is listed
 * with the reason and the section of the RFC, and the list is exact: a difference that goes away fails the test too.
 *
 * Host: llhttp is a parser and does not ask for Host; a server must (RFC 9112 section 3.2). Requests of HTTP/1.1 that
 * lack it are given one. Leniency flags, pauses and its URL parser are llhttp's own and are left out.
 */
import { describe, expect, it } from 'vitest';
import { readRequests, readResponses } from './support/http1-messages.ts';
import type { Seen } from './support/http1-messages.ts';
import { llhttpDifferences } from './support/llhttp-differences.ts';
import { readCases, readLog } from './support/llhttp-log.ts';
import type { LlhttpCase, Logged } from './support/llhttp-log.ts';

/** Fields that belong to the connection: an engine of ours takes them away. */
const connectionFields = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'host',
  'te',
]);

const cases = readCases().filter((item) => item.type === 'request' || item.type === 'response');

describe.each(['request', 'response'])('llhttp %s', (type) => {
  const own = cases.filter((item) => item.type === type);
  it.each(own.map((item) => [`${item.file}:${item.line} ${item.name}`, item] as const))('%s', (_, item) => {
    const found = difference(item);
    const known = llhttpDifferences[`${item.file}:${item.line}`];
    if (known === undefined) expect(found).toBeUndefined();
    else expect(found, `listed as: ${known}`).toBeDefined();
  });
});

describe('llhttp, the list of differences', () => {
  it('names only cases that there are, each with its RFC section', () => {
    const names = new Set(cases.map((item) => `${item.file}:${item.line}`));
    for (const [name, reason] of Object.entries(llhttpDifferences)) {
      expect(names).toContain(name);
      expect(reason).toMatch(/RFC \d{4} (?:section )?\d|appendix/i);
    }
  });

  it('gives the same messages however the input is cut', () => {
    for (const item of cases) {
      const whole = read(item, 1 << 20);
      for (const size of [1, 2, 3, 7]) {
        const cut = read(item, size);
        if (item.type === 'response') expect(cut.messages.length).toBeGreaterThanOrEqual(whole.messages.length);
        else {
          expect({ name: item.name, size, messages: comparable(cut), refused: cut.refused }).toEqual({
            name: item.name,
            size,
            messages: comparable(whole),
            refused: whole.refused,
          });
        }
      }
    }
  });
});

/** What differs, in words; `undefined` when both agree. */
function difference(item: LlhttpCase): string | undefined {
  const logged = readLog(item.log);
  const seen = read(item, 1);
  const error = realError(logged);
  if (error !== undefined && seen.refused === undefined) {
    // llhttp judges each line as it comes, an engine of ours the whole head: let the head end.
    if (read(item, 1, '\r\n\r\n').refused === undefined) return `llhttp refuses (${error}), we do not`;
  }
  if (error === undefined && seen.refused !== undefined) return `we refuse (${seen.reason ?? ''}), llhttp does not`;
  const theirs = logged.messages.filter((message) => message.headComplete);
  // An error inside a head or behind a complete message: what was complete before it counts.
  const count = error === undefined ? theirs.length : Math.min(theirs.length, seen.messages.length);
  if (error === undefined && seen.messages.length !== theirs.length)
    return `${seen.messages.length} messages, not ${theirs.length}`;
  for (let index = 0; index < count; index++) {
    const ours = seen.messages[index];
    const other = theirs[index];
    if (ours === undefined || other === undefined) return 'a message is missing';
    if (ours.start !== other.start) return `${ours.start}, not ${other.start}`;
    if (item.type === 'request' && !other.target.endsWith(ours.target))
      return `target ${ours.target}, not ${other.target}`;
    const theirFields = other.headers.filter(([name]) => !connectionFields.has(name));
    const ourFields = ours.headers
      .filter(([name]) => !connectionFields.has(name))
      .map(([name, value]) => [name, utf8(value)]);
    if (JSON.stringify(ourFields) !== JSON.stringify(theirFields)) {
      return `fields ${JSON.stringify(ourFields)}, not ${JSON.stringify(theirFields)}`;
    }
    const isTunnel = ours.start === 'CONNECT' || ours.upgrade.length > 0;
    if (isTunnel || item.meta?.skipBody === true) continue;
    if (error === undefined && ours.body.toString('utf8') !== other.body)
      return `body ${ours.body.toString('utf8')}, not ${other.body}`;
    if (error === undefined && ours.complete !== other.complete)
      return `complete: ${String(ours.complete)}, not ${String(other.complete)}`;
  }
  return undefined;
}

/** The messages; how much content came before an error depends on where the input was cut, so it is left out then. */
function comparable(seen: Seen): readonly unknown[] {
  if (seen.refused === undefined) return seen.messages;
  return seen.messages.map((message) => (message.complete ? message : { ...message, body: undefined }));
}

/** The logs are UTF-8 texts of the octets. */
function utf8(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** llhttp stops with an "error" at an upgrade, and at input behind the last message, which a server just does not read. */
function realError(logged: Logged): string | undefined {
  if (logged.error === undefined) return undefined;
  if (logged.error.startsWith('Pause') || logged.error.startsWith('Data after `Connection: close`')) return undefined;
  if (/^on_\w+ pause$/.test(logged.error)) return undefined;
  return logged.error;
}

/** Behind an upgrade llhttp reads nothing; a server that does not accept it would read another request there. */
function beforePause(item: LlhttpCase): Buffer {
  const input = Buffer.from(item.input_base64, 'base64');
  const pause = item.log.map((line) => /^off=(\d+) error code=22 /.exec(line)?.[1]).find((at) => at !== undefined);
  return pause === undefined ? input : input.subarray(0, Number(pause));
}

function read(item: LlhttpCase, size: number, tail = ''): Seen {
  const input = Buffer.concat([beforePause(item), Buffer.from(tail)]);
  if (item.type === 'request') return readRequests(withHost(input), size, undefined, false);
  const messages = Math.max(1, readLog(item.log).messages.length);
  return readResponses(
    input,
    size,
    Array.from({ length: messages }, () => 'GET'),
    false,
  );
}

/** Gives each head of HTTP/1.1 that has no Host one, right behind its request line. */
function withHost(input: Buffer): Buffer {
  const text = input.toString('latin1');
  const patched = text.replaceAll(
    /(^|\r\n|[^\r\n])([A-Z-]+ [^\r\n]+ HTTP\/1\.1\r\n)((?:[^\r\n]+\r\n)*)/g,
    (whole, before: string, line: string, fields: string) =>
      /^host[ \t]*:/im.test(fields) ? whole : `${before}${line}Host: a\r\n${fields}`,
  );
  return Buffer.from(patched, 'latin1');
}
