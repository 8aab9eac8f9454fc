import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import type { HfaceError } from '../../../src/common/index.ts';
import type { ClientRequestHandler } from '../../../src/client/request-handler.ts';
import { fakeSession, settle } from './fake-transport.ts';
import type { FakeSession } from './fake-transport.ts';

const url = 'http://a.example/';
const lost = new NetworkError('connection reset', { phase: 'read' });

function nothingLeft(fake: FakeSession): void {
  expect(fake.session.running).toBe(0);
  expect(fake.clock.pending).toBe(0);
}

function silent(): ClientRequestHandler {
  return {
    informationalReceived: () => {},
    headersReceived: () => {},
    dataReceived: () => {},
    trailersReceived: () => {},
    failed: () => {},
    closed: () => {},
  };
}

describe('the callback core', () => {
  it('calls in order, never from inside request, and closed last', async () => {
    const fake = fakeSession();
    const calls: string[] = [];
    const handler = {
      informationalReceived: (status: number) => calls.push(`informational ${status}`),
      headersReceived: (status: number) => calls.push(`headers ${status}`),
      dataReceived: (data: Uint8Array, _length: number, endStream: boolean) =>
        calls.push(`data ${data.length} ${endStream}`),
      trailersReceived: () => calls.push('trailers'),
      failed: () => calls.push('failed'),
      closed: () => calls.push('closed'),
    };
    const handle = fake.session.request({ url }, handler);
    expect(handle.connection).toBeUndefined();
    const { last } = fake.transport;
    last.start();
    last.informational(103);
    last.head(200);
    last.data('abc');
    handle.dataConsumed(3);
    expect(last.consumed).toBe(3);
    last.endWithTrailers([]);
    expect(calls).toEqual(['informational 103', 'headers 200', 'data 3 false', 'trailers', 'closed']);
    handle.abort();
    expect(calls.length).toBe(5);
    nothingLeft(fake);
  });

  it('throws at once for what cannot be sent, and after close', async () => {
    const fake = fakeSession();
    expect(() => fake.session.request({ url: 'x' }, silent())).toThrow(expect.objectContaining({ code: 'ERR_URL' }));
    await fake.session.close();
    expect(() => fake.session.request({ url }, silent())).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_CLOSED' }),
    );
    nothingLeft(fake);
  });

  it('gives back to the connection what was delivered and never taken', () => {
    const fake = fakeSession();
    const handle = fake.session.request({ url }, silent());
    const { last } = fake.transport;
    last.start();
    last.head(200);
    last.data('abcdef');
    handle.dataConsumed(2);
    handle.abort();
    handle.dataConsumed(4);
    expect(last.consumed).toBe(6);
  });

  it('lets a reader take the rest after the end', () => {
    const fake = fakeSession();
    const handle = fake.session.request({ url }, silent());
    const { last } = fake.transport;
    last.start();
    last.head(200);
    last.data('abcdef', true);
    handle.dataConsumed(6);
    expect(last.consumed).toBe(6);
    nothingLeft(fake);
  });

  it.each(['informationalReceived', 'headersReceived', 'dataReceived', 'trailersReceived'] as const)(
    'fails the request when %s throws',
    (member) => {
      const fake = fakeSession();
      const failures: HfaceError[] = [];
      let closed = 0;
      const mistake = new Error('mine');
      const handler = {
        ...silent(),
        failed: (error: HfaceError) => failures.push(error),
        closed: () => (closed += 1),
        [member]: () => {
          throw mistake;
        },
      };
      fake.session.request({ url }, handler);
      const { last } = fake.transport;
      last.start();
      last.informational(103);
      last.head(200);
      last.data('x');
      last.endWithTrailers([]);
      expect(failures).toEqual([expect.objectContaining({ code: 'ERR_HANDLER', cause: mistake })]);
      expect(closed).toBe(1);
      expect(last.wasReset).toBe(true);
      nothingLeft(fake);
    },
  );

  it('survives failed and closed that throw', () => {
    const fake = fakeSession();
    const handler = {
      ...silent(),
      failed: () => {
        throw new Error('one');
      },
      closed: () => {
        throw new Error('two');
      },
    };
    const handle = fake.session.request({ url }, handler);
    handle.abort();
    nothingLeft(fake);
  });

  it('tells of a failure inside the hand-over only afterwards', async () => {
    const fake = fakeSession();
    const calls: string[] = [];
    const handler = { ...silent(), failed: () => calls.push('failed'), closed: () => calls.push('closed') };
    fake.transport.request = (_origin, _request, told) => {
      told.failed(lost, 'no');
      told.closed();
      return { cancel: () => {} };
    };
    fake.session.request({ url }, handler);
    expect(calls).toEqual([]);
    await settle();
    expect(calls).toEqual(['failed', 'closed']);
    fake.transport.request = () => {
      throw lost;
    };
    fake.session.request({ url }, handler);
    expect(calls.length).toBe(2);
    await settle();
    expect(calls.length).toBe(4);
    nothingLeft(fake);
  });
});
