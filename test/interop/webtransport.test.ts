/**
 * A foreign WebTransport client on HTTP/2 (the pure JavaScript part of its package) opens a session through our extended
 * CONNECT (RFC 8441).
 *
 * @module
 */
import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HttpOverTcpListener, systemNetworking } from '../../src/connections/index.ts';
import { Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import { runNode } from '../support/child.ts';
import { root } from '../support/repository.ts';
import { makeCertificate } from '../support/test-certificates.ts';

/** A program that opens a session. The client knows the server by its certificate's digest. */
const program = (port: number, digest: string): string => `
  const { WebTransport } = await import('@fails-components/webtransport');
  const session = new WebTransport('https://127.0.0.1:${String(port)}/session', {
    forceReliable: true,
    requireUnreliable: false,
    serverCertificateHashes: [{ algorithm: 'sha-256', value: Buffer.from('${digest}', 'hex') }],
  });
  session.closed.catch(() => undefined);
  await session.ready;
  process.stdout.write('ready');
  process.exit(0);
`;

describe('@fails-components/webtransport on HTTP/2', () => {
  it('opens a session through extended CONNECT', async () => {
    // Such digests are for certificates of at most fourteen days.
    const notAfter = new Date(Date.now() + 5 * 86_400_000);
    const { cert, key, certPem } = makeCertificate({ names: ['127.0.0.1'], notAfter });
    const factory = new Http2ServerFactory();
    const listener = new HttpOverTcpListener({ networking: systemNetworking(), factory, tls: { cert, key } });
    const listening = await listener.listen({ scheme: 'https', host: '127.0.0.1', port: 0, unixPath: undefined });
    const asked = (async () => {
      for await (const connection of listening) {
        for await (const event of connection) {
          if (event.type !== 'HeadersReceived') continue;
          connection.sendHeaders(event.streamId, [':status', '200'], { endStream: false });
          return event.headers;
        }
      }
      return [];
    })();
    const digest = createHash('sha256').update(new X509Certificate(certPem).raw).digest('hex');
    const port = listening.endpoints[0]?.port ?? 0;
    const { code, stdout } = await runNode(['--input-type=module', '-e', program(port, digest)], { cwd: root });
    // Before that the package says that it has no transport for QUIC.
    expect({ code, end: stdout.slice(-5) }).toEqual({ code: 0, end: 'ready' });
    const headers = await asked;
    expect(headers).toEqual(expect.arrayContaining([':method', 'CONNECT', ':protocol', 'webtransport']));
    await listening.close();
  });
});
