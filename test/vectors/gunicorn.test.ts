/**
 * gunicorn's requests: what it accepts we read alike, what it refuses we refuse. Where we differ the case is listed
 * with the reason and the section of the RFC; the list is exact.
 *
 * Host: most of the valid files lack it; as in the llhttp test, heads of HTTP/1.1 without it are given one.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRequests } from './support/http1-messages.ts';
import type { Seen } from './support/http1-messages.ts';

interface Expectations {
  readonly valid: readonly {
    readonly file: string;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly requests: readonly {
      readonly method: string;
      readonly uri: string;
      readonly version: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly body_base64: string;
    }[];
  }[];
  readonly invalid: readonly {
    readonly file: string;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly error: string;
  }[];
}

const folder = new URL('./gunicorn-requests/', import.meta.url);
const expectations = JSON.parse(readFileSync(new URL('expectations.json', folder), 'utf8')) as Expectations;

/** Valid for gunicorn, refused or read differently here. */
const stricter: Readonly<Record<string, string>> = {
  'valid/005.http': 'a fragment is no part of a request-target. RFC 9112 section 3.2',
  'valid/009.http':
    'a fragment is no part of a request-target; and identity is no coding any more. RFC 9112 section 3.2',
  'valid/012.http': 'Content-Type in a trailer section is refused. RFC 9110 section 6.5.1',
  'valid/025.http': 'a transfer coding that is not undone gets 501. RFC 9112 section 6.1',
  'valid/025_line.http': 'a transfer coding that is not undone gets 501. RFC 9112 section 6.1',
  'valid/027.http': 'octets above 0x7e are no part of a request-target. RFC 9112 section 3.2',
  'valid/028.http': 'white space before the colon is refused (a setting of gunicorn allows it). RFC 9112 section 5.1',
  'valid/029.http': 'identity is no transfer coding any more: 501. RFC 9112 section 7',
  'valid/030.http': 'identity is no transfer coding any more: 501. RFC 9112 section 7',
  'valid/031compat.http': 'methods are case-sensitive (a setting of gunicorn folds them). RFC 9110 section 9.1',
  'valid/040.http': 'a name with _ is a field of its own and is passed on; gunicorn drops it. RFC 9110 section 5.1',
  'valid/compat_obs_fold.http': 'line folding is refused (a setting of gunicorn allows it). RFC 9112 section 5.2',
  'valid/compat_obs_fold_huge.http': 'line folding is refused (a setting of gunicorn allows it). RFC 9112 section 5.2',
  'valid/pp_01.http': 'the PROXY protocol is a setting of gunicorn; here it is a malformed request-line',
  'valid/pp_02.http': 'the PROXY protocol is a setting of gunicorn; here it is a malformed request-line',
  'valid/pp_04.http': 'the PROXY protocol is a setting of gunicorn; here it is a malformed request-line',
  'valid/pp_05.http': 'the PROXY protocol is a setting of gunicorn; here it is a malformed request-line',
  'valid/rfc9112_smuggle_gzip_chunked_01.http': 'a transfer coding that is not undone gets 501. RFC 9112 section 6.1',
  'valid/rfc9112_smuggle_te_identity_chunked_01.http':
    'identity is no transfer coding any more: 501. RFC 9112 section 7',
  'valid/rfc9112_target_absolute_userinfo_01.http':
    'user information in an http target is refused. RFC 9110 section 4.2.4',
};

/** Refused by gunicorn, accepted here. */
const accepted: Readonly<Record<string, string>> = {
  'invalid/003c.http': '-bl is a token; which methods there are is the application’s. RFC 9110 section 9.1',
  'invalid/006.http': 'a target of 4 KiB: our limit is 16 KiB, and 8000 octets should be taken. RFC 9112 section 3',
  'invalid/007.http': 'a field of 8 KiB: our limit is on the whole section. RFC 9110 section 5.4',
  'invalid/008.http': 'a field of 12 KiB: our limit is on the whole section. RFC 9110 section 5.4',
  'invalid/009.http': 'the sizes are a setting of gunicorn',
  'invalid/010.http': 'the sizes are a setting of gunicorn',
  'invalid/011.http': 'the sizes are a setting of gunicorn',
  'invalid/012.http': 'the sizes are a setting of gunicorn',
  'invalid/017.http': 'a field of 8 KiB: our limit is on the whole section. RFC 9110 section 5.4',
  'invalid/019.http': 'who believes X-Forwarded fields is a setting of gunicorn; the engine passes them on',
  'invalid/040.http':
    'a name with _ is a field of its own; confusing it with - is a setting of gunicorn. RFC 9110 section 5.1',
  'invalid/041.http': 'the engine does not interpret Content-Type: that is the application’s. RFC 9110 section 8.3',
  'invalid/chunked_07.http':
    'a name with _ is a field of its own; confusing it with - is a setting of gunicorn. RFC 9110 section 5.1',
  'invalid/limit_header_default_01.http': 'the sizes are a setting of gunicorn',
};

const connectionFields = new Set([
  'CONNECTION',
  'KEEP-ALIVE',
  'PROXY-CONNECTION',
  'TRANSFER-ENCODING',
  'UPGRADE',
  'HOST',
  'TE',
]);

describe('gunicorn, valid requests', () => {
  it.each(expectations.valid.map((item) => [item.file, item] as const))('%s', (file, item) => {
    const found = differenceOfValid(readRequests(withHost(readFile(file)), 1, undefined, false), item.requests);
    if (stricter[file] === undefined) expect(found).toBeUndefined();
    else expect(found, stricter[file]).toBeDefined();
  });
});

describe('gunicorn, invalid requests', () => {
  it.each(expectations.invalid.map((item) => [`${item.file} ${item.error}`, item.file] as const))('%s', (_, file) => {
    const seen = readRequests(withHost(readFile(file)), 1);
    if (accepted[file] === undefined) expect(seen.refused).toBeDefined();
    else expect(seen.refused, accepted[file]).toBeUndefined();
  });
});

describe('gunicorn, the lists of differences', () => {
  it('name only files that there are, each with its RFC section or the setting that is gunicorn’s own', () => {
    const files = new Set([...expectations.valid, ...expectations.invalid].map((item) => item.file));
    for (const [file, reason] of [...Object.entries(stricter), ...Object.entries(accepted)]) {
      expect(files).toContain(file);
      expect(reason).toMatch(/RFC \d{4} section|setting/);
    }
  });

  it('gives the same messages however the input is cut', () => {
    for (const { file } of [...expectations.valid, ...expectations.invalid]) {
      const input = withHost(readFile(file));
      const whole = readRequests(input, undefined, undefined, false);
      for (const size of [1, 2, 3, 7, 64]) {
        const cut = readRequests(input, size, undefined, false);
        expect({ file, size, refused: cut.refused, heads: cut.messages.map((message) => message.headers) }).toEqual({
          file,
          size,
          refused: whole.refused,
          heads: whole.messages.map((message) => message.headers),
        });
      }
    }
  });
});

function differenceOfValid(seen: Seen, expected: Expectations['valid'][number]['requests']): string | undefined {
  if (seen.refused !== undefined)
    return `refused with ${seen.refused}: ${/\r\n\r\n(.*)/s.exec(seen.output)?.[1] ?? ''}`;
  if (seen.messages.length !== expected.length) return `${seen.messages.length} requests, not ${expected.length}`;
  for (const [index, wanted] of expected.entries()) {
    const message = seen.messages[index];
    if (message === undefined) return 'a request is missing';
    if (message.start !== wanted.method) return `method ${message.start}`;
    const target = message.start === 'CONNECT' ? message.authority : message.target;
    if (!wanted.uri.endsWith(target)) return `target ${target}, not ${wanted.uri}`;
    const ours = message.headers.map(([name, value]) => [name.toUpperCase(), value]);
    const theirs = wanted.headers.filter(([name]) => !connectionFields.has(name));
    if (JSON.stringify(ours) !== JSON.stringify(theirs))
      return `fields ${JSON.stringify(ours)}, not ${JSON.stringify(theirs)}`;
    if (message.body.toString('base64') !== wanted.body_base64) return `body ${message.body.toString('latin1')}`;
  }
  return undefined;
}

/** The bytes of a file: real newlines fall away, escapes become what they stand for. */
function readFile(name: string): Buffer {
  const text = readFileSync(new URL(name, folder), 'latin1').replaceAll(/\r?\n/g, '');
  const bytes = text.replaceAll(/\\(r\\n|0|n|t|r|x[0-9a-fA-F]{2})/g, (_, code: string) => {
    if (code.startsWith('x')) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { 'r\\n': '\r\n', '0': '\0', n: '\n', t: '\t', r: '\r' }[code] as string;
  });
  return Buffer.from(bytes, 'latin1');
}

function withHost(input: Buffer): Buffer {
  const text = input.toString('latin1');
  // The second request of this one is the content of the first.
  if (text.includes('Content-Length: 24')) return input;
  const patched = text.replaceAll(
    /(^|\r\n|[^\r\n])((?:-bl(?:argh)?|[A-Z-]+) [^\r\n]+ HTTP\/1\.1\r\n)((?:[^\r\n]+\r\n)*)/g,
    (whole, before: string, line: string, fields: string) =>
      /^host[ \t]*:/im.test(fields) ? whole : `${before}${line}Host: a\r\n${fields}`,
  );
  return Buffer.from(patched, 'latin1');
}
