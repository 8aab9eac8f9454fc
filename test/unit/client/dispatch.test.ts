import { getEventListeners } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import type { ClientRequest } from '../../../src/client/client-request.ts';
import type { ClientResponse } from '../../../src/client/client-response.ts';
import { fakeSession, settle } from './fake-transport.ts';
import type { FakeSession } from './fake-transport.ts';

const url = 'http://a.example/';
const lost = new NetworkError('connection reset', { phase: 'read' });

/** Watches a promise without letting its rejection go unhandled. */
function watch(promise: Promise<ClientResponse>): { response?: ClientResponse; error?: unknown } {
  const outcome: { response?: ClientResponse; error?: unknown } = {};
  promise.then(
    (response) => (outcome.response = response),
    (error: unknown) => (outcome.error = error),
  );
  return outcome;
}

function dispatch(fake: FakeSession, request: Partial<ClientRequest> = {}) {
  return watch(fake.session.dispatch({ url, ...request }));
}

function nothingLeft(fake: FakeSession): void {
  expect(fake.session.running).toBe(0);
  expect(fake.clock.pending).toBe(0);
}

describe('dispatch', () => {
  it('answers with the response as it came', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake, { headers: { 'X-A': '1' } });
    const { last } = fake.transport;
    expect(last.origin).toBe('http://a.example:80');
    expect(last.request.headers).toEqual(['x-a', '1', 'user-agent', 'test/1']);
    last.start();
    last.informational(103, ['link', '</x>']);
    last.handler.headersReceived(
      302,
      ['location', '/y', 'content-encoding', 'gzip'],
      ['Location', 'Content-Encoding'],
      '1.1',
      false,
    );
    await settle();
    const response = outcome.response!;
    expect(response.status).toBe(302);
    expect(response.ok).toBe(false);
    expect(response.rawNames).toEqual(['Location', 'Content-Encoding']);
    expect(response.header('LOCATION')).toBe('/y');
    expect(response.informational).toEqual([{ status: 103, headers: ['link', '</x>'], rawNames: undefined }]);
    expect(response.connection).toMatchObject({ id: 7, httpVersion: '1.1', reused: false, endVerified: undefined });
    expect(response.timings).toMatchObject({
      queued: 1000,
      resolved: 1001,
      connected: 1002,
      started: 1000,
      requestSent: 1000,
      firstByte: 1000,
      ended: undefined,
    });
    await fake.clock.advance(5);
    last.data('not gzip');
    last.endWithTrailers(['x-t', '1']);
    expect(await response.text()).toBe('not gzip');
    expect(await response.trailers).toEqual(['x-t', '1']);
    expect(response.connection.endVerified).toBe(true);
    expect(response.timings.ended).toBe(1005);
    nothingLeft(fake);
  });

  it('reports an end that only the connection told (RFC 9112 section 6.3)', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake);
    fake.transport.last.start(true);
    fake.transport.last.head(200);
    fake.transport.last.data('x', true, true);
    await settle();
    expect(outcome.response!.connection).toMatchObject({ endVerified: false, reused: true });
    expect(outcome.response!.timings.connected).toBeUndefined();
    expect(await outcome.response!.trailers).toEqual([]);
  });

  it('rejects at once for what cannot be sent, and holds nothing', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake, { headers: { connection: 'close' } });
    await settle();
    expect(outcome.error).toMatchObject({ code: 'ERR_HEADERS' });
    expect(fake.transport.requests).toEqual([]);
    nothingLeft(fake);
  });

  it('rejects with what kept it from a connection, without a second try', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake);
    const refused = new NetworkError('refused', { phase: 'connect' });
    fake.transport.last.handler.failed(refused, 'no');
    fake.transport.last.handler.closed();
    await settle();
    expect(outcome.error).toBe(refused);
    expect(fake.transport.requests.length).toBe(1);
    nothingLeft(fake);
  });

  it('rejects with what failed before the head, and fails the body with what came after it', async () => {
    const fake = fakeSession();
    const first = dispatch(fake, { method: 'POST' });
    fake.transport.last.start();
    fake.transport.last.fail(lost, 'maybe');
    await settle();
    expect(first.error).toBe(lost);
    const second = dispatch(fake);
    fake.transport.last.start();
    fake.transport.last.head(200);
    fake.transport.last.data('ab');
    fake.transport.last.fail(lost, 'maybe');
    await settle();
    const { body, trailers } = second.response!;
    expect(await body.read()).toEqual(new Uint8Array([97, 98]));
    await expect(body.read()).rejects.toBe(lost);
    await expect(trailers).rejects.toBe(lost);
    nothingLeft(fake);
  });

  it('takes a close without a word as a failure', async () => {
    const fake = fakeSession({ retry: false });
    const outcome = dispatch(fake);
    fake.transport.last.start();
    fake.transport.last.handler.closed();
    await settle();
    expect(outcome.error).toMatchObject({ code: 'ERR_CONNECTION_CLOSED' });
  });

  it('bounds interim responses', async () => {
    const fake = fakeSession({ limits: { maxInformational: 3 } });
    const outcome = dispatch(fake);
    fake.transport.last.start();
    for (let index = 0; index < 5; index += 1) fake.transport.last.informational(102);
    await settle();
    expect(outcome.error).toMatchObject({ code: 'ERR_LIMIT', limit: 'maxInformational', value: 3 });
    expect(fake.transport.last.wasReset).toBe(true);
    nothingLeft(fake);
  });

  it('fails the request when onInformational throws', async () => {
    const fake = fakeSession();
    const mistake = new Error('mine');
    const seen: number[] = [];
    const outcome = dispatch(fake, {
      onInformational: ({ status }) => {
        seen.push(status);
        throw mistake;
      },
    });
    fake.transport.last.start();
    fake.transport.last.informational(103);
    await settle();
    expect(seen).toEqual([103]);
    expect(outcome.error).toMatchObject({ code: 'ERR_HANDLER', cause: mistake });
    nothingLeft(fake);
  });

  it('undoes content codings when it is asked to', async () => {
    const fake = fakeSession();
    const coded = gzipSync('decoded');
    const outcome = dispatch(fake);
    fake.transport.last.start();
    fake.transport.last.respond(200, ['content-encoding', 'gzip'], coded);
    await settle();
    const { response } = outcome;
    let text = '';
    for await (const piece of response!.decoded()) text += Buffer.from(piece).toString();
    expect(text).toBe('decoded');
    await expect(response!.decoded().next()).rejects.toBeInstanceOf(TypeError);
    const left = dispatch(fake);
    fake.transport.last.start();
    fake.transport.last.head(200);
    fake.transport.last.data('a');
    await settle();
    for await (const piece of left.response!.decoded()) {
      expect(piece.byteLength).toBe(1);
      break;
    }
    expect(fake.transport.last.wasReset).toBe(true);
    nothingLeft(fake);
  });

  it('passes the priority on, and TLS and socket overrides', async () => {
    const fake = fakeSession();
    const tls = { insecure: true };
    dispatch(fake, { priority: { urgency: 1, incremental: true }, tls, unixSocket: '/s' });
    fake.transport.last.start();
    expect(fake.transport.last.priority).toEqual([1, true]);
    const options = { fresh: false, own: false, settled: false, tls, unixSocket: '/s' };
    expect(fake.transport.last.options).toEqual(options);
    await fake.session.close();
  });
});

describe('sending again', () => {
  const rows: [string, Partial<ClientRequest>, 'no' | 'maybe', boolean][] = [
    ['GET, maybe', {}, 'maybe', true],
    ['GET, no', {}, 'no', true],
    ['POST, maybe', { method: 'POST', body: 'x' }, 'maybe', false],
    ['POST, no', { method: 'POST', body: 'x' }, 'no', true],
    ['PUT with a string, maybe', { method: 'PUT', body: 'x' }, 'maybe', true],
    ['POST that says it is idempotent, maybe', { method: 'POST', body: 'x', idempotent: true }, 'maybe', true],
    ['GET that says it is not, maybe', { idempotent: false }, 'maybe', false],
    ['GET that forbids it, no', { retry: false }, 'no', false],
    ['an upgrade, maybe', { upgrade: 'x' }, 'maybe', false],
  ];
  it.each(rows)('%s', async (_name, request, processed, again) => {
    const fake = fakeSession();
    const outcome = dispatch(fake, request);
    fake.transport.last.start(true);
    fake.transport.last.fail(lost, processed);
    await settle();
    expect(fake.transport.requests.length).toBe(again ? 2 : 1);
    if (!again) {
      expect(outcome.error).toBe(lost);
      nothingLeft(fake);
      return;
    }
    const second = fake.transport.last;
    expect(second.options.fresh).toBe(true);
    expect(second.request).toEqual(fake.transport.requests[0]!.request);
    second.start();
    second.respond(200, [], 'ok');
    await settle();
    expect(await outcome.response!.text()).toBe('ok');
    if (request.body !== undefined) expect(second.body).toBe('x');
    nothingLeft(fake);
  });

  it('happens once', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake);
    fake.transport.last.start(true);
    fake.transport.last.fail(lost, 'no');
    await settle();
    fake.transport.last.start();
    fake.transport.last.fail(lost, 'no');
    await settle();
    expect(fake.transport.requests.length).toBe(2);
    expect(outcome.error).toBe(lost);
    nothingLeft(fake);
  });

  it('does not happen once a stream was touched, and does before', async () => {
    const fake = fakeSession();
    let opened = 0;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      opened += 1;
      yield new Uint8Array([120]);
    }
    const touched = dispatch(fake, { method: 'PUT', body: pieces() });
    fake.transport.last.start(true);
    await settle();
    fake.transport.last.fail(lost, 'no');
    await settle();
    expect([opened, fake.transport.requests.length, touched.error]).toEqual([1, 1, lost]);

    const untouched = dispatch(fake, { method: 'PUT', body: pieces(), expectContinue: true });
    fake.transport.last.start(true);
    fake.transport.last.fail(lost, 'no');
    await settle();
    expect(fake.transport.requests.length).toBe(3);
    fake.transport.last.start();
    fake.transport.last.informational(100);
    await settle();
    expect(fake.transport.last.body).toBe('x');
    fake.transport.last.respond(200);
    await settle();
    expect(untouched.response?.status).toBe(200);
    nothingLeft(fake);
  });

  it('does not happen after an interim response', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake);
    fake.transport.last.start(true);
    fake.transport.last.informational(103);
    fake.transport.last.fail(lost, 'no');
    await settle();
    expect(outcome.error).toBe(lost);
    expect(fake.transport.requests.length).toBe(1);
  });

  it('does not happen after an abort between the tries', async () => {
    const fake = fakeSession();
    const controller = new AbortController();
    const outcome = dispatch(fake, { signal: controller.signal });
    fake.transport.last.start(true);
    fake.transport.last.fail(lost, 'no');
    controller.abort();
    await settle();
    expect(fake.transport.requests.length).toBe(1);
    expect(outcome.error).toBe(controller.signal.reason);
    nothingLeft(fake);
  });
});

describe('timeouts', () => {
  it.each([
    ['queue', 100],
    ['headers', 200],
    ['bodyIdle', 300],
  ] as const)('%s', async (name, milliseconds) => {
    const fake = fakeSession({ timeouts: { queue: 100, headers: 200, bodyIdle: 300 } });
    const outcome = dispatch(fake);
    const { last } = fake.transport;
    if (name !== 'queue') last.start();
    if (name === 'bodyIdle') last.head(200);
    await fake.clock.advance(milliseconds - 1);
    expect(outcome.error).toBeUndefined();
    expect(fake.session.running).toBe(1);
    await fake.clock.advance(1);
    const expected = { code: 'ERR_TIMEOUT', timer: name, milliseconds };
    if (name === 'bodyIdle') await expect(outcome.response!.text()).rejects.toMatchObject(expected);
    else expect(outcome.error).toMatchObject(expected);
    expect(name === 'queue' ? last.cancelledWith : last.wasReset).toBeTruthy();
    nothingLeft(fake);
  });

  it('total covers everything, tries and body included', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake, { timeouts: { total: 1000 } });
    await fake.clock.advance(400);
    fake.transport.last.start(true);
    fake.transport.last.fail(lost, 'no');
    await settle();
    await fake.clock.advance(400);
    fake.transport.last.start();
    fake.transport.last.head(200);
    fake.transport.last.data('x');
    await fake.clock.advance(199);
    expect(fake.session.running).toBe(1);
    await fake.clock.advance(1);
    await expect(outcome.response!.text()).rejects.toMatchObject({ timer: 'total', milliseconds: 1000 });
    nothingLeft(fake);
  });

  it('bodyIdle starts anew with each piece and stands still while nobody reads', async () => {
    const fake = fakeSession({ timeouts: { bodyIdle: 100 }, limits: { bodyBuffer: 1000 } });
    const outcome = dispatch(fake);
    const { last } = fake.transport;
    last.start();
    last.head(200);
    for (let index = 0; index < 3; index += 1) {
      await fake.clock.advance(99);
      last.data('abc');
    }
    // The buffer is full: now the reader is waited for.
    last.data(new Uint8Array(2000));
    await fake.clock.advance(1_000_000);
    expect(fake.session.running).toBe(1);
    const { body } = outcome.response!;
    for (let index = 0; index < 4; index += 1) await body.read();
    await fake.clock.advance(99);
    expect(fake.session.running).toBe(1);
    await fake.clock.advance(1);
    await expect(body.read()).rejects.toMatchObject({ timer: 'bodyIdle' });
  });

  it('bodyIdle bounds a peer that takes no more of the request, not a slow source', async () => {
    const fake = fakeSession({ timeouts: { bodyIdle: 100, headers: 50 } });
    let give: (() => void) | undefined;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      await new Promise<void>((resolve) => (give = resolve));
      yield new Uint8Array(1);
      yield new Uint8Array(1);
    }
    const outcome = dispatch(fake, { method: 'POST', body: pieces() });
    const { last } = fake.transport;
    last.room = 2;
    last.start();
    await fake.clock.advance(1_000_000);
    expect(fake.session.running).toBe(1);
    give!();
    await settle();
    expect(last.sent.length).toBe(2);
    await fake.clock.advance(99);
    last.room = 1;
    last.handler.writable();
    await settle();
    expect(last.sent.length).toBe(3);
    await fake.clock.advance(99);
    expect(fake.session.running).toBe(1);
    await fake.clock.advance(1);
    expect(outcome.error).toMatchObject({ timer: 'bodyIdle' });
    nothingLeft(fake);
  });

  it('headers starts anew with each interim response', async () => {
    const fake = fakeSession({ timeouts: { headers: 100 } });
    const outcome = dispatch(fake);
    fake.transport.last.start();
    await fake.clock.advance(99);
    fake.transport.last.informational(102);
    await fake.clock.advance(99);
    expect(outcome.error).toBeUndefined();
    await fake.clock.advance(1);
    expect(outcome.error).toMatchObject({ timer: 'headers' });
  });

  it('refuses a timeout that does not exist', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake, { timeouts: { head: 1 } as object });
    await settle();
    expect(outcome.error).toMatchObject({ code: 'ERR_CONFIGURATION' });
  });
});

describe('Expect: 100-continue (RFC 9110 section 10.1.1)', () => {
  function upload(fake: FakeSession) {
    return dispatch(fake, { method: 'PUT', body: 'body', expectContinue: true });
  }

  it('waits for 100 with the body', async () => {
    const fake = fakeSession();
    const outcome = upload(fake);
    const { last } = fake.transport;
    expect(last.field('expect')).toBe('100-continue');
    expect(last.request.endStream).toBe(false);
    last.start();
    last.informational(103);
    expect(last.sent).toEqual([]);
    last.informational(100);
    expect([last.body, last.ended]).toEqual(['body', true]);
    last.respond(201);
    await settle();
    expect(outcome.response!.status).toBe(201);
    nothingLeft(fake);
  });

  it('sends the body all the same when its time is over', async () => {
    const fake = fakeSession({ timeouts: { continue: 50, headers: 70 } });
    const outcome = upload(fake);
    const { last } = fake.transport;
    last.start();
    await fake.clock.advance(49);
    expect(last.sent).toEqual([]);
    await fake.clock.advance(1);
    expect(last.body).toBe('body');
    last.informational(100);
    await fake.clock.advance(69);
    expect(outcome.error).toBeUndefined();
    await fake.clock.advance(1);
    expect(outcome.error).toMatchObject({ timer: 'headers' });
  });

  it('does not send the body after a final response, and gives the connection up', async () => {
    const fake = fakeSession();
    const outcome = upload(fake);
    const { last } = fake.transport;
    last.start();
    last.head(403);
    await settle();
    expect(outcome.response!.status).toBe(403);
    expect(last.wasReset).toBe(false);
    last.data('no', true);
    expect(await outcome.response!.text()).toBe('no');
    expect([last.sent, last.wasReset]).toEqual([[], true]);
    nothingLeft(fake);
  });

  it('sends without the expectation after 417', async () => {
    const fake = fakeSession();
    const outcome = upload(fake);
    const first = fake.transport.last;
    first.start();
    first.head(417);
    expect(first.wasReset).toBe(true);
    await settle();
    const second = fake.transport.last;
    expect(second).not.toBe(first);
    expect(second.field('expect')).toBeUndefined();
    second.start();
    expect(second.body).toBe('body');
    second.head(417, [], true);
    await settle();
    expect(outcome.response!.status).toBe(417);
    expect(fake.transport.requests.length).toBe(2);
    nothingLeft(fake);
  });
});

describe('a response that comes before the request is complete (RFC 9112 section 9.5)', () => {
  it('ends the sending once it is complete itself', async () => {
    const fake = fakeSession();
    let returned = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          await settle();
          yield new Uint8Array([120]);
        }
      } finally {
        returned = true;
      }
    }
    const outcome = dispatch(fake, { method: 'POST', body: endless() });
    const { last } = fake.transport;
    last.start();
    await settle();
    await settle();
    last.head(200);
    const before = last.sent.length;
    await settle();
    await settle();
    await settle();
    expect(last.sent.length).toBeGreaterThan(before);
    last.data('done', true);
    const after = last.sent.length;
    expect(last.wasReset).toBe(true);
    await settle();
    await settle();
    await settle();
    expect(last.sent.length).toBe(after);
    expect(returned).toBe(true);
    expect(await outcome.response!.text()).toBe('done');
    nothingLeft(fake);
  });

  it('keeps the connection when only the source was slow to say that it ended', async () => {
    const fake = fakeSession();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array([97, 98]);
      await new Promise(() => {});
    }
    const outcome = dispatch(fake, { method: 'POST', body: slow(), headers: { 'content-length': '2' } });
    const { last } = fake.transport;
    last.start();
    await settle();
    last.respond(200);
    await settle();
    expect([last.body, last.ended, last.wasReset]).toEqual(['ab', true, false]);
    expect(outcome.response!.timings.requestSent).toBeDefined();
    nothingLeft(fake);
  });
});

describe('tunnels', () => {
  async function* greeting(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array([104, 105]);
  }

  it.each([
    ['CONNECT', { method: 'CONNECT', authority: 'db:1', body: greeting() }, 200],
    ['Upgrade', { upgrade: 'x', body: greeting() }, 101],
  ])('%s sends nothing before the server has agreed (RFC 9931)', async (_name, request, status) => {
    const fake = fakeSession({ timeouts: { bodyIdle: 10, headers: 20 } });
    const outcome = dispatch(fake, request);
    const { last } = fake.transport;
    last.start();
    await fake.clock.advance(19);
    expect(last.sent).toEqual([]);
    last.head(status);
    await settle();
    expect([last.body, last.ended]).toEqual(['hi', true]);
    // An idle tunnel is no fault.
    await fake.clock.advance(1_000_000);
    last.data('yo', true);
    expect(await outcome.response!.text()).toBe('yo');
    expect(last.wasReset).toBe(false);
    nothingLeft(fake);
  });

  it('goes on sending after the other side has ended', async () => {
    const fake = fakeSession();
    let go: (() => void) | undefined;
    async function* later(): AsyncGenerator<Uint8Array> {
      await new Promise<void>((resolve) => (go = resolve));
      yield new Uint8Array([33]);
    }
    dispatch(fake, { method: 'CONNECT', authority: 'db:1', body: later() });
    const { last } = fake.transport;
    last.start();
    last.head(200);
    last.handler.dataReceived(new Uint8Array([1]), 1, true, false);
    await settle();
    expect(fake.session.running).toBe(1);
    go!();
    await settle();
    expect([last.body, last.ended, last.wasReset]).toEqual(['!', true, false]);
    nothingLeft(fake);
  });

  it('sends nothing when it is refused', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake, { method: 'CONNECT', authority: 'db:1', body: greeting() });
    const { last } = fake.transport;
    last.start();
    last.respond(403, [], 'no');
    await settle();
    expect(outcome.response!.status).toBe(403);
    expect(last.sent).toEqual([]);
    nothingLeft(fake);
  });

  it('leaves the connection alone when an Upgrade is not taken up', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake, { upgrade: 'x', body: greeting() });
    const { last } = fake.transport;
    last.start();
    last.respond(200, [], 'plain');
    await settle();
    expect(await outcome.response!.text()).toBe('plain');
    expect([last.sent, last.wasReset]).toEqual([[], false]);
    nothingLeft(fake);
  });
});

describe('abort and close', () => {
  const stages: [string, (fake: FakeSession) => void][] = [
    ['before a connection', () => {}],
    ['after the start', ({ transport }) => transport.last.start()],
    [
      'after 103',
      ({ transport }) => {
        transport.last.start();
        transport.last.informational(103);
      },
    ],
    [
      'after the head',
      ({ transport }) => {
        transport.last.start();
        transport.last.head(200);
      },
    ],
    [
      'in the body',
      ({ transport }) => {
        transport.last.start();
        transport.last.head(200);
        transport.last.data('x');
      },
    ],
  ];

  it.each(stages)('by signal %s', async (_name, prepare) => {
    const fake = fakeSession();
    const controller = new AbortController();
    const outcome = dispatch(fake, { signal: controller.signal });
    prepare(fake);
    await settle();
    const reason = new Error('enough');
    controller.abort(reason);
    await settle();
    if (outcome.response === undefined) expect(outcome.error).toBe(reason);
    else await expect(outcome.response.text()).rejects.toBe(reason);
    nothingLeft(fake);
    const { last } = fake.transport;
    expect(last.wasReset || last.cancelledWith !== undefined).toBe(true);
    // Whatever still comes is heard by nobody.
    if (last.wasReset) last.data('late', true);
    else last.start();
    await settle();
    expect(fake.session.running).toBe(0);
  });

  it.each(stages)('by close %s', async (_name, prepare) => {
    const fake = fakeSession();
    const outcome = dispatch(fake);
    prepare(fake);
    await settle();
    await fake.session.close();
    const expected = { code: 'ERR_SESSION_CLOSED' };
    if (outcome.response === undefined) expect(outcome.error).toMatchObject(expected);
    else await expect(outcome.response.text()).rejects.toMatchObject(expected);
    expect(fake.transport.closed).toBe(true);
    nothingLeft(fake);
  });

  it('leaves no listener on a signal that outlives the request', async () => {
    const fake = fakeSession();
    const { signal } = new AbortController();
    const outcome = dispatch(fake, { signal });
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    fake.transport.last.start();
    fake.transport.last.respond(200, [], 'x');
    expect(getEventListeners(signal, 'abort').length).toBe(0);
    const failing = dispatch(fake, { signal });
    fake.transport.last.handler.failed(lost, 'no');
    expect(getEventListeners(signal, 'abort').length).toBe(0);
    await settle();
    expect([outcome.response?.status, failing.error]).toEqual([200, lost]);
  });

  it('with a signal that has aborted already', async () => {
    const fake = fakeSession();
    const outcome = dispatch(fake, { signal: AbortSignal.abort('no') });
    await settle();
    expect(outcome.error).toBe('no');
    expect(fake.transport.requests).toEqual([]);
    nothingLeft(fake);
  });

  it('takes no request after close, and closes once', async () => {
    const fake = fakeSession();
    const first = fake.session.close();
    expect(fake.session.close()).toBe(first);
    await first;
    const outcome = dispatch(fake);
    await settle();
    expect(outcome.error).toMatchObject({ code: 'ERR_SESSION_CLOSED' });
  });

  it('by the response, and by disposing of it', async () => {
    const fake = fakeSession();
    const first = dispatch(fake);
    fake.transport.last.start();
    fake.transport.last.head(200);
    await settle();
    first.response!.abort('mine');
    expect(fake.transport.last.wasReset).toBe(true);
    await expect(first.response!.text()).rejects.toBe('mine');
    const second = dispatch(fake);
    fake.transport.last.start();
    fake.transport.last.head(200);
    await settle();
    await second.response![Symbol.asyncDispose]();
    expect(fake.transport.last.wasReset).toBe(true);
    nothingLeft(fake);
  });
});
