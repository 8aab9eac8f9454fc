/**
 * Foreign clients against our server over HTTP/3: ngtcp2's, Chromium, Firefox.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppServer } from '../../src/index.ts';
import type { AppContext, AppServerOptions, RequestRecord, RunningServer } from '../../src/index.ts';
import { chromiumArguments, runGtlsclient, startFirefox } from './support/http3-peers.ts';
import type { Gtlsclient } from './support/http3-peers.ts';
import { findProgram, openWorkshop } from './support/peers.ts';
import type { Workshop } from './support/peers.ts';
import { digest, pattern, serverApp } from './support/server-app.ts';

const gtlsclientProgram = findProgram('gtlsclient');
const chromiumProgram = findProgram('chromium');
const firefoxProgram = findProgram('firefox-esr') ?? findProgram('firefox');
const certutilProgram = findProgram('certutil');
const MIB = 1 << 20;

let workshop: Workshop;
let server: RunningServer;
let port: number;
const records: RequestRecord[] = [];
const large = pattern(100 * MIB);
let largeFile: string;

/** What is known of the connection besides. */
function app(request: Request, context: AppContext): Promise<Response> | Response {
  if (new URL(request.url).pathname !== '/connection') return serverApp(request, context);
  const { httpVersion, clientAddress, tls } = context;
  return Response.json({
    httpVersion,
    clientAddress,
    resumed: tls?.resumed,
    cipher: tls?.cipher,
    early: context.early,
  });
}

function listen(options: AppServerOptions = {}): Promise<RunningServer> {
  const tls = { cert: workshop.certPem, key: workshop.keyPem };
  return new AppServer(app, { tls, onRequest: (record) => records.push(record), ...options }).listen(
    'https://localhost:0',
  );
}

beforeAll(async () => {
  workshop = await openWorkshop();
  server = await listen();
  port = server.endpoints[0]?.port ?? 0;
  largeFile = path.join(workshop.folder, 'large');
  writeFileSync(largeFile, large);
});

afterAll(async () => {
  await server.close();
  workshop.dispose();
});

/** Resolves when the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1_200 && !condition(); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(condition()).toBe(true);
}

describe.skipIf(gtlsclientProgram === undefined)("ngtcp2's client", () => {
  async function ask(target: string, options: readonly string[] = [], at = port): Promise<Gtlsclient> {
    const url = `https://localhost:${String(at)}${target}`;
    const asked = await runGtlsclient(gtlsclientProgram ?? '', workshop, at, url, options);
    expect(asked.result.code).toBe(0);
    return asked;
  }
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

  it('gets a page', async () => {
    const { body } = await ask('/connection', ['-q']);
    expect(JSON.parse(text(body('connection')))).toMatchObject({
      httpVersion: '3',
      resumed: false,
      cipher: 'TLS_AES_128_GCM_SHA256',
    });
  });

  it('gets fifty at once over one connection', async () => {
    const before = records.length;
    await ask('/hello', ['-q', '-n', '50']);
    await until(() => records.length >= before + 50);
    expect(records.slice(before).map(({ status, httpVersion }) => `${String(status)} ${httpVersion}`)).toEqual(
      Array.from({ length: 50 }, () => '200 3'),
    );
  });

  it('downloads 100 MiB', async () => {
    const { body } = await ask(`/bytes?count=${String(large.length)}`, ['-q']);
    expect(digest(body(`bytes?count=${String(large.length)}`))).toBe(digest(large));
  });

  it('uploads 100 MiB', async () => {
    const { body } = await ask('/digest', ['-q', '-m', 'POST', '-d', largeFile]);
    expect(JSON.parse(text(body('digest')))).toEqual({ digest: digest(large), trailer: null });
  });

  it('downloads and uploads while every twentieth packet is lost', async () => {
    const loss = ['-q', '-t', '0.05', '-r', '0.05'];
    const down = await ask(`/bytes?count=${String(4 * MIB)}`, loss);
    expect(digest(down.body(`bytes?count=${String(4 * MIB)}`))).toBe(digest(pattern(4 * MIB)));
    const file = path.join(workshop.folder, 'small');
    writeFileSync(file, pattern(MIB));
    const up = await ask('/digest', [...loss, '-m', 'POST', '-d', file]);
    expect(JSON.parse(text(up.body('digest')))).toMatchObject({ digest: digest(pattern(MIB)) });
  });

  it('updates the keys on the way (RFC 9001 section 6)', async () => {
    const { result, body } = await ask(`/bytes?count=${String(20 * MIB)}`, [
      '--key-update=10ms',
      '--no-quic-dump',
      '--no-http-dump',
    ]);
    expect(`${result.stdout}${result.stderr}`).toMatch(/key update|key_phase|update/i);
    expect(digest(body(`bytes?count=${String(20 * MIB)}`))).toBe(digest(pattern(20 * MIB)));
  });

  it('goes on from another port (RFC 9000 section 9)', async () => {
    const { body } = await ask(`/bytes?count=${String(20 * MIB)}`, ['-q', '--change-local-addr=20ms']);
    expect(digest(body(`bytes?count=${String(20 * MIB)}`))).toBe(digest(pattern(20 * MIB)));
  });

  it('resumes a session; its 0-RTT data are not taken unless the server says so', async () => {
    const session = ['session', 'parameters'].map((name) => path.join(workshop.folder, name));
    const options = [`--session-file=${session[0] ?? ''}`, `--tp-file=${session[1] ?? ''}`];
    const first = await ask('/connection', options);
    expect(JSON.parse(text(first.body('connection')))).toMatchObject({ resumed: false });
    const second = await ask('/connection', options);
    expect(JSON.parse(text(second.body('connection')))).toMatchObject({ resumed: true, early: false });
    expect(`${second.result.stdout}${second.result.stderr}`).not.toContain('Early data was accepted');
  });

  it('sends its request as 0-RTT data where that is allowed (RFC 9001 section 4.6)', async () => {
    const eager = await listen({ quic: { earlyData: true } });
    try {
      const at = eager.endpoints[0]?.port ?? 0;
      const session = ['early-session', 'early-parameters'].map((name) => path.join(workshop.folder, name));
      const options = [`--session-file=${session[0] ?? ''}`, `--tp-file=${session[1] ?? ''}`];
      await ask('/connection', options, at);
      const second = await ask('/connection', options, at);
      expect(`${second.result.stdout}${second.result.stderr}`).not.toContain('Early data was rejected');
      expect(JSON.parse(text(second.body('connection')))).toMatchObject({ httpVersion: '3', early: true });
    } finally {
      await eager.close();
    }
  });

  it('proves its address by a Retry where that is asked for (RFC 9000 section 8.1.2)', async () => {
    const careful = await listen({ quic: { retry: true } });
    try {
      const { result, body } = await ask('/connection', [], careful.endpoints[0]?.port ?? 0);
      expect(`${result.stdout}${result.stderr}`).toMatch(/type=Retry/);
      expect(JSON.parse(text(body('connection')))).toMatchObject({ httpVersion: '3' });
    } finally {
      await careful.close();
    }
  });

  it('is told of version 1 when it begins with another (RFC 9000 section 6)', async () => {
    const url = `https://localhost:${String(port)}/hello`;
    const options = ['--version=0x1a2a3a4a', '--no-http-dump'];
    const { result } = await runGtlsclient(gtlsclientProgram ?? '', workshop, port, url, options);
    expect(`${result.stdout}${result.stderr}`).toMatch(/type=VN[^]*v=0x00000001/);
  });
});

describe.skipIf(chromiumProgram === undefined)('Chromium', () => {
  it('loads a page and posts from it over HTTP/3', async () => {
    const browser = await chromium.launch({
      executablePath: chromiumProgram ?? '',
      args: chromiumArguments(workshop, port),
    });
    try {
      const page = await (await browser.newContext()).newPage();
      await page.goto(`https://localhost:${String(port)}/page`);
      await page.waitForFunction('document.title !== "page"');
      expect(await page.title()).toBe('posted h3 https:');
      const sizes = await page.evaluate(`Promise.all(Array.from({ length: 100 }, async (_, index) =>
        (await (await fetch('/bytes?count=' + index * 1000)).arrayBuffer()).byteLength))`);
      expect(sizes).toEqual(Array.from({ length: 100 }, (_, index) => index * 1000));
    } finally {
      await browser.close();
    }
  });
});

describe.skipIf(firefoxProgram === undefined || certutilProgram === undefined)('Firefox', () => {
  it('loads a page and posts from it over HTTP/3', async () => {
    const before = records.length;
    const url = `https://localhost:${String(port)}/page`;
    const browser = await startFirefox(firefoxProgram ?? '', certutilProgram ?? '', workshop, port, url);
    try {
      await until(() => records.slice(before).some((record) => record.path === '/echo'));
      const seen = records.slice(before).map(({ method, path: target, httpVersion }) => [method, target, httpVersion]);
      // For its very first request it races HTTP/3 and TCP.
      expect(seen).toContainEqual(['GET', '/page', expect.stringMatching(/^[23]$/)]);
      expect(seen).toContainEqual(['POST', '/echo', '3']);
    } finally {
      await browser.stop();
    }
  });
});
