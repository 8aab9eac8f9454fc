/**
 * Attacks on a listening server over HTTP/2, by octets from another process: what it answers on the wire, what it keeps
 * in memory, and whether a second client is served meanwhile. Each bound by itself is in http2-engine.test.ts.
 *
 * CVE-2023-44487, CVE-2025-8671, CVE-2024-27983, CVE-2019-9511 to -9518, CVE-2026-49975.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';
import type { PeerSocket } from '../support/attack/peer.ts';
import {
  concat,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  latin1,
  numbers,
  ping,
  preface,
  priority,
  rstStream,
  settings,
  settingsAck,
  Type,
  windowUpdate,
} from '../support/http2-frames.ts';

const MIB = 1 << 20;
const siege = new Siege();
let victim: Victim;
/** Handlers that were called, and not for the bystander. */
let handled = 0;
let running = 0;
let mostRunning = 0;

beforeAll(async () => {
  victim = await siege.serve(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/meanwhile') return new Response('ok');
    handled += 1;
    running += 1;
    mostRunning = Math.max(mostRunning, running);
    await new Promise((resolve) => setTimeout(resolve, 50));
    running -= 1;
    return new Response(pathname === '/big' ? new Uint8Array(256 * 1024) : 'ok');
  });
});
afterAll(() => siege.stop());

/** GET by static table alone: method, scheme, path, and an authority. */
const head = (...more: readonly number[]): Uint8Array =>
  concat(Uint8Array.of(0x82, 0x86, 0x84, 0x01, 1, 0x61), Uint8Array.from(more));
const get = (id: number): Uint8Array => frame(Type.HEADERS, END_STREAM | END_HEADERS, id, head());
const post = (id: number): Uint8Array =>
  frame(Type.HEADERS, END_HEADERS, id, concat(Uint8Array.of(0x83), head().slice(1)));

async function greeted(...pairs: readonly (readonly [number, number])[]): Promise<PeerSocket> {
  const socket = await siege.attacker.connect(victim.target);
  await socket.write(concat(preface, settings(...pairs), settingsAck));
  return socket;
}

/** The code of the GOAWAY that ended the connection, found in all that came. */
async function goawayCode(socket: PeerSocket): Promise<number> {
  const { text } = await socket.untilEnd();
  const bytes = latin1(text);
  let code = -1;
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (bytes[at + 3] === Type.GOAWAY) code = bytes[at + 9 + 7]!;
    at += 9 + length;
  }
  return code;
}

const ENHANCE_YOUR_CALM = 0xb;

describe('floods', () => {
  const streams = (make: (id: number) => Uint8Array): Uint8Array =>
    concat(...Array.from({ length: 2000 }, (_, index) => make(1 + 2 * index)));

  it.each([
    ['rapid reset (CVE-2023-44487)', streams((id) => concat(get(id), rstStream(id)))],
    ['windows of 0 (CVE-2025-8671)', streams((id) => concat(post(id), windowUpdate(id, 0)))],
    ['DATA behind the end (CVE-2025-8671)', streams((id) => concat(get(id), data(id, 'x')))],
  ])('%s: a bounded number of handlers runs, then ENHANCE_YOUR_CALM', async (_name, bytes) => {
    // The attack before may have left some that are still about to end.
    await vi.waitFor(() => expect(running).toBe(0), 20_000);
    handled = 0;
    mostRunning = 0;
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await greeted();
      await socket.write(bytes);
      await atItsHeight();
      expect(await goawayCode(socket)).toBe(ENHANCE_YOUR_CALM);
      await socket.destroy();
    });
    // 2,000 were asked for.
    expect(handled).toBeLessThanOrEqual(600);
    expect(mostRunning).toBeLessThanOrEqual(256);
  });

  it.each([
    ['PING (CVE-2019-9512)', ping()],
    ['SETTINGS (CVE-2019-9515)', settings()],
    ['PRIORITY (CVE-2019-9513)', priority(1, 3)],
    ['empty CONTINUATION (CVE-2024-27983)', frame(Type.CONTINUATION, 0, 1)],
    ['unknown frames', frame(0xee, 0, 0)],
    ['WINDOW_UPDATE', windowUpdate(0, 1)],
  ])('%s without end: ENHANCE_YOUR_CALM', async (name, unit) => {
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await greeted();
      if (name.includes('CONTINUATION')) await socket.write(frame(Type.HEADERS, 0, 1, head()));
      await socket.write(concat(...Array.from({ length: 20_000 }, () => unit)));
      await atItsHeight();
      expect(await goawayCode(socket)).toBe(ENHANCE_YOUR_CALM);
      await socket.destroy();
    });
  });

  it('PING from who reads nothing: nothing is read from it either (CVE-2019-9517)', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await greeted();
      await socket.pause();
      const { sent } = await socket.flood({
        unit: concat(...Array.from({ length: 1000 }, () => ping())),
        total: 64 * MIB,
      });
      await atItsHeight();
      expect(sent).toBeLessThan(48 * MIB);
      await socket.destroy();
    });
  });
});

describe('what an attacker asks us to keep', () => {
  it('128 answers of 256 KiB with windows of 0: no more than the send buffers and what the application gave', async () => {
    await siege.withstands(
      victim,
      async (atItsHeight) => {
        const socket = await greeted([4, 0]);
        // :path /big
        const big = concat(Uint8Array.of(0x82, 0x86, 0x01, 1, 0x61, 0x04, 4), latin1('/big'));
        const ask = (id: number): Uint8Array => frame(Type.HEADERS, END_STREAM | END_HEADERS, id, big);
        await socket.write(concat(...Array.from({ length: 128 }, (_, index) => ask(1 + 2 * index))));
        await new Promise((resolve) => setTimeout(resolve, 400));
        await atItsHeight();
        await socket.destroy();
      },
      { retained: 48 * MIB },
    );
  });

  it('128 streams with whole windows that nobody reads: no more than maxUnconsumedBytes', async () => {
    await siege.withstands(
      victim,
      async (atItsHeight) => {
        const socket = await greeted();
        const ids = Array.from({ length: 128 }, (_, index) => 1 + 2 * index);
        await socket.write(concat(...ids.map(post)));
        for (let round = 0; round < 4; round += 1) {
          await socket.write(concat(...ids.map((id) => data(id, new Uint8Array(16_000)))));
        }
        await atItsHeight();
        await socket.destroy();
      },
      { retained: 24 * MIB },
    );
  });

  it('a header bomb: 431, and the connection goes on (CVE-2016-6581, CVE-2026-49975)', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      const socket = await greeted();
      // An entry of 4 KB, then 10,000 references to it, on each of 100 streams.
      const entry = concat(
        Uint8Array.of(0x40, 1, 0x78, 0x7f),
        numbers([0xa1, 1], [0x1e, 1]),
        new Uint8Array(4000).fill(0x76),
      );
      await socket.write(frame(Type.HEADERS, END_STREAM | END_HEADERS, 1, concat(head(), entry)));
      const bomb = concat(head(), new Uint8Array(10_000).fill(0xbe));
      for (let id = 3; id < 203; id += 2) await socket.write(frame(Type.HEADERS, END_STREAM | END_HEADERS, id, bomb));
      await atItsHeight();
      await socket.write(get(301));
      const { text } = await socket.until('ok');
      expect(text).toContain('ok');
      await socket.destroy();
    });
  });
});
