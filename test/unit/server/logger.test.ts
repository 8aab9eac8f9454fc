import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../../src/common/index.ts';
import {
  escapeControls,
  formatLogLine,
  lineLogger,
  logLevels,
  redactHeaders,
  silentLogger,
} from '../../../src/common/index.ts';
import { AllowedHosts } from '../../../src/server/allowed-hosts.ts';
import { ServerFields } from '../../../src/server/date-field.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('a line logger', () => {
  it.each<[LogLevel, number]>([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ])('from %s on writes %i of the levels', (level, count) => {
    const lines: string[] = [];
    const logger = lineLogger(level, (line) => lines.push(line));
    for (const asked of logLevels) logger.log(asked, 'message');
    expect(lines).toHaveLength(count);
    expect(logLevels.filter((asked) => logger.isEnabled(asked))).toHaveLength(count);
    expect(silentLogger.isEnabled(level)).toBe(false);
  });

  it('keeps what a peer sent from moving the cursor or beginning a line', () => {
    const line = formatLogLine('error', 'it failed', {
      path: '/\u001b[2J\r\nerror: "forged"',
      bidi: '\u202egnp.exe',
      count: 3,
      nothing: undefined,
      circle: circle(),
      stack: 'Error: \u0007boom\n    at app.js:1',
    });
    expect(line).toBe(
      'error: it failed path="/\\x{1b}[2J\\x{d}\\x{a}error: \\"forged\\"" bidi=\\x{202e}gnp.exe count=3 circle=object\n' +
        'Error: \\x{7}boom\n    at app.js:1',
    );
    expect(escapeControls('plain ünïcode 中')).toBe('plain ünïcode 中');
  });

  it('leaves credentials out of fields', () => {
    expect(redactHeaders(['authorization', 'Basic eA==', 'cookie', 'a=b', 'accept', '*/*', 'x', 'cookie'])).toEqual([
      'authorization',
      '[redacted]',
      'cookie',
      '[redacted]',
      'accept',
      '*/*',
      'x',
      'cookie',
    ]);
  });
});

function circle(): object {
  const object: { self?: object } = {};
  object.self = object;
  return object;
}

describe('allowed hosts', () => {
  const hosts = new AllowedHosts(['Example.com', '*.example.org']);

  it.each<[string, boolean]>([
    ['example.com', true],
    ['EXAMPLE.com:8080', true],
    ['example.com.', true],
    ['a.example.org', true],
    ['a.b.example.org:1', true],
    ['example.org', false],
    ['a.example.com', false],
    ['evilexample.org', false],
    ['example.com.evil.test', false],
    ['192.0.2.1:80', true],
    ['[2001:db8::1]:80', true],
    ['1.2.3.4.evil.test', false],
    ['', true],
  ])('%s: %s', (authority, allowed) => {
    expect(hosts.allows(authority)).toBe(allowed);
  });
});

describe('the Date of responses (RFC 9110 section 6.6.1)', () => {
  it('is made once a second', async () => {
    const clock = new ManualClock();
    const fields = new ServerFields(clock, 'test');
    const first = fields.current();
    expect(first).toEqual(['date', 'Thu, 01 Jan 2026 00:00:01 GMT', 'server', 'test']);
    await clock.advance(999);
    expect(fields.current()).toBe(first);
    await clock.advance(1);
    expect(fields.current()[1]).toBe('Thu, 01 Jan 2026 00:00:02 GMT');
    expect(new ServerFields(clock, undefined).current()).toHaveLength(2);
  });
});
