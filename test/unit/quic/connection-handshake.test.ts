import { describe, expect, it } from 'vitest';
import { ConnectionPair } from './connection-pair.ts';

describe('a handshake', () => {
  it('completes on both sides and is confirmed (RFC 9001 section 4.1)', () => {
    const pair = new ConnectionPair().connect();
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([
      { alpn: 'h3', cipher: 'TLS_AES_128_GCM_SHA256', resumed: false, earlyData: 'none' },
    ]);
    expect(pair.only('server', 'HandshakeCompleted')).toMatchObject([{ alpn: 'h3', resumed: false }]);
    expect(pair.client.handshakeConfirmed).toBe(true);
    expect(pair.server?.handshakeConfirmed).toBe(true);
    expect(pair.closed('client')).toBeUndefined();
  });
});
