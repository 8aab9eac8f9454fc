import { afterEach, describe, expect, it } from 'vitest';
import { SharedTls } from '../../../../cli/server/shared-tls.ts';
import { plainTls, tlsOf } from '../../../../cli/server/worker-messages.ts';
import type { PlainTls } from '../../../../cli/server/worker-messages.ts';
import { makeCertificate } from '../../../support/test-certificates.ts';

let shared: SharedTls | undefined;
afterEach(() => shared?.close());

describe('SharedTls', () => {
  it('has ticket keys of its own, and new ones with each certificate', () => {
    const [first, second] = [makeCertificate(), makeCertificate()];
    const told: PlainTls[] = [];
    shared = new SharedTls({ cert: first.cert, key: first.key }, (tls) => told.push(tls));
    const before = shared.plain;
    expect(Buffer.from(before.ticketKeys, 'base64')).toHaveLength(48);
    shared.update({ cert: second.cert, key: second.key });
    expect(told).toEqual([shared.plain]);
    expect(shared.plain.cert).toBe(second.cert);
    expect(shared.plain.ticketKeys).not.toBe(before.ticketKeys);
    // Halves that do not match change nothing.
    expect(() => shared?.update({ cert: first.cert, key: second.key })).toThrow(/key values mismatch/);
    expect(shared.plain.cert).toBe(second.cert);
    expect(told).toHaveLength(1);
  });
});

describe('TLS as data', () => {
  it('is the same on the other side', () => {
    const keys = new Uint8Array(48).fill(9);
    const config = {
      cert: 'c',
      key: 'k',
      passphrase: 'p',
      ca: ['a', Buffer.from('b')],
      clientCertificate: 'require' as const,
    };
    const line = (): void => undefined;
    const crossed = JSON.parse(JSON.stringify(plainTls(config, keys))) as PlainTls;
    const other = tlsOf(crossed, line);
    expect(other).toEqual({ ...config, ca: 'a\nb', ticketKeys: Buffer.from(keys), keylog: line });
    expect(tlsOf(JSON.parse(JSON.stringify(plainTls({ cert: 'c', key: 'k' }, keys))) as PlainTls, undefined)).toEqual({
      cert: 'c',
      key: 'k',
      ticketKeys: Buffer.from(keys),
    });
  });
});
