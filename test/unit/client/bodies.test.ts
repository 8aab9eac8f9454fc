import { describe, expect, it } from 'vitest';
import { bytesSource, iterableSource } from '../../../src/client/body-source.ts';
import { BodySender } from '../../../src/client/body-sender.ts';
import type { Outgoing } from '../../../src/client/body-sender.ts';
import { clientLimits } from '../../../src/client/limits.ts';
import { ResponseBody } from '../../../src/client/response-body.ts';
import { LocalProtocolError, resolveLimits } from '../../../src/common/index.ts';
import type { HfaceError } from '../../../src/common/index.ts';
import { settle } from './fake-transport.ts';

function sending(outgoing: Partial<Outgoing>, sendData: (data: Uint8Array, end: boolean) => boolean = () => true) {
  const sent: string[] = [];
  const outcome: { failure?: HfaceError; complete: number } = { complete: 0 };
  const sender = new BodySender(
    { body: undefined, contentLength: undefined, trailers: undefined, ...outgoing },
    {
      sendData: (data, end) => {
        const room = sendData(data, end);
        sent.push(`${Buffer.from(data).toString()}${end ? '.' : ''}`);
        return room;
      },
      sendTrailers: (headers) => void sent.push(`(${headers.join(' ')})`),
    },
    {
      bodyBlocked: () => {},
      bodyUnblocked: () => {},
      bodySent: () => (outcome.complete += 1),
      bodyFailed: (error) => (outcome.failure = error),
    },
  );
  sender.start();
  return { sender, sent, outcome };
}

async function* from(...pieces: unknown[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield (typeof piece === 'string' ? Buffer.from(piece) : piece) as Uint8Array;
}

describe('the sending of a body', () => {
  it('sends bytes with their end at once, and in slices when they are many', () => {
    const small = sending({ body: bytesSource(Buffer.from('abc'), undefined), contentLength: 3 });
    expect([small.sent, small.outcome.complete]).toEqual([['abc.'], 1]);
    const sizes: number[] = [];
    const large = sending({ body: bytesSource(new Uint8Array(600_000), undefined), contentLength: 600_000 }, (data) => {
      sizes.push(data.byteLength);
      return sizes.length > 1;
    });
    expect([sizes, large.outcome.complete]).toEqual([[262_144], 0]);
    large.sender.writable();
    expect([sizes, large.outcome.complete]).toEqual([[262_144, 262_144, 75_712], 1]);
    large.sender.writable();
    expect(sizes.length).toBe(3);
  });

  it('sends a stream as it comes, skipping what is empty', async () => {
    const { sent, outcome } = sending({ body: iterableSource(from('a', '', 'b')) });
    await settle();
    expect([sent, outcome.complete]).toEqual([['a', 'b', '.'], 1]);
  });

  it('sends trailers, or asks for them when the body is complete', async () => {
    const fixed = sending({ body: bytesSource(Buffer.from('a'), undefined), trailers: { 'X-T': '1' } });
    await settle();
    expect(fixed.sent).toEqual(['a', '(x-t 1)']);
    const asked = sending({ body: iterableSource(from('a')), trailers: async () => ['x-u', '2'] });
    await settle();
    expect(asked.sent).toEqual(['a', '(x-u 2)']);
    const alone = sending({ trailers: { a: 'b' } });
    await settle();
    expect([alone.sent, alone.outcome.complete]).toEqual([['(a b)'], 1]);
  });

  const cause = new Error('mine');
  it.each<[string, Partial<Outgoing>, object]>([
    [
      'a stream shorter than its length',
      { body: iterableSource(from('ab')), contentLength: 3 },
      { code: 'ERR_CONTENT_LENGTH' },
    ],
    [
      'a stream longer than its length',
      { body: iterableSource(from('ab', 'cd')), contentLength: 3 },
      { code: 'ERR_CONTENT_LENGTH' },
    ],
    [
      'a stream that goes on after its length',
      { body: iterableSource(from('abc', 'd')), contentLength: 3 },
      { code: 'ERR_CONTENT_LENGTH' },
    ],
    ['a stream of text', { body: iterableSource(from(7)) }, { code: 'ERR_REQUEST_BODY', initiator: 'application' }],
    ['a stream of null', { body: iterableSource(from(null)) }, { code: 'ERR_REQUEST_BODY' }],
    [
      'a stream that throws',
      { body: iterableSource({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(cause) }) }) },
      { code: 'ERR_REQUEST_BODY', cause },
    ],
    [
      'a source that cannot be opened',
      {
        body: iterableSource({
          [Symbol.asyncIterator]: () => {
            throw cause;
          },
        }),
      },
      { cause },
    ],
    [
      'trailers that throw',
      { body: bytesSource(Buffer.from('a'), undefined), trailers: () => Promise.reject(cause) },
      { cause },
    ],
    ['trailers that are none', { body: iterableSource(from('a')), trailers: () => ['odd'] }, { code: 'ERR_HEADERS' }],
  ])('fails by %s', async (_name, outgoing, expected) => {
    const { outcome } = sending(outgoing);
    await settle();
    expect(outcome.failure).toMatchObject(expected);
  });

  it('fails by what the connection refuses', async () => {
    const refusal = new LocalProtocolError('no');
    const refuse = (): never => {
      throw refusal;
    };
    expect(sending({ body: bytesSource(Buffer.from('a'), undefined) }, refuse).outcome.failure).toBe(refusal);
    const stream = sending({ body: iterableSource(from('a')) }, refuse);
    await settle();
    expect(stream.outcome.failure).toBe(refusal);
  });

  it('lets the source go when it is stopped, however the source takes it', async () => {
    let returned = 0;
    const makers: (() => Promise<IteratorResult<Uint8Array>>)[] = [
      () => Promise.resolve({ done: true, value: undefined }),
      () => Promise.reject(new Error('no')),
      () => {
        throw new Error('no');
      },
    ];
    for (const leave of makers) {
      const body = iterableSource({
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: false, value: new Uint8Array(1) }),
          return: () => {
            returned += 1;
            return leave();
          },
        }),
      });
      const { sender, sent, outcome } = sending({ body }, () => false);
      await settle();
      sender.stop();
      sender.stop();
      sender.writable();
      await settle();
      expect([sent.length, outcome.complete, outcome.failure]).toEqual([1, 0, undefined]);
    }
    expect(returned).toBe(3);
  });
});

describe('a response body', () => {
  const limits = resolveLimits('client', clientLimits, { bodyBuffer: 1000, maxBodyBytes: 10 });
  function received() {
    const told = { consumed: 0, aborted: [] as unknown[] };
    const body = new ResponseBody(
      { dataConsumed: (length) => (told.consumed += length), abort: (reason) => told.aborted.push(reason) },
      limits,
    );
    return { body, told };
  }
  function whole(...pieces: string[]) {
    const made = received();
    for (const piece of pieces) made.body.push(Buffer.from(piece), piece.length);
    made.body.end();
    return made;
  }

  it('is had as bytes, text and JSON', async () => {
    expect(Buffer.from(await whole('ab', 'cd').body.bytes()).toString()).toBe('abcd');
    expect(await whole('\ufeffü').body.text()).toBe('ü');
    expect(await whole('{"a":', '1}').body.json()).toEqual({ a: 1 });
    await expect(whole('{').body.json()).rejects.toBeInstanceOf(SyntaxError);
    expect((await whole().body.bytes()).byteLength).toBe(0);
  });

  it('is bounded, and given up above the bound', async () => {
    const { body, told } = received();
    body.push(Buffer.alloc(11), 11);
    await expect(body.bytes()).rejects.toMatchObject({ limit: 'maxBodyBytes', value: 10 });
    expect(told.aborted).toEqual([expect.objectContaining({ limit: 'maxBodyBytes' })]);
    await expect(whole('abc').body.text(2)).rejects.toMatchObject({ value: 2 });
    expect(await whole('a'.repeat(20)).body.text(20)).toHaveLength(20);
  });

  it('is had once', async () => {
    const { body } = whole('a');
    expect(body.used).toBe(false);
    await body.text();
    expect(body.used).toBe(true);
    await expect(body.text()).rejects.toBeInstanceOf(TypeError);
    await expect(body.bytes()).rejects.toBeInstanceOf(TypeError);
    expect(() => body.stream()).toThrow(TypeError);
    await expect(
      (async () => {
        for await (const _piece of body);
      })(),
    ).rejects.toBeInstanceOf(TypeError);
  });

  it('has one reader at a time', async () => {
    const { body } = received();
    const first = body.read();
    await expect(body.read()).rejects.toBeInstanceOf(TypeError);
    body.push(Buffer.from('a'), 1);
    expect(await first).toEqual(Buffer.from('a'));
  });

  it('is given up when a loop is left', async () => {
    const { body, told } = received();
    body.push(Buffer.from('a'), 1);
    body.push(Buffer.from('b'), 1);
    for await (const piece of body) {
      expect(piece.byteLength).toBe(1);
      break;
    }
    expect(told.aborted).toEqual([expect.objectContaining({ code: 'ERR_BODY_CANCELLED' })]);
  });

  it('is not given up when all of it has come', async () => {
    const { body, told } = whole('a', 'b');
    body.cancel();
    expect(told.aborted).toEqual([]);
    expect(await body.read()).toBeUndefined();
  });

  it('is a stream as well', async () => {
    expect(await new Response(whole('ab', 'cd').body.stream() as never).text()).toBe('abcd');
    const { body, told } = received();
    await body.stream().cancel('enough');
    expect(told.aborted).toEqual([expect.objectContaining({ code: 'ERR_BODY_CANCELLED', cause: 'enough' })]);
    const failing = received();
    const stream = failing.body.stream();
    const error = new Error('cut');
    failing.body.fail(error);
    await expect(new Response(stream as never).text()).rejects.toBe(error);
  });

  it('is dropped when it is short, and given up when it is long or fails', async () => {
    const short = whole('abc');
    await short.body.discard();
    expect(short.told.aborted).toEqual([]);
    const long = received();
    const discarded = long.body.discard(2);
    long.body.push(Buffer.from('abc'), 3);
    await discarded;
    expect(long.told.aborted.length).toBe(1);
    const failing = received();
    failing.body.fail(new Error('cut'));
    await failing.body.discard();
    expect(failing.told.aborted).toEqual([]);
  });

  it('gives back padding at once, and everything at the end', () => {
    const { body, told } = received();
    body.push(new Uint8Array(0), 7);
    expect(told.consumed).toBe(7);
    body.push(new Uint8Array(5000), 5000);
    expect([told.consumed, body.queuedBytes]).toEqual([7, 5000]);
    body.end();
    expect(told.consumed).toBe(5007);
  });

  it('counts many small pieces as more than their bytes', () => {
    const { body, told } = received();
    for (let index = 0; index < 100; index += 1) body.push(new Uint8Array(1), 1);
    expect(told.consumed).toBeLessThan(10);
  });
});
