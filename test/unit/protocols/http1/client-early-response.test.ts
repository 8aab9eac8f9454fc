import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../../support/connection-pair.ts';
import { clientSide, END, MORE, octets } from '../../../support/http1-sides.ts';

describe('a final head before the request’s end (RFC 9112 section 9.5)', () => {
  it('lets the exchange go on, and the connection end with it', () => {
    const client = clientSide();
    const id = client.request('POST', '/', [], MORE);
    client.sent();
    client.receive('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    client.protocol.submitData(id, octets('all'), END);
    expect(client.sent()).toContain('all');
    expect(eventTypes(client.receive('ok')).slice(-2)).toEqual(['DataReceived', 'StreamClosed']);
    expect(client.protocol.hasExpired()).toBe(true);
    expect(client.protocol.wantsEof).toBe(true);
  });
});
