import { describe, expect, it } from 'vitest';
import { formatAccess, formatBytes } from '../../../../cli/server/access-log.ts';
import type { RequestRecord } from '../../../../src/server/index.ts';

const record: RequestRecord = {
  requestId: '1-2',
  clientAddress: '127.0.0.1',
  method: 'GET',
  path: '/a?b=c',
  httpVersion: '1.1',
  status: 200,
  bytesSent: 1234,
  bytesReceived: 0,
  duration: 12.34567,
  aborted: undefined,
};
const time = Date.UTC(2026, 10, 21, 9, 8, 7, 6);

describe('formatAccess', () => {
  it('pretty: id, version, status, bytes, duration', () => {
    expect(formatAccess(record, 'pretty', time)).toBe('1-2  HTTP/1.1  200  GET /a?b=c  1.2 kB  12 ms');
    expect(formatAccess({ ...record, duration: 0.55, aborted: 'the peer left' }, 'pretty', time)).toBe(
      '1-2  HTTP/1.1  200 (the peer left)  GET /a?b=c  1.2 kB  0.6 ms',
    );
  });

  it('json: one object with all facts', () => {
    expect(JSON.parse(formatAccess(record, 'json', time))).toEqual({
      ...record,
      time: '2026-11-21T09:08:07.006Z',
      duration: 12.346,
      aborted: null,
    });
  });

  it('clf: the Common Log Format', () => {
    expect(formatAccess(record, 'clf', time)).toBe(
      '127.0.0.1 - - [21/Nov/2026:09:08:07 +0000] "GET /a?b=c HTTP/1.1" 200 1234',
    );
    expect(formatAccess({ ...record, clientAddress: '', bytesSent: 0, path: '/"\\' }, 'clf', time)).toBe(
      '- - - [21/Nov/2026:09:08:07 +0000] "GET /\\"\\\\ HTTP/1.1" 200 -',
    );
  });

  it.each(['pretty', 'json', 'clf'] as const)('%s: lets no control character through and stays one line', (format) => {
    const line = formatAccess(
      { ...record, method: 'G\x1b[2J', path: '/\n\x07\u009b\u202e', aborted: 'a\rb' },
      format,
      time,
    );
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(line).toContain('x{1b}');
  });

  it.each(['pretty', 'json', 'clf'] as const)('%s: leaves out parameters that are credentials', (format) => {
    const path = '/?a=1&token=s3cret&API_KEY=s3cret;password=s3cret&x=2&access_token=s3cret';
    const line = formatAccess({ ...record, path }, format, time);
    expect(line).not.toContain('s3cret');
    expect(line).toContain('/?a=1&token=[redacted]&API_KEY=[redacted];password=[redacted]&x=2&access_token=[redacted]');
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9_949, '9.9 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [64 * 1024 * 1024, '67 MB'],
    [1e15, '1000 TB'],
  ])('%d: %s', (count, text) => {
    expect(formatBytes(count)).toBe(text);
  });
});
