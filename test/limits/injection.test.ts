/**
 * Injection on the way out: methods, targets, authorities, fields and trailers that would become something else on the
 * wire are refused by client and server alike, before a byte is sent. And storage that a name could poison.
 *
 * RFC 9110 sections 5.1, 5.5, 9.1; RFC 9112 sections 3, 11.1. CVE-2022-31150, CVE-2023-23936, CVE-2026-1525,
 * CVE-2026-21717.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asgi } from '../../src/app/index.ts';
import type { AsgiScope } from '../../src/app/index.ts';
import type { ClientRequest, ClientSession } from '../../src/client/index.ts';
import { Http1ClientFactory, Http1ServerFactory } from '../../src/protocols/http1/index.ts';
import type { HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { drainEvents, takeText, testContext } from '../support/connection-pair.ts';
import { failure, Lure } from '../support/attack/lure.ts';
import type { Trap } from '../support/attack/lure.ts';
import { Siege } from '../support/attack/victim.ts';

const lure = new Lure();
const siege = new Siege();
let trap: Trap;
let session: ClientSession;

beforeAll(async () => {
  trap = await lure.trap();
  session = lure.session({ retry: false });
});
afterAll(() => Promise.all([lure.stop(), siege.stop()]));

const SMUGGLED = ' HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled';

/** What no token, no value, no target may hold. */
const CONTROLS = ['\r', '\n', '\r\n', '\0', '\x01', '\x0b', '\x1b', '\x7f'];

describe('a request of ours', () => {
  const refused: readonly (readonly [name: string, request: Omit<ClientRequest, 'url'> & { readonly url?: string }])[] =
    [
      // Methods (RFC 9110 section 9.1).
      ...[
        '',
        ' ',
        'GE T',
        'GET ',
        ' GET',
        'GET/',
        'GET:',
        'G\xcbT',
        '"GET"',
        `GET /x${SMUGGLED}`,
        ...CONTROLS.map((code) => `GET${code}`),
      ].map((method) => [`method ${JSON.stringify(method)}`, { method }] as const),
      // Targets (RFC 9112 section 3.2).
      ...[
        '',
        ' ',
        'x',
        '/ ',
        '/a b',
        '/a#b',
        `/x${SMUGGLED}`,
        '/\xe9',
        '/\u{1f600}',
        '/\u0120',
        '/\u010d\u010a',
        '*',
        ...CONTROLS.map((code) => `/${code}x`),
      ].map((target) => [`target ${JSON.stringify(target)}`, { target }] as const),
      // Authorities.
      ...[
        ' ',
        'a b',
        'a/b',
        'a@b',
        'a#b',
        'a?b',
        'a\\b',
        'a:b',
        'a:99999',
        'a\u010d\u010ab',
        ...CONTROLS.map((code) => `a${code}b`),
      ].map((authority) => [`authority ${JSON.stringify(authority)}`, { authority }] as const),
      ...['a b', 'a/b', ...CONTROLS.map((code) => `a${code}b`)].map(
        (host) => [`Host ${JSON.stringify(host)}`, { headers: { host } }] as const,
      ),
      // Field names (RFC 9110 section 5.1).
      ...[
        '',
        ' ',
        'a b',
        'a:',
        ':a',
        ':path',
        'a\xe9',
        'a(b)',
        'a\u0130',
        'a: b\r\nc',
        ...CONTROLS.map((code) => `a${code}`),
      ].map((name) => [`field name ${JSON.stringify(name)}`, { headers: [[name, 'x']] as never }] as const),
      // Field values (section 5.5).
      ...[
        'a\r\nX-Injected: b',
        'a\u010d\u010aX-Injected: b',
        'a\u2028b',
        '\u{1f600}',
        ...CONTROLS.map((code) => `a${code}b`),
      ].map((value) => [`field value ${JSON.stringify(value)}`, { headers: [['x', value]] as never }] as const),
      // Framing (RFC 9112 section 6).
      [
        'two content-length (CVE-2026-1525)',
        {
          method: 'POST',
          body: 'hello',
          headers: [
            ['content-length', '5'],
            ['Content-Length', '5'],
          ] as never,
        },
      ],
      ['a list in content-length', { method: 'POST', body: 'hello', headers: { 'content-length': '5, 5' } }],
      ['a sign in content-length', { method: 'POST', body: 'hello', headers: { 'content-length': '+5' } }],
      ['content-length of another body', { method: 'POST', body: 'hello', headers: { 'content-length': '4' } }],
      ['content-length without a body', { method: 'GET', headers: { 'content-length': '5' } }],
      ['transfer-encoding', { method: 'POST', body: 'hello', headers: { 'transfer-encoding': 'chunked' } }],
      [
        'transfer-encoding in capitals',
        { method: 'POST', body: 'hello', headers: { 'Transfer-Encoding': 'gzip, chunked' } },
      ],
      [
        'connection that names content-length',
        { method: 'POST', body: 'hello', headers: { connection: 'content-length' } },
      ],
      ['connection: upgrade', { headers: { connection: 'upgrade', upgrade: 'h2c' } }],
      ['keep-alive', { headers: { 'keep-alive': 'timeout=5' } }],
      ['te: gzip', { headers: { te: 'gzip' } }],
      ['expect something else', { method: 'POST', body: 'x', headers: { expect: '200-ok' } }],
      // The rest.
      ['upgrade that is no token', { upgrade: 'a\r\nX-Injected: b' }],
      ['upgrade with a space', { upgrade: 'a b' }],
      ['CONNECT with a path for a host', { method: 'CONNECT', authority: '/etc' }],
      ['CONNECT without a port', { method: 'CONNECT', authority: 'a' }],
      ['a user name with a colon', { auth: { username: 'a:b', password: 'c' } }],
      ['a forbidden trailer', { method: 'POST', body: 'x', trailers: { 'content-length': '5' } }],
      ['a trailer with CR LF', { method: 'POST', body: 'x', trailers: [['x', 'a\r\nb']] as never }],
      ['a trailer with a pseudo-header field', { method: 'POST', body: 'x', trailers: [[':status', '200']] as never }],
      ['credentials in the URL', { url: 'http://user:password@127.0.0.1/' }],
      ['another scheme', { url: 'file:///etc/passwd' }],
    ];

  it.each(refused)('with %s is refused, and nothing of it is sent', async (_name, request) => {
    const { url = trap.url, ...rest } = request;
    const own = lure.session({ retry: false });
    const error = await failure(own.dispatch({ ...rest, url }).then((response) => response.text()));
    expect(['LocalProtocolError', 'ConfigurationError', 'TypeError', 'HfaceError']).toContain(error.name);
    await lure.meanwhile(own);
    // A connection may have been opened; of the request not a byte is on it, save a head whose trailers are wrong.
    const came = await trap.server.accept(20).catch(() => undefined);
    if (came !== undefined) {
      const { text } = await came.state();
      expect(text).not.toMatch(/smuggled|injected/i);
      if (rest.trailers === undefined) expect(text).toBe('');
      await came.destroy();
    }
  });

  it('puts what URLs may hold on the wire as one target', async () => {
    for (const path of ['/a b', '/a\r\nX: y', '/a\tb', '/a\u{1f600}', '/a?b c#d', '//b/c', '/%0d%0aX:%20y', '/a\\b']) {
      const fetched = session.fetch(trap.url.slice(0, -1) + path).then((response) => response.text());
      const socket = await trap.asked();
      const { text } = await socket.state();
      expect(text.split('\r\n')[0]).toMatch(/^GET \/[\x21-\x7e]* HTTP\/1\.1$/);
      expect(text).not.toMatch(/^X: y/m);
      await socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      await fetched;
      await socket.destroy();
    }
  });

  it('has no Host of its own in fetch, which a redirect would take to another origin', async () => {
    const error = await failure(session.fetch(trap.url, { headers: { host: 'inside.example' } }));
    expect(error.message).toContain('host');
  });
});

describe('the engines by themselves', () => {
  const REQUEST = [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'];

  function client(): HttpOverTcpProtocol {
    const engine = new Http1ClientFactory().create(testContext(), 0);
    takeText(engine);
    return engine;
  }

  function server(): HttpOverTcpProtocol {
    const engine = new Http1ServerFactory().create(testContext(), 0);
    engine.bytesReceived(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n'), 0);
    drainEvents(engine);
    return engine;
  }

  const badFields = [
    ...CONTROLS.flatMap((code): [string, string][] => [
      ['x', `a${code}b`],
      [`x${code}`, 'a'],
    ]),
    ['x', ' a'],
    ['x', 'a '],
    ['X', 'a'],
    ['', 'a'],
    ['x', '\u010d\u010a'],
    ['transfer-encoding', 'chunked'],
    ['connection', 'close'],
    ['upgrade', 'x'],
    ['keep-alive', 'timeout=1'],
    ['content-length', '+1'],
    ['content-length', '1, 1'],
    [':path', '/x'],
    [':status', '200'],
    ['te', 'gzip'],
  ] as const;

  it.each<readonly [string, string]>(badFields)(
    'field %j: %j is refused in both directions, in heads, interim heads and trailers',
    (name, value) => {
      const asking = client();
      const headers = [...REQUEST, name, value];
      expect(() => asking.submitHeaders(1, headers, { endStream: true })).toThrow();
      expect(takeText(asking)).toBe('');
      const answering = server();
      expect(() => answering.submitHeaders(1, [':status', '200', name, value], { endStream: true })).toThrow();
      expect(() => answering.submitInformational(1, [':status', '103', name, value])).toThrow();
      expect(takeText(answering)).toBe('');
      // The state is what it was: a proper head is still taken.
      answering.submitHeaders(1, [':status', '200'], { endStream: false });
      takeText(answering);
      expect(() => answering.submitTrailers(1, [name, value])).toThrow();
      expect(takeText(answering)).toBe('');
      answering.submitData(1, Buffer.from('hello'), { endStream: true });
      expect(takeText(answering)).toBe('5\r\nhello\r\n0\r\n\r\n');
    },
  );

  it.each([
    ['a name of another field', ['', '', '', '', 'content-length']],
    ['CR LF', ['', '', '', '', 'x: y\r\nx']],
    ['too few', ['', '']],
    ['too many', ['', '', '', '', 'x', 'x']],
    ['a Host of its own', ['', '', 'Host: b\r\nX', '', 'x']],
  ])('rawNames with %s are refused', (_name, rawNames) => {
    const asking = client();
    expect(() => asking.submitHeaders(1, [...REQUEST, 'x', 'a'], { endStream: true, rawNames })).toThrow();
    expect(takeText(asking)).toBe('');
  });

  it.each(['99', '100', '101', '199', '600', '1000', '2000', '20', 'abc', '2 0', '+20', '200 OK\r\nX: y', ''])(
    'status %j is refused as a final one',
    (status) => {
      const answering = server();
      expect(() => answering.submitHeaders(1, [':status', status], { endStream: true })).toThrow();
      expect(takeText(answering)).toBe('');
    },
  );

  it('more or less content than declared is refused (RFC 9110 section 8.6)', () => {
    const answering = server();
    answering.submitHeaders(1, [':status', '200', 'content-length', '5'], { endStream: false });
    expect(() => answering.submitData(1, Buffer.from('hello!'), { endStream: false })).toThrow();
    expect(() => answering.submitData(1, Buffer.from('hi'), { endStream: true })).toThrow();
    answering.submitData(1, Buffer.from('hello'), { endStream: true });
    expect(takeText(answering)).toMatch(/\r\n\r\nhello$/);
  });
});

describe("a response of an app's (response splitting)", () => {
  it.each([
    ['CR LF in a value', [['x', 'a\r\nSet-Cookie: evil=1']]],
    ['CR LF CR LF and a response', [['x', 'a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']]],
    ['LF in a value', [['x', 'a\nSet-Cookie: evil=1']]],
    ['CR in a value', [['x', 'a\rSet-Cookie: evil=1']]],
    ['NUL in a value', [['x', 'a\0']]],
    ['CR LF in a name', [['x: a\r\nSet-Cookie', 'evil=1']]],
    ['a space in a name', [['x y', 'a']]],
    [
      'two content-length',
      [
        ['content-length', '0'],
        ['content-length', '5'],
      ],
    ],
    ['a content-length that is none', [['content-length', '0x5']]],
    ['a location with CR LF', [['location', '/\r\nSet-Cookie: evil=1']]],
  ])('%s becomes 500, and nothing of it gets out', async (_name, headers) => {
    const victim = await siege.serveApp(
      asgi(async (scope: AsgiScope, _receive, send) => {
        if (scope.type !== 'http') return;
        await send({
          type: 'http.response.start',
          status: 200,
          headers: scope.path === '/meanwhile' ? [] : (headers as never),
        });
        await send({ type: 'http.response.body', body: Buffer.from('hello') });
      }),
    );
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const { text } = await siege.attacker.exchange(victim.target, request);
    expect(text).toMatch(/^HTTP\/1\.1 500 /);
    expect(text).not.toMatch(/evil|HTTP\/1\.1 200/);
    await siege.meanwhile(victim);
  });

  it('fields that belong to the connection are dropped, not sent', async () => {
    const victim = await siege.serveApp(
      asgi(async (scope: AsgiScope, _receive, send) => {
        if (scope.type !== 'http') return;
        const headers = [
          ['Transfer-Encoding', 'chunked'],
          ['Connection', 'x-mine, content-length'],
          ['Upgrade', 'h2c'],
          ['Keep-Alive', 'timeout=99999'],
        ];
        await send({ type: 'http.response.start', status: 200, headers: headers as never });
        await send({ type: 'http.response.body', body: Buffer.from('hello') });
      }),
    );
    const { text } = await siege.attacker.exchange(
      victim.target,
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(text).not.toMatch(/^(transfer-encoding|upgrade|keep-alive): /im);
    expect(text).not.toContain('x-mine');
  });
});

describe('names that storage could trip over', () => {
  it('__proto__ and its kin are fields like others', async () => {
    const seen: [string, string][] = [];
    const victim = await siege.serve((request) => {
      if (!request.url.endsWith('/meanwhile')) seen.push(...request.headers);
      return new Response('x');
    });
    const names = ['__proto__', 'constructor', 'prototype', 'hasownproperty', 'tostring', 'valueof', 'then', 'length'];
    const fields = names.map((name) => `${name}: polluted\r\n`).join('');
    const { text } = await siege.attacker.exchange(
      victim.target,
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    for (const name of names) expect(seen).toContainEqual([name, 'polluted']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
    await siege.meanwhile(victim);
  });

  it('come back to our client as they were', async () => {
    const dispatched = session.dispatch({ url: trap.url });
    const socket = await trap.asked();
    await socket.write(
      'HTTP/1.1 200 OK\r\n__proto__: polluted\r\nconstructor: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    const response = await dispatched;
    expect(response.header('__proto__')).toBe('polluted');
    expect(response.header('tostring')).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    await socket.destroy();
  });

  it('options named __proto__ are refused, not merged', () => {
    const options = JSON.parse('{"__proto__": {"maxConnections": 1}, "constructor": 1}') as object;
    expect(() => lure.session({ limits: options })).toThrow();
    expect(() => lure.session({ timeouts: JSON.parse('{"__proto__": 5}') as never })).toThrow();
  });

  it('a hundred thousand different names leave nothing in memory, and cost the same as others (HashDoS)', async () => {
    const victim = await siege.serve(() => new Response('x'));
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await siege.attacker.connect(victim.target);
      const time = async (prefix: string, rounds: number): Promise<number> => {
        const began = performance.now();
        for (let round = 0; round < rounds; round += 1) {
          const fields = Array.from({ length: 120 }, (_, index) => `${prefix}${String(round * 120 + index)}: x\r\n`);
          const before = (await socket.state()).received;
          await socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields.join('')}\r\n`);
          await socket.untilReceived(before + 1);
        }
        return performance.now() - began;
      };
      // Integer-like names are what V8's hash was weakest for (CVE-2026-21717).
      await time('warm', 20);
      const words = await time('x-name-', 100);
      const numbers = await time('', 100);
      expect(numbers).toBeLessThan(words * 20 + 1_000);
      await atItsHeight();
      await socket.destroy();
    });
  });
});
