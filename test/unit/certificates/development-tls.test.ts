import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { developmentTls, openDevelopmentCa } from '../../../src/certificates/index.ts';
import type { ServerTlsConfig, TlsIdentity } from '../../../src/common/index.ts';
import { DAY, handshake, noticeList, temporaryFolder, testClock } from './support.ts';

/** What the configuration answers to a server name. */
async function identityFor(tls: ServerTlsConfig, name = 'localhost'): Promise<TlsIdentity | undefined> {
  if (typeof tls.serverNames !== 'function') throw new Error('serverNames is no function');
  return tls.serverNames(name);
}

describe('TLS for a development server', () => {
  it('is accepted by a client that trusts the CA', async () => {
    const directory = await temporaryFolder();
    const { cert, key } = await developmentTls({ directory });
    const { certificatePem } = await openDevelopmentCa({ directory });
    const result = await handshake({ cert: cert as string, key: key as string }, certificatePem, 'localhost');
    expect(result.error).toBe('');
  });

  it('uses the same certificate at the next start, and other options get another', async () => {
    const directory = await temporaryFolder();
    const { types, onNotice } = noticeList();
    const first = await developmentTls({ directory, onNotice });
    const second = await developmentTls({ directory, onNotice });
    const other = await developmentTls({
      directory,
      onNotice,
      names: ['app.localhost'],
      keyType: 'rsa-2048',
      days: 5,
      clientAuth: true,
    });
    expect([second.cert, second.key]).toEqual([first.cert, first.key]);
    expect(other.cert).not.toBe(first.cert);
    expect(types).toEqual(['CaCreated', 'LeafIssued', 'LeafIssued']);
  });

  it('takes a CA that is open already', async () => {
    const ca = await openDevelopmentCa({ ephemeral: true });
    const { cert, key } = await developmentTls({ ca });
    const result = await handshake({ cert: cert as string, key: key as string }, ca.certificatePem, '127.0.0.1');
    expect(result.error).toBe('');
  });

  it('answers server names with the identity from the start, without waiting, until renewal is due', async () => {
    const clock = testClock();
    const tls = await developmentTls({ directory: await temporaryFolder(), now: clock.now });
    clock.travel(59 * DAY);
    expect(typeof tls.serverNames === 'function' ? tls.serverNames('localhost') : 'none').toBeUndefined();
  });

  it('renews the certificate while the server runs, once for many handshakes', async () => {
    const directory = await temporaryFolder();
    const clock = testClock();
    const { types, onNotice } = noticeList();
    const tls = await developmentTls({ directory, now: clock.now, onNotice });
    clock.travel(61 * DAY);
    const answers = await Promise.all(Array.from({ length: 5 }, () => identityFor(tls)));
    expect(new Set(answers.map((answer) => answer?.cert)).size).toBe(1);
    expect(answers[0]?.cert).not.toBe(tls.cert);
    expect(types).toEqual(['CaCreated', 'LeafIssued', 'LeafIssued']);
    expect((await developmentTls({ directory, now: clock.now })).cert).toBe(answers[0]?.cert);
    expect(await identityFor(tls)).toEqual(answers[0]);
  });

  it('renews the CA too when that is due', async () => {
    const directory = await temporaryFolder();
    const clock = testClock();
    const { types, onNotice } = noticeList();
    const tls = await developmentTls({ directory, now: clock.now, onNotice });
    clock.travel(705 * DAY);
    expect((await identityFor(tls))?.cert).toBeDefined();
    expect(types).toEqual(['CaCreated', 'LeafIssued', 'CaRenewed', 'LeafIssued']);
  });

  it('goes on with the old one when renewal fails, tells it, and tries again after a minute', async () => {
    const directory = join(await temporaryFolder(), 'data');
    const clock = testClock();
    const { types, onNotice } = noticeList();
    const tls = await developmentTls({ directory, now: clock.now, onNotice });
    await rm(directory, { recursive: true });
    await writeFile(directory, '');
    clock.travel(61 * DAY);
    expect([await identityFor(tls), await identityFor(tls)]).toEqual([undefined, undefined]);
    expect(types.slice(2)).toEqual(['RenewalFailed']);
    await rm(directory);
    clock.travel(59_999);
    expect(await identityFor(tls)).toBeUndefined();
    clock.travel(1);
    expect((await identityFor(tls))?.cert).toBeDefined();
    expect(types.slice(3)).toEqual(['CaCreated', 'LeafIssued']);
  });

  it('keeps an ephemeral CA through its renewals', async () => {
    const clock = testClock();
    const { types, onNotice } = noticeList();
    const tls = await developmentTls({ ephemeral: true, now: clock.now, onNotice });
    clock.travel(61 * DAY);
    expect((await identityFor(tls))?.cert).toBeDefined();
    expect(types).toEqual(['CaEphemeral', 'LeafIssued', 'LeafIssued']);
  });
});
