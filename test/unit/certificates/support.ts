/**
 * What the tests of certificates share: folders of their own, a clock that stands still, a TLS handshake on loopback.
 *
 * @module
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import type { PeerCertificate, TlsOptions, TLSSocket } from 'node:tls';
import { afterEach } from 'vitest';
import { loadDerWriter } from '../../../src/certificates/asn1.ts';
import { readAuthority } from '../../../src/certificates/authority.ts';
import type { Authority } from '../../../src/certificates/authority.ts';
import type { CertificateNotice } from '../../../src/certificates/index.ts';
import { parseSubjectNames } from '../../../src/certificates/names.ts';
import { certificatePem, writeLeafCertificate } from '../../../src/certificates/x509-writer.ts';
import { ConfigurationError } from '../../../src/common/index.ts';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A folder that is deleted after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hface-certificates-'));
  folders.push(folder);
  return folder;
}

/** One day in milliseconds. */
export const DAY = 86_400_000;

/** 2027-01-01T00:00:00Z */
export const NEW_YEAR: number = Date.UTC(2027, 0, 1);

/** A clock that stands still until it is moved. */
export interface TestClock {
  now: () => number;
  travel: (milliseconds: number) => void;
}

/** A clock at {@link NEW_YEAR}. */
export function testClock(start: number = NEW_YEAR): TestClock {
  let time = start;
  return {
    now: () => time,
    travel: (milliseconds) => {
      time += milliseconds;
    },
  };
}

/** Gathers notices by their type. */
export function noticeList(): { types: string[]; onNotice: (notice: CertificateNotice) => void } {
  const types: string[] = [];
  return { types, onNotice: ({ type }) => types.push(type) };
}

/** The error that a promise rejects with, which must be a ConfigurationError of one line each. */
export async function configurationError(promise: Promise<unknown>): Promise<ConfigurationError> {
  const outcome: unknown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (!(outcome instanceof ConfigurationError)) throw outcome;
  if (`${outcome.message}${outcome.hint ?? ''}`.includes('\n')) throw new Error('more than one line');
  return outcome;
}

/** The CA that lies in a folder, with its key. */
export async function authorityOf(folder: string, generation = 1): Promise<Authority> {
  const text = await readFile(join(folder, `ca-${generation}`, 'key-and-certificate.pem'), 'utf8');
  const authority = readAuthority(text);
  if (typeof authority === 'string') throw new Error(authority);
  return authority;
}

/** A leaf that the CA's key signs without asking whether it may, as somebody would who has stolen it. */
export async function forgedLeaf(
  authority: Authority,
  names: string[],
  now: number,
): Promise<{ cert: string; key: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const raw = writeLeafCertificate(await loadDerWriter(), {
    notBefore: now - DAY,
    notAfter: now + DAY,
    publicKey,
    signingKey: authority.key,
    issuerKey: authority.certificate.publicKey,
    names: parseSubjectNames(names),
    clientAuth: false,
  });
  return { cert: certificatePem(raw), key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string };
}

/** What a client found. */
export interface HandshakeResult {
  /** Empty when the certificate was accepted. */
  readonly error: string;
  /** The names of the certificate that was shown. */
  readonly shown: string;
}

/** Serves one TLS handshake on an address of loopback to a client that trusts `ca` and expects `host`. */
export async function handshake(
  server: TlsOptions,
  ca: string,
  host: string,
  address = '127.0.0.1',
): Promise<HandshakeResult> {
  const listener = createServer(server, (socket) => socket.end());
  listener.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => listener.listen(0, address, resolve));
  const { port } = listener.address() as AddressInfo;
  try {
    return await new Promise<HandshakeResult>((resolve) => {
      // OpenSSL's check of the host in place of Node's own, which in some releases of Node 22 takes ::1 for a name.
      const checkServerIdentity = (_name: string, certificate: PeerCertificate): Error | undefined => {
        const leaf = new X509Certificate(certificate.raw);
        const matches = isAddress(host) ? leaf.checkIP(host) : leaf.checkHost(host, { subject: 'never' });
        if (matches !== undefined) return undefined;
        return Object.assign(new Error(`the certificate is not for ${host}`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
      };
      const socket: TLSSocket = connect(
        { port, host: address, ca, checkServerIdentity, ...(isAddress(host) ? { host } : { servername: host }) },
        () => {
          resolve({ error: '', shown: socket.getPeerX509Certificate()?.subjectAltName ?? '' });
          socket.destroy();
        },
      );
      socket.on('error', (error: NodeJS.ErrnoException) => {
        resolve({ error: `${error.code ?? ''}: ${error.message}`, shown: '' });
      });
    });
  } finally {
    await new Promise((resolve) => listener.close(resolve));
  }
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}
