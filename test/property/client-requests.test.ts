/**
 * Requests under any order of events, and header fields of any kind.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeaderFields } from '../../src/client/header-input.ts';
import type { ClientRequest } from '../../src/client/client-request.ts';
import { isRedirectStatus, redirectStep } from '../../src/client/redirect.ts';
import { HfaceError, NetworkError } from '../../src/common/index.ts';
import { fakeSession, settle } from '../unit/client/fake-transport.ts';

const events = [
  'start',
  '100',
  '103',
  'head',
  'empty head',
  'data',
  'end',
  'cut end',
  'trailers',
  'writable',
  'fail no',
  'fail maybe',
  'closed',
  'abort',
  'consume',
  'time',
  'turn',
] as const;

describe('a request', () => {
  it('ends once and leaves nothing, whatever happens in whatever order', async () => {
    const kinds: Partial<ClientRequest>[] = [
      {},
      { method: 'POST', body: 'body' },
      { method: 'PUT', body: 'body', expectContinue: true },
      { method: 'POST', body: 'body', trailers: { 'x-t': '1' } },
      { method: 'CONNECT', authority: 'db:1', body: 'tunnel' },
      { upgrade: 'own', body: 'tunnel' },
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds),
        fc.array(fc.constantFrom(...events), { maxLength: 25 }),
        async (kind, order) => {
          const fake = fakeSession({ timeouts: { headers: 1000, total: 5000 } });
          let failed = 0;
          let closed = 0;
          let heads = 0;
          let afterEnd = 0;
          const count = (): void => {
            if (closed > 0) afterEnd += 1;
          };
          const handle = fake.session.request(
            { url: 'http://a.example/', ...kind },
            {
              informationalReceived: count,
              headersReceived: () => {
                count();
                heads += 1;
              },
              dataReceived: count,
              trailersReceived: count,
              failed: (error) => {
                count();
                failed += 1;
                expect(error).toBeInstanceOf(HfaceError);
              },
              closed: () => {
                count();
                closed += 1;
              },
            },
          );
          const lost = new NetworkError('lost', { phase: 'read' });
          for (const event of order) {
            const { last } = fake.transport;
            const { handler } = last;
            if (event === 'start') last.start(true);
            else if (event === '100') last.informational(100);
            else if (event === '103') last.informational(103);
            else if (event === 'head')
              handler.headersReceived(kind.upgrade === undefined ? 200 : 101, [], undefined, '1.1', false);
            else if (event === 'empty head') handler.headersReceived(404, [], undefined, '1.1', true);
            else if (event === 'data') handler.dataReceived(new Uint8Array(3), 3, false, false);
            else if (event === 'end') handler.dataReceived(new Uint8Array(0), 0, true, false);
            else if (event === 'cut end') handler.dataReceived(new Uint8Array(2), 2, true, true);
            else if (event === 'trailers') handler.trailersReceived([], undefined);
            else if (event === 'writable') handler.writable();
            else if (event === 'fail no') handler.failed(lost, 'no');
            else if (event === 'fail maybe') handler.failed(lost, 'maybe');
            else if (event === 'closed') handler.closed();
            else if (event === 'abort') handle.abort();
            else if (event === 'consume') handle.dataConsumed(3);
            else if (event === 'time') await fake.clock.advance(400);
            else await settle();
          }
          await settle();
          await fake.session.close();
          expect([closed, afterEnd]).toEqual([1, 0]);
          expect(failed).toBeLessThanOrEqual(1);
          expect(fake.transport.requests.length).toBeLessThanOrEqual(2);
          expect([fake.session.running, fake.clock.pending]).toEqual([0, 0]);
          expect(heads).toBeLessThanOrEqual(order.filter((event) => event.endsWith('head')).length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('header fields', () => {
  const field = fc.tuple(fc.constantFrom('Accept', 'x-a', 'X-A', 'host', 'Content-Type'), fc.string({ maxLength: 5 }));

  it('are the same in every form, in order, with their spelling', () => {
    fc.assert(
      fc.property(fc.array(field), (pairs) => {
        const byPairs = HeaderFields.from(pairs);
        const byList = HeaderFields.from(pairs.flat());
        expect(byList.list).toEqual(byPairs.list);
        expect(byPairs.list).toEqual(pairs.flatMap(([name, value]) => [name.toLowerCase(), value]));
        expect(byPairs.rawNames() ?? byPairs.list.filter((_text, index) => index % 2 === 0)).toEqual(
          pairs.map(([name]) => name),
        );
      }),
    );
  });

  it('keep lists and spelling together when one is taken away', () => {
    fc.assert(
      fc.property(fc.array(field), fc.constantFrom('accept', 'x-a', 'host', 'none'), (pairs, name) => {
        const fields = HeaderFields.from(pairs);
        const before = fields.get(name);
        expect(fields.take(name)).toBe(before);
        expect([fields.has(name), fields.count(name)]).toEqual([false, 0]);
        const rest = pairs.filter(([other]) => other.toLowerCase() !== name);
        expect(fields.list).toEqual(rest.flatMap(([other, value]) => [other.toLowerCase(), value]));
        expect(fields.spelling).toEqual(rest.map(([other]) => other));
      }),
    );
  });
});

describe('a redirect', () => {
  it('never carries credentials to another origin, and never throws anything but its error', () => {
    const location = fc.oneof(fc.webUrl(), fc.string(), fc.constantFrom('/x', '//b.example/', 'http://a.example:81/'));
    const status = fc.constantFrom(301, 302, 303, 307, 308);
    fc.assert(
      fc.property(
        location,
        status,
        fc.constantFrom('GET', 'POST', 'PUT', 'HEAD'),
        fc.boolean(),
        (place, code, method, hasBody) => {
          expect(isRedirectStatus(code)).toBe(true);
          const url = new URL('http://a.example/here');
          const headers = ['authorization', 's', 'cookie', 's', 'proxy-authorization', 's', 'x', 'y'];
          try {
            const step = redirectStep(code, ['location', place], { url, method, headers, hasBody, replayable: true })!;
            expect(step.headers.includes('x')).toBe(true);
            expect(step.headers.includes('s')).toBe(step.url.origin === url.origin);
            expect(['http:', 'https:']).toContain(step.url.protocol);
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_REDIRECT' });
          }
        },
      ),
    );
  });
});
