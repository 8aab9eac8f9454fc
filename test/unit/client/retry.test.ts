import { describe, expect, it } from 'vitest';
import {
  HfaceError,
  LimitError,
  LocalProtocolError,
  NetworkError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
} from '../../../src/common/index.ts';
import { isIdempotent, shouldRetry } from '../../../src/client/retry.ts';
import type { FailedAttempt } from '../../../src/client/retry.ts';

const lost = new NetworkError('reset', { phase: 'read' });
const base: FailedAttempt = {
  error: lost,
  processed: 'maybe',
  idempotent: true,
  replayable: true,
  responseBegun: false,
  onConnection: true,
  retries: 0,
};

describe('whether a request is sent again', () => {
  const table: [string, Partial<FailedAttempt>, boolean][] = [
    ['a lost GET', {}, true],
    ['a lost POST', { idempotent: false }, false],
    ['a POST that the server did not act on', { idempotent: false, processed: 'no' }, true],
    ['a GET that the server did not act on', { processed: 'no' }, true],
    ['a body that cannot be replayed', { replayable: false }, false],
    ['a body that cannot be replayed, not acted on', { replayable: false, processed: 'no' }, false],
    ['response bytes have come', { responseBegun: true }, false],
    ['response bytes have come, not acted on', { responseBegun: true, processed: 'no' }, false],
    ['sent again before', { retries: 1 }, false],
    ['sent again before, not acted on', { retries: 1, processed: 'no' }, false],
    ['left out by GOAWAY, not for the first time', { error: reset('no', 0), processed: 'no', retries: 7 }, true],
    ['left out by GOAWAY again and again', { error: reset('no', 0), processed: 'no', retries: 8 }, false],
    ['refused, not for the first time', { error: reset('no'), processed: 'no', retries: 1 }, false],
    ['reset without an error, perhaps acted on', { error: reset('maybe', 0), retries: 1 }, false],
    ['there was no connection', { onConnection: false, processed: 'no' }, false],
    ['refused stream', { error: reset('no'), idempotent: false, processed: 'no' }, true],
    ['reset stream', { error: reset('maybe'), processed: 'maybe' }, true],
    ['reset stream of a POST', { error: reset('maybe'), idempotent: false }, false],
    ['our own timer', { error: new TimeoutError('headers', 1) }, false],
    ['our own limit', { error: new LimitError('x', { limit: 'a', value: 1 }) }, false],
    ['our own mistake', { error: new LocalProtocolError('x'), processed: 'no' }, false],
    ['bytes that are no HTTP', { error: garbage() }, false],
    ['closed without a word', { error: closed() }, true],
    ['closed without a word after a POST', { error: closed(), idempotent: false }, false],
  ];
  it.each(table)('%s', (_name, change, expected) => {
    expect(shouldRetry({ ...base, ...change })).toBe(expected);
  });

  it('takes the idempotent methods from RFC 9110 section 9.2.2, which are case-sensitive', () => {
    expect(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].every(isIdempotent)).toBe(true);
    expect(['POST', 'PATCH', 'CONNECT', 'get'].some(isIdempotent)).toBe(false);
  });
});

function reset(processed: 'no' | 'maybe', errorCode = 7): HfaceError {
  return new StreamResetError('reset', { errorCode, initiator: 'peer', processed });
}

function garbage(): HfaceError {
  return new RemoteProtocolError('bad', { scope: 'connection', wireCode: 0 });
}

function closed(): HfaceError {
  return new HfaceError('closed', { code: 'ERR_CONNECTION_CLOSED', initiator: 'network' });
}
