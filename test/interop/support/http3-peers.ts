/**
 * Peers of others that speak HTTP/3: ngtcp2's client and server, Caddy, Chromium, Firefox.
 *
 * All servers have the files of `root`.
 *
 * @module
 */
import { createHash, X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runChild, startChild } from '../../support/child.ts';
import type { ChildResult, RunningChild } from '../../support/child.ts';
import { freePort, untilOpen } from './peers.ts';
import type { Workshop } from './peers.ts';

const PATIENCE = { timeout: 170_000 };

/** A foreign server over HTTP/3. */
export interface ForeignQuicServer {
  readonly url: string;
  readonly port: number;
  /** What it has printed. */
  output(): string;
  stop(): Promise<void>;
}

/** A UDP port that was free a moment ago. */
export async function freeUdpPort(): Promise<number> {
  const probe = createSocket('udp4');
  await new Promise<void>((resolve) => probe.bind(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** ngtcp2's server. `options`: `-V` asks for Retry, `-t` and `-r` lose packets. */
export async function startGtlsserver(
  program: string,
  workshop: Workshop,
  root: string,
  options: readonly string[] = [],
): Promise<ForeignQuicServer> {
  const port = await freeUdpPort();
  const place = ['127.0.0.1', String(port), workshop.keyFile, workshop.certFile];
  const child = startChild(program, ['-q', '-d', root, ...options, ...place], PATIENCE);
  await untilTaken(port, child);
  return quicServer(port, child);
}

/**
 * Caddy, with its access log on its output. `/teapot` is 418, without a look at the body; `/app` goes on to `application`
 * over HTTP/1.1.
 *
 * @param application - a port on 127.0.0.1
 */
export async function startHttp3Caddy(
  program: string,
  workshop: Workshop,
  root: string,
  application: number,
): Promise<ForeignQuicServer> {
  const folder = path.join(workshop.folder, 'caddy-http3');
  mkdirSync(folder);
  const port = await freePort();
  const config = path.join(folder, 'Caddyfile');
  const tls = `tls ${workshop.certFile} ${workshop.keyFile}`;
  const log = 'log {\n  output stdout\n  format json\n }';
  writeFileSync(
    config,
    `{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}
https://localhost:${String(port)} {\n ${tls}\n root * ${root}\n respond /teapot "short and stout" 418\n reverse_proxy /app/* 127.0.0.1:${String(application)}\n file_server\n ${log}\n}\n`,
  );
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = startChild(program, ['run', '--config', config, '--adapter', 'caddyfile'], { ...PATIENCE, env });
  await untilOpen(port, child);
  return quicServer(port, child);
}

function quicServer(port: number, child: RunningChild): ForeignQuicServer {
  return {
    url: `https://localhost:${String(port)}`,
    port,
    output: () => child.output(),
    stop: () => child.stop().then(() => undefined),
  };
}

/** Waits until somebody has bound the port. */
async function untilTaken(port: number, child: RunningChild): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const taken = await new Promise<boolean>((resolve) => {
      const probe = createSocket('udp4');
      probe.once('error', () => probe.close(() => resolve(true)));
      probe.bind(port, '127.0.0.1', () => probe.close(() => resolve(false)));
    });
    if (taken) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens on UDP port ${String(port)}:\n${child.output()}`);
}

/** What ngtcp2's client brought. */
export interface Gtlsclient {
  readonly result: ChildResult;
  /** The body that was answered for the path, as it is named in the folder of downloads. */
  body(name: string): Uint8Array;
}

/** Runs ngtcp2's client. It verifies no certificate. */
export async function runGtlsclient(
  program: string,
  workshop: Workshop,
  port: number,
  url: string,
  options: readonly string[] = [],
): Promise<Gtlsclient> {
  const folder = mkdtempSync(path.join(workshop.folder, 'download-'));
  const common = ['--exit-on-all-streams-close', `--download=${folder}`];
  const args = [...common, ...options, '127.0.0.1', String(port), url];
  const result = await runChild(program, args, { timeout: 110_000 });
  return { result, body: (name) => readFileSync(path.join(folder, name)) };
}

/** Arguments with which Chromium speaks HTTP/3 to `localhost:port` from the first request on. */
export function chromiumArguments(workshop: Workshop, port: number): string[] {
  const key = new X509Certificate(workshop.certPem).publicKey.export({ type: 'spki', format: 'der' });
  return [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-default-apps',
    '--disable-extensions',
    '--host-resolver-rules=MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1]',
    `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    `--origin-to-force-quic-on=localhost:${String(port)}`,
  ];
}

/** Starts Firefox on a page, with a profile that trusts the workshop's authority and knows where HTTP/3 is. */
export async function startFirefox(
  program: string,
  certutil: string,
  workshop: Workshop,
  port: number,
  url: string,
): Promise<RunningChild> {
  const profile = mkdtempSync(path.join(workshop.folder, 'firefox-'));
  for (const args of [
    ['-N', '--empty-password'],
    ['-A', '-t', 'C,,', '-n', 'ca', '-i', workshop.caFile],
  ]) {
    const { code, stderr } = await runChild(certutil, ['-d', `sql:${profile}`, ...args]);
    if (code !== 0) throw new Error(`certutil failed: ${stderr}`);
  }
  const preferences: Record<string, boolean | string> = {
    'network.http.http3.enable': true,
    'network.http.http3.disable_when_third_party_roots_found': false,
    'network.dns.disableIPv6': true,
    'network.http.http3.alt-svc-mapping-for-testing': `localhost;h3=:${String(port)}`,
    'browser.shell.checkDefaultBrowser': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'browser.aboutwelcome.enabled': false,
    'app.update.enabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
  };
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  writeFileSync(path.join(profile, 'user.js'), lines.join(''));
  const env = { HOME: profile, MOZ_HEADLESS: '1' };
  return startChild(program, ['--headless', '--no-remote', '--profile', profile, url], {
    ...PATIENCE,
    env,
    group: true,
  });
}
