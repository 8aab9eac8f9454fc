import { describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  HfaceError,
  LimitError,
  RemoteProtocolError,
  TimeoutError,
} from '../../../../src/common/index.ts';
import {
  checkErrorResponseHeaders,
  errorResponse,
  errorStatus,
} from '../../../../src/protocols/http1/error-response.ts';
import { fault } from '../../../../src/protocols/http1/faults.ts';

const NOW = 784_111_777_000;

describe("the engine's own responses", () => {
  it('are small, dated, and close the connection (RFC 9112 section 9.6)', () => {
    expect(errorResponse(400, fault('no Host'), NOW, ['server', 'x'], true)).toBe(
      'HTTP/1.1 400 Bad Request\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: text/plain\r\n' +
        'content-length: 25\r\nconnection: close\r\nserver: x\r\n\r\n400 Bad Request: no Host\n',
    );
  });

  it('have no content in answer to HEAD, but its length', () => {
    const text = errorResponse(400, fault('no Host'), NOW, [], false);
    expect(text).toContain('content-length: 25\r\n');
    expect(text).toMatch(/\r\n\r\n$/);
  });

  it('say nothing of the inside, and nothing that a terminal or a page would act upon', () => {
    const inner = new HfaceError('secret', { code: 'ERR_X', initiator: 'engine' });
    expect(errorResponse(500, inner, NOW, [], true)).not.toContain('secret');
    const text = errorResponse(400, fault('a\u001b\u00e9\r\nx'), NOW, [], true);
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('400 Bad Request: a???\nx\n');
    expect(text).toContain('content-length: 24\r\n');
  });

  it('take their status from the error', () => {
    expect(errorStatus(fault('x', 417))).toBe(417);
    expect(errorStatus(new RemoteProtocolError('x', { scope: 'connection', wireCode: 0 }))).toBe(400);
    expect(errorStatus(new LimitError('x', { limit: 'a', value: 1, statusHint: 431 }))).toBe(431);
    expect(errorStatus(new TimeoutError('head', 1))).toBe(408);
    expect(errorStatus(new HfaceError('x', { code: 'ERR_X', initiator: 'engine' }))).toBe(500);
  });

  it('take only fields that may be sent', () => {
    expect(() => checkErrorResponseHeaders(['server', 'x'])).not.toThrow();
    for (const headers of [
      ['Server', 'x'],
      ['x', 'a\r\nb'],
      ['content-length', '1'],
      ['date', 'x'],
      ['connection', 'x'],
      ['x'],
    ]) {
      expect(() => checkErrorResponseHeaders(headers), headers.join()).toThrow(ConfigurationError);
    }
  });
});
