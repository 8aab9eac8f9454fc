import { describe, expect, it } from 'vitest';
import { fakeSession, settle } from './fake-transport.ts';

const url = 'https://b.example/';

describe('421 (Misdirected Request, RFC 9110 section 15.5.20)', () => {
  it('on a connection of another origin is not the answer: the request goes once more, over one of its own', async () => {
    const fake = fakeSession();
    const answer = fake.session.dispatch({ url, method: 'POST', body: 'abc' });
    const first = fake.transport.last;
    first.start(true, true);
    first.head(421, [], true);
    await settle();
    const second = fake.transport.last;
    expect(second).not.toBe(first);
    expect([first.options.own, second.options.own, second.options.fresh]).toEqual([false, true, false]);
    second.start();
    expect(second.body).toBe('abc');
    second.head(421, [], true);
    // There is no third time: the origin itself says so.
    expect((await answer).status).toBe(421);
    expect(fake.transport.last).toBe(second);
    await fake.session.close();
    expect(fake.clock.pending).toBe(0);
  });

  it('on a connection of the origin itself is the answer', async () => {
    const fake = fakeSession();
    const answer = fake.session.dispatch({ url });
    fake.transport.last.start();
    fake.transport.last.head(421, [], true);
    expect((await answer).status).toBe(421);
    await fake.session.close();
  });

  it('is the answer where the body was read and cannot be read again', async () => {
    const fake = fakeSession();
    const once = (async function* (): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      yield new Uint8Array(3);
    })();
    const answer = fake.session.dispatch({ url, method: 'POST', body: once });
    const first = fake.transport.last;
    first.start(true, true);
    await settle();
    first.head(421, [], true);
    expect((await answer).status).toBe(421);
    expect(fake.transport.last).toBe(first);
    await fake.session.close();
  });

  it('resets the exchange that it gives up, so that nothing of it is left', async () => {
    const fake = fakeSession();
    const answer = fake.session.dispatch({ url });
    const first = fake.transport.last;
    first.start(false, true);
    first.head(421);
    expect(first.wasReset).toBe(true);
    first.data('misdirected', true);
    await settle();
    fake.transport.last.start();
    fake.transport.last.head(200, [], true);
    expect((await answer).status).toBe(200);
    await fake.session.close();
  });
});
