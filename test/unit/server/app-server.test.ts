import { describe, expect, it } from 'vitest';
import { request, start } from './loopback.ts';

describe('an AppServer', () => {
  it('answers a request', async () => {
    const server = await start(() => new Response('hello'));
    const text = await request(server, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/\r\ndate: .* GMT\r\n/i);
    expect(text).toMatch(/\r\n\r\nhello$/);
    await server.close();
    await server.closed;
  });
});
