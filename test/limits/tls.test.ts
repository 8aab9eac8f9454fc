/**
 * TLS under attack: bytes that are no TLS, stalls, callbacks that throw, renegotiation, clients without certificates.
 *
 * RFC 8446 sections 4.1.2, 5.1, 6.2; RFC 5746; RFC 6066 section 3; RFC 7301 section 3.2. CVE-2026-21637.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerTlsConfig } from '../../src/common/index.ts';
import { makeCertificate, testPki } from '../support/test-certificates.ts';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';
import { tripsLimit } from '../support/limits.ts';

const siege = new Siege();
const seen: string[] = [];
let victim: Victim;
let identity: { readonly cert: string; readonly key: string };

const secure = {};

async function serveTls(tls: Partial<ServerTlsConfig> = {}, handshake = 10_000): Promise<Victim> {
  return siege.serve(
    (request) => {
      const { pathname } = new URL(request.url);
      if (pathname !== '/meanwhile') seen.push(pathname);
      return new Response('hello');
    },
    { timeouts: { handshake } },
    { endpoint: 'https://127.0.0.1:0', tls: { ...identity, ...tls } },
  );
}

beforeAll(async () => {
  const { cert, key } = testPki().server;
  identity = { cert, key };
  victim = await serveTls();
});
afterAll(() => siege.stop());

async function until(condition: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < 5_000 && !condition(); waited += 10) await sleep(10);
  return condition();
}

/** A record of a type with its content (RFC 8446 section 5.1). */
function record(type: number, content: string): string {
  const length = String.fromCharCode(content.length >> 8, content.length & 0xff);
  return `${String.fromCharCode(type)}\x03\x01${length}${content}`;
}

function length16(content: string): string {
  return String.fromCharCode(content.length >> 8, content.length & 0xff) + content;
}

/** A ClientHello for TLS 1.2 that names a server, with whatever octets. */
function clientHello(serverName: string): string {
  const sni = `\0\0${length16(length16(`\0${length16(serverName)}`))}`;
  const curves = `\0\x0a${length16(length16('\0\x17\0\x1d'))}`;
  const signatures = `\0\x0d${length16(length16('\x04\x03\x04\x01\x08\x04'))}`;
  const body = `\x03\x03${'r'.repeat(32)}\0${length16('\xc0\x2f\xc0\x30\xc0\x2b')}\x01\0${length16(sni + curves + signatures)}`;
  return record(22, `\x01\0${length16(body)}`);
}

describe('bytes that are no ClientHello, on a TLS port', () => {
  it.each<readonly [name: string, bytes: string]>([
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['zeros', '\0'.repeat(1_000)],
    ['octets of 255', '\xff'.repeat(1_000)],
    ['a record of an unknown type', record(99, 'hello')],
    ['application data first', record(23, 'hello')],
    ['an alert first', record(21, '\x02\x28')],
    ['a ServerHello', record(22, `\x02\0${length16('x'.repeat(40))}`)],
    ['an empty handshake record', record(22, '')],
    ['a record longer than allowed', `\x16\x03\x01\xff\xff${'x'.repeat(65_535)}`],
    ['a ClientHello longer than allowed', record(22, `\x01\xff\xff\xff${'x'.repeat(1_000)}`)],
    ['a ClientHello cut short', record(22, `\x01\0${length16('\x03\x03rrrr')}`)],
    ['a ClientHello of SSLv2', '\x80\x2e\x01\0\x02\0\x15\0\0\0\x10\x01\0\x80\x02\0\x80\x03\0\x80'],
    ['a heartbeat (CVE-2014-0160)', `\x18\x03\x02\0\x03\x01\x40\0`],
    ['fragments of one octet without end', `\x16\x03\x01\0\x01\x01`.repeat(2_000)],
    ['warning alerts without end', record(21, '\x01\0').repeat(1_000)],
  ])('%s ends that connection only', async (_name, bytes) => {
    seen.length = 0;
    const socket = await siege.attacker.connect(victim.target);
    await socket.write(bytes);
    await siege.meanwhile(victim, secure);
    await socket.end();
    const reply = await socket.untilEnd();
    expect(reply.ended || reply.closed).toBe(true);
    // Not a word of HTTP, and of TLS an alert at most.
    expect(reply.text).toMatch(/^(\x15\x03[\x00-\x04]\x00\x02[\x01\x02][^])?$/);
    expect(seen).toEqual([]);
    await socket.destroy();
    expect(await until(() => victim.running.connections.size === 0)).toBe(true);
  });

  it.each([
    ['NUL', 'a\0b'],
    ['an escape sequence', '\x1b[2J'],
    ['a path', '../../etc/passwd'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['an empty name', ''],
    ['an address', '127.0.0.1'],
    ['255 octets', 'a'.repeat(255)],
    ['5,000 octets', 'a'.repeat(5_000)],
    ['octets above 127', '\xff\xfe'],
  ])('a server name of %s disturbs nobody', async (_name, name) => {
    const asked: string[] = [];
    const named = await serveTls({
      serverNames: (serverName) => {
        asked.push(serverName);
        return undefined;
      },
    });
    const socket = await siege.attacker.connect(named.target);
    await socket.write(clientHello(name));
    await siege.meanwhile(named, secure);
    await socket.destroy();
    expect(asked.every((serverName) => serverName.length <= 255)).toBe(true);
    const table = await serveTls({ serverNames: { 'a.example': identity } });
    const other = await siege.attacker.connect(table.target);
    await other.write(clientHello(name));
    await siege.meanwhile(table, secure);
    await other.destroy();
  });

  it('a crowd of them leaves nothing in memory', async () => {
    await siege.withstands(
      victim,
      async (atItsHeight) => {
        for (let round = 0; round < 5; round += 1) {
          const ids = await siege.attacker.connectMany(victim.target, 100, record(99, 'hello'));
          await siege.attacker.destroy(ids);
        }
        await atItsHeight();
      },
      { secure },
    );
  });
});

describe('a handshake that stalls', () => {
  it('handshakeTimeout: nothing comes; a ClientHello drips; the rest does not come', async () => {
    tripsLimit('serverTimeouts.handshake', 'listenerLimits.handshakeTimeout');
    const impatient = await serveTls({}, 300);
    const [silent, dripping, half] = [
      await siege.attacker.connect(impatient.target),
      await siege.attacker.connect(impatient.target),
      await siege.attacker.connect(impatient.target),
    ];
    const began = performance.now();
    await half.write(clientHello('localhost'));
    const drips = dripping.pieces(clientHello('localhost').split(/(?:)/s).slice(0, 60), 20);
    await siege.meanwhile(impatient, secure);
    for (const socket of [silent, dripping, half]) {
      const reply = await socket.untilEnd(10_000);
      expect(reply.closed || reply.ended).toBe(true);
    }
    expect(performance.now() - began).toBeLessThan(10_000);
    await drips;
    for (const socket of [silent, dripping, half]) await socket.destroy();
  });

  it('handshakeTimeout: runs while a server name is looked up for ever', async () => {
    const hanging = await serveTls({ serverNames: () => new Promise(() => undefined) }, 300);
    const state = await siege.attacker.connect({ ...hanging.target, secure: { servername: 'a.example' } });
    expect(state.opened.secured).toBe(false);
    expect(state.opened.closed || state.opened.error !== undefined).toBe(true);
    await siege.meanwhile(hanging, secure);
  });

  it('counts against maxConnections, and gives its place back', async () => {
    const small = await siege.serve(
      () => new Response('hello'),
      { timeouts: { handshake: 300 }, limits: { maxConnections: 5 } },
      { endpoint: 'https://127.0.0.1:0', tls: identity },
    );
    const ids = await siege.attacker.connectMany(small.target, 20);
    await sleep(100);
    const states = await siege.attacker.states(ids);
    expect(states.filter((state) => !state.closed && !state.ended).length).toBeLessThanOrEqual(5);
    await sleep(500);
    await siege.meanwhile(small, secure);
    await siege.attacker.destroy(ids);
  });
});

describe('a callback of TLS that misbehaves (CVE-2026-21637)', () => {
  const misbehaviours: readonly (readonly [string, () => unknown])[] = [
    [
      'throws',
      () => {
        throw new Error('no such name');
      },
    ],
    ['throws undefined', throwing(undefined)],
    ['rejects', () => Promise.reject(new Error('no such name'))],
    ['rejects with undefined', () => Promise.resolve().then(throwing(undefined))],
    ['answers null', () => null],
    ['answers a number', () => 42],
    ['answers nonsense', () => ({ cert: 'nonsense', key: 'nonsense' })],
    ['promises nonsense', () => Promise.resolve({ cert: 'nonsense', key: 'nonsense' })],
    ['promises null', () => Promise.resolve(null)],
    ['answers a certificate without a key', () => ({ cert: identity.cert })],
    ["answers another's key", () => ({ cert: identity.cert, key: makeCertificate().key })],
    ['answers an object whose getters throw', () => trapdoor()],
    [
      'answers a thenable that throws',
      () => ({
        then: () => {
          throw new Error('then');
        },
      }),
    ],
    [
      'answers a thenable that calls back twice',
      () => ({
        then: (resolve: (value: unknown) => void, reject: (error: Error) => void) => {
          reject(new Error('one'));
          resolve(undefined);
        },
      }),
    ],
  ];

  it.each(misbehaviours)('serverNames %s: that handshake fails, others do not', async (_name, misbehave) => {
    const bad = await serveTls({
      serverNames: ((name: string) => (name === 'bad.example' ? misbehave() : undefined)) as never,
    });
    const socket = await siege.attacker.connect({ ...bad.target, secure: { servername: 'bad.example' } });
    expect(socket.opened.secured).toBe(false);
    await socket.destroy();
    await siege.meanwhile(bad, secure);
    const good = await siege.attacker.connect({ ...bad.target, secure: { servername: 'good.example' } });
    expect(good.opened.secured).toBe(true);
    await good.destroy();
    expect(await until(() => bad.running.connections.size === 0)).toBe(true);
  });

  it('keylog throws, or rejects: nobody notices', async () => {
    const full = throwing(new Error('full'));
    const callbacks: readonly (() => unknown)[] = [full, () => Promise.resolve().then(full)];
    for (const keylog of callbacks) {
      const logging = await serveTls({ keylog });
      await siege.meanwhile(logging, secure);
    }
  });
});

describe('what was agreed', () => {
  it('renegotiation is refused (TLS 1.2, RFC 5746)', async () => {
    const socket = await siege.attacker.connect({ ...victim.target, secure: { maxVersion: 'TLSv1.2' } });
    expect(socket.opened.secured).toBe(true);
    expect(await socket.renegotiate()).not.toBe('renegotiated');
    await siege.meanwhile(victim, secure);
    await socket.destroy();
  });

  it.each(['TLSv1', 'TLSv1.1'])('%s is refused', async (version) => {
    const socket = await siege.attacker.connect({
      ...victim.target,
      secure: { minVersion: version, maxVersion: version },
    });
    expect(socket.opened.secured).toBe(false);
    await siege.meanwhile(victim, secure);
  });

  it('a protocol that is not spoken is refused by ALPN (ALPACA)', async () => {
    for (const alpn of [['h3'], ['ftp'], ['smtp', 'imap'], ['http/1.1\0']]) {
      const socket = await siege.attacker.connect({ ...victim.target, secure: { alpn } });
      expect(socket.opened.secured, alpn.join(',')).toBe(false);
    }
    const socket = await siege.attacker.connect({ ...victim.target, secure: { alpn: ['h3', 'http/1.1'] } });
    expect(socket.opened.alpn).toBe('http/1.1');
    await socket.destroy();
  });

  it("a client without a certificate, or with a stranger's, gets nothing where one is required", async () => {
    const { ca, client } = testPki();
    const strict = await serveTls({ clientCertificate: 'require', ca: ca.certPem });
    seen.length = 0;
    const stranger = makeCertificate({ usage: 'client', names: ['x'] });
    for (const shown of [{}, { cert: stranger.cert, key: stranger.key }]) {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
        // In TLS 1.3 the client is done before the server has judged it, and may speak at once.
        const socket = await siege.attacker.connect({ ...strict.target, secure: { ...shown, maxVersion } });
        await socket.write('GET /secret HTTP/1.1\r\nHost: a\r\n\r\n');
        const reply = await socket.untilEnd();
        expect(reply.text).toBe('');
        await socket.destroy();
      }
    }
    expect(seen).toEqual([]);
    await siege.meanwhile(strict, { cert: client.cert, key: client.key });
  });
});

function throwing(what: unknown): () => never {
  return () => {
    throw what;
  };
}

function trapdoor(): object {
  return Object.defineProperty({}, 'cert', {
    get: () => {
      throw new Error('getter');
    },
  });
}
