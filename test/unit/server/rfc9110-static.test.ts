/**
 * RFC 9110 sections 8.8, 9.3, 13, 14 and 15 at a folder of files behind a running server: methods, conditions, ranges
 * and their combinations, each as bytes.
 *
 * Where the RFC leaves a choice, the row holds the one that is made here.
 */
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { staticFiles } from '../../../src/app/index.ts';
import type { RunningServer } from '../../../src/server/index.ts';
import { request, start } from './loopback.ts';

let folder = '';
let server: RunningServer;
let tag = '';

/** When the files were written, one second before, and the forms of a date. */
const WRITTEN = 'Tue, 14 Nov 2023 22:13:20 GMT';
const BEFORE = 'Tue, 14 Nov 2023 22:13:19 GMT';
const AFTER = 'Tue, 14 Nov 2023 22:13:21 GMT';
const RFC_850 = 'Tuesday, 14-Nov-23 22:13:20 GMT';
const ASCTIME = 'Tue Nov 14 22:13:20 2023';
const CONTENT = 'abcdefghij';

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'hface-rfc9110-')));
  await mkdir(path.join(folder, 'sub'));
  const seconds = Date.parse(WRITTEN) / 1000;
  for (const [name, content] of [
    ['a.txt', CONTENT],
    ['a b.txt', CONTENT],
    ['empty.txt', ''],
    ['sub/index.html', 'index'],
    ['z.txt', CONTENT],
    ['z.txt.gz', 'not looked into'],
  ] as const) {
    await writeFile(path.join(folder, name), content);
    await utimes(path.join(folder, name), seconds, seconds);
  }
  server = await start(staticFiles(folder, { cacheControl: 'max-age=60' }));
  tag = fieldOf(await ask('GET', '/a.txt'), 'etag') ?? '';
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly content: string;
}

/** One request with fields; `TAG` in them stands for the file's entity tag. */
async function ask(method: string, target: string, fields: readonly string[] = []): Promise<Answer> {
  const lines = ['Host: localhost', 'Connection: close', ...fields.map((field) => field.replaceAll('TAG', tag))];
  const text = await request(server, `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...rest] = text.slice(0, end).split('\r\n');
  return {
    status: Number(statusLine.slice(9, 12)),
    fields: rest.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const),
    content: text.slice(end + 4),
  };
}

function fieldOf(answer: Answer, name: string): string | undefined {
  return answer.fields.find(([key]) => key === name)?.[1];
}

describe('methods (RFC 9110 section 9.3)', () => {
  it('GET has content, length, type and validators', async () => {
    const answer = await ask('GET', '/a.txt');
    expect(answer).toMatchObject({ status: 200, content: CONTENT });
    expect(fieldOf(answer, 'content-length')).toBe('10');
    expect(fieldOf(answer, 'content-type')).toBe('text/plain; charset=utf-8');
    expect(fieldOf(answer, 'last-modified')).toBe(WRITTEN);
    expect(fieldOf(answer, 'accept-ranges')).toBe('bytes');
    expect(tag).toMatch(/^"[\x21\x23-\x7e]+"$/);
  });

  it.each(['/a.txt', '/empty.txt', '/sub', '/sub/'])('HEAD %s has the fields of GET and no content', async (target) => {
    const get = await ask('GET', target);
    const head = await ask('HEAD', target);
    const comparable = ({ fields }: Answer): unknown => fields.filter(([name]) => name !== 'date').sort();
    expect(head.status).toBe(get.status);
    expect(head.content).toBe('');
    if (get.status === 200) expect(comparable(head)).toEqual(comparable(get));
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND'])('%s is 405 with Allow (section 15.5.6)', async (method) => {
    const answer = await ask(method, '/a.txt', ['Content-Length: 0']);
    expect(answer.status).toBe(405);
    expect(fieldOf(answer, 'allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('OPTIONS tells what is allowed (section 9.3.7), TRACE and CONNECT are not known (section 15.6.2)', async () => {
    const answer = await ask('OPTIONS', '/a.txt');
    expect(answer.status).toBe(204);
    expect(fieldOf(answer, 'allow')).toBe('GET, HEAD, OPTIONS');
    expect((await ask('TRACE', '/a.txt')).status).toBe(501);
    expect((await ask('CONNECT', 'a.txt:80')).status).toBe(501);
  });

  it.each<[target: string, status: number]>([
    ['/%61.txt', 200],
    ['/a%20b.txt', 200],
    ['/a.txt?query', 200],
    ['http://localhost/a.txt', 200],
    ['/a.txt/', 404],
    ['/A.TXT', 404],
    ['/none', 404],
    ['/%zz', 404],
    ['/a.txt%00', 404],
    ['/sub', 301],
    ['/sub/', 200],
  ])('GET %s is %i', async (target, status) => {
    expect((await ask('GET', target)).status).toBe(status);
  });

  it('a redirection has a Location that Host has no part in (section 10.2.2)', async () => {
    expect(fieldOf(await ask('GET', '/sub?q'), 'location')).toBe('sub/?q');
  });
});

describe('conditions (RFC 9110 section 13)', () => {
  it.each<[section: string, fields: string[], status: number]>([
    ['13.1.1', ['If-Match: TAG'], 200],
    ['13.1.1', ['If-Match: "x", TAG'], 200],
    ['13.1.1', ['If-Match: "x"', 'If-Match: TAG'], 200],
    ['13.1.1', ['If-Match: *'], 200],
    ['13.1.1', ['If-Match: "x"'], 412],
    ['13.1.1', ['If-Match: W/TAG'], 412],
    ['13.1.1', ['If-Match: x'], 412],
    ['13.1.2', ['If-None-Match: TAG'], 304],
    ['13.1.2', ['If-None-Match: W/TAG'], 304],
    ['13.1.2', ['If-None-Match: "x",TAG'], 304],
    ['13.1.2', ['If-None-Match: "x" , , W/"y", TAG'], 304],
    ['13.1.2', ['If-None-Match: "a,b", TAG'], 304],
    ['13.1.2', ['If-None-Match: *'], 304],
    ['13.1.2', ['If-None-Match: "x"'], 200],
    ['13.1.2', ['If-None-Match: x'], 200],
    ['13.1.2', ['If-None-Match:'], 200],
    ['13.1.3', [`If-Modified-Since: ${WRITTEN}`], 304],
    ['13.1.3', [`If-Modified-Since: ${AFTER}`], 304],
    ['13.1.3', [`If-Modified-Since: ${BEFORE}`], 200],
    ['5.6.7', [`If-Modified-Since: ${RFC_850}`], 304],
    ['5.6.7', [`If-Modified-Since: ${ASCTIME}`], 304],
    ['13.1.3', ['If-Modified-Since: yesterday'], 200],
    ['13.1.3', [`If-Modified-Since: ${WRITTEN}`, `If-Modified-Since: ${WRITTEN}`], 200],
    ['13.1.3', ['If-None-Match: "x"', `If-Modified-Since: ${WRITTEN}`], 200],
    ['13.1.3', ['If-None-Match: TAG', `If-Modified-Since: ${BEFORE}`], 304],
    ['13.1.4', [`If-Unmodified-Since: ${WRITTEN}`], 200],
    ['13.1.4', [`If-Unmodified-Since: ${BEFORE}`], 412],
    ['13.1.4', ['If-Unmodified-Since: yesterday'], 200],
    ['13.1.4', ['If-Match: TAG', `If-Unmodified-Since: ${BEFORE}`], 200],
    ['13.2.2', ['If-Match: "x"', 'If-None-Match: TAG'], 412],
    ['13.2.2', ['If-Match: TAG', 'If-None-Match: TAG'], 304],
    ['13.2.2', ['If-None-Match: TAG', 'Range: bytes=0-1'], 304],
    ['13.2.2', ['If-None-Match: "x"', 'Range: bytes=0-1'], 206],
  ])('section %s: %j is %i, to HEAD too', async (_section, fields, status) => {
    const answer = await ask('GET', '/a.txt', fields);
    expect(answer.status).toBe(status);
    if (status === 304) expect(answer.content).toBe('');
    expect((await ask('HEAD', '/a.txt', fields)).status).toBe(status === 206 ? 200 : status);
  });

  it('section 13.2.1: say nothing where the answer would be no success without them', async () => {
    expect((await ask('GET', '/none', ['If-Match: *'])).status).toBe(404);
    expect((await ask('GET', '/none', ['If-None-Match: *'])).status).toBe(404);
    expect((await ask('POST', '/a.txt', ['If-Match: "x"', 'Content-Length: 0'])).status).toBe(405);
    expect((await ask('OPTIONS', '/a.txt', ['If-None-Match: *'])).status).toBe(204);
  });

  it('section 15.4.5: 304 has what concerns the stored response, and nothing of the content', async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method, '/z.txt', ['If-None-Match: *']);
      expect(answer.status).toBe(304);
      expect(fieldOf(answer, 'etag')).toMatch(/^"/);
      expect(fieldOf(answer, 'date')).toBeDefined();
      expect(fieldOf(answer, 'vary')).toBe('accept-encoding');
      expect(fieldOf(answer, 'cache-control')).toBe('max-age=60');
      for (const name of ['content-length', 'content-type', 'content-encoding', 'transfer-encoding']) {
        expect(fieldOf(answer, name)).toBeUndefined();
      }
    }
  });

  it('section 8.8.2.1: Last-Modified is never later than Date', async () => {
    const name = path.join(folder, 'future.txt');
    await writeFile(name, CONTENT);
    await utimes(name, 4_102_444_800, 4_102_444_800);
    const answer = await ask('GET', '/future.txt');
    const modified = Date.parse(fieldOf(answer, 'last-modified') ?? '');
    expect(modified).toBeLessThanOrEqual(Date.parse(fieldOf(answer, 'date') ?? ''));
  });

  it('section 8.8.3: two codings of a file have two tags', async () => {
    const plain = await ask('GET', '/z.txt');
    const coded = await ask('GET', '/z.txt', ['Accept-Encoding: gzip']);
    expect(fieldOf(coded, 'content-encoding')).toBe('gzip');
    expect(fieldOf(coded, 'etag')).not.toBe(fieldOf(plain, 'etag'));
    const old = ['Accept-Encoding: gzip', `If-None-Match: ${fieldOf(plain, 'etag') ?? ''}`];
    expect((await ask('GET', '/z.txt', old)).status).toBe(200);
  });
});

describe('ranges (RFC 9110 section 14)', () => {
  it.each<[range: string, content: string, contentRange: string]>([
    ['bytes=0-0', 'a', 'bytes 0-0/10'],
    ['bytes=0-3', 'abcd', 'bytes 0-3/10'],
    ['bytes=9-9', 'j', 'bytes 9-9/10'],
    ['bytes=5-', 'fghij', 'bytes 5-9/10'],
    ['bytes=5-100', 'fghij', 'bytes 5-9/10'],
    ['bytes=-3', 'hij', 'bytes 7-9/10'],
    ['bytes=-100', CONTENT, 'bytes 0-9/10'],
    ['bytes=0-', CONTENT, 'bytes 0-9/10'],
    ['BYTES=0-1', 'ab', 'bytes 0-1/10'],
    ['bytes=00-01', 'ab', 'bytes 0-1/10'],
    [`bytes=0-${'9'.repeat(30)}`, CONTENT, 'bytes 0-9/10'],
    ['bytes=, 0-1 ,', 'ab', 'bytes 0-1/10'],
    ['bytes=0-1,20-30', 'ab', 'bytes 0-1/10'],
  ])('section 15.3.7.1: %s is 206', async (range, content, contentRange) => {
    const answer = await ask('GET', '/a.txt', [`Range: ${range}`]);
    expect(answer).toMatchObject({ status: 206, content });
    expect(fieldOf(answer, 'content-range')).toBe(contentRange);
    expect(fieldOf(answer, 'content-length')).toBe(String(content.length));
    for (const name of ['date', 'etag', 'cache-control']) expect(fieldOf(answer, name)).toBeDefined();
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', `bytes=${'9'.repeat(30)}-`, 'bytes=10-11,12-'])(
    'section 15.5.17: %s is 416',
    async (range) => {
      const answer = await ask('GET', '/a.txt', [`Range: ${range}`]);
      expect(answer.status).toBe(416);
      expect(fieldOf(answer, 'content-range')).toBe('bytes */10');
    },
  );

  it.each([
    'bytes=5-2',
    'bytes=a-b',
    'bytes=-',
    'bytes=',
    'bytes',
    'bytes=0-1;',
    'bytes = 0-1',
    'bytes=+0-1',
    'bytes=0x0-1',
    'bytes=0-1-2',
    'lines=0-1',
    '0-1',
    '',
  ])('section 14.2: %j is ignored', async (range) => {
    const answer = await ask('GET', '/a.txt', [`Range: ${range}`]);
    expect(answer).toMatchObject({ status: 200, content: CONTENT });
    expect(fieldOf(answer, 'content-range')).toBeUndefined();
  });

  it('section 14.2: two Range lines, other methods, and files without content are served whole', async () => {
    expect((await ask('GET', '/a.txt', ['Range: bytes=0-1', 'Range: bytes=3-4'])).status).toBe(200);
    expect((await ask('HEAD', '/a.txt', ['Range: bytes=0-1'])).status).toBe(200);
    expect((await ask('HEAD', '/a.txt', ['Range: bytes=99-'])).status).toBe(200);
    expect((await ask('OPTIONS', '/a.txt', ['Range: bytes=99-'])).status).toBe(204);
    expect(await ask('GET', '/empty.txt', ['Range: bytes=0-1'])).toMatchObject({ status: 200, content: '' });
  });

  it('section 15.3.7.2: several are multipart/byteranges, whose head has no Content-Range', async () => {
    const answer = await ask('GET', '/a.txt', ['Range: bytes=7-8,0-1,-1']);
    expect(answer.status).toBe(206);
    expect(fieldOf(answer, 'content-range')).toBeUndefined();
    expect(fieldOf(answer, 'content-length')).toBe(String(answer.content.length));
    const [, boundary = 'none'] =
      /^multipart\/byteranges; boundary=(\S+)$/.exec(fieldOf(answer, 'content-type') ?? '') ?? [];
    const parts = answer.content.split(`--${boundary}`);
    expect(parts.at(-1)).toBe('--\r\n');
    expect(parts.slice(1, -1)).toEqual(
      [
        ['7-8', 'hi'],
        ['0-1', 'ab'],
        ['9-9', 'j'],
      ].map(
        ([range = '', content = '']) =>
          `\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes ${range}/10\r\n\r\n${content}\r\n`,
      ),
    );
  });

  it.each<[value: string, status: number]>([
    ['TAG', 206],
    [WRITTEN, 206],
    ['"x"', 200],
    ['W/TAG', 200],
    [BEFORE, 200],
    [AFTER, 200],
    ['x', 200],
    ['', 200],
    ['TAG, "x"', 200],
  ])('section 13.1.5: If-Range %j makes it %i', async (value, status) => {
    const answer = await ask('GET', '/a.txt', ['Range: bytes=0-3', `If-Range: ${value}`]);
    expect(answer).toMatchObject({ status, content: status === 206 ? 'abcd' : CONTENT });
  });

  it('section 13.1.5: If-Range makes a range that lies outside harmless, and means nothing without Range', async () => {
    expect((await ask('GET', '/a.txt', ['Range: bytes=99-', 'If-Range: "x"'])).status).toBe(200);
    expect((await ask('GET', '/a.txt', ['Range: bytes=99-', 'If-Range: TAG'])).status).toBe(416);
    expect((await ask('GET', '/a.txt', ['If-Range: "x"'])).status).toBe(200);
  });

  it('section 13.2.2: conditions come before ranges', async () => {
    expect((await ask('GET', '/a.txt', ['If-Match: "x"', 'Range: bytes=0-1'])).status).toBe(412);
    expect((await ask('GET', '/a.txt', ['If-Match: TAG', 'Range: bytes=99-'])).status).toBe(416);
    expect((await ask('GET', '/a.txt', [`If-Modified-Since: ${WRITTEN}`, 'Range: bytes=99-'])).status).toBe(304);
  });
});
