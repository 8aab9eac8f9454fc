import { describe, expect, it } from 'vitest';
import type { LogThreshold } from '../../../../cli/server/messages.ts';
import { commandLogger, reportAppFailure, reportUncaught } from '../../../../cli/server/messages.ts';
import type { Logger } from '../../../../src/common/index.ts';

function recorded(
  level: LogThreshold,
  format: 'pretty' | 'json',
): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), flush: async (): Promise<void> => undefined };
  return { logger: commandLogger(level, format, output), lines };
}

const details = { kind: 'request', requestId: '1-1', method: 'GET', path: '/\x1b[2J' } as const;

describe('commandLogger', () => {
  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('%s prints %j', (level, expected) => {
    for (const format of ['pretty', 'json'] as const) {
      const { logger, lines } = recorded(level, format);
      for (const each of ['debug', 'info', 'warn', 'error'] as const) logger.log(each, `a ${each}`);
      const found = lines.map((line) =>
        format === 'json' ? (JSON.parse(line) as { level: string }).level : line.split(':')[0],
      );
      expect(found).toEqual(expected);
      expect(logger.isEnabled('error')).toBe(level !== 'silent');
    }
  });

  it('writes JSON that no terminal obeys', () => {
    const { logger, lines } = recorded('info', 'json');
    logger.log('warn', 'a message', { count: 2, path: 'a\u009bb', absent: undefined });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      message: 'a message',
      count: 2,
      path: 'a\\x{9b}b',
    });
    expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

describe('failures of the app', () => {
  it('are one line with the place, without a stack', () => {
    const { logger, lines } = recorded('info', 'pretty');
    const error = new TypeError('no\nsecond line');
    error.stack = 'TypeError: no\n    at f (file:///srv/app.js:12:3)\n    at node:internal/x:1:1';
    reportAppFailure(logger, error, details, false);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^error: the app failed error="TypeError: no" at=\/srv\/app.js:12 request="GET [^"]+" id=1-1$/,
    );
    expect(lines[0]).not.toContain('\x1b');
  });

  it('have their stack and causes with --dev', () => {
    const { logger, lines } = recorded('info', 'pretty');
    reportAppFailure(logger, new Error('a', { cause: new Error('b') }), details, true);
    expect(lines[0]).toMatch(/error="Error: a".*\nError: a\n {4}at [^]*caused by: Error: b/);
  });

  it.each([
    undefined,
    null,
    'text',
    0,
    {
      toString: () => {
        throw new Error('no');
      },
    },
  ])('may be anything: %j', (thrown) => {
    const { logger, lines } = recorded('info', 'pretty');
    reportAppFailure(
      logger,
      thrown,
      { kind: 'lifespan', requestId: undefined, method: undefined, path: undefined },
      false,
    );
    reportUncaught(logger, thrown, true);
    expect(lines[0]).toMatch(/^error: the lifespan of the app failed error=/);
    expect(lines[1]).toMatch(/^error: the app threw outside any request; the server goes on error=/);
  });
});
