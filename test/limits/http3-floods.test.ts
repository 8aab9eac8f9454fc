/**
 * A listening server for HTTP/3 under attacks on its streams: the attacker is answered as the RFC wants and sent away by
 * a bound, a second client is served meanwhile, and nothing is held for what was dropped.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/client/index.ts';
import type { ClientSession } from '../../src/client/index.ts';
import { AppServer } from '../../src/server/index.ts';
import type { RunningServer } from '../../src/server/index.ts';
import { Http3Rogue } from '../support/attack/http3-rogue.ts';
import { MemoryWatch } from '../support/attack/memory.ts';
import {
  concat,
  data,
  fields,
  frame,
  headers,
  octets,
  parseFrames,
  settings,
  Type,
  varints,
} from '../support/http3-frames.ts';
import { request } from '../support/http3-peer.ts';
import { testPki } from '../support/test-certificates.ts';

const MIB = 1 << 20;
const EXCESSIVE_LOAD = 0x107;
const pki = testPki();
const greeting = concat(varints(0), settings());
const rogues: Http3Rogue[] = [];
let server: RunningServer;
let session: ClientSession;

beforeAll(async () => {
  const { cert, key } = pki.server;
  server = await new AppServer(() => new Response('still there'), {
    protocol: ['http3'],
    http3Limits: { maxResets: 200, resetRate: 5, maxControlFrames: 500, controlFrameRate: 10, headTimeout: 1500 },
  }).listen({ endpoint: 'https://127.0.0.1:0', tls: { cert, key } });
  session = new Client({ protocol: ['http3'], tls: { ca: pki.ca.cert } }).session();
});

afterAll(async () => {
  for (const rogue of rogues) await rogue.leave();
  await session.close();
  await server.close();
});

async function attack(): Promise<Http3Rogue> {
  const rogue = await Http3Rogue.connect(server.endpoints[0]?.port ?? 0);
  rogues.push(rogue);
  return rogue;
}

async function expectServed(): Promise<void> {
  const response = await session.fetch(new URL('/', server.url));
  expect(await response.text()).toBe('still there');
}

/** Does the same until the server has had enough. */
async function untilSentAway(rogue: Http3Rogue, once: () => void): Promise<void> {
  let rounds = 0;
  await rogue.until(() => {
    if (rogue.closed !== undefined) return true;
    for (let count = 0; count < 20; count += 1) once();
    rounds += 1;
    return rounds > 2000;
  });
  expect(rogue.closed).toMatchObject({ application: true, errorCode: EXCESSIVE_LOAD, initiator: 'peer' });
}

describe('a server under attack', () => {
  const floods: readonly (readonly [string, (rogue: Http3Rogue, control: number) => void])[] = [
    [
      'requests that are cancelled at once (CVE-2023-44487)',
      (rogue) => {
        if (rogue.transport.availableStreams(true) === 0) return;
        const streamId = rogue.open(true, headers(request()), false);
        rogue.transport.resetStream(streamId, 0x10c);
        rogue.transport.stopSending(streamId, 0x10c);
      },
    ],
    [
      'requests that are malformed (CVE-2025-8671)',
      (rogue) => {
        if (rogue.transport.availableStreams(true) > 0) rogue.open(true, headers(['x', 'y']), true);
      },
    ],
    [
      'PRIORITY_UPDATE (CVE-2019-9513)',
      (rogue, control) => {
        rogue.transport.writeStream(control, frame(Type.PRIORITY_UPDATE, concat(varints(0), octets('u=1'))), false);
      },
    ],
    [
      'frames that nobody knows',
      (rogue, control) => {
        rogue.transport.writeStream(control, frame(0x21), false);
      },
    ],
  ];

  it.each(floods)('%s: H3_EXCESSIVE_LOAD, and others are served', async (_name, once) => {
    await expectServed();
    const watch = new MemoryWatch();
    const rogue = await attack();
    const control = rogue.open(false, greeting);
    const over = untilSentAway(rogue, () => {
      once(rogue, control);
    });
    await expectServed();
    await over;
    await expectServed();
    expect(await watch.retained(8 * MIB)).toBeLessThan(8 * MIB);
    expect(watch.stop()).toBeLessThan(256 * MIB);
  });

  it('large SETTINGS end the connection by what they announce (CVE-2020-11080)', async () => {
    const rogue = await attack();
    rogue.open(false, concat(varints(0, Type.SETTINGS, 2 ** 30), new Uint8Array(1000)));
    await rogue.until(() => rogue.closed !== undefined);
    expect(rogue.closed).toMatchObject({ application: true, errorCode: EXCESSIVE_LOAD });
    await expectServed();
  });

  it('heads without end are refused by 431, slow ones by 408, and the connection goes on', async () => {
    const rogue = await attack();
    rogue.open(false, greeting);
    const large = rogue.open(true, concat(varints(Type.HEADERS, 2 ** 30), new Uint8Array(1000)));
    const slow = rogue.open(true, headers(request()).subarray(0, 4));
    const good = rogue.open(true, headers(request()), true);
    const status = (streamId: number): string | undefined => {
      const bytes = rogue.received.get(streamId);
      return bytes === undefined ? undefined : fields(parseFrames(bytes)[0]!)[1];
    };
    await rogue.until(() => status(large) !== undefined && status(slow) !== undefined && status(good) !== undefined);
    expect([status(large), status(slow), status(good)]).toEqual(['431', '408', '200']);
    expect(rogue.closed).toBeUndefined();
    await expectServed();
  });

  it('content that contradicts its length costs its stream: H3_MESSAGE_ERROR', async () => {
    const rogue = await attack();
    rogue.open(false, greeting);
    const streamId = rogue.open(true, concat(headers(request('POST', ['content-length', '9'])), data('four')), true);
    await rogue.until(() => rogue.resets.has(streamId));
    expect(rogue.closed).toBeUndefined();
    expect(rogue.resets.get(streamId)).toBe(0x10e);
    expect(rogue.received.has(streamId)).toBe(false);
    await expectServed();
  });
});
